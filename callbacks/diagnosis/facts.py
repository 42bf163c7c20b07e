"""What is read once of a model, its optimizer and its examples, for rules that then need no Keras."""

from hashlib import sha256
from typing import Any

import keras
import numpy as np
from keras import tree

from ..monitoring.layers import Layer
from ..monitoring.probe import activation_of
from .labels import best_constant_loss, describe, perfect_loss, reference_skill
from .losses import compiled_loss, own_step
from .losses_known import CLASSIFIES, REGRESSES

_SKILLS: dict[bytes, float | None] = {}
_SKILLS_KEPT = 64
_NORMALIZES = ("BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization")


def of_weights(rows: list[Layer], start: dict[str, np.ndarray], variants: int) -> dict[str, Any]:
    """Facts of the weights that a training begins with, a value a layer.

    Args:
        rows: The layers.
        start: First values by `layer/place`.
        variants: Variants of a population, of which the first is looked at; 0 without.
    """
    kernels = []
    for row in rows:
        values = [start[f"{row.name}/{place}"] for place in range(len(row.variables))]
        values = [value[0] if variants and value.ndim else value for value in values]
        kernels.append(max(values, key=lambda value: (value.ndim, value.size)))
    return {
        "kinds": [type(row.layer).__name__ for row in rows],
        "parameters": [
            sum(int(np.prod(variable.shape)) for variable in row.variables) // (variants or 1) for row in rows
        ],
        "kernel_shapes": [list(kernel.shape) for kernel in kernels],
        "start_norms": [float(np.linalg.norm(kernel.astype("float64"))) for kernel in kernels],
        "start_gains": [_gain(kernel) for kernel in kernels],
        "start_identical": [_identical(kernel) for kernel in kernels],
        "units": [_units_of(row.layer, kernel) for row, kernel in zip(rows, kernels, strict=True)],
        "unrolled": [bool(getattr(row.layer, "unroll", False)) for row in rows],
    }


def _gain(kernel: np.ndarray) -> float:
    """What a layer multiplies the size of its inputs by: rms of the weights times the root of the fan-in."""
    if kernel.ndim < 2 or not kernel.size:
        return float("nan")
    fan_in = int(np.prod(kernel.shape[:-1]))
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean(kernel.astype("float64") ** 2) * fan_in))


def _identical(kernel: np.ndarray) -> bool:
    """Whether all units have the same weights."""
    if kernel.ndim < 2 or kernel.shape[-1] < 2:
        return False
    columns = kernel.reshape(-1, kernel.shape[-1])
    return bool((columns == columns[:, :1]).all())


def _units_of(layer: Any, kernel: np.ndarray) -> int:
    for name in ("units", "filters", "output_dim"):
        value = getattr(layer, name, None)
        if isinstance(value, int):
            return value
    return int(kernel.shape[-1]) if kernel.ndim else 1


def of_model(model: keras.Model, layers: list[Any]) -> dict[str, Any]:
    """Facts of a compiled model and its optimizer.

    Args:
        model: Compiled.
        layers: All of its layers that count as one.
    """
    optimizer = getattr(model, "optimizer", None)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    _, kind, from_logits = compiled_loss(model)
    names = [type(layer).__name__ for layer in layers]
    rates = [getattr(layer, "rate", 0.0) for layer in layers if "Dropout" in type(layer).__name__]
    return {
        "optimizer": type(inner).__name__ if inner is not None else "",
        "momentum": _number(getattr(inner, "momentum", 0.0)),
        "epsilon": _number(getattr(inner, "epsilon", 0.0)),
        "clips": any(getattr(inner, name, None) for name in ("clipnorm", "clipvalue", "global_clipnorm")),
        "dtype": str(getattr(model, "compute_dtype", "float32")),
        "loss": kind,
        "from_logits": from_logits,
        "normalizes": any(name in _NORMALIZES for name in names),
        "recurrent": any(
            isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional) for layer in layers
        ),
        "dropout": max([float(rate) for rate in rates if isinstance(rate, int | float)], default=0.0),
        "nonlinear": sum(_bends(layer) for layer in layers),
        "own_step": own_step(model),
    }


def _bends(layer: Any) -> bool:
    if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional | keras.layers.MultiHeadAttention):
        return True
    return activation_of(layer) is not None or (
        "Pooling" in type(layer).__name__ and "Max" in type(layer).__name__
    )


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def of_examples(
    model: keras.Model, batch: tuple[Any, Any, Any], variants: int, probe: Any, batch_size: int
) -> dict[str, Any]:
    """Facts of some training examples.

    Args:
        model: Compiled.
        batch: x, y and weights, NumPy arrays in the structures that `fit` was given.
        variants: Variants of a population, of which the first is looked at; 0 without.
        probe: The probe, once it has measured: it knows where the outputs come from.
        batch_size: Examples of a training batch, 0 where not known.
    """
    xs = [np.asarray(part) for part in tree.flatten(batch[0]) if part is not None]
    ys = [np.asarray(part) for part in tree.flatten(batch[1]) if part is not None]
    if variants and xs and all(part.ndim > 1 and part.shape[0] == variants for part in (*xs, *ys)):
        xs, ys = [part[0] for part in xs], [part[0] for part in ys]
    found: dict[str, Any] = {"batch_size": batch_size, "inputs": _of_inputs(xs)}
    found |= _of_outputs(probe)
    if len(ys) != 1:
        return found
    y = ys[0]
    found["labels"] = describe(y)
    loss, kind, from_logits = compiled_loss(model)
    units = found.get("output_units") or 0
    if loss is not None and units and not variants:
        weights = None if batch[2] is None else np.asarray(batch[2], "float64").reshape(-1)
        found["baseline_loss"] = _tried(
            lambda: best_constant_loss(loss, kind, y, units, from_logits, weights)
        )
        if not from_logits:
            found["perfect_loss"] = _tried(lambda: perfect_loss(loss, kind, y, units))
    if variants and kind == "none":
        found |= _of_variants(model, y, found["labels"])
    found["reference_skill"] = _tried(lambda: _reference(xs, y, found.get("loss", kind), found["labels"]))
    return found


def _of_variants(model: keras.Model, y: np.ndarray, labels: dict[str, Any]) -> dict[str, Any]:
    """What the loss of a population must be, by the metrics that it has beside it."""
    names = [metric.name for metric in model.metrics]
    if "accuracy" in names and labels.get("integer"):
        shares = np.unique(y, return_counts=True)[1] / y.size
        kind = "binary_cross_entropy" if labels["classes"] <= 2 else "sparse_cross_entropy"
        entropy = float(-(shares * np.log(shares)).sum())
        return {"loss": kind, "from_logits": True, "baseline_loss": entropy}
    if "r2" in names:
        return {"loss": "squared", "baseline_loss": float(labels["spread"] ** 2)}
    return {}


def _of_inputs(xs: list[np.ndarray]) -> dict[str, Any]:
    numbers = [part.astype("float64").ravel() for part in xs if part.dtype.kind in "biuf"]
    every = np.concatenate(numbers) if numbers else np.zeros(0)
    floats = [part for part in xs if part.dtype.kind == "f"]
    known = every[np.isfinite(every)]
    found: dict[str, Any] = {
        "shapes": [list(part.shape[1:]) for part in xs],
        "float": bool(floats),
        "non_finite": 1 - known.size / max(every.size, 1),
    }
    if known.size:
        found |= {"min": known.min(), "max": known.max(), "rms": np.sqrt(np.mean(known**2))}
    if len(floats) == 1 and floats[0].ndim > 1 and np.isfinite(floats[0]).all():
        rows = floats[0].astype("float64").reshape(-1, floats[0].shape[-1])
        sizes, spreads = np.sqrt((rows**2).mean(axis=0)), rows.std(axis=0)
        varies = spreads > 0
        if varies.any():
            found |= {
                "largest_feature": sizes.max(),
                "largest_spread": spreads.max(),
                "smallest_spread": spreads[varies].min(),
                "median_spread": float(np.median(spreads[varies])),
                "largest_offset": float((np.abs(rows.mean(axis=0))[varies] / spreads[varies]).max()),
            }
    return found


def _of_outputs(probe: Any) -> dict[str, Any]:
    if probe is None or not probe.output_shapes:
        return {}
    shape = probe.output_shapes[0]
    row = probe.output_row
    return {
        "activations": list(probe.activations),
        "outputs": len(probe.output_shapes),
        "output_shape": list(shape[1:]),
        "output_units": int(shape[-1]) if len(shape) > 1 else 1,
        "output_row": row,
        "output_activation": probe.activations[row] if row is not None else None,
    }


def _reference(xs: list[np.ndarray], y: np.ndarray, kind: str, labels: dict[str, Any]) -> float | None:
    single = y.ndim == 1 or (y.ndim == 2 and (y.shape[1] == 1 or labels.get("one_hot")))
    if not xs or xs[0].dtype.kind not in "biuf" or y.dtype.kind not in "biuf":
        return None
    if len(xs) > 1 and (any(part.dtype.kind != "f" for part in xs) or len({len(part) for part in xs}) > 1):
        return None  # numbers of users and of things are no sizes
    x = xs[0] if len(xs) == 1 else np.concatenate([part.reshape(len(part), -1) for part in xs], axis=1)
    whole = bool(labels.get("integer")) and kind not in REGRESSES  # counts are no classes
    classes = kind in CLASSIFIES or bool(labels.get("one_hot")) or whole
    if classes and single and "chance" in labels:
        return _skill(x, y.argmax(axis=1) if labels.get("one_hot") else y, True)
    if y.size // len(y) > 64:
        return None
    return _skill(x, y, False)


def _skill(x: np.ndarray, y: np.ndarray, classes: bool) -> float | None:
    """`reference_skill`, fitted once for the many networks that are trained on the same examples."""
    digest = sha256(repr((x.shape, x.dtype, y.shape, y.dtype, classes)).encode())
    for part in (x, y):
        digest.update(np.ascontiguousarray(part).tobytes())
    key = digest.digest()
    if key not in _SKILLS:
        if len(_SKILLS) == _SKILLS_KEPT:
            del _SKILLS[next(iter(_SKILLS))]  # the oldest: a long process sees many data
        _SKILLS[key] = reference_skill(x, y, classes)
    return _SKILLS[key]


def _tried(compute: Any) -> float | None:
    """None for examples of a kind that has not been thought of: a training does not stop for that."""
    try:
        return compute()
    except Exception:
        return None
