"""The search itself: a `keras_tuner.Tuner` whose trials go through the one training line, many at once."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras_tuner

from ..config import Run
from ..data.splits import Data
from ..errors import UserError
from ..spaces import Dimension, Settings, unregularized
from .config import SearchConfig
from .legs import Leg, plan, shape_of
from .oracles import ask, build_oracle, dimensions_of, hyperparameters, tell
from .rules import asked_at_once, at_once, check_epoch, finals_of, leaving, objective_of, width
from .trials import Trial, Trials

TRIALS = 48
"""Settings that are tried where nothing else is asked for."""


class Runner(Protocol):
    """What trains legs: this process, or others."""

    def room(self) -> int:
        """How many more legs it would take now."""

    def submit(self, leg: Leg) -> None:
        """Begin a leg, or note it for later."""

    def wait(self) -> dict[str, Any]:
        """The record of the next leg that is done."""


class Search(keras_tuner.Tuner):
    """Asks an oracle for settings, has them trained, and keeps every step in a journal.

    What happens depends on the journal alone: a process that reads it again is where the one before was.
    With one process all trials and scores are the same however often it was stopped.

    Args:
        run: What is searched.
        config: How.
        data: The run's data.
        space: What is varied.
        trials: The journal, with whatever earlier processes have put there.
        runner: What trains.
        build: The user's own `build(hp)`, which brings the space along.

    Attributes:
        trials: All that was tried.
        objective: The validation metric that is to be high.
    """

    def __init__(
        self,
        run: Run,
        config: SearchConfig,
        data: Data,
        space: tuple[Dimension, ...],
        trials: Trials,
        runner: Runner,
        build: Callable[[Any], Any] | None = None,
    ) -> None:
        self.trials, self.objective = trials, objective_of(data)
        self._run, self._config, self._data, self._space, self._runner = run, config, data, space, runner
        self._populations = run.suits_populations and build is None
        self._check = check_epoch(run, config)
        self._training: dict[str, Leg] = {}
        self._largest: dict[tuple[Any, ...], int] = {}
        grid = config.tuner == "grid"
        count = config.trials or (None if grid else TRIALS)
        drawn = hyperparameters(() if build else space, grid)
        oracle = build_oracle(config.tuner, drawn, self.objective, run.seed, count, run.epochs)
        super().__init__(oracle, build, directory=str(trials.path.parent), project_name="search")
        if build:
            self._space = dimensions_of(self.oracle.get_space())
        for record in trials.recorded():
            self._replay(record)

    @property
    def project_dir(self) -> str:
        """Where keras-tuner would write; nothing is, so nothing is made."""
        return str(Path(self.directory) / self.project_name)

    def search(self) -> Any:
        """Go on until all settings are tried and the best one is trained anew; yields trials as they end."""
        while self._submit():
            record = self._runner.wait()
            self._training.pop(record["leg"])
            yield from self.keep(self._judge(record))

    def run_trial(self, trial: Leg) -> None:
        """Have a leg trained: in place of one trial all those of one shape."""
        self._training[trial.name] = trial
        self._runner.submit(trial)

    def needed(self) -> set[str]:
        """Names of the legs whose states are still wanted."""
        legs = {leg.name for leg in self._plan()} | self._training.keys()
        halving = self._config.tuner == "hyperband"
        for trial in [*self.trials.all.values(), *self.trials.finals.values()]:
            longer = halving and trial.asked and self.oracle.may_go_on(trial.asked[-1])
            tested = trial.role == "trial" or trial.test
            if trial.leg and (longer or not trial.ended or not tested):
                legs.add(trial.leg[0])
        return legs

    def finals(self) -> list[Leg]:
        """The legs that the trainings after the search went, for their states."""
        found: dict[str, list[Trial]] = {}
        for trial in self.trials.finals.values():
            assert trial.leg is not None
            found.setdefault(trial.leg[0], []).append(trial)
        return [
            Leg(
                name=name,
                entries=tuple((trial.number, trial.settings, trial.seed) for trial in group),
                start=0,
                stop=group[0].goal,
                sources=(),
                alone=group[0].alone,
                watched=False,
            )
            for name, group in found.items()
        ]

    def _submit(self) -> bool:
        """Give the runner what it has room for; says whether anything is under way."""
        while self._runner.room():
            if legs := self._plan():
                self.run_trial(legs[0])
            elif not self._ask() and not self._begin_finals():
                break
        return bool(self._training)

    def _plan(self) -> list[Leg]:
        """Legs that nobody trains yet."""
        busy = {number for leg in self._training.values() for number, _, _ in leg.entries}
        waiting = [*self.trials.all.values(), *self.trials.finals.values()]
        free = [trial for trial in waiting if trial.number not in busy]
        legs = plan(free, self._run, self._check, self._size, self._populations)
        return [leg if leg.alone else leg.of_width(self._width(leg)) for leg in legs]

    def _width(self, leg: Leg) -> int:
        """Networks of the leg's population. What is trained anew at the end has batches of its own, for which
        nothing is compiled yet."""
        settings, count = leg.entries[0][1], len(leg.entries)
        largest = self._largest.get(shape_of(self._run, settings), 0) if leg.watched else 0
        return width(self._run, settings, self._data, count, largest, leg.stop - leg.start)

    def _size(self, settings: Settings) -> int:
        return at_once(self._run, self._config, settings, self._data) if self._populations else 1

    def _ask(self) -> bool:
        """Ask the oracle for as many settings as are trained at once; says whether there were any."""
        if self.trials.finals:
            return False
        wanted = asked_at_once(self._run, self._config, self._data) if self._populations else 1
        asked: list[dict[str, Any]] = []
        while len(asked) < wanted and (drawn := ask(self.oracle)) is not None:
            numbers = [*self.trials.all, *(one["number"] for one in asked)]
            asked.append(self._describe(drawn, max(numbers, default=0) + 1))
        if asked:
            self.keep({"kind": "asked", "trials": asked})
        return bool(asked)

    def _describe(self, drawn: Any, number: int) -> dict[str, Any]:
        """What the oracle asks for: a new trial of this number, or that an earlier one trains longer."""
        values = drawn.hyperparameters.values
        goal = int(values.get("tuner/epochs", self._run.epochs))
        if before := values.get("tuner/trial_id"):
            trial = self.trials.known_as(before)
            fields: dict[str, Any] = {"settings": trial.settings, "drawn": trial.drawn, "seed": trial.seed}
            return {"name": drawn.trial_id, "number": trial.number, "goal": goal, **fields}
        plain = {name: value for name, value in values.items() if not name.startswith("tuner/")}
        settings = {one.name: one.decode(plain[one.name]) for one in self._space if one.name in plain}
        fields = {"settings": settings, "drawn": plain, "seed": self._run.seed}
        return {"name": drawn.trial_id, "number": number, "goal": goal, **fields}

    def _begin_finals(self) -> bool:
        """Once all is tried: train the best anew, and the same without regularization."""
        best = self.trials.best(self.objective)
        if self._training or self.trials.finals or best is None:
            return False
        plain = unregularized(best.settings, None if self.hypermodel else self._run)
        finals = finals_of(best.settings, plain, self._run, self._config, max(self.trials.all) + 1)
        self.keep({"kind": "finals", "trials": finals})
        return True

    def _judge(self, record: dict[str, Any]) -> dict[str, Any]:
        """Say of each of a leg's trials whether it has ended, and why."""
        for result in record["trials"]:
            trial = self.trials.get(result["number"])
            trial.history = result["history"]
        leg = [self.trials.get(result["number"]) for result in record["trials"]]
        left = self._leaving(leg)
        for trial, result in zip(leg, record["trials"], strict=True):
            if result["error"]:
                result["ended"] = "failed"
            elif not trial.is_finite:
                result["ended"] = "diverged"
            elif trial.epochs >= trial.goal:
                result["ended"] = "done"
            else:
                result["ended"] = "early" if trial.number in left else ""
        return record | {"time": time.time()}

    def _leaving(self, leg: list[Trial]) -> set[int]:
        """Those of a leg that need not go on."""
        if not self._check or leg[0].role != "trial" or leg[0].goal <= self._check:
            return set()
        numbers = {trial.number for trial in leg}
        if max(trial.epochs for trial in leg) > self._check:
            return set()
        before = [t for t in self.trials.all.values() if t.epochs >= self._check and t.number not in numbers]
        return leaving(leg, before, self.objective, self._check)

    def keep(self, record: dict[str, Any]) -> list[Trial]:
        """Put a step into the journal, then take it in; returns the trials that ended by it."""
        self.trials.append(record)
        return self._take(record)

    def _take(self, record: dict[str, Any]) -> list[Trial]:
        """Take in a step, and tell the oracle of the trials that have ended by it."""
        ended = self.trials.take(record)
        if record["kind"] == "leg" and not record["alone"]:
            first = self.trials.get(record["trials"][0]["number"])
            shape = shape_of(self._run, first.settings)
            self._largest[shape] = max(len(record["trials"]), self._largest.get(shape, 0))
        for trial in ended:
            if trial.role == "trial":
                tell(self.oracle, trial.asked[-1], trial.score(self.objective))
        return ended

    def _replay(self, record: dict[str, Any]) -> None:
        """Take in a step of an earlier process, with the oracle asked and told as it was then."""
        if record["kind"] == "asked":
            for asked in record["trials"]:
                self.oracle.recorded[asked["name"]] = asked["drawn"]
                drawn = ask(self.oracle)
                found = drawn and self._describe(drawn, asked["number"])
                if found != asked:
                    raise UserError(
                        f"--name must be of a search that this version can go on with: trial "
                        f"{asked['number']} was {asked['settings']}, now it is {found and found['settings']}"
                    )
        self._take(record)
