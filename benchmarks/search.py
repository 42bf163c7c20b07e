"""A search against its peers: keras-tuner as documented and tuned, and Optuna's TPE with a pruner.

    python benchmarks/search.py [--quick] [--case images] [--part rate] [--rounds 3] [--repeats 10]

Needs the extra `bench` for Optuna; without it that row is left out. All ways run in turns, on
the same space, network, data and epochs a trial:

- rate: settings an hour at equal epochs, as ratios to keras-tuner's RandomSearch tuned as well as can be
  (XLA, 16 steps an execution, batches from a tensor).
- overhead: the share of a whole search, trainings after it included, that is outside its trainings, and the
  seconds from its last training to the summary, and to the end, with the pictures drawn and the model kept.
- score: each repeat gives every way the seconds that this search took; the best setting of each by its own
  validation score is trained anew on two seeds and tested. Time to an equal score is read from the same
  repeats: when an epoch of any trial had the highest validation accuracy that RandomSearch as documented ever
  had, in its ten trials (what `max_trials` is by default); tuned, it gets as many seconds as documented for
  that, and this search, where it has not got there, four times as many trials. Another way that has not got
  there is counted as if it had at its end.
"""

import argparse
import contextlib
import io
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import numpy as np
from rich.console import Console

from whyfit.experiments import recipes
from whyfit.experiments.config import OptimizerConfig, Run
from whyfit.experiments.data.config import GlyphsConfig, PointsConfig
from whyfit.experiments.data.splits import Data, load
from whyfit.experiments.search import trainer
from whyfit.experiments.search.config import SearchConfig
from whyfit.experiments.search.legs import Leg
from whyfit.experiments.search.search import search
from whyfit.experiments.search.show import interval
from whyfit.experiments.spaces import apply, space_of
from whyfit.experiments.tasks import task_of
from whyfit.models import build_loss, build_metrics, build_mlp, ordered_batches
from whyfit.models.config import MLPConfig

OBJECTIVE = "val/accuracy"
PARTS = ("rate", "overhead", "score")


@dataclass(frozen=True)
class Case:
    """What is searched: by whyfit with so many trials, and by keras-tuner where a number of trials, and no
    time, ends it."""

    run: Run
    trials: int
    stock: int


CASES = {
    "images": Case(
        recipes.mlp(
            epochs=10, batch_size=128, data=GlyphsConfig(train=10_000), model=MLPConfig(units=(256,))
        ),
        32,
        10,
    ),
    "points": Case(
        recipes.mlp(
            epochs=20,
            batch_size=32,
            data=PointsConfig("moons", train=4_000, noise=0.3),
            model=MLPConfig(units=(32, 32)),
            optimizer=OptimizerConfig("Adam", learning_rate=3e-3),
        ),
        64,
        10,
    ),
}


@dataclass
class Found:
    """One way's search: when each trial ended, the score that it is chosen by, and its setting; and when each
    epoch ended, with its validation accuracy, the highest one of a population.
    """

    events: list[tuple[float, float, dict[str, Any]]]
    epochs: list[tuple[float, float]]

    @property
    def seconds(self) -> float:
        """Until the last trial ended."""
        return self.events[-1][0]

    @property
    def each(self) -> float:
        """Seconds a trial."""
        return self.seconds / len(self.events)

    def best(self, until: float = float("inf")) -> tuple[float, dict[str, Any]]:
        """The highest score, and its setting, of trials that had ended by then, or of the first."""
        done = [event for event in self.events if event[0] <= until] or self.events[:1]
        return max(((score, setting) for _, score, setting in done), key=lambda pair: pair[0])

    @property
    def highest(self) -> float:
        """Of any epoch of its trials."""
        return max(accuracy for _, accuracy in self.epochs)

    def reached(self, accuracy: float) -> float:
        """When the first epoch had ended that had the accuracy; infinite where none had."""
        return min((at for at, reached in self.epochs if reached >= accuracy), default=float("inf"))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look at whether it runs: tiny sizes")
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WHYFIT_MLRUNS"] = folder
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """What was asked for."""
    for name in arguments.case or CASES:
        case = CASES[name]
        if arguments.quick:
            case = Case(replace(case.run, epochs=2), 4, 2)
        data = load(case.run.data, case.run.seed)
        parts = arguments.part or PARTS
        if "rate" in parts:
            rate(name, case, data, 1 if arguments.quick else arguments.rounds)
        if "overhead" in parts:
            overhead(name, case, 1 if arguments.quick else arguments.rounds)
        if "score" in parts:
            score(name, case, data, 1 if arguments.quick else arguments.repeats)


def rate(name: str, case: Case, data: Data, rounds: int) -> None:
    """Settings an hour at equal epochs."""
    ways = {"whyfit": whole, "keras-tuner tuned": tuned}
    pairs = []
    for number in range(rounds):
        order = list(ways.items())[:: 1 if number % 2 else -1]
        each = {way: run(case, data, number, 0.0).each for way, run in order}
        pairs.append((each["whyfit"], each["keras-tuner tuned"]))
    ratios = sorted(other / own for own, other in pairs)
    own, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    hours = [3600 / seconds for seconds in (own, other)]
    print(
        f"{name}: settings an hour {hours[0]:.0f} (whyfit), {hours[1]:.0f} (keras-tuner tuned); ratio "
        f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}, {rounds} pairs)",
        flush=True,
    )


class Screen(io.StringIO):
    """Notes when something was last written."""

    at = 0.0

    def write(self, text: str) -> int:
        """Note the time."""
        self.at = time.time()
        return super().write(text)


def overhead(name: str, case: Case, rounds: int) -> None:
    """What a search takes beside its trainings, and after them."""
    shares = []
    for number in range(rounds):
        began, screen = time.time(), Screen()
        config = SearchConfig(trials=case.trials)
        result = search(replace(case.run, seed=number), config, console=Console(file=screen))
        ended = time.time()
        legs = [record for record in result.trials.recorded() if record["kind"] == "leg"]
        training = sum(trial["seconds"] for leg in legs for trial in leg["trials"])
        trained = max(leg["time"] for leg in legs)
        shares.append(1 - training / (ended - began))
        print(
            f"{name}, search {number}: {ended - began:.1f} s, {shares[-1]:.1%} of it outside trainings; last "
            f"training to summary {screen.at - trained:.2f} s, to the end {ended - trained:.2f} s",
            flush=True,
        )
    print(f"{name}: outside trainings {statistics.median(shares):.1%}")


def score(name: str, case: Case, data: Data, repeats: int) -> None:
    """The tested winner after equal seconds, and time to an equal validation score."""
    ways: dict[str, Way] = {"whyfit": pruned, "whyfit bayesian": bayesian, "whyfit hyperband": hyperband}
    ways |= {"random documented": documented, "random tuned": tuned, "bayesian tuned": gaussian}
    if has_optuna():
        ways["optuna"] = optuna_tpe
    tests: dict[str, list[float]] = {way: [] for way in ways}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for repeat in range(repeats):
        first = pruned(case, data, repeat, 0.0)
        found = {"whyfit": first, "random documented": documented(case, data, repeat, 0.0)}
        others = [way for way in ways if way not in found]
        for way in others if repeat % 2 else others[::-1]:
            longer = found["random documented"].seconds if way == "random tuned" else first.seconds
            found[way] = ways[way](case, data, repeat, longer)
        goal = found["random documented"].highest
        longest = first if first.highest >= goal else more(case, data, repeat, 0.0)
        chosen = [found[way].best(first.seconds)[1] for way in ways]
        for way, value in zip(ways, tested(case, data, chosen), strict=True):
            tests[way].append(value)
            reached = (longest if way == "whyfit" else found[way]).reached(goal)
            spent = found[way].seconds if way != "whyfit" else math.inf
            times[way].append(reached if reached < math.inf else spent)
        print(f"\n{name}, repeat {repeat}: {case.trials} trials in {first.seconds:.1f} s; so far:")
        print_table(tests, times)


def print_table(tests: dict[str, list[float]], times: dict[str, list[float]]) -> None:
    """Of all repeats so far: tests of the winners, and when the score of the documented way was reached."""
    print("way                  test mean  least   most   less than whyfit's   time to score, whyfit's by it")
    for way, values in tests.items():
        less = np.subtract(tests["whyfit"], values)
        mean, half = interval(list(less)) if len(less) > 1 else (float(less[0]), math.inf)
        ratios = sorted(mine / theirs for mine, theirs in zip(times["whyfit"], times[way], strict=True))
        line = f"{way:20} {np.mean(values):9.4f} {min(values):7.4f} {max(values):7.4f}   "
        line += f"{mean:+.4f} +- {half:.4f}  {statistics.median(times[way]):8.1f} s"
        print(f"{line}  {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})", flush=True)


def own(case: Case, data: Data, seed: int, config: SearchConfig) -> Found:
    """This project's search, to its last trial; what it trains anew afterwards is not counted."""
    console, clock = Console(file=io.StringIO()), Clock()
    began = time.time()

    fit = trainer.fit

    def timed(task: Any, model: Any, batches: Any, callbacks: list[Any], *span: int) -> None:
        fit(task, model, batches, [*callbacks, clock], *span)

    with mock.patch.object(trainer, "fit", timed):
        result = search(replace(case.run, seed=seed, data=case.run.data), config, console=console)
    ended = {}
    for record in result.trials.recorded():
        for trial in record.get("trials", []) if record["kind"] == "leg" else []:
            ended[trial["number"]] = record["time"] - began
    trials = result.trials.all.values()
    found = sorted((ended[t.number], t.number, t.score(OBJECTIVE), t.settings) for t in trials)
    last = found[-1][0]  # what is trained anew after it is no trial
    return Found([(at, *rest) for at, _, *rest in found], [one for one in clock.epochs if one[0] <= last])


def whole(case: Case, data: Data, seed: int, seconds: float) -> Found:
    """Every trial to its end."""
    return own(case, data, seed, SearchConfig(trials=case.trials, retrain=1, end_early=False))


def pruned(case: Case, data: Data, seed: int, seconds: float) -> Found:
    """As it is by default."""
    return own(case, data, seed, SearchConfig(trials=case.trials, retrain=1))


def more(case: Case, data: Data, seed: int, seconds: float) -> Found:
    """The same search with four times as many trials."""
    return own(case, data, seed, SearchConfig(trials=4 * case.trials, retrain=1))


def bayesian(case: Case, data: Data, seed: int, seconds: float) -> Found:
    """With the Gaussian process."""
    return own(case, data, seed, SearchConfig("bayesian", trials=case.trials, retrain=1))


def hyperband(case: Case, data: Data, seed: int, seconds: float) -> Found:
    """With rungs."""
    return own(case, data, seed, SearchConfig("hyperband", trials=case.trials, retrain=1))


class Clock(keras.callbacks.Callback):
    """Notes when epochs end, with their validation accuracy, and stops a search whose time is over."""

    def __init__(self, until: float = 0.0) -> None:
        super().__init__()
        self.began, self.until = time.perf_counter(), until
        self.epochs: list[tuple[float, float]] = []

    def __deepcopy__(self, memory: dict) -> "Clock":
        return self  # keras-tuner copies callbacks

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Look at the clock."""
        passed = time.perf_counter() - self.began
        self.epochs.append((passed, float(np.max((logs or {})["val_accuracy"]))))
        if self.until and passed > self.until:
            raise keras_tuner.errors.FatalError("time is over")


def stock(case: Case, data: Data, seed: int, seconds: float, kind: Any, fast: bool) -> Found:
    """keras-tuner's own tuner; `fast` with what makes its trials quickest."""
    run, events = case.run, []
    clock = Clock(seconds)

    class Timed(kind):  # type: ignore[misc,valid-type]
        """Notes each trial."""

        def on_trial_end(self, trial: Any) -> None:
            super().on_trial_end(trial)
            values = dict(trial.hyperparameters.values)
            settings = {one.name: one.decode(values[one.name]) for one in space_of(run)}
            events.append((time.perf_counter() - clock.began, trial.score, settings))

    def build(hp: Any) -> keras.Model:
        settings = {}
        for one in space_of(run):
            scale = "log" if one.scale == "log" else "linear"
            settings[one.name] = one.decode(hp.Float(one.name, one.floor, one.high, sampling=scale))
        return compiled(apply(run, settings), data, fast)

    with tempfile.TemporaryDirectory() as folder:
        options = {"objective": keras_tuner.Objective("val_accuracy", "max"), "seed": seed + 1}
        tuner = Timed(build, max_trials=10**6 if seconds else case.stock, directory=folder, **options)
        train, validation = data.train, (data.validation.x, data.validation.y)
        arguments: dict[str, Any] = {"x": train.x, "y": train.y, "batch_size": run.batch_size}
        callbacks: list[Any] = [clock]
        if fast:
            batches = task_of(run, data).batches(run.batch_size, seed)
            arguments = {"x": batches.dataset, "shuffle": False}
            callbacks.append(Order(batches))
            validation = ordered_batches(*validation)  # type: ignore[assignment]
        with contextlib.suppress(keras_tuner.errors.FatalError):
            tuner.search(
                **arguments, validation_data=validation, epochs=run.epochs, verbose=0, callbacks=callbacks
            )
    return Found(events or [(seconds, 0.0, {one.name: 0.0 for one in space_of(run)})], clock.epochs)


class Order(keras.callbacks.Callback):
    """Shuffles anew every epoch."""

    def __init__(self, batches: Any) -> None:
        super().__init__()
        self.batches = batches

    def __deepcopy__(self, memory: dict) -> "Order":
        return self  # keras-tuner copies callbacks

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Keras asks for an iterator after this."""
        self.batches.on_epoch_begin(epoch)


def documented(case: Case, data: Data, seed: int, seconds: float) -> Found:
    """RandomSearch as keras-tuner's guide has it: arrays, no XLA on a CPU."""
    return stock(case, data, seed, 0.0, keras_tuner.RandomSearch, False)


def tuned(case: Case, data: Data, seed: int, seconds: float) -> Found:
    """RandomSearch with XLA, several steps an execution and our batches."""
    return stock(case, data, seed, seconds, keras_tuner.RandomSearch, True)


def gaussian(case: Case, data: Data, seed: int, seconds: float) -> Found:
    """BayesianOptimization, tuned as well."""
    return stock(case, data, seed, seconds, keras_tuner.BayesianOptimization, True)


def optuna_tpe(case: Case, data: Data, seed: int, seconds: float) -> Found:
    """Optuna's TPE with its median pruner, trials tuned as well."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    events, clock, run = [], Clock(), case.run
    batches = task_of(run, data).batches(run.batch_size, seed)
    validation = ordered_batches(data.validation.x, data.validation.y)

    class Report(keras.callbacks.Callback):
        """Tells the pruner."""

        def __init__(self, trial: Any) -> None:
            super().__init__()
            self.trial = trial

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.trial.report((logs or {})["val_accuracy"], epoch)
            if self.trial.should_prune():
                self.model.stop_training = True

    def objective(trial: Any) -> float:
        settings = {}
        for one in space_of(run):
            drawn = trial.suggest_float(one.name, one.floor, one.high, log=one.scale == "log")
            settings[one.name] = one.decode(drawn)
        model = compiled(apply(run, settings), data, True)
        callbacks = [Order(batches), clock, Report(trial)]
        options = {"epochs": run.epochs, "shuffle": False, "verbose": 0, "callbacks": callbacks}
        history = model.fit(batches.dataset, validation_data=validation, **options).history
        best = float(max(history["val_accuracy"]))
        events.append((time.perf_counter() - clock.began, best, settings))
        return best

    pruner, sampler = optuna.pruners.MedianPruner(), optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(direction="maximize", pruner=pruner, sampler=sampler)
    study.optimize(objective, timeout=seconds or None, n_trials=None if seconds else case.trials)
    return Found(events, clock.epochs)


def compiled(run: Run, data: Data, fast: bool) -> keras.Model:
    """A stock network of the run's."""
    config = run.model
    assert isinstance(config, MLPConfig)
    problem: dict[str, Any] = {"input_shape": data.train.x.shape[1:], "task": data.task}
    problem |= {"classes": data.classes, "mean": data.mean, "variance": data.variance}
    model = build_mlp(config, seed=run.seed, **problem)
    options = {"jit_compile": True, "steps_per_execution": 16} if fast else {"jit_compile": False}
    rate = run.optimizer.learning_rate
    loss, metrics = build_loss(config, data.task), build_metrics(config, data.task)
    model.compile(keras.optimizers.Adam(rate), loss=loss, metrics=metrics, **options)
    return model


def tested(case: Case, data: Data, settings: list[dict[str, Any]]) -> list[float]:
    """Mean test accuracy of each setting on two seeds that nothing was chosen with, all as one population."""
    seeds = (1001, 1002)
    runs = [(one, seed) for one in settings for seed in seeds]
    entries = tuple((number, one, seed) for number, (one, seed) in enumerate(runs))
    leg = Leg("tested", entries, 0, case.run.epochs, (), alone=False, watched=False)
    with tempfile.TemporaryDirectory() as folder:
        one = trainer.Trainer(case.run, data, space_of(case.run), Path(folder) / "legs")
        one.train(leg)
        scores = [found["test/accuracy"] for found in one.test(leg)[0]]
    return [float(np.mean(scores[at : at + len(seeds)])) for at in range(0, len(scores), len(seeds))]


def has_optuna() -> bool:
    """Whether the extra `bench` is installed."""
    from importlib.util import find_spec

    return find_spec("optuna") is not None


Way = Callable[[Case, Data, int, float], Found]

if __name__ == "__main__":
    main()
