"""Small data of many kinds, made or read in a moment. Each is (x, y) for a seed, standardized where it is
numbers."""

from functools import lru_cache
from typing import Any

import numpy as np
from sklearn import datasets

Pair = tuple[np.ndarray, np.ndarray]


@lru_cache(maxsize=8)
def _sklearn(name: str) -> Pair:
    loaded = getattr(datasets, f"load_{name}")()
    return loaded.data.astype("float32"), loaded.target


def _mixed(x: np.ndarray, y: np.ndarray, seed: int) -> Pair:
    order = np.random.default_rng(seed).permutation(len(x))
    return x[order], y[order]


def _standard(x: np.ndarray) -> np.ndarray:
    return ((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)).astype("float32")


def digits(seed: int) -> Pair:
    """8x8 digits, 64 numbers in [0, 1], 10 classes."""
    x, y = _sklearn("digits")
    return _mixed(x / 16, y, seed)


def digit_pictures(seed: int) -> Pair:
    """The same as pictures (8, 8, 1)."""
    x, y = digits(seed)
    return x.reshape(-1, 8, 8, 1), y


def breast_cancer(seed: int) -> Pair:
    """30 standardized numbers, two classes."""
    x, y = _sklearn("breast_cancer")
    return _mixed(_standard(x), y, seed)


def breast_cancer_raw(seed: int) -> Pair:
    """The same as measured: from 1e-3 to 4e3."""
    x, y = _sklearn("breast_cancer")
    return _mixed(x, y, seed)


def wine(seed: int) -> Pair:
    """13 standardized numbers, three classes, 178 examples."""
    x, y = _sklearn("wine")
    return _mixed(_standard(x), y, seed)


def wine_raw(seed: int) -> Pair:
    """The same as measured: proline in hundreds."""
    x, y = _sklearn("wine")
    return _mixed(x, y, seed)


def diabetes(seed: int) -> Pair:
    """10 standardized numbers, a noisy target, standardized."""
    x, y = _sklearn("diabetes")
    return _mixed(_standard(x), _standard(y), seed)


def diabetes_raw(seed: int) -> Pair:
    """The same with the target as measured, 25 to 346."""
    x, y = _sklearn("diabetes")
    return _mixed(_standard(x), y.astype("float32"), seed)


def moons(seed: int, n: int = 1000) -> Pair:
    """Two interleaving half circles."""
    x, y = datasets.make_moons(n, noise=0.15, random_state=seed)
    return _standard(x), y


def spirals(seed: int, n: int = 1000) -> Pair:
    """Three arms."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    radius = np.sqrt(rng.uniform(0.02, 1, n))
    angle = 4 * radius + y * 2 * np.pi / 3 + rng.normal(0, 0.08, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype("float32") * 2, y


def checkers(seed: int, n: int = 1200) -> Pair:
    """The sign of a product of two numbers: no linear model tells it."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.7, 1.7, (n, 2)).astype("float32")
    return x, (x[:, 0] * x[:, 1] > 0).astype("int64")


def blobs(seed: int, n: int = 900) -> Pair:
    """Five clouds in 10 dimensions."""
    x, y = datasets.make_blobs(n, 10, centers=5, cluster_std=3.0, random_state=seed)
    return _standard(x), y


def surface(seed: int, n: int = 1000) -> Pair:
    """A smooth function of 6 numbers, with a little noise, standardized."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype("float32")
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * x[:, 3] + 0.05 * rng.normal(size=n)
    return x, _standard(y)


def plane(seed: int, n: int = 1000) -> Pair:
    """A linear function of 8 numbers with noise: a third of the variance is noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8)).astype("float32")
    y = x @ rng.normal(size=8) / np.sqrt(8) + 0.7 * rng.normal(size=n)
    return x, _standard(y)


def angles(seed: int, n: int = 1000) -> Pair:
    """Two targets of one number."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, (n, 1)).astype("float32")
    y = np.concatenate([np.sin(2 * x), np.cos(x)], 1) + 0.03 * rng.normal(size=(n, 2))
    return x, _standard(y)


def sums(seed: int, n: int = 900, steps: int = 12) -> Pair:
    """Sequences of numbers; the class is the sign of their sum."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, steps, 1)).astype("float32")
    return x, (x.sum(axis=(1, 2)) > 0).astype("int64")


def means(seed: int, n: int = 900, steps: int = 15) -> Pair:
    """Sequences of 3 numbers; the target is a weighted mean, standardized."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, steps, 3)).astype("float32")
    return x, _standard((x @ np.array([1.0, -0.5, 0.3])).mean(axis=1))


def recall(seed: int, n: int = 800, steps: int = 100) -> Pair:
    """The class is the first number's sign; all others are noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, steps, 1)).astype("float32")
    return x, (x[:, 0, 0] > 0).astype("int64")


def tokens(seed: int, n: int = 1000, steps: int = 16) -> Pair:
    """Words 1 to 49; the class is which of two sets has more words."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 50, (n, steps))
    score = np.where(x < 12, 1, np.where(x > 38, -1, 0)).sum(axis=1)
    keep = score != 0
    return x[keep], (score[keep] > 0).astype("int64")


def topics(seed: int, n: int = 900, steps: int = 20) -> Pair:
    """Words 1 to 99; four topics, each with favourite words."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    favourite = rng.uniform(size=(n, steps)) < 0.35
    x = np.where(
        favourite, 1 + y[:, None] * 10 + rng.integers(0, 10, (n, steps)), rng.integers(1, 100, (n, steps))
    )
    return x, y


def waves(seed: int, n: int = 700, steps: int = 48) -> Pair:
    """Signals (48, 1); the target is their frequency, standardized."""
    rng = np.random.default_rng(seed)
    frequency, phase = rng.uniform(1, 6, n), rng.uniform(0, 2 * np.pi, n)
    time = np.linspace(0, 1, steps)
    x = np.sin(2 * np.pi * frequency[:, None] * time + phase[:, None]) + 0.1 * rng.normal(size=(n, steps))
    return x[..., None].astype("float32"), _standard(frequency)


def wave_classes(seed: int, n: int = 800, steps: int = 48) -> Pair:
    """Signals (48, 1) of three shapes: sine, square, saw."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    turns = rng.uniform(1.5, 3, n)[:, None] * np.linspace(0, 1, steps) + rng.uniform(0, 1, n)[:, None]
    shapes = np.stack([np.sin(2 * np.pi * turns), np.sign(np.sin(2 * np.pi * turns)), 2 * (turns % 1) - 1])
    return (shapes[y, np.arange(n)] + 0.1 * rng.normal(size=(n, steps)))[..., None].astype("float32"), y


def copies(seed: int) -> Pair:
    """Digits, to be put out again."""
    x, _ = digits(seed)
    return x, x


def tagged(seed: int, n: int = 800, steps: int = 10) -> Pair:
    """Words 0 to 19, and for each whether it is greater than the one before: an answer a step."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 20, (n, steps))
    before = np.concatenate([np.zeros((n, 1), "int64"), x[:, :-1]], 1)
    return x, (x > before).astype("int64")


def spoil(values: Any, share: float, what: float, seed: int, train: int) -> np.ndarray:
    """A share of the rows that are trained on, the first so many, with one number that is `what`."""
    rng = np.random.default_rng(seed + 1)
    values = np.array(values, "float32")
    rows = rng.choice(train, max(1, int(share * train)), replace=False)
    flat = values.reshape(len(values), -1)
    flat[rows, rng.integers(0, flat.shape[1], len(rows))] = what
    return values
