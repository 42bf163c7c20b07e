"""Trains dense networks of one architecture as one population, whatever else differs between them."""

import json
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from whyfit.callbacks import EarlyStopping, GradientMonitor, ShowProgress
from whyfit.callbacks.diagnosis import Measurements, diagnose
from whyfit.models import MLPConfig, Population, ShuffledBatches, Variant

from ..checkpoint import Checkpoint, Snapshot, in_units
from ..config import Run, SweepConfig
from ..data.splits import Data
from ..tasks import Task
from ..tasks.population import PopulationTask
from ..train import fit, prepare
from .trained import Trained, data_of

COMPILED_FROM = 2_000
"""Steps of a training from where on XLA's own time pays: 600 steps of 32 networks of three layers of 16 take
6.8 s of processor time without it and 15 s with it."""
OWN = ("initializer", "initializer_scale", "l1", "l2", "input_dropout", "dropout", "max_norm")
"""Fields of the network that variants of one population may have of their own; and of the optimizer:"""
OWN_OF_OPTIMIZER = ("learning_rate", "momentum", "weight_decay", "clipnorm")


def key(run: Run) -> str:
    """What runs of one population have in common."""
    fields = asdict(run)
    for name in ("recipe", "name", "sweep"):
        del fields[name]
    for name in OWN:
        del fields["model"][name]
    for name in OWN_OF_OPTIMIZER[run.optimizer.is_scheduled :]:
        del fields["optimizer"][name]
    fields["data"] = [run.data.source, fields["data"]]
    # An option that only some have costs the others time, but no second population.
    return json.dumps(fields, sort_keys=True, default=str)


def train(runs: dict[str, Run], path: Path, test_curves: bool) -> dict[str, Trained]:
    """Train all seeds of all runs, or go on where they were interrupted.

    Args:
        runs: By name; they have one `key`.
        path: Where the state is kept.
        test_curves: Have the test set's metrics in `history` as well.
    """
    first = next(iter(runs.values()))
    data = data_of(first.data, first.seed)
    task = VariantsTask(runs, data)
    model, batches = prepare(first, task)
    monitor, stopping = GradientMonitor(verbose=False), EarlyStopping(criterion=None, restore_best=False)
    kept = {"gradient_monitor": monitor, "early_stopping": stopping}
    checkpoint = Checkpoint(path, task.units, kept)
    progress = ShowProgress([], lines=False)
    begun = checkpoint.restore(model)
    with closing(progress), closing(checkpoint):
        watching = [monitor, stopping, checkpoint, progress]
        watching = [TestCurves(task), *watching] if test_curves else watching
        fit(task, model, batches, watching, begun, first.epochs)
    return _take_apart(runs, task, model, checkpoint.snapshot, monitor)


class VariantsTask(PopulationTask):
    """Several runs that differ in what a population's variants may, as one population.

    Args:
        runs: By name.
        data: Theirs.
    """

    def __init__(self, runs: dict[str, Run], data: Data) -> None:
        super().__init__(replace(next(iter(runs.values())), sweep=SweepConfig()), data)
        pairs = [(name, run, run.seed + place) for name, run in runs.items() for place in range(run.seeds)]
        self.settings: list[dict[str, Any]] = [{"variant": name, "seed": seed} for name, _, seed in pairs]
        self._variants = [_variant(run, seed) for _, run, seed in pairs]

    @property
    def variants(self) -> list[Variant]:
        """The networks."""
        return self._variants

    def batches(self, batch_size: int, seed: int) -> ShuffledBatches:
        """Each seed's own order, the same in every variant, so that they can be compared seed by seed."""
        seeds = [int(setting["seed"]) for setting in self.settings]
        return ShuffledBatches(self.data.train.x, self.data.train.y, batch_size, seeds)

    def compile(self, model: keras.Model, optimizer: keras.Optimizer, **execution: Any) -> None:
        """With XLA where it pays."""
        steps = self._run.epochs * len(self.data.train) // self._run.batch_size
        model.compile(optimizer, **execution | {"jit_compile": "auto" if steps >= COMPILED_FROM else False})


class TestCurves(keras.callbacks.Callback):
    """Adds the test set's metrics to an epoch's logs, before others read them.

    Args:
        task: Whose test set.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self._task = task

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Evaluate."""
        if logs is not None:
            logs |= {f"test_{name}": values for name, values in _evaluate(self.model, self._task).items()}


def _variant(run: Run, seed: int) -> Variant:
    assert isinstance(run.model, MLPConfig)
    optimizer = run.optimizer
    rate = 1.0 if optimizer.is_scheduled else optimizer.learning_rate  # a factor of the schedule
    return Variant(
        run.model,
        seed=seed,
        learning_rate=rate,
        momentum=optimizer.momentum if optimizer.name in ("SGD", "RMSprop") else None,
        weight_decay=optimizer.weight_decay,
        clipnorm=optimizer.clipnorm,
    )


def _take_apart(
    runs: dict[str, Run], task: Task, model: Population, snapshot: Snapshot, monitor: GradientMonitor
) -> dict[str, Trained]:
    """Each run's share of the population."""
    history = {name: np.array(values) for name, values in snapshot.history.items() if "time/" not in name}
    scores = _scores(model, history, task)
    diagnosis, measurements = monitor.diagnosis, monitor.measurements  # each is made anew when asked for
    found, begin = {}, 0
    for name, run in runs.items():
        part = slice(begin, begin + run.seeds)
        found[name] = Trained(
            run=run,
            data=task.data,
            history={key: values[:, part] for key, values in history.items()},
            scores={key: values[part] for key, values in scores.items()},
            monitor=_part(monitor.history, part),
            early=_part(monitor.early, part),
            layers=list(monitor.layers),
            diagnosis=diagnosis[part],
            diagnosed=_Diagnoses(measurements, begin),
            model=_Networks(model, begin),
        )
        begin += run.seeds
    return found


def _scores(model: Population, history: dict[str, np.ndarray], task: Task) -> dict[str, np.ndarray]:
    """Figures of all networks, with their best weights and with their last ones."""
    epochs = np.maximum(1, keras.ops.convert_to_numpy(model.best_epoch))
    places = np.arange(len(epochs))
    found = {f"last/test/{name}": values for name, values in _evaluate(model, task).items()}
    model.swap_best()
    found |= {f"test/{name}": values for name, values in _evaluate(model, task).items()}
    model.swap_best()
    found = in_units(found, task.units)
    best = {name: values[epochs - 1, places] for name, values in history.items() if name.startswith("val/")}
    return found | {f"best/{name}": values for name, values in best.items()} | {"best/epoch": epochs}


def _evaluate(model: Population, task: Task) -> dict[str, np.ndarray]:
    """Loss and metrics on the test data, without compiling anything, not yet in units; (networks,)."""
    test = task.data.test
    model.reset_metrics()
    for begin in range(0, len(test), 500):
        x, y = test.x[begin : begin + 500], test.y[begin : begin + 500]
        answers = model(x, training=False)
        model.compute_loss(x, y, answers, training=False)
        found = model.compute_metrics(x, y, answers)
    return {name: keras.ops.convert_to_numpy(values) for name, values in found.items()}


def _part(arrays: dict[str, np.ndarray], part: slice) -> dict[str, np.ndarray]:
    return {name: array[:, part] if array.ndim > 1 else array for name, array in arrays.items()}


@dataclass(frozen=True)
class _Networks:
    """Stock models of one run's seeds."""

    population: Population
    begin: int

    def __call__(self, place: int, *, best: bool = False) -> keras.Model:
        return self.population.variant(self.begin + place, best=best)


@dataclass(frozen=True)
class _Diagnoses:
    """Of one run's seeds, at any time of their training."""

    measurements: Measurements
    begin: int

    def __call__(self, place: int, epochs: int) -> str:
        return diagnose(self.measurements.variant(self.begin + place).until(epochs)).name
