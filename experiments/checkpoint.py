"""The training's whole state, kept after every epoch, so that a run goes on as if never stopped."""

import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from . import state

History = dict[str, list[Any]]

MONITOR = "val/loss"
"""The best epoch is the one where this is lowest."""
# A write waits no longer than this, so it comes an epoch earlier than it would be too late.
SECONDS_BETWEEN_WRITES = float(os.environ.get("WHYFIT_SECONDS_BETWEEN_WRITES", "10"))


@dataclass(frozen=True)
class Snapshot:
    """A training between two epochs.

    Attributes:
        epochs: Epochs done.
        history: Lists by metric name, one value an epoch; of a population, a list over its variants.
        best_epoch: The epoch with the lowest validation loss, from 1; 0 before the first.
        best_weights: The model's weights after that epoch.
        variables: All variables of the model, its optimizer and its random generators.
    """

    epochs: int = 0
    history: History = field(default_factory=dict)
    best_epoch: int = 0
    best_weights: list[np.ndarray] = field(default_factory=list)
    variables: list[np.ndarray] = field(default_factory=list)

    def row(self, epoch: int) -> dict[str, float]:
        """The metrics of an epoch, counted from 1; of a population, their means over the variants."""
        return {name: float(np.mean(values[epoch - 1])) for name, values in self.history.items()}


class Checkpoint(keras.callbacks.Callback):
    """Takes a snapshot after every epoch and puts it on the disk: each, or where they are short every 10 s.

    With the order of examples keyed by epoch, a run's future depends on nothing else.

    Args:
        path: Where on the disk.
        units: By metric name, what a value is multiplied by to be in the user's own units.

    Attributes:
        snapshot: The newest one; it is replaced as a whole, so an interruption never finds it half made.
    """

    def __init__(self, path: Path, units: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.path = path
        self._units = units or {}
        self.snapshot = Snapshot()
        self._written = time.monotonic()
        self._epoch_began = 0.0

    def restore(self, model: keras.Model) -> int:
        """Put a compiled model into the saved state, if there is one; returns the epochs done."""
        saved = state.load(self.path)
        if saved is None:
            return 0
        arrays, note = saved
        self.snapshot = Snapshot(
            epochs=note["epochs"],
            history=note["history"],
            best_epoch=note["best_epoch"],
            best_weights=[arrays[f"best_weights/{i}"] for i in range(note["best_weights"])],
            variables=[arrays[f"variables/{i}"] for i in range(note["variables"])],
        )
        model.optimizer.build(model.trainable_variables)
        for variable, value in zip(_variables(model), self.snapshot.variables, strict=True):
            variable.assign(value)
        return self.snapshot.epochs

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the epoch's clock."""
        self._epoch_began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Take the state after this epoch."""
        row = in_units({_metric_name(name): value for name, value in (logs or {}).items()}, self._units)
        row["time/epoch"] = time.perf_counter() - self._epoch_began
        before = self.snapshot
        lowest = before.row(before.best_epoch)[MONITOR] if before.best_epoch else math.inf
        # A population keeps each variant's best weights itself.
        better = np.ndim(row[MONITOR]) == 0 and row[MONITOR] < lowest
        self.snapshot = Snapshot(
            epochs=epoch + 1,
            history={name: [*before.history.get(name, []), _plain(value)] for name, value in row.items()},
            best_epoch=epoch + 1 if better else before.best_epoch,
            best_weights=self.model.get_weights() if better else before.best_weights,
            variables=[keras.ops.convert_to_numpy(variable) for variable in _variables(self.model)],
        )
        if time.monotonic() - self._written + row["time/epoch"] > SECONDS_BETWEEN_WRITES:
            self.write()

    def close(self) -> None:
        """Put the newest snapshot on the disk, however the training ended."""
        if self.snapshot.epochs:
            self.write()

    def write(self) -> None:
        """Put the newest snapshot on the disk."""
        snapshot = self.snapshot
        lists = {"best_weights": snapshot.best_weights, "variables": snapshot.variables}
        arrays = {f"{name}/{i}": array for name, group in lists.items() for i, array in enumerate(group)}
        note: dict[str, Any] = {name: len(group) for name, group in lists.items()}
        note |= {name: getattr(snapshot, name) for name in ("epochs", "history", "best_epoch")}
        state.save(self.path, arrays, note)
        self._written = time.monotonic()


def in_units(metrics: dict[str, Any], units: Mapping[str, float]) -> dict[str, Any]:
    """The metrics with those that have units multiplied by them, whatever split they are of."""
    return {name: value * units.get(name.rpartition("/")[2], 1.0) for name, value in metrics.items()}


def _plain(value: Any) -> Any:
    """A number as a float, a number for each variant as a list."""
    return np.asarray(value, "float64").tolist()


def _variables(model: keras.Model) -> list[Any]:
    metrics = {id(variable) for variable in model.metrics_variables}
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return own + list(model.optimizer.variables)


def _metric_name(name: str) -> str:
    return f"val/{name[4:]}" if name.startswith("val_") else f"train/{name}"
