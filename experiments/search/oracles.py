"""keras-tuner's oracles, with their weak places put right in subclasses. Only this room imports keras-tuner.

What is put right, for keras-tuner 1.4.8:

- Nothing is written to the disk: `oracle.json` is written in place, and a kill leaves half of it. A search
  keeps a journal, from which the oracle is built again by asking it and telling it the same once more.
- What is drawn for a trial depends on the search's seed and on the trial's number alone. Seed 0 is a seed.
- A trial whose score is no number is a finished bad one. It is not tried again, and three do not end all.
- The grid goes on without waiting for results, so that many can be trained at once.
- Gaussian processes know of noise, and are fitted once a trial, not twenty times and descended fifty.
- Hyperband has a budget: settings that are tried. A bracket that it has no room for is not begun.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine import trial as kt_trial
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    RandomSearchOracle,
)

from whyfit.models.seeds import derive_seed

from ..spaces import Dimension

RUNNING, STOPPED, IDLE = (
    kt_trial.TrialStatus.RUNNING,
    kt_trial.TrialStatus.STOPPED,
    kt_trial.TrialStatus.IDLE,
)
CANDIDATES = 2_000
"""Places at which the Gaussian process is looked at before the best few are improved."""


class Kept(keras_tuner.Oracle):
    """What all oracles here share: no files, no messages, and draws keyed by seed and trial.

    Attributes:
        recorded: Values by trial that an earlier process was given; they are not worked out again.
    """

    search_seed: int
    recorded: dict[str, dict[str, Any]]
    trials: dict[str, Any]
    ongoing_trials: dict[str, Any]

    def save(self) -> None:
        """Nothing: the search's journal is what is kept."""

    def _save_trial(self, trial: Any) -> None:
        """Nothing."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The next trial's values; keras-tuner draws by counting this number up."""
        self._seed_state = derive_seed(self.search_seed, "search", trial_id)
        return super().populate_space(trial_id)


class RandomOracle(Kept, RandomSearchOracle):
    """Settings drawn one by one."""


class GridOracle(Kept, GridSearchOracle):
    """Every combination, the last hyperparameter changing first."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The combination after the one that was begun last."""
        if self.start_order:
            before = self.trials[self.start_order[-1]].hyperparameters.values
            values = self._get_next_combination(before)
        else:
            space = self.get_space()
            values = {one.name: one.default for one in space.space if space.is_active(one)}
        return {"status": STOPPED if values is None else RUNNING, "values": values}


class BayesianOracle(Kept, BayesianOptimizationOracle):
    """A Gaussian process over what is known, and the setting of the lowest confidence bound.

    keras-tuner's kernel, encoding and bound. A trial that still trains counts as a pessimistic guess, so that
    several at once differ.

    Source: Ginsbourger et al. 2010, "Kriging is well-suited to parallelize optimization", 4.2.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The next trial's values."""
        if trial_id in self.recorded:
            return {"status": RUNNING, "values": self.recorded[trial_id]}
        self._seed_state = seed = derive_seed(self.search_seed, "search", trial_id)
        finished = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        wanted = self.num_initial_points or max(3 * len(self.hyperparameters.space), 3)
        if len(self.trials) < wanted or not finished:
            return self._random_populate_space()
        self.gpr = self._fit(finished)
        rng = np.random.default_rng(seed)
        values = self._vector_to_values(self._lowest_bound(rng))
        if self._compute_values_hash(values) in self._tried_so_far:
            return self._random_populate_space()
        return {"status": RUNNING, "values": values}

    def _make_gpr(self) -> Any:
        """keras-tuner's process, with a length and a noise that are fitted: scores are noisy, and what
        matters in one direction may not in another."""
        from sklearn.gaussian_process.kernels import Matern, WhiteKernel

        lengths = np.ones(max(1, len(self.hyperparameters.space)))
        kernel = Matern(lengths, (0.05, 20.0), nu=2.5) + WhiteKernel(1e-2, (1e-4, 1.0))
        return super()._make_gpr().set_params(kernel=kernel, n_restarts_optimizer=1)

    def _fit(self, finished: list[Any]) -> Any:
        """The process after all results, and after the guesses for those that still train."""
        running, self.ongoing_trials = self.ongoing_trials, {}
        all_trials, self.trials = self.trials, {trial.trial_id: trial for trial in finished}
        try:
            x, y = self._vectorize_trials()
        finally:
            self.ongoing_trials, self.trials = running, all_trials
        process = self._make_gpr()
        with _quietly():
            process.fit(x, y)
            if not running:
                return process
            waiting = np.array([self._vector(trial) for trial in running.values()])
            mean, deviation = process.predict(waiting, return_std=True)
            process.set_params(kernel=process.kernel_, optimizer=None)
            return process.fit(np.vstack([x, waiting]), np.concatenate([y, mean + deviation]))

    def _vector(self, trial: Any) -> list[float]:
        values = trial.hyperparameters.values
        return [one.value_to_prob(values.get(one.name, one.default)) for one in self._nonfixed_space()]

    def _lowest_bound(self, rng: np.random.Generator) -> np.ndarray:
        """Where mean - beta * deviation is lowest: the best of many places, then of many near it."""
        size = len(self._nonfixed_space())
        places = rng.uniform(size=(CANDIDATES, size))
        for width in (0.1, 0.02):
            best = places[np.argsort(self._bounds(places))[:5]]
            near = np.repeat(best, 40, axis=0) + rng.normal(scale=width, size=(200, size))
            places = np.clip(np.vstack([best, near]), 0, 1)
        return places[np.argmin(self._bounds(places))]

    def _bounds(self, places: np.ndarray) -> np.ndarray:
        with _quietly():
            mean, deviation = self.gpr.predict(places, return_std=True)
        return mean - self.beta * deviation


class HalvingOracle(Kept, HyperbandOracle):
    """Hyperband with a budget of settings.

    Attributes:
        budget: Settings to draw; those that go on to the next rung are no new ones.
    """

    budget: int

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """A new setting, or one of the last rung's best for the next rung."""
        if not self._brackets[-1]["rounds"][0]:
            self._fit_bracket()
        return super().populate_space(trial_id)

    def left(self) -> int:
        """Settings that are still to be drawn."""
        drawn = [t for t in self.trials.values() if "tuner/trial_id" not in t.hyperparameters.values]
        return self.budget - len(drawn)

    def may_go_on(self, trial_id: str) -> bool:
        """Whether the trial may yet be asked to train longer."""
        for bracket in self._brackets:
            rounds, number = bracket["rounds"], bracket["bracket_num"]
            for place, round_info in enumerate(rounds[:-1]):
                taken = {info["past_id"] for info in rounds[place + 1]}
                full = len(rounds[place + 1]) >= self._get_size(number, place + 1)
                if not full and trial_id in {info["id"] for info in round_info} - taken:
                    return True
        return False

    def _start_new_bracket(self) -> None:
        super()._start_new_bracket()
        if hasattr(self, "budget"):
            self._fit_bracket()

    def _fit_bracket(self) -> None:
        """In place of a bracket that is larger than what is left: the largest that fits, or plain trials."""
        while self._current_bracket and self._get_size(self._current_bracket, 0) > self.left():
            self._current_bracket -= 1
            self._brackets.pop()
            super()._start_new_bracket()

    def _random_trial(self, trial_id: str, bracket: dict[str, Any]) -> dict[str, Any]:
        if self.left() <= 0:
            return {"status": IDLE if self.ongoing_trials else STOPPED}
        return super()._random_trial(trial_id, bracket)


ORACLES = {
    "random": RandomOracle,
    "bayesian": BayesianOracle,
    "hyperband": HalvingOracle,
    "grid": GridOracle,
}


def build_oracle(
    kind: str, space: keras_tuner.HyperParameters, objective: str, seed: int, trials: int | None, epochs: int
) -> Any:
    """An oracle that has been asked nothing yet.

    Args:
        kind: One of `ORACLES`.
        space: The hyperparameters.
        objective: The metric that is to be high.
        seed: All draws derive from it.
        trials: Settings to try; None: no limit.
        epochs: Epochs of a whole trial.
    """
    options: dict[str, Any] = {
        "objective": keras_tuner.Objective(objective, "max"),
        "hyperparameters": space,
        "seed": derive_seed(seed, "search") or 1,
        "max_consecutive_failed_trials": np.inf,
    }
    if kind == "hyperband":
        options |= {"max_epochs": epochs, "hyperband_iterations": None}
    else:
        options["max_trials"] = trials
    oracle = ORACLES[kind](**options)
    oracle.search_seed, oracle.recorded, oracle.verbose = seed, {}, 0
    if kind == "hyperband":
        oracle.budget = trials
        oracle._fit_bracket()
    return oracle


def hyperparameters(space: tuple[Dimension, ...], grid: bool) -> keras_tuner.HyperParameters:
    """The space as keras-tuner has it; for a grid the values to try."""
    found = keras_tuner.HyperParameters()
    for one in space:
        if grid or one.choices:
            found.Choice(one.name, list(one.grid if grid else one.choices))
        elif one.scale == "whole":
            found.Int(one.name, round(one.low), round(one.high), sampling="log")
        else:
            scale = "log" if one.scale == "log" else "linear"
            found.Float(one.name, one.floor, one.high, sampling=scale)
    return found


def dimensions_of(space: keras_tuner.HyperParameters) -> tuple[Dimension, ...]:
    """keras-tuner's hyperparameters as dimensions; what is fixed is none."""
    found = []
    for one in space.space:
        if hasattr(one, "min_value"):
            low, high = float(one.min_value), float(one.max_value)
            found.append(Dimension(one.name, low, high, "log" if one.sampling == "log" else "linear"))
        elif len(values := tuple(one.values)) > 1:
            found.append(Dimension(one.name, scale="choice", choices=values, grid=values))
    return tuple(found)


def space_of_build(build: Any) -> tuple[Dimension, ...]:
    """What a user's `build(hp)` varies, found by calling it as keras-tuner does."""
    oracle = build_oracle("random", keras_tuner.HyperParameters(), "val/accuracy", 0, 1, 1)
    _Nothing(oracle, build)
    return dimensions_of(oracle.get_space())


class _Nothing(keras_tuner.Tuner):
    """A tuner that only looks at the space and writes nothing."""

    project_dir = os.path.join(os.devnull, "none")  # noqa: PTH118, keras-tuner joins strings


def values_as_hyperparameters(values: dict[str, Any]) -> keras_tuner.HyperParameters:
    """What `build(hp)` is given: every hyperparameter that it asks for has its value."""
    found = keras_tuner.HyperParameters()
    found.values = dict(values)
    return found


def ask(oracle: Any) -> Any | None:
    """The oracle's next trial; None where it waits for results, or has none any more."""
    with _quietly():
        trial = oracle.create_trial(f"trial-{len(oracle.trials)}")
    return trial if trial.status == RUNNING else None


def tell(oracle: Any, trial_id: str, score: float) -> None:
    """The oracle is told a trial's score, a finite number."""
    trial = oracle.get_trial(trial_id)
    with _quietly():
        oracle.update_trial(trial_id, {oracle.objective.name: score})
        trial.status = kt_trial.TrialStatus.COMPLETED
        oracle.end_trial(trial)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without warnings: keras-tuner asks for threads in a deprecated way, fits do not converge fully."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
