"""What is known of a training's examples: what kind of task they are, and what is reached without a network.

Sources: the best constant prediction as the zero of a score, Murphy 1988, "Skill scores based on the mean
square error"; nearest neighbours and ridge regression as references that need no training, Hastie et al.
2009, "The Elements of Statistical Learning", 13.3 and 3.4.1.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

MOST_FEATURES = 1024
NEIGHBOURS = 5
_QUANTILES = np.linspace(0.05, 0.95, 19)


def describe(y: np.ndarray) -> dict[str, Any]:
    """Numbers of the labels: range, mean, spread, whether they are whole numbers, one-hot, how many
    classes."""
    y = np.asarray(y)
    values = y.astype("float64") if y.dtype.kind in "biuf" else np.full(y.shape, np.nan)
    known = values[np.isfinite(values)]
    found: dict[str, Any] = {
        "n": len(y),
        "shape": list(y.shape[1:]),
        "non_finite": 1 - known.size / max(values.size, 1),
    }
    if not known.size:
        return found
    whole = bool((known == np.round(known)).all())
    one_hot = (
        y.ndim > 1
        and y.shape[-1] > 1
        and bool(((known == 0) | (known == 1)).all())
        and known.size == values.size
        and bool((values.sum(axis=-1) == 1).all())
    )
    classes = np.unique(known) if whole else np.array([])
    found |= {
        "min": known.min(),
        "max": known.max(),
        "mean": known.mean(),
        "rms": np.sqrt(np.mean(known**2)),
        "spread": _spread(values),
        "below_zero": np.mean(known < 0),
        "above_one": np.mean(known > 1),
        "below_minus_one": np.mean(known < -1),
        "integer": whole,
        "one_hot": one_hot,
        "classes": int(values.shape[-1] if one_hot else len(classes)),
    }
    if one_hot or (whole and len(classes) <= max(2, known.size // 4)):
        ids = values.argmax(axis=-1).ravel() if one_hot else known
        found["chance"] = float(np.unique(ids, return_counts=True)[1].max() / ids.size)
    return found


def _spread(values: np.ndarray) -> float:
    """Standard deviation around each unit's own mean."""
    rows = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1)
    return float(np.sqrt(np.nanmean(np.nanvar(rows, axis=0))))


def best_constant_loss(
    loss: Callable, kind: str, y: np.ndarray, units: int, from_logits: bool, weights: np.ndarray | None = None
) -> float | None:
    """The loss of the best prediction that does not look at the inputs, or None where that cannot be told.

    Args:
        loss: Of labels and predictions.
        kind: Of the loss, one of `losses.kind_of`.
        y: Labels.
        units: Of the output.
        from_logits: Whether the loss takes logits.
        weights: Of the examples, or None.
    """
    if y.dtype.kind not in "biuf" or not np.isfinite(y.astype("float64")).all():
        return None
    if weights is not None and (weights.shape != y.shape[:1] or not (weights > 0).any()):
        weights = None
    counted = y if weights is None else _repeated(y, weights)
    constants = _constants(kind, counted, units)
    losses = []
    for constant in constants:
        given = _as_logits(kind, constant) if from_logits else constant
        predicted = np.broadcast_to(given, (*_places(kind, y, units), units)).astype("float32")
        if weights is None:
            losses.append(float(np.mean(np.asarray(loss(y, predicted)))))
        elif hasattr(loss, "reduction"):
            losses.append(float(np.asarray(loss(y, predicted, sample_weight=weights))))
        else:
            each = np.asarray(loss(y, predicted)).reshape(len(y), -1).mean(axis=1)
            losses.append(float(np.mean(each * weights)))
    finite = [one for one in losses if np.isfinite(one)]
    return min(finite) if finite else None


def perfect_loss(loss: Callable, kind: str, y: np.ndarray, units: int) -> float:
    """The loss of predicting the labels themselves: 0 for most, and not for a Poisson loss or smoothed
    labels."""
    if kind in ("sparse_cross_entropy", "hinge", "categorical_hinge") or y.size % max(units, 1):
        return 0.0
    predicted = y.astype("float32").reshape(*_places(kind, y, units), units)
    found = float(np.mean(np.asarray(loss(y, predicted))))
    return found if np.isfinite(found) else 0.0


def _repeated(y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Labels as often as their weights say, for the constant that is best with them."""
    cumulated = np.cumsum(weights) / np.sum(weights)
    places = np.searchsorted(cumulated, (np.arange(4 * len(y)) + 0.5) / (4 * len(y)))
    return y[np.minimum(places, len(y) - 1)]


def _places(kind: str, y: np.ndarray, units: int) -> tuple[int, ...]:
    if kind == "sparse_cross_entropy":
        return y.shape[:-1] if y.ndim > 1 and y.shape[-1] == 1 else y.shape
    return y.shape[:-1] if y.ndim > 1 and y.shape[-1] == units else y.shape


def _constants(kind: str, y: np.ndarray, units: int) -> list[np.ndarray]:
    if kind == "sparse_cross_entropy":
        ids = y.astype("int64").ravel()
        if ids.min() < 0 or ids.max() >= units:
            return []
        return [np.bincount(ids, minlength=units) / ids.size]
    rows = (
        y.astype("float64").reshape(-1, units) if y.size % units == 0 else y.astype("float64").reshape(-1, 1)
    )
    mean = rows.mean(axis=0)
    if kind in ("cross_entropy", "binary_cross_entropy", "divergence"):
        return [mean]
    if kind == "hinge":
        return [mean * 0, mean * 0 - 1, mean * 0 + 1]
    return [mean, *np.quantile(rows, _QUANTILES, axis=0)]


def _as_logits(kind: str, constant: np.ndarray) -> np.ndarray:
    p = np.clip(constant, 1e-7, 1 - 1e-7)
    return np.log(p) - np.log(1 - p) if kind == "binary_cross_entropy" else np.log(p)


def reference_skill(x: np.ndarray, y: np.ndarray, classes: bool) -> float | None:
    """How much of the labels nearest neighbours or a ridge regression tell, each example by the others.

    Args:
        x: Examples, numbers in rows.
        y: A class an example, or numbers.
        classes: Whether labels are classes.

    Returns:
        1: all; 0: no better than the best constant; None where it cannot be told.
    """
    if len(y) < 64 or not np.isfinite(x).all() or not np.isfinite(y).all():
        return None
    x = _standardized(x)
    if classes:
        ids = np.unique(y.ravel(), return_inverse=True)[1]
        if ids.max() + 1 > len(ids) // 8 or ids.max() == 0:
            return None
        targets = np.eye(ids.max() + 1)[ids]
        chance = targets.mean(axis=0).max()
        right = [np.mean(p.argmax(axis=1) == ids) for p in _predictions(x, targets)]
        return float((max(right) - chance) / (1 - chance))
    targets = y.reshape(len(y), -1).astype("float64")
    variance = targets.var(axis=0).mean()
    if variance == 0:
        return None
    errors = [np.mean((p - targets) ** 2) for p in _predictions(x, targets)]
    return float(1 - min(errors) / variance)


def _predictions(x: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    """Of each example by all others: nearest neighbours, weak and strong ridge regression."""
    squares = (x**2).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * x @ x.T
    np.fill_diagonal(distances, np.inf)
    near = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    found = [targets[near].mean(axis=1)]
    centred = targets - targets.mean(axis=0)
    gram = x @ x.T
    values, vectors = np.linalg.eigh(gram)
    for strength in (0.03, 1.0):
        shrunk = vectors * (values / (values + strength * len(x)))
        hat = shrunk @ vectors.T
        own = np.minimum(np.diag(hat), 0.99)[:, None]
        left_out = (hat @ centred - own * centred) / (1 - own)  # without the example itself
        found.append(left_out + targets.mean(axis=0))
    return found


def _standardized(x: np.ndarray) -> np.ndarray:
    x = x.reshape(len(x), -1)
    if x.shape[1] > MOST_FEATURES:
        x = x[:, np.linspace(0, x.shape[1] - 1, MOST_FEATURES).astype(int)]
    x = x.astype("float64")
    spread = x.std(axis=0)
    kept = spread > 0
    x = (x[:, kept] - x[:, kept].mean(axis=0)) / spread[kept]
    return x / np.sqrt(max(x.shape[1], 1))
