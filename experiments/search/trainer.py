"""Trains legs, through the one place where everything is trained."""

import gc
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from whyfit.callbacks import EarlyStopping, GradientMonitor
from whyfit.callbacks.config import EarlyStoppingConfig

from ..checkpoint import Checkpoint, Snapshot, load_snapshot
from ..config import Run
from ..data.splits import Data
from ..errors import UserError
from ..spaces import Dimension
from ..tasks import Task, task_of
from ..train import fit, prepare
from .build import Build, BuiltTask, load_build
from .legs import Leg, shape_of
from .rules import objective_of
from .show import number_text, short
from .task import TrialsTask, single_run
from .trials import History

NAN_ALONE = EarlyStoppingConfig(criterion=None)
"""Ends networks whose loss is no number any more, and no others."""
MODELS_KEPT = 3
"""Compiled populations that wait for more trials of their shape."""


class Trainer:
    """Trains legs one after another and keeps what is compiled for the next one of the same shape.

    Args:
        run: What is searched.
        data: Its data; every trial sees the same.
        space: What is varied.
        folder: Where states of legs are kept.
        build: The user's own `build(hp)`, or where it is; networks are trained one by one then.
        tell: Called with a line that says how far a leg is, at every epoch.
    """

    def __init__(
        self,
        run: Run,
        data: Data,
        space: tuple[Dimension, ...],
        folder: Path,
        build: Build | str | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.run, self.data, self.space, self.folder, self._tell = run, data, space, folder, tell
        self._build = load_build(build) if isinstance(build, str) and build else build or None
        # TensorFlow takes many populations, each compiled once, for one function compiled again and again.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        self._models: OrderedDict[Any, tuple[Any, Any, GradientMonitor]] = OrderedDict()
        folder.mkdir(exist_ok=True)

    def train(self, leg: Leg) -> dict[str, Any]:
        """Train a leg, or the rest of it; returns the record that says what came of it.

        A network that cannot be built or trained by itself is a failed trial, with the error's text.
        """
        began = time.perf_counter()
        try:
            histories, findings = self._fit(leg)
            error = ""
        except Exception as failure:
            if not leg.alone:
                raise
            histories, findings = [{}], [None]
            error = f"{type(failure).__name__}: {' '.join(str(failure).split())}"[:2_000]
        seconds = (time.perf_counter() - began) / len(leg.entries)
        results = [
            {"number": entry[0], "history": history, "seconds": seconds, "finding": finding, "error": error}
            for entry, history, finding in zip(leg.entries, histories, findings, strict=True)
        ]
        return {"kind": "leg", "leg": leg.name, "alone": leg.alone, "trials": results}

    def _fit(self, leg: Leg) -> tuple[list[History], list[str | None]]:
        """Each trial's history after the leg, and the name of its diagnosis."""
        task, model, batches, monitor = self._prepare(leg)
        monitor.forget()
        stopping = EarlyStopping(NAN_ALONE, restore_best=False)
        keeping = {"gradient_monitor": monitor, "early_stopping": stopping}
        checkpoint = Checkpoint(self.folder / leg.name, task.units, keeping)
        callbacks: list[Any] = [monitor, stopping, checkpoint]
        if self._tell:
            callbacks.append(_Progress(leg, self.run.epochs, objective_of(self.data), self._tell))
        begun = checkpoint.restore(model) or self._go_on(leg, model, checkpoint)
        if begun < leg.stop and not stopping.over:
            with closing(checkpoint):
                fit(task, model, batches, callbacks, begun, leg.stop)
        # The state stays until the journal knows of the leg: a process that dies before trains nothing anew.
        return _histories(leg, checkpoint.snapshot), _findings(leg, monitor)

    def test(self, leg: Leg) -> tuple[list[dict[str, float]], Callable[[int], tuple[Task, keras.Model]]]:
        """Scores of a leg's trials on the test data, with their best weights, and a way to their models."""
        task, model, *_ = self._prepare(leg)
        snapshot = self._load(leg.name)
        Checkpoint(self.folder / leg.name).go_on(model, snapshot)
        if isinstance(task, TrialsTask):
            scores = [task.scores(model, place) for place in range(len(leg.entries))]
            return scores, lambda place: (task, model.variant(place, best=True))
        judged = task.judge(model, snapshot, self.data.test)
        scores = [{name: value for name, value in judged.metrics.items() if name.startswith("test/")}]
        return scores, lambda place: (task, judged.model)

    def _prepare(self, leg: Leg) -> tuple[Task, Any, Any, GradientMonitor]:
        """The leg's task, its compiled model at the beginning, its batches, and what watches them."""
        if leg.alone:
            self._forget()
            keras.backend.clear_session()
            [entry] = leg.entries
            if self._build is not None:
                built = BuiltTask(self.run, self.data, self._build, entry)
                return built, *prepare(replace(self.run, seed=entry[2]), built), self._monitor(leg)
            single = single_run(self.run, entry)
            task = task_of(single, self.data)
            return task, *prepare(single, task), self._monitor(leg)
        entries = leg.population
        task = TrialsTask(self.run, self.data, entries, self.space)
        seeds = tuple(seed for _, _, seed in entries)
        key = (shape_of(self.run, entries[0][1]), len(entries), seeds, leg.watched)
        if key not in self._models:
            self._forget(MODELS_KEPT - 1)
            self._models[key] = *prepare(self.run, task), self._monitor(leg)
        else:
            self._models[key][0].reset(task.variants)
        self._models.move_to_end(key)
        return task, *self._models[key]

    def _monitor(self, leg: Leg) -> GradientMonitor:
        """Measures as the run says; what it finds is said by the search, and ends nothing."""
        config = self.run.gradient_monitor
        return GradientMonitor(config, enabled=config.enabled and leg.watched, verbose=False, stop_on=())

    def _forget(self, kept: int = 0) -> None:
        """Let go of the populations that were not used for longest."""
        while len(self._models) > kept:
            self._models.popitem(last=False)
            gc.collect()

    def _go_on(self, leg: Leg, model: Any, checkpoint: Checkpoint) -> int:
        """Put the model where its trials' last legs ended."""
        if not leg.start:
            checkpoint.snapshot = Snapshot()
            return 0
        snapshots = {name: self._load(name) for name, _ in leg.sources}
        sources = [(snapshots[name], place) for name, place in leg.sources]
        if leg.alone:
            [(snapshot, _)] = sources
            return checkpoint.go_on(model, snapshot)
        return checkpoint.go_on(model, gather(leg.filled_up(sources)))

    def _load(self, name: str) -> Snapshot:
        """The state at the end of a leg."""
        snapshot = load_snapshot(self.folder / name)
        if snapshot is None:
            raise UserError(f"{self.folder / name} must hold a whole state, got none")
        return snapshot


class _Progress(keras.callbacks.Callback):
    """Says how far a leg is, and the best score of its newest epoch."""

    def __init__(self, leg: Leg, epochs: int, objective: str, tell: Callable[[str], None]) -> None:
        super().__init__()
        what = "the best setting anew" if not leg.watched else f"{len(leg.entries)} settings"
        self._what = "a setting" if leg.watched and len(leg.entries) == 1 else what
        self._epochs, self._objective, self._tell, self._best = epochs, objective, tell, ""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """The first one compiles, and takes longest."""
        self._tell(f"training {self._what}: epoch {epoch + 1} of {self._epochs}{self._best}")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Look at the scores; those that are no number are not the best."""
        scores = np.asarray((logs or {}).get(self._objective.replace("/", "_"), np.nan), "float64")
        if np.isfinite(scores).any():
            best = number_text(self._objective, float(np.nanmax(scores)))
            self._best = f", {short(self._objective.replace('/', ' '))} {best} at best"


def gather(sources: Sequence[tuple[Snapshot, int]]) -> Snapshot:
    """The state of a population of variants that come from others, each from its place there."""
    first = sources[0][0]
    history = {
        name: [
            [snapshot.history[name][epoch][place] for snapshot, place in sources]
            if isinstance(values[0], list)
            else values[epoch]
            for epoch in range(first.epochs)
        ]
        for name, values in first.history.items()
    }
    variables = [
        np.stack([snapshot.variables[number][place] for snapshot, place in sources]) if value.ndim else value
        for number, value in enumerate(first.variables)
    ]
    callbacks = {}
    if all("gradient_monitor" in snapshot.callbacks for snapshot, _ in sources):
        kept = [(snapshot.callbacks["gradient_monitor"], place) for snapshot, place in sources]
        callbacks["gradient_monitor"] = GradientMonitor.gather(kept)
    return Snapshot(epochs=first.epochs, history=history, variables=variables, callbacks=callbacks)


def _histories(leg: Leg, snapshot: Snapshot) -> list[History]:
    """Each trial's own history."""
    series = {name: values for name, values in snapshot.history.items() if not name.startswith("time/")}
    if leg.alone:
        return [series]
    return [
        {name: [row[place] for row in rows] for name, rows in series.items()}
        for place in range(len(leg.entries))
    ]


def _findings(leg: Leg, monitor: GradientMonitor) -> list[str | None]:
    """Each trial's diagnosis by name; None where nothing was measured."""
    if not monitor.history:
        return [None] * len(leg.entries)
    named = monitor.diagnosis
    return [named] if isinstance(named, str) else named[: len(leg.entries)]
