"""One state of the monitor for a population that is put together from variants of others."""

from typing import Any

import numpy as np

Kept = tuple[dict[str, Any], dict[str, np.ndarray]]


def gather(states: list[tuple[Kept, int]]) -> Kept:
    """What the monitor would have kept, had these variants trained together.

    What is no variant's own, such as the probe's examples, is the first one's.

    Args:
        states: For each variant its population's note and arrays, and its place there.
    """
    (note, arrays), _ = states[0]
    named = [name for name in arrays if all(name in its for (_, its), _ in states)]
    gathered = {
        name: _gathered(name, [(its[name], _count(its), at) for (_, its), at in states]) for name in named
    }
    reasons = {name: why for (its, _), _ in states for name, why in its["not_measured"].items()}
    return note | {"first_non_finite": _first_non_finite(states), "not_measured": reasons}, gathered


def _count(arrays: dict[str, np.ndarray]) -> int:
    """Variants of a population."""
    norms = arrays.get("history/gradient_norm", np.zeros(0))
    return norms.shape[1] if norms.ndim == 3 else 0


def _gathered(name: str, parts: list[tuple[np.ndarray, int, int]]) -> np.ndarray:
    """An array of all variants: rows come first in tables, variants first in weights."""
    table = name.partition("/")[0]
    axis = {"history": 1, "early": 1, "start": 0}.get(table)
    first, count, _ = parts[0]
    if axis is None or first.ndim <= axis or first.shape[axis] != count:
        return first
    return np.stack([np.take(array, place, axis) for array, _, place in parts], axis)


def _first_non_finite(states: list[tuple[Kept, int]]) -> dict[str, Any] | None:
    known = [(note["first_non_finite"], place) for (note, _), place in states]
    variants = [
        new for new, (first, place) in enumerate(known) if first and place in first.get("variants", [])
    ]
    return known[variants[0]][0] | {"variants": variants} if variants else None
