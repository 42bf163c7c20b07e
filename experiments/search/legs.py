"""Legs: the trials of one shape that train together from one epoch to another, as one population."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar
from zlib import crc32

from whyfit.models.config import MLPConfig

from ..config import Run
from ..spaces import Settings, apply
from .trials import Trial

Entry = tuple[int, dict[str, Any], int]
"""A trial's number, settings and seed."""
Item = TypeVar("Item")


@dataclass(frozen=True)
class Leg:
    """What is trained at one stretch.

    Attributes:
        name: Its file's name: its first trial, where it stops, and a digest of all its trials, since a search
            that is begun anew may group them otherwise.
        entries: Its trials.
        start, stop: Epochs that are done before, and after it.
        sources: Where each trial's state is kept: the leg it comes from and its place there.
        alone: Whether it is one network by itself and not a population.
        watched: Whether it is to be known why its trials are as they are; of what is trained anew after the
            search it is known from the trial.
        width: Networks in its population at least: where there are fewer trials, the first ones are trained
            twice. Two, since a population has two at least, or more, where so many are compiled already.
    """

    name: str
    entries: tuple[Entry, ...]
    start: int
    stop: int
    sources: tuple[tuple[str, int], ...]
    alone: bool
    watched: bool
    width: int = 2

    @property
    def population(self) -> tuple[Entry, ...]:
        """Its trials, and behind them those that fill it up."""
        return self.filled_up(self.entries)

    def of_width(self, width: int) -> "Leg":
        """The same with a population of that many at least, under a name of its own: where several processes
        train, another width may come of the same trials after a crash, and a state is of one width."""
        return replace(self, width=width, name=f"{self.name}-{width}")

    def filled_up(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """What belongs to its trials, item by item, and behind it that of those trained twice."""
        return tuple(items[place % len(items)] for place in range(max(self.width, len(items))))


def plan(
    trials: Iterable[Trial],
    run: Run,
    check: int,
    size: Callable[[Settings], int],
    populations: bool,
) -> list[Leg]:
    """The legs that trials which have not ended are to go next, those asked first before the others.

    Args:
        trials: All of them.
        run: What is searched.
        check: The epoch after which the worst leave; 0: none do.
        size: How many of a setting's shape are trained at once.
        populations: Whether networks can be trained as populations at all.
    """
    groups: dict[tuple[Any, ...], list[Trial]] = {}
    for trial in trials:
        if trial.ended:
            continue
        early = trial.role == "trial" and trial.epochs < check < trial.goal
        stop = check if early else trial.goal
        by_itself = not populations or trial.alone
        shape = (trial.number,) if by_itself else shape_of(run, trial.settings)
        groups.setdefault((trial.role != "trial", shape, trial.epochs, stop), []).append(trial)
    return [
        _leg(part, start, stop, populations)
        for (_, _, start, stop), group in groups.items()
        for part in _parts(group, size(group[0].settings))
    ]


def shape_of(run: Run, settings: Settings) -> tuple[Any, ...]:
    """What networks must have in common to be one population."""
    model = apply(run, settings).model
    assert isinstance(model, MLPConfig)
    return model.widths, model.activation, model.head, model.batch_normalization


def _parts(group: list[Trial], size: int) -> list[list[Trial]]:
    """The group in as few parts of nearly equal length as the size allows."""
    count = math.ceil(len(group) / size)
    cuts = [round(number * len(group) / count) for number in range(count + 1)]
    return [group[start:stop] for start, stop in pairwise(cuts)]


def _leg(trials: list[Trial], start: int, stop: int, populations: bool) -> Leg:
    first = trials[0]
    alone = not populations or first.alone or (start == 0 and len(trials) == 1)
    return Leg(
        name=f"{first.number}-{stop}-{_digest(trials)}",
        entries=tuple((trial.number, trial.settings, trial.seed) for trial in trials),
        start=start,
        stop=stop,
        sources=tuple(trial.leg for trial in trials if trial.leg),
        alone=alone,
        watched=first.role == "trial",
    )


def _digest(trials: list[Trial]) -> str:
    return f"{crc32(repr([trial.number for trial in trials]).encode()):08x}"
