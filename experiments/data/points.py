"""Small tasks: scikit-learn's digits, figures in the plane, and two outcomes of two inputs.

Additive and multiplicative are the two sides of a claim about linear models: they can represent an
outcome that is a sum of what each input brings and cannot represent one that hangs on a product
(row A2 of the lessons).
"""

from collections.abc import Callable

import numpy as np

from whyfit.models.seeds import derive_seed

from .config import PointsConfig
from .sharing import count_shared, hash_rows, share_out
from .splits import Data, Split

Drawn = tuple[np.ndarray, np.ndarray]


def load(config: PointsConfig, seed: int) -> Data:
    """Make or read the examples and share them out.

    Args:
        config: Which task, how many, how noisy.
        seed: The run's seed; the points derive from it as `data`, their shares as `split`.

    Returns:
        Data whose x are float32 of shape (n, 2), or uint8 of shape (n, 8, 8) and values from 0 to 16
        for digits. y are int32 of shape (n,), or float32 for an outcome that is a number.

    Example:
        >>> data = load(PointsConfig("spirals"), seed=0)
        >>> data.task, data.train.x.shape
        ('binary', (2000, 2))
    """
    rng = np.random.default_rng(derive_seed(seed, "data"))
    x, y = _DRAWERS[config.name](config, sum(config.sizes), rng)
    numbers = y.dtype.kind == "f"
    _, validation_size, test_size = config.sizes
    splitter = np.random.default_rng(derive_seed(seed, "split"))
    train, validation, test = share_out(
        None if numbers else y, (validation_size, test_size), splitter, len(y)
    )
    train = train[: config.sizes[0]]
    hashes = hash_rows(x)
    axis = None if x.dtype == np.uint8 else 0
    mean, variance = x[train].mean(axis, np.float64), x[train].var(axis, np.float64)
    return Data(
        config.name,
        Split(x[train], y[train]),
        Split(x[validation], y[validation]),
        Split(x[test], y[test]),
        task="regression" if numbers else "classification" if config.name == "digits" else "binary",
        class_names=() if numbers else tuple(map(str, np.unique(y))),
        mean=mean.tolist(),
        variance=variance.tolist(),
        target_mean=float(y[train].mean()) if numbers else 0.0,
        target_deviation=float(y[train].std()) if numbers else 1.0,
        reader={"kind": "arrays", "shape": list(x.shape[1:]), "dtype": str(x.dtype)},
        notes=(count_shared("examples", hashes[train], hashes[validation], hashes[test]),),
    )


def draw_digits(config: PointsConfig, count: int, rng: np.random.Generator) -> Drawn:
    """All 1,797 handwritten digits of scikit-learn, 8x8 in 17 greys (Alpaydin and Kaynak 1998)."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images.astype(np.uint8), bunch.target.astype(np.int32)


def draw_moons(config: PointsConfig, count: int, rng: np.random.Generator) -> Drawn:
    """Two half circles of radius 1 that reach into each other.

    Class 0 is (cos t, sin t) and class 1 is (1 - cos t, 1/2 - sin t), t uniform in [0, pi], with noise
    on both coordinates; the figure of scikit-learn's make_moons.
    """
    y, t = _alternate(count), rng.uniform(0, np.pi, count)
    first = np.stack([np.cos(t), np.sin(t)], axis=1)
    second = np.stack([1 - np.cos(t), 0.5 - np.sin(t)], axis=1)
    return _with_noise(np.where(y[:, None] == 0, first, second), config, rng), y


def draw_circles(config: PointsConfig, count: int, rng: np.random.Generator) -> Drawn:
    """Two circles around one centre.

    Class 0 is the one of radius 1, class 1 the one of radius 1/2, with noise on both coordinates.
    """
    y, t = _alternate(count), rng.uniform(0, 2 * np.pi, count)
    radius = np.where(y == 0, 1, 0.5)
    return _with_noise(np.stack([radius * np.cos(t), radius * np.sin(t)], axis=1), config, rng), y


def draw_spirals(config: PointsConfig, count: int, rng: np.random.Generator) -> Drawn:
    """Two spirals, one turned by half a turn against the other (after Lang and Witbrock 1988).

    A point at t, uniform in [1/2, 4 pi], lies at the radius t / pi and the angle t, or t + pi for class
    1, with noise on both coordinates: two turns, whose arms are 1 apart.
    """
    y, t = _alternate(count), rng.uniform(0.5, 4 * np.pi, count)
    angle = t + np.pi * y
    return _with_noise(np.stack([t * np.cos(angle), t * np.sin(angle)], axis=1) / np.pi, config, rng), y


def draw_additive(config: PointsConfig, count: int, rng: np.random.Generator) -> Drawn:
    """The outcome x1 + x2 + noise, or whether it is above 0, of x uniform in [-1, 1]^2 (row A2)."""
    x = rng.uniform(-1, 1, (count, 2))
    return _outcome(x, x[:, 0] + x[:, 1], config, rng)


def draw_multiplicative(config: PointsConfig, count: int, rng: np.random.Generator) -> Drawn:
    """The outcome x1 * x2 + noise, or whether it is above 0, of x uniform in [-1, 1]^2 (row A2).

    The best linear model is the constant 0: neither input alone tells anything.
    """
    x = rng.uniform(-1, 1, (count, 2))
    return _outcome(x, x[:, 0] * x[:, 1], config, rng)


_DRAWERS: dict[str, Callable[[PointsConfig, int, np.random.Generator], Drawn]] = {
    "digits": draw_digits,
    "moons": draw_moons,
    "circles": draw_circles,
    "spirals": draw_spirals,
    "additive": draw_additive,
    "multiplicative": draw_multiplicative,
}


def _outcome(x: np.ndarray, exact: np.ndarray, config: PointsConfig, rng: np.random.Generator) -> Drawn:
    outcome = exact + config.deviation * rng.standard_normal(len(x))
    kind = np.float32 if config.outcome == "number" else np.int32
    return x.astype(np.float32), (outcome if config.outcome == "number" else outcome > 0).astype(kind)


def _with_noise(points: np.ndarray, config: PointsConfig, rng: np.random.Generator) -> np.ndarray:
    return (points + config.deviation * rng.standard_normal(points.shape)).astype(np.float32)


def _alternate(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int32) % 2
