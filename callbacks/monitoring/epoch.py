"""From the steps of an epoch to one row of the history."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .aggregate import Columns, looks_by_step, steps_by_layer
from .record import Readout


@dataclass(frozen=True)
class Steps:
    """Some steps in a row of one optimizer, by layer.

    Attributes:
        first: Number of the first step, from 0.
        norms: (steps[, variants], layers): norms of the gradient.
        touched: Which of them count: the step gave the layer a gradient, and was not left out.
        skipped: (steps,): steps left out, because the gradient of the scaled loss overflowed.
        look_steps: Steps of the close looks.
        looks: Their quantities, each (looks[, variants], layers).
    """

    first: int
    norms: np.ndarray
    touched: np.ndarray
    skipped: np.ndarray
    look_steps: np.ndarray
    looks: dict[str, np.ndarray]


def read_steps(readout: Readout, columns: Columns, *, scaled: bool, accumulates: bool) -> Steps:
    """What a record held, by layer.

    Args:
        readout: From the record.
        columns: Which columns are whose.
        scaled: Whether steps that overflow are left out by the optimizer.
        accumulates: Whether only some steps change the weights.
    """
    norms, touched = steps_by_layer(readout, columns)
    looks = looks_by_step(readout, columns)
    skipped = np.zeros(len(norms), "bool")
    if scaled:
        skipped = (~np.isfinite(norms) & touched).reshape(len(norms), -1).any(axis=1)
        touched = touched & ~_like(skipped, touched)
    if scaled or accumulates:
        still = np.nansum(looks["update_norm"].reshape(len(readout.look_steps), -1), axis=1) == 0
        looks["update_ratio"][still] = np.nan
    norms, touched = _with_looks(norms, touched, readout, looks)
    return Steps(readout.first, norms, touched, skipped, readout.look_steps, looks)


def summarize(steps: list[Steps]) -> dict[str, np.ndarray]:
    """One optimizer's epoch: quantities by name, each ([variants,] layers)."""
    norms, touched = (
        np.concatenate([getattr(part, name) for part in steps]) for name in ("norms", "touched")
    )
    counts = touched.sum(axis=0)
    total = np.where(touched, norms, 0).sum(axis=0)
    last = np.max(np.where(touched, np.arange(len(norms)).reshape(-1, *[1] * (norms.ndim - 1)), 0), axis=0)
    row = {
        "gradient_norm": total / np.maximum(counts, 1),
        "gradient_norm_max": np.max(np.where(touched, norms, 0), axis=0),
        "gradient_norm_peak": np.max(np.where(touched & np.isfinite(norms), norms, 0), axis=0),
        "gradient_norm_last": np.take_along_axis(norms, last[None], axis=0)[0],
    }
    row = {name: np.where(counts > 0, value, np.nan) for name, value in row.items()}
    looks = {name: np.concatenate([part.looks[name] for part in steps]) for name in steps[0].looks}
    for name in ("gradient_zeros", "gradient_non_finite", "update_ratio"):
        row[name] = mean_of_known(looks[name])
    if "gradient_histogram" in looks:
        row["gradient_histogram"] = np.nansum(looks["gradient_histogram"], axis=0)
    return row


def merge(rows: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Rows of several optimizers in one: each layer's numbers are those of the first that has it."""
    merged: dict[str, np.ndarray] = {}
    for row in rows:
        for name, value in row.items():
            known = merged.get(name, np.full_like(value, np.nan))
            merged[name] = np.where(np.isnan(known), value, known)
    return merged


def early_rows(steps: list[Steps]) -> list[dict[str, np.ndarray]]:
    """A row for each close look that saw a whole step."""
    names = ("gradient_norm", "update_ratio", "weight_norm", "gradient_zeros", "gradient_non_finite")
    rows = []
    for part in steps:
        whole = ~np.isnan(part.looks["update_norm"]).reshape(len(part.look_steps), -1).all(axis=1)
        for place in np.flatnonzero(whole):
            row = {name: part.looks[name][place] for name in names}
            rows.append({"step": np.asarray(part.look_steps[place] - steps[0].first + 1)} | row)
    return rows


def first_non_finite(steps: list[Steps], layers: list[str]) -> dict[str, Any] | None:
    """Step (from 1 in the epoch), layers and variants of the first gradient that was not finite, or None."""
    for part in steps:
        bad = ~np.isfinite(part.norms) & part.touched
        found = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
        if len(found):
            where = bad[found[0]]
            names = [
                layer
                for layer, hit in zip(layers, where.reshape(-1, len(layers)).any(axis=0), strict=True)
                if hit
            ]
            first = {"step": part.first - steps[0].first + int(found[0]) + 1, "layers": names}
            if where.ndim > 1:
                first["variants"] = [int(place) for place in np.flatnonzero(where.any(axis=1))]
            return first
    return None


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is known, and finite if anything is."""
    known = ~np.isnan(values)
    finite = np.isfinite(values)
    counted = np.where(finite.any(axis=0), finite, known)
    with np.errstate(invalid="ignore"):
        total = np.where(counted, values, 0).sum(axis=0)
    return np.where(counted.any(axis=0), total / np.maximum(counted.sum(axis=0), 1), np.nan)


def _with_looks(
    norms: np.ndarray, touched: np.ndarray, readout: Readout, looks: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Put exact norms in where sums of squares in float32 went under or over."""
    places = readout.look_steps - readout.first
    here = (places >= 0) & (places < len(norms))
    exact = np.where(looks["gradient_non_finite"] == 0, looks["gradient_norm"], np.nan)[here]
    places = places[here]
    vanished = np.zeros(norms.shape[1:], "bool")
    for place, row in zip(places, exact, strict=True):
        vanished |= (row > 0) & (norms[place] == 0)
        wrong = (row > 0) & ((norms[place] == 0) | ~np.isfinite(norms[place]))
        norms[place] = np.where(wrong, row, norms[place])
    # Other steps of a layer whose squares vanish say nothing.
    return norms, touched & ~((norms == 0) & vanished)


def _like(flags: np.ndarray, array: np.ndarray) -> np.ndarray:
    return flags.reshape(-1, *[1] * (array.ndim - 1))
