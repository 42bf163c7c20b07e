"""The end of a search: what was found, how sure that is, and what to do next."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from ..config import Run
from ..recipes import RECIPES, flags_of
from ..spaces import Dimension, apply
from .show import interval, interval_text, number_text, short, value_text
from .trials import Trials

ROLES = {"winner": "the best setting, {} new seeds", "plain": "no regularization, same seeds"}


class Summary:
    """What a search came to.

    Args:
        run: What was searched.
        space: What was varied.
        trials: All that was tried, at least one with a finite loss, and the trainings after it.
        objective: The validation metric that is to be high.
        own_build: Whether networks came from a `build(hp)` of the user's own.
    """

    def __init__(
        self,
        run: Run,
        space: tuple[Dimension, ...],
        trials: Trials,
        objective: str,
        own_build: bool = False,
    ) -> None:
        best = trials.best(objective)
        assert best is not None
        self._run, self._space, self._trials, self._objective, self._best = (
            run,
            space,
            trials,
            objective,
            best,
        )
        self._name, self._own_build = objective.removeprefix("val/"), own_build

    def figures(self) -> dict[str, float]:
        """The summary in numbers, by the names that the search's run logs."""
        name, chosen = self._name, self._best.score(self._objective)
        figures = {"search/trials": float(len(self._trials.all)), "search/chosen": chosen}
        for role in ROLES:
            for metric in (self._objective, f"test/{name}"):
                if values := self._values(role, metric):
                    figures[f"search/{role}/{metric}"] = float(np.mean(values))
        if differences := self._differences(f"test/{name}"):
            mean, half = interval(differences)
            figures["search/gain"] = mean
            if math.isfinite(half):
                figures["search/gain_half_width"] = half
        figures["search/shrinkage"] = chosen - figures[f"search/winner/{self._objective}"]
        return figures | {f"test/{name}": figures[f"search/winner/test/{name}"]}

    def print(self, console: Console) -> None:
        """Print it."""
        console.print(f"\n{self._tried()}")
        if diagnosed := self.diagnosed():
            console.print(f"Diagnosed: {diagnosed}.")
        console.print()
        console.print(f"best setting, trial {self._best.number}:  {self._settings()}\n", soft_wrap=True)
        console.print(self._table())
        console.print()
        for line in [*self._verdict(), *self._edges()]:
            console.print(line)

    def diagnosed(self) -> str:
        """How many trials the gradient monitor calls what, the most frequent first; empty where it is off."""
        counts = Counter(trial.finding for trial in self._trials.all.values() if trial.finding)
        return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.most_common())

    def flags(self) -> str:
        """The best setting as flags of `whyfit train` and the recipe; none for a build of the user's own."""
        if self._own_build:
            return ""
        shown = RECIPES[self._run.recipe]().show_every  # a search shows no answers
        return " ".join(flags_of(replace(apply(self._run, self._best.settings), show_every=shown)))

    def _tried(self) -> str:
        trials = list(self._trials.all.values())
        seconds = sum(trial.seconds for trial in [*trials, *self._trials.finals.values()])
        text = f"{len(trials)} settings of {', '.join(one.name for one in self._space)} tried"
        for kind, word in (("early", "ended early"), ("diverged", "diverged"), ("failed", "failed")):
            count = sum(trial.ended == kind for trial in trials)
            text += f", {count} {word}" if count else ""
        return f"{text}; {seconds:.0f} s of training in all."

    def _settings(self) -> str:
        return "  ".join(f"{name} {value_text(value)}" for name, value in self._best.settings.items())

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("")
        for split in ("validation", "test"):
            table.add_column(f"{split} {short(self._name)}", justify="right")
        metrics = self._objective, f"test/{self._name}"
        table.add_row(
            "trial as it was chosen", number_text(self._name, self._best.score(self._objective)), ""
        )
        for role, title in ROLES.items():
            if values := self._values(role, self._objective):
                cells = [interval_text(self._name, self._values(role, metric)) for metric in metrics]
                table.add_row(title.format(len(values)), *cells)
        if self._differences(self._objective):
            cells = [interval_text(self._name, self._differences(metric), True) for metric in metrics]
            table.add_row("difference, seed by seed", *cells)
        return table

    def _verdict(self) -> Iterator[str]:
        yield "± is the 95 % interval over seeds. The test data were looked at here for the first time."
        shrinkage, count = self.figures()["search/shrinkage"], len(self._trials.all)
        luck, where = number_text(self._name, abs(shrinkage)), "above" if shrinkage > 0 else "below"
        yield f"Chosen as the best of {count}, it scored {luck} {where} what it gives on new seeds."
        if not self._differences(self._objective):
            yield "The best setting is the one without regularization."
            return
        mean, half = interval(self._differences(f"test/{self._name}"))
        if math.isinf(half):
            yield "One seed has no interval: --retrain 5 does."
        elif mean - half > 0:
            yield f"Regularization helps here: {number_text(self._name, mean)} more on the test data."
        elif mean + half < 0:
            yield f"On the test data regularization does harm: {number_text(self._name, -mean)} less."
        else:
            yield "No difference to no regularization could be shown on the test data."

    def _edges(self) -> Iterator[str]:
        """A best value at the end of its range asks for a wider one."""
        for one in self._space:
            value = self._best.settings.get(one.name)
            if value is None or one.choices or (one.zero and value == 0):
                continue
            low, high, at = (math.log(x) if one.scale != "linear" else x for x in (one.low, one.high, value))
            if (at - low) / (high - low) > 0.95 and not one.name.endswith("dropout"):
                yield f"The best {one.name} lies at the end of its range. Wider: --space {one.name}=LOW:HIGH"

    def _values(self, role: str, metric: str) -> list[float]:
        """A metric of the trainings after the search, in order of their seeds."""
        found = [trial for trial in self._trials.finals.values() if trial.role == role]
        if metric.startswith("test/"):
            return [trial.test[metric] for trial in found if trial.test]
        return [trial.at_best(metric) for trial in found]

    def _differences(self, metric: str) -> list[float]:
        """The winner's minus the plain one's, seed by seed; empty where there is no plain one."""
        winner, plain = (self._values(role, metric) for role in ROLES)
        return [one - other for one, other in zip(winner, plain, strict=True)] if plain else []
