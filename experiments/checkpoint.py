"""The training's whole state, kept after every epoch, so that a run goes on as if never stopped."""

import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from . import state

History = dict[str, list[Any]]

MONITOR = "val/loss"
"""The best epoch is the one where this is lowest."""
# A write waits no longer than this, so it comes an epoch earlier than it would be too late.
SECONDS_BETWEEN_WRITES = float(os.environ.get("WHYFIT_SECONDS_BETWEEN_WRITES", "10"))


Kept = tuple[dict[str, Any], dict[str, np.ndarray]]
"""A callback's state: a note that JSON can hold, and arrays by name."""


class Keeps(Protocol):
    """A callback whose state is kept with the training's."""

    def get_state(self) -> Kept:
        """What it needs to go on in another process."""

    def set_state(self, note: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Go on from there."""


@dataclass(frozen=True)
class Snapshot:
    """A training between two epochs.

    Attributes:
        epochs: Epochs done.
        history: Lists by metric name, one value an epoch; of a population, a list over its variants.
        best_epoch: The epoch with the lowest validation loss, from 1; 0 before the first.
        best_weights: The model's weights after that epoch.
        variables: All variables of the model, its optimizer and its random generators.
        callbacks: States of callbacks by name.
    """

    epochs: int = 0
    history: History = field(default_factory=dict)
    best_epoch: int = 0
    best_weights: list[np.ndarray] = field(default_factory=list)
    variables: list[np.ndarray] = field(default_factory=list)
    callbacks: dict[str, Kept] = field(default_factory=dict)

    def row(self, epoch: int) -> dict[str, float]:
        """The metrics of an epoch, counted from 1; of a population, their means over the variants."""
        return {name: float(np.mean(values[epoch - 1])) for name, values in self.history.items()}


class Checkpoint(keras.callbacks.Callback):
    """Takes a snapshot after every epoch and puts it on the disk: each, or where they are short every 10 s.

    With the order of examples keyed by epoch, a run's future depends on nothing else.

    Args:
        path: Where on the disk.
        units: By metric name, what a value is multiplied by to be in the user's own units.
        keeping: By name, callbacks whose states are kept too. They stand before this one in the list.

    Attributes:
        snapshot: The newest one; it is replaced as a whole, so an interruption never finds it half made.
    """

    def __init__(
        self,
        path: Path,
        units: Mapping[str, float] | None = None,
        keeping: Mapping[str, Keeps] | None = None,
    ) -> None:
        super().__init__()
        self.path = path
        self._units, self._keeping = units or {}, keeping or {}
        self.snapshot = Snapshot()
        self._written = time.monotonic()
        self._epoch_began = 0.0

    def restore(self, model: keras.Model) -> int:
        """Put a compiled model into the saved state, if there is one; returns the epochs done."""
        saved = load_snapshot(self.path)
        return 0 if saved is None else self.go_on(model, saved)

    def go_on(self, model: keras.Model, snapshot: Snapshot) -> int:
        """Put a compiled model into a state; returns the epochs done."""
        self.snapshot = snapshot
        # A state from before a callback's time has none of its.
        for name in self._keeping.keys() & self.snapshot.callbacks.keys():
            self._keeping[name].set_state(*self.snapshot.callbacks[name])
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
        variants = np.ndim(row[MONITOR]) > 0
        if variants:
            self._keep_variants(row[MONITOR], epoch + 1)
        better = not variants and row[MONITOR] < lowest
        self.snapshot = Snapshot(
            epochs=epoch + 1,
            history={name: [*before.history.get(name, []), _plain(value)] for name, value in row.items()},
            best_epoch=epoch + 1 if better else before.best_epoch,
            best_weights=self.model.get_weights() if better else before.best_weights,
            variables=[keras.ops.convert_to_numpy(variable) for variable in _variables(self.model)],
            callbacks={name: one.get_state() for name, one in self._keeping.items()},
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
        note["callbacks"] = {name: one for name, (one, _) in snapshot.callbacks.items()}
        for name, (_, theirs) in snapshot.callbacks.items():
            arrays |= {f"callbacks/{name}/{key}": array for key, array in theirs.items()}
        state.save(self.path, arrays, note)
        self._written = time.monotonic()

    def _keep_variants(self, losses: Any, epoch: int) -> None:
        """A population keeps each variant's best weights itself, once it is told which are better."""
        population: Any = self.model
        better = losses < keras.ops.convert_to_numpy(population.best_loss)
        population.keep_best(better & population.is_active(), losses, epoch)


def load_snapshot(path: Path) -> Snapshot | None:
    """The state that a `Checkpoint` has written there, or None where there is none."""
    saved = state.load(path)
    if saved is None:
        return None
    arrays, note = saved
    return Snapshot(
        epochs=note["epochs"],
        history=note["history"],
        best_epoch=note["best_epoch"],
        best_weights=[arrays[f"best_weights/{i}"] for i in range(note["best_weights"])],
        variables=[arrays[f"variables/{i}"] for i in range(note["variables"])],
        callbacks={name: (one, _under(name, arrays)) for name, one in note.get("callbacks", {}).items()},
    )


def in_units(metrics: dict[str, Any], units: Mapping[str, float]) -> dict[str, Any]:
    """The metrics with those that have units multiplied by them, whatever split they are of."""
    return {name: value * units.get(name.rpartition("/")[2], 1.0) for name, value in metrics.items()}


def _under(name: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A callback's own arrays."""
    start = f"callbacks/{name}/"
    return {key.removeprefix(start): array for key, array in arrays.items() if key.startswith(start)}


def _plain(value: Any) -> Any:
    """A number as a float, a number for each variant as a list."""
    return np.asarray(value, "float64").tolist()


def _variables(model: keras.Model) -> list[Any]:
    metrics = {id(variable) for variable in model.metrics_variables}
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return own + list(model.optimizer.variables)


def _metric_name(name: str) -> str:
    split, _, rest = name.partition("_")
    return f"{split}/{rest}" if split in ("val", "test") else f"train/{name}"
