"""Trains a lesson's variants with all their seeds: dense networks of one architecture as one population."""

import itertools
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np

from whyfit.callbacks import EarlyStopping, GradientMonitor, ShowProgress
from whyfit.callbacks.diagnosis import Measurements, diagnose
from whyfit.models import AdditionRNNConfig, MLPConfig, Population, ShuffledBatches, Variant

from ..checkpoint import Checkpoint, Snapshot, in_units
from ..config import Run, SweepConfig
from ..data.config import AdditionsConfig, DataConfig
from ..data.splits import Data, load
from ..tasks import Task, task_of
from ..tasks.population import PopulationTask
from ..train import fit, prepare
from .in_turn import Alone, Answers, train_in_turn

COMPILED_FROM = 2_000
"""Steps of a training from where on XLA's own time pays: 600 steps of 32 networks of three layers of 16 take
6.8 s of processor time without it and 15 s with it."""
OWN = ("initializer", "initializer_scale", "l1", "l2", "input_dropout", "dropout", "max_norm")
"""Fields of the network that variants of one population may have of their own; and of the optimizer:"""
OWN_OF_OPTIMIZER = ("learning_rate", "momentum", "weight_decay", "clipnorm")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """What one variant of a lesson came to over its seeds.

    Attributes:
        run: What it was.
        data: What it was trained on.
        history: By metric, `train/loss` or `val/accuracy`, where wanted `test/accuracy`; (epochs, seeds).
        scores: By figure: `test/accuracy`, `best/val/loss` and `best/epoch` with the best epoch's weights,
            `last/test/accuracy` with the last one's; (seeds,).
        monitor: `GradientMonitor.history`; (epochs, seeds, layers) or (epochs, seeds).
        early: `GradientMonitor.early`, the first steps; (steps, seeds, layers).
        layers: Names of the layers.
        diagnosis: The monitor's, one a seed.
        diagnosed: What it said of a seed, by place, after some epochs: `diagnosed(3, 5)`.
        model: A seed's network as a stock Keras model, by place: `model(3)`, or `model(3, best=True)`.
        answers: Of an addition network, the first seed's by epoch: questions, truth and answer. They are not
            watched: they have no monitor, early, layers and diagnosis.
    """

    run: Run
    data: Data
    history: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]
    monitor: dict[str, np.ndarray]
    early: dict[str, np.ndarray]
    layers: list[str]
    diagnosis: list[str]
    diagnosed: Callable[[int, int], str]
    model: Callable[..., keras.Model]
    answers: list[Answers] = field(default_factory=list)

    @property
    def seeds(self) -> int:
        """How many."""
        return self.run.seeds

    @property
    def val_loss(self) -> float:
        """What settings are chosen by: the median over seeds of the best epochs' validation losses."""
        return float(np.median(self.scores["best/val/loss"]))

    @property
    def last_val_accuracy(self) -> float:
        """What settings are chosen by that are judged with their last weights, or whose losses have penalties
        in them: the mean over seeds and the last five epochs."""
        return float(self.history["val/accuracy"][-5:].mean())


@lru_cache(maxsize=4)
def data_of(config: DataConfig, seed: int) -> Data:
    """A lesson's variants mostly share their data."""
    return load(config, seed)


def train_variants(
    variants: dict[str, Run], folder: Path, tell: Tell, *, test_curves: bool = False
) -> dict[str, Trained]:
    """Train all of a lesson's variants, or the rest of them where it was interrupted.

    Args:
        variants: By name; seeds of a variant are those of its run, two at least.
        folder: Where states are kept.
        tell: Called with a line before each training.
        test_curves: Have the test set's metrics in `history` as well.
    """
    # TensorFlow takes many populations, each compiled once, for one function compiled again and again.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    found: dict[str, Trained] = {}
    groups = list(_groups(variants))
    for number, names in enumerate(groups, start=1):
        group = {name: variants[name] for name in names}
        networks = sum(run.seeds for run in group.values())
        alone = isinstance(next(iter(group.values())).model, AdditionRNNConfig)
        shown = "; ".join(names) if len(names) <= 6 else f"{names[0]} to {names[-1]} ({len(names)} variants)"
        how = "in turn" if alone else "as one"
        tell(f"training {number}/{len(groups)}: {shown}; {networks} networks {how}")
        place = folder / f"training-{number}"
        found |= _train_in_turn(group, place) if alone else _train(group, place, test_curves)
    return {name: found[name] for name in variants}


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


def _groups(variants: dict[str, Run]) -> Iterator[list[str]]:
    """Names of runs that can be trained as one."""
    keys = {name: _key(run) for name, run in variants.items()}
    for _, names in itertools.groupby(sorted(variants, key=keys.__getitem__), key=keys.__getitem__):
        yield sorted(names, key=list(variants).index)


def _key(run: Run) -> str:
    """What runs of one population have in common."""
    fields = asdict(run)
    for name in ("recipe", "name", "sweep"):
        del fields[name]
    if isinstance(run.data, AdditionsConfig):
        return _key_in_turn(run, run.data, fields)
    for name in OWN:
        del fields["model"][name]
    for name in OWN_OF_OPTIMIZER[run.optimizer.is_scheduled :]:
        del fields["optimizer"][name]
    fields["data"] = [run.data.source, fields["data"]]
    # An option that only some have costs the others time, but no second population.
    return json.dumps(fields, sort_keys=True, default=str)


def _key_in_turn(run: Run, data: AdditionsConfig, fields: dict[str, Any]) -> str:
    """What addition networks have in common that are trained by one compiled step."""
    fields["data"] = data.digits
    own = ["seed", "seeds"]
    if run.optimizer.is_scheduled:
        fields["data"] = [data.digits, data.sizes]  # a schedule knows its last step
    else:
        own.append("epochs")
        del fields["optimizer"]["learning_rate"]
    for name in own:
        del fields[name]
    return json.dumps(fields, sort_keys=True)


def _train(runs: dict[str, Run], path: Path, test_curves: bool) -> dict[str, Trained]:
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


def _train_in_turn(runs: dict[str, Run], path: Path) -> dict[str, Trained]:
    data = {name: data_of(run.data, run.seed) for name, run in runs.items()}
    found = {}
    for name, networks in train_in_turn(runs, data, path).items():
        history = {
            key: np.stack([one.history[key] for one in networks], axis=1) for key in networks[0].history
        }
        scores = {key: np.array([one.scores[key] for one in networks]) for key in networks[0].scores}
        found[name] = Trained(
            run=runs[name],
            data=data[name],
            history=history,
            scores=scores,
            monitor={},
            early={},
            layers=[],
            diagnosis=["not watched"] * len(networks),
            diagnosed=lambda place, epochs: "not watched",
            model=_Alone(runs[name], data[name], networks),
            answers=networks[0].answers,
        )
    return found


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


@dataclass(frozen=True)
class _Alone:
    """Models of one run's seeds that were trained in turn."""

    run: Run
    data: Data
    networks: list[Alone]

    def __call__(self, place: int, *, best: bool = False) -> keras.Model:
        model = task_of(replace(self.run, seeds=1), self.data).build_model()
        network = self.networks[place]
        model.set_weights(network.best_weights if best else network.weights)
        return model
