"""From what steps recorded a variable to what a layer did in an epoch."""

from typing import Any

import keras
import numpy as np

from .layers import Layer
from .measure import EDGES, QUANTITIES
from .record import Readout


class Columns:
    """Which columns of a record belong to which layer.

    Args:
        layers: The rows of the measurements.
        variables: The record's columns.
        key: Key of a variable.
        variants: Variants of a population, 0 without.
    """

    def __init__(self, layers: list[Layer], variables: list[Any], key: Any, variants: int) -> None:
        places = {key(variable): place for place, variable in enumerate(variables)}
        self._of = [
            [places[key(own)] for own in layer.variables if layer.trainable and key(own) in places]
            for layer in layers
        ]
        sizes = np.array([int(np.prod(variable.shape)) for variable in variables] or [0])
        self._sizes = sizes / (variants or 1)

    def sum(self, columns: np.ndarray) -> np.ndarray:
        """(..., variables) to (..., layers); NaN where a layer has none."""
        return self._fold(columns, lambda part: part.sum(axis=-1))

    def max(self, columns: np.ndarray) -> np.ndarray:
        """As `sum`, the largest."""
        return self._fold(columns, lambda part: part.max(axis=-1))

    def share(self, columns: np.ndarray) -> np.ndarray:
        """Counts to shares of a layer's entries."""
        return self.sum(columns) / self.sum(self._sizes)

    def _fold(self, columns: np.ndarray, fold: Any) -> np.ndarray:
        nothing = np.full(columns.shape[:-1], np.nan)
        return np.stack([fold(columns[..., own]) if own else nothing for own in self._of], axis=-1)


def steps_by_layer(readout: Readout, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Norms of the gradient, (steps[, variants], layers), and which of them the step gave a gradient for."""
    squares = _variables_last(readout.squares, 1)
    given = columns.max(np.where(squares < 0, 0.0, 1.0)) > 0
    with np.errstate(invalid="ignore"):
        return np.sqrt(columns.sum(np.where(squares < 0, 0.0, squares))), given


def looks_by_step(readout: Readout, columns: Columns) -> dict[str, np.ndarray]:
    """Quantities of the close looks, each (looks[, variants], layers)."""
    numbers = _variables_last(readout.looks, 2)
    of = {name: numbers[:, place] for place, name in enumerate(QUANTITIES)}
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        largest = columns.max(of["largest"])
        units = np.where(of["largest"] > 0, of["largest"], 1.0)
        found = {
            "gradient_norm": np.sqrt(columns.sum(of["scaled"] * units**2)),
            "gradient_zeros": columns.share(of["zeros"]),
            "gradient_non_finite": columns.share(of["non_finite"]),
            "gradient_largest": largest,
            "update_norm": np.sqrt(columns.sum(of["moved"])),
            "weight_norm": np.sqrt(columns.sum(of["weight"])),
        }
        found["update_ratio"] = np.where(
            found["update_norm"] == 0, 0.0, found["update_norm"] / found["weight_norm"]
        )
    counts = numbers[:, len(QUANTITIES) :]
    if counts.shape[1]:
        found["gradient_histogram"] = histogram(columns.sum(counts))
    return found


def histogram(at_or_above: np.ndarray) -> np.ndarray:
    """Counts at or above each edge, (looks, edges, ..., layers), to counts between edges, edges last."""
    counts = np.moveaxis(at_or_above, 1, -1)
    return np.concatenate([counts[..., :-1] - counts[..., 1:], counts[..., -1:]], axis=-1)


def weights_now(
    layers: list[Layer], start: dict[str, np.ndarray], variants: int, histograms: bool
) -> dict[str, Any]:
    """Norm, distance from the start, shares of zeros and of non-finite entries of the weights.

    Args:
        layers: The rows of the measurements.
        start: First values by `layer/place`.
        variants: Variants of a population, 0 without.
        histograms: Count magnitudes too.
    """
    rows = [_weights(layer, start, variants, histograms) for layer in layers]
    return (
        {name: np.stack([row[name] for row in rows], axis=1 if variants else 0) for name in rows[0]}
        if rows
        else {}
    )


def _weights(
    layer: Layer, start: dict[str, np.ndarray], variants: int, histograms: bool
) -> dict[str, np.ndarray]:
    values = [_rows(keras.ops.convert_to_numpy(variable), variants) for variable in layer.variables]
    firsts = [_rows(start[f"{layer.name}/{place}"], variants) for place in range(len(values))]
    w, first = np.concatenate(values, axis=-1), np.concatenate(firsts, axis=-1)
    with np.errstate(invalid="ignore", over="ignore"):
        found = {
            "weight_norm": norm(w),
            "distance": norm(w - first),
            "weight_zeros": 1 - np.count_nonzero(w, axis=-1) / w.shape[-1],
            "weight_non_finite": 1 - np.count_nonzero(np.isfinite(w), axis=-1) / w.shape[-1],
        }
        if histograms:
            magnitude = np.abs(w)
            counts = [np.count_nonzero(magnitude >= edge, axis=-1) for edge in EDGES]
            found["weight_histogram"] = histogram(np.array(counts, "float64")[None])[0]
    return found


def norm(values: np.ndarray) -> np.ndarray:
    """Norm over the last axis, in float64, so that it overflows only where it has to."""
    wide = values.astype("float64")
    return np.sqrt(np.einsum("...i,...i->...", wide, wide))


def _rows(value: Any, variants: int) -> np.ndarray:
    value = np.asarray(value)
    value = value if value.dtype in (np.float32, np.float64) else value.astype("float32")
    return value.reshape((variants, -1) if variants else (-1,))


def _variables_last(array: np.ndarray, axis: int) -> np.ndarray:
    return np.moveaxis(array, axis, -1)
