"""What is measured in a close look at one training step, written in Keras's ops for every backend.

A close look is taken at some steps only: it passes over all weights several times, which at every step would
cost more than the training may.
"""

from typing import Any

from keras import ops

QUANTITIES = ("zeros", "non_finite", "largest", "scaled", "moved", "weight")
EDGES = tuple(10.0**exponent for exponent in range(-12, 5))
"""Edges of the histograms of magnitudes."""


def look(gradients: list[Any], before: list[Any], after: list[Any], variants: int, histograms: bool) -> Any:
    """Numbers of one step, a column a variable.

    Args:
        gradients: Of the step, unscaled, dense; None where there is none.
        before, after: The weights.
        variants: Variants of a population, whose weights have them for their first axis; 0 without.
        histograms: Count magnitudes too.

    Returns:
        (quantities, variables), or (quantities, variables, variants), float32: entries of the gradient that
        are 0, and that are not finite; its largest finite magnitude m; the sum of squares of its finite
        entries divided by m, which neither overflows nor underflows; the sums of squares of what the step
        added to the weights, and of the weights before it; counts of magnitudes at or above each edge.
    """
    rows = zip(gradients, before, after, strict=True)
    columns = [_column(*row, variants, histograms) for row in rows]
    return ops.stack(columns, axis=1)


def _column(gradient: Any, before: Any, after: Any, variants: int, histograms: bool) -> Any:
    before, after = ops.cast(before, "float32"), ops.cast(after, "float32")
    gradient = ops.zeros_like(before) if gradient is None else ops.cast(gradient, "float32")
    axes = tuple(range(1, len(before.shape))) if variants else None
    finite = ops.isfinite(gradient)
    magnitude = ops.where(finite, ops.abs(gradient), 0.0)
    largest = ops.max(magnitude, axis=axes, keepdims=True)
    unit = ops.where(largest > 0, largest, 1.0)
    numbers = [
        _count(gradient == 0, axes),
        _count(ops.logical_not(finite), axes),
        ops.max(magnitude, axis=axes),
        ops.sum(ops.square(magnitude / unit), axis=axes),
        ops.sum(ops.square(after - before), axis=axes),
        ops.sum(ops.square(before), axis=axes),
    ]
    if histograms:
        numbers += [_count(magnitude >= edge, axes) for edge in EDGES]
    return ops.stack(numbers)


def _count(mask: Any, axes: tuple[int, ...] | None) -> Any:
    return ops.sum(ops.cast(mask, "float32"), axis=axes)
