"""How examples are shared out to the splits, and which of them are equal."""

import math

import numpy as np

Shares = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Places of the examples of train, validation and test."""


def share_out(
    labels: np.ndarray | None, sizes: tuple[int, int], rng: np.random.Generator, count: int = 0
) -> Shares:
    """Places of the examples of each split, in random order.

    Args:
        labels: Classes, of shape (n,), which every split has in equal shares to within one example
            each. None: no classes.
        sizes: Examples of validation and of test; train gets the rest.
        rng: What draws them.
        count: n, where there are no labels.

    Returns:
        Three arrays of places: train, validation, test.

    Example:
        >>> [len(places) for places in share_out(np.arange(100) % 10, (20, 10), np.random.default_rng(0))]
        [70, 20, 10]
    """
    order = rng.permutation(count if labels is None else len(labels))
    if labels is not None:
        order = order[np.argsort(_way_through_class(labels[order]), kind="stable")]
    validation, test = sizes
    cuts = (slice(test + validation, None), slice(test, test + validation), slice(test))
    train, validating, testing = (rng.permutation(order[cut]) for cut in cuts)
    return train, validating, testing


def share_sizes(validation: float, test: float, count: int) -> tuple[int, int]:
    """Examples of validation and test by their shares of all, at least one each."""
    return max(1, round(validation * count)), max(1, round(test * count))


def _way_through_class(labels: np.ndarray) -> np.ndarray:
    """How far through the examples of its class each example is, in (0, 1).

    Whatever comes first in this order has all classes in the shares of the whole.
    """
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = np.argsort(classes, kind="stable")
    ranks = np.empty(len(labels), np.int64)
    ranks[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return (ranks + 0.5) / counts[classes]


def hash_rows(x: np.ndarray) -> np.ndarray:
    """A number for each example, equal for equal ones, uint64 of shape (n,).

    Different examples share one by chance only: among 100,000 with a probability of 3e-10.
    """
    rows = np.ascontiguousarray(x).reshape(len(x), math.prod(x.shape[1:])).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8)))
    mixed = np.zeros(len(rows), np.uint64)
    for word in np.ascontiguousarray(rows).view(np.uint64).T:
        mixed = (mixed ^ word) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    return mixed


def first_of_equal(hashes: np.ndarray) -> np.ndarray:
    """Places of the examples that no earlier one equals, in order."""
    return np.sort(np.unique(hashes, return_index=True)[1])


def count_shared(what: str, train: np.ndarray, validation: np.ndarray, test: np.ndarray) -> str:
    """A line for people on how many examples of one split stand in another, from their hashes."""
    splits = {"train": train, "validation": validation, "test": test}
    pairs = (("test", "train"), ("test", "validation"), ("validation", "train"))
    parts = [f"{np.isin(splits[a], splits[b]).sum():,} of {a} stand in {b}" for a, b in pairs]
    return f"equal {what}: {', '.join(parts)}"
