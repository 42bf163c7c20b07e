"""Measurements of a training: arrays by name with a row an epoch, which grow and can be kept."""

from typing import Any

import numpy as np

from .probe import INPUT_QUANTITIES, LOSS_QUANTITIES, RANGE_QUANTITIES, UNIT_QUANTITIES

PER_LAYER = (
    "gradient_norm",
    "gradient_norm_max",
    "gradient_norm_last",
    "gradient_norm_peak",
    "update_ratio",
    "weight_norm",
    "distance",
    "gradient_zeros",
    "gradient_non_finite",
    "weight_zeros",
    "weight_non_finite",
    *UNIT_QUANTITIES,
    *INPUT_QUANTITIES,
)
PER_EPOCH = (*LOSS_QUANTITIES, "task_loss", *RANGE_QUANTITIES, "learning_rate", "skipped_steps")


class Table:
    """Arrays by name, each row of which is an epoch or a step.

    Attributes:
        arrays: The rows so far.
    """

    def __init__(self, arrays: dict[str, np.ndarray] | None = None) -> None:
        self.arrays = dict(arrays or {})
        self._missed = 0

    def __len__(self) -> int:
        return max((len(array) for array in self.arrays.values()), default=self._missed)

    def miss(self, rows: int) -> None:
        """Begin with rows that nothing is known of, which are NaN."""
        self._missed = rows

    def append(self, row: dict[str, np.ndarray]) -> None:
        """Add a row; what a row leaves out, or what begins late, is NaN."""
        rows = len(self)
        for name in dict.fromkeys((*self.arrays, *row)):
            self.arrays[name] = _append(self.arrays.get(name), row.get(name), rows)


def series(
    arrays: dict[str, np.ndarray], layers: list[str], epoch: int, variant: int | None
) -> dict[str, float]:
    """An epoch as plain numbers: `quantity/layer` and `quantity`; what was not measured is left out."""
    found: dict[str, float] = {}
    for name, array in arrays.items():
        if name not in PER_LAYER and name not in PER_EPOCH:
            continue
        row = array[epoch]
        per_layer = name in PER_LAYER
        if row.ndim > per_layer:
            row = np.take(row, variant, axis=0) if variant is not None else _mean(row)
        named = zip((f"{name}/{layer}" for layer in layers), row, strict=True) if per_layer else [(name, row)]
        found |= {key: float(value) for key, value in named if not np.isnan(value)}
    return found


def pack(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Names with a prefix."""
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def unpack(arrays: dict[str, Any], prefix: str) -> dict[str, np.ndarray]:
    """What `pack` packed."""
    start = f"{prefix}/"
    return {
        name.removeprefix(start): np.array(array) for name, array in arrays.items() if name.startswith(start)
    }


def _append(array: np.ndarray | None, value: np.ndarray | None, rows: int) -> np.ndarray:
    if array is None:
        value = np.asarray(value, "float64")
        array = np.full((rows, *value.shape), np.nan)
    if value is None:
        value = np.full(array.shape[1:], np.nan)
    return np.concatenate([array, np.asarray(value, "float64")[None]])


def _mean(row: np.ndarray) -> np.ndarray:
    """Over variants, of those that have a number."""
    counted = ~np.isnan(row)
    total = np.where(counted, row, 0).sum(axis=0)
    return np.where(counted.any(axis=0), total / np.maximum(counted.sum(axis=0), 1), np.nan)
