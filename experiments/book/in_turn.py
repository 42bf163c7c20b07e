"""Trains addition networks that differ in seed and questions alone: in turn, by one compiled step."""

import json
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from whyfit.callbacks import ShowProgress
from whyfit.models import AdditionRNNConfig, ordered_batches

from ..checkpoint import Checkpoint, Kept, Snapshot
from ..config import Run
from ..data.config import AdditionsConfig
from ..data.splits import Data
from ..tasks import task_of
from ..tasks.addition import AdditionTask
from ..train import fit, prepare
from .trained import Answers, Trained, data_of


@dataclass(frozen=True)
class Alone:
    """What one addition network came to.

    Attributes:
        history: By metric, one value an epoch.
        scores: By figure, as a population's.
        weights: The last epoch's; `best_weights`: the best one's.
        answers: Of the first seed, after every epoch, what it answers to a few validation questions.
    """

    history: dict[str, np.ndarray]
    scores: dict[str, float]
    weights: list[np.ndarray]
    best_weights: list[np.ndarray]
    answers: list[Answers]


class KeepAnswers(keras.callbacks.Callback):
    """Has the network answer some questions after every epoch, and keeps what it says.

    Args:
        task: Has the questions.
        asked: Without, none are asked: answering takes longer than a small network's epoch.
    """

    def __init__(self, task: AdditionTask, asked: bool) -> None:
        super().__init__()
        self._task, self._asked = task, asked
        self.answers: list[Answers] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Ask."""
        if self._asked:
            self.answers.append([list(row) for row in self._task.show(self.model)])

    def get_state(self) -> Kept:
        """For a checkpoint."""
        return {"answers": self.answers}, {}

    def set_state(self, note: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Go on from there."""
        self.answers = note["answers"]


def key(run: Run) -> str:
    """What addition networks have in common that are trained by one compiled step."""
    assert isinstance(run.data, AdditionsConfig)
    fields = asdict(run)
    fields["data"] = run.data.digits
    own = ["recipe", "name", "sweep", "seed", "seeds"]
    if run.optimizer.is_scheduled:
        fields["data"] = [run.data.digits, run.data.sizes]  # a schedule knows its last step
    else:
        own.append("epochs")
        del fields["optimizer"]["learning_rate"]
    for name in own:
        del fields[name]
    return json.dumps(fields, sort_keys=True)


def train(runs: dict[str, Run], path: Path) -> dict[str, Trained]:
    """Train every seed of every run, or go on where they were interrupted.

    Args:
        runs: By name; they differ in what one compiled step can train: questions, and where no schedule knows
            the last step, their number, epochs and learning rate.
        path: Where states are kept.
    """
    data = {name: data_of(run.data, run.seed) for name, run in runs.items()}
    found = {}
    for name, networks in _train_all(runs, data, path).items():
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


def _train_all(runs: dict[str, Run], data: dict[str, Data], folder: Path) -> dict[str, list[Alone]]:
    """By name, one a seed."""
    folder.mkdir(parents=True, exist_ok=True)
    name, first = next(iter(runs.items()))
    model, _ = prepare(first, AdditionTask(first, data[name]))
    model.optimizer.build(model.trainable_variables)
    fresh = [keras.ops.convert_to_numpy(variable) for variable in model.optimizer.variables]
    found: dict[str, list[Alone]] = {}
    for name, run in runs.items():
        found[name] = []
        for place in range(run.seeds):
            task = AdditionTask(replace(run, seed=run.seed + place, seeds=1), data[name])
            path = folder / f"{len(found)}-{place}"
            found[name].append(_train(model, task, run, run.seed + place, path, fresh))
    return found


def _train(
    model: keras.Model, task: AdditionTask, run: Run, seed: int, path: Path, fresh: list[np.ndarray]
) -> Alone:
    """One of them, from the start or from where it was interrupted."""
    batches, asked = task.batches(run.batch_size, seed), KeepAnswers(task, seed == run.seed)
    checkpoint, progress = Checkpoint(path, task.units, {"answers": asked}), ShowProgress([], lines=False)
    begun = checkpoint.restore(model)
    if not begun:
        assert isinstance(run.model, AdditionRNNConfig)
        short = replace(run.model, unroll=False)  # the same weights, built ten times as fast
        bare = AdditionTask(replace(run, seed=seed, seeds=1, model=short), task.data).build_model()
        started = [keras.ops.convert_to_numpy(variable) for variable in bare.variables]
        checkpoint.go_on(model, Snapshot(variables=started + fresh))
        if not run.optimizer.is_scheduled:
            model.optimizer.learning_rate = run.optimizer.learning_rate
    with closing(progress), closing(checkpoint):
        fit(task, model, batches, [asked, checkpoint, progress], begun, run.epochs)
    snapshot, last = checkpoint.snapshot, model.get_weights()
    history = {key: np.array(values) for key, values in snapshot.history.items() if "time/" not in key}
    scores = {
        f"best/{key}": values[snapshot.best_epoch - 1] for key, values in history.items() if "val/" in key
    }
    scores |= {"best/epoch": snapshot.best_epoch}
    for prefix, weights in (("last/", last), ("", snapshot.best_weights)):
        model.set_weights(weights)
        scores |= {f"{prefix}test/{key}": value for key, value in _evaluate(model, task).items()}
    return Alone(history, scores, last, snapshot.best_weights, asked.answers)


def _evaluate(model: keras.Model, task: AdditionTask) -> dict[str, float]:
    test = task.data.test
    return model.evaluate(ordered_batches(test.x, test.y), verbose=0, return_dict=True)


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
