"""How much memory a population takes, and into how many it is split where that is too much."""

import math
import warnings
from collections.abc import Sequence
from itertools import pairwise

import psutil

from ..config import Variant, require

_COPIES = 6
"""Of the weights: themselves, gradients, two of the optimizer, the best ones, and one being made."""


def bytes_a_variant(
    variant: Variant, *, input_shape: tuple[int, ...], classes: int, batch_size: int, bytes_a_number: int = 4
) -> int:
    """About what one variant adds to the memory of a training; K variants take K times as much.

    Args:
        variant: One of them; all are of one shape.
        input_shape: Shape of one example.
        classes: Outputs.
        batch_size: Examples a batch.
        bytes_a_number: 4 for float32.
    """
    inputs, widths = math.prod(input_shape), variant.config.widths
    sizes = [inputs, *widths, classes]
    weights = sum((before + 1) * after for before, after in pairwise(sizes))
    weights += 4 * sum(widths)
    # An activation is kept for the way back and has a gradient; raw inputs wait in the pipeline four times.
    numbers = _COPIES * weights + batch_size * (6 * inputs + 4 * sum(sizes[1:]))
    return numbers * bytes_a_number


def split_variants(
    variants: Sequence[Variant],
    *,
    input_shape: tuple[int, ...],
    classes: int,
    batch_size: int,
    budget: int | None = None,
) -> list[list[Variant]]:
    """Variants in as few populations as fit into memory, of nearly equal size; says so where it is not one.

    Args:
        variants: At least two.
        input_shape: Shape of one example.
        classes: Outputs.
        batch_size: Examples a batch.
        budget: Bytes they may take together. None: half of the machine's memory, so that a run that goes on
            is split as it was.

    Returns:
        Lists of at least two variants, in order, to be trained one after another. One that would stand alone
        joins the others, budget or not.

    Raises:
        ValueError: Not even two variants fit.

    Example:
        >>> parts = split_variants(variants, input_shape=(28, 28), classes=10, batch_size=128)
    """
    require("variants", "at least 2", len(variants), len(variants) >= 2)
    budget = _memory() // 2 if budget is None else budget
    each = bytes_a_variant(variants[0], input_shape=input_shape, classes=classes, batch_size=batch_size)
    require("budget", f"at least {2 * each} bytes, two variants' memory", budget, budget >= 2 * each)
    count = len(variants)
    parts = max(1, math.ceil(count / (budget // each)))
    while count // parts < 2:
        parts -= 1
    sizes = [count // parts + (number < count % parts) for number in range(parts)]
    starts = [sum(sizes[:number]) for number in range(parts)]
    if parts > 1:
        message = f"{count} variants take {_shown(count * each)} and {_shown(budget)} are to be used"
        shown = ", ".join(map(str, sizes))
        warnings.warn(f"{message}: they are trained as {parts} populations of {shown}", stacklevel=2)
    return [list(variants[start : start + size]) for start, size in zip(starts, sizes, strict=True)]


def _memory() -> int:
    return psutil.virtual_memory().total


def _shown(size: int) -> str:
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
