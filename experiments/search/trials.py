"""What a search has asked for, trained and found: a journal, from which all of it is built again."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..state import Journal, read_journal

History = dict[str, list[float]]
WORST = -1.0
"""Score of a trial that never had a finite loss, and the lowest that counts for a number's r2."""


@dataclass
class Trial:
    """One setting and what became of it.

    Attributes:
        number: Its place in the search, from 1.
        settings: Values by hyperparameter.
        seed: Seed of its network.
        goal: Epochs it is to train.
        role: "trial", or after the search "winner" and "plain", trained anew on seeds of their own.
        asked: The names that the oracle knows it by; of Hyperband's one a rung.
        drawn: What the oracle drew for the first of them.
        history: Lists by metric, one value an epoch.
        seconds: Its share of the time that training it with others took.
        ended: "" while it trains, then "done", "early", "diverged" or "failed".
        error: Why it failed.
        finding: Why it is as it is, in a word of the gradient monitor's.
        leg: Where its state is kept: the name of the leg that it trained in last, and its place there.
        alone: Whether it trains by itself and not in a population.
        test: Scores on the test data, of a winner and a plain one.
    """

    number: int
    settings: dict[str, Any]
    seed: int
    goal: int
    role: str = "trial"
    asked: list[str] = field(default_factory=list)
    drawn: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=dict)
    seconds: float = 0.0
    ended: str = ""
    finding: str | None = None
    error: str = ""
    leg: tuple[str, int] | None = None
    alone: bool = False
    test: dict[str, float] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.history.get("val/loss", []))

    @property
    def is_finite(self) -> bool:
        """Whether its newest validation loss is a number."""
        return bool(self.epochs) and math.isfinite(self.history["val/loss"][-1])

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, with the lowest finite validation loss; 0 where there is none."""
        return self._best_until(None)

    def at_best(self, name: str) -> float:
        """A metric at the best epoch; NaN where there is none."""
        return self.history[name][self.best_epoch - 1] if self.best_epoch else math.nan

    def score(self, objective: str, until: int | None = None) -> float:
        """The objective at the best epoch, always finite: what `train` would call `best/val/...`.

        Args:
            objective: A metric that is to be high.
            until: The last epoch that counts; None: all do.
        """
        epoch = self._best_until(until)
        value = self.history[objective][epoch - 1] if epoch else math.nan
        return max(value, WORST) if math.isfinite(value) else WORST

    def _best_until(self, until: int | None) -> int:
        losses = self.history.get("val/loss", [])[:until]
        finite = [(loss, epoch) for epoch, loss in enumerate(losses, 1) if math.isfinite(loss)]
        return min(finite, default=(0.0, 0))[1]


class Trials:
    """All trials of a search, and the journal that they live in.

    Every step is a record, appended before anything follows from it, and taken in by `take`, whether it has
    just been appended or is read again by a later process.

    Attributes:
        all: Trials by number, in the order in which they were asked for.
        finals: Those trained anew after the search, in order.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        self._journal = None if read_only else Journal(path)
        self.all: dict[int, Trial] = {}
        self.finals: dict[int, Trial] = {}

    def recorded(self) -> Iterator[dict[str, Any]]:
        """What earlier processes have appended."""
        return (record for record, _ in read_journal(self.path))

    def read(self) -> None:
        """Take in all that the journal holds, without an oracle."""
        for record in self.recorded():
            self.take(record)

    def append(self, record: dict[str, Any]) -> None:
        """Keep a step; it is on the disk when this returns."""
        assert self._journal is not None
        self._journal.append(record)
        self._journal.flush()

    def close(self) -> None:
        """Leave the journal to others."""
        if self._journal is not None:
            self._journal.close()

    def take(self, record: dict[str, Any]) -> list[Trial]:
        """Take in a step; returns the trials that ended by it."""
        match record["kind"]:
            case "asked":
                for asked in record["trials"]:
                    self._take_asked(**asked)
            case "leg":
                return self._take_leg(record)
            case "finals":
                for final in record["trials"]:
                    self.finals[final["number"]] = Trial(**final)
            case "tested":
                for number, scores in record["scores"].items():
                    self.finals[int(number)].test = scores
        return []

    def get(self, number: int) -> Trial:
        """The trial, or the final one, of this number."""
        return self.all.get(number) or self.finals[number]

    def known_as(self, name: str) -> Trial:
        """The trial that the oracle calls so."""
        return next(trial for trial in self.all.values() if name in trial.asked)

    def best(self, objective: str) -> Trial | None:
        """The trial with the highest score so far."""
        found = [trial for trial in self.all.values() if trial.best_epoch]
        return max(found, key=lambda trial: trial.score(objective), default=None)

    def _take_asked(self, name: str, number: int, goal: int, **fields: Any) -> None:
        trial = self.all.setdefault(number, Trial(number=number, goal=goal, **fields))
        trial.asked.append(name)
        trial.goal, trial.ended = goal, ""

    def _take_leg(self, record: dict[str, Any]) -> list[Trial]:
        ended = []
        for place, result in enumerate(record["trials"]):
            trial = self.get(result["number"])
            trial.history, trial.ended = result["history"], result["ended"]
            trial.finding, trial.error = result["finding"], result["error"]
            trial.seconds += result["seconds"]
            trial.leg, trial.alone = (record["leg"], place), record["alone"]
            if trial.ended:
                ended.append(trial)
        return ended
