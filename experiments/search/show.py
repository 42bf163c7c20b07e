"""How a search's trials look to a person: a line a trial as it ends, numbers as people write them."""

import math
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from ..spaces import Dimension
from .trials import Trial

ENDED = {"early": "ended early", "diverged": "no number any more"}
UNREMARKABLE = (None, "healthy", "undetermined")
"""Diagnoses that say less than how a trial has ended."""
PERCENT = ("accuracy", "exact_match")
SHORT = {
    "learning_rate": "rate",
    "batch_normalization": "norm",
    "accuracy": "acc",
    "exact_match": "exact",
    "_dropout": " drop",
    "dropout_": "drop ",
    "gradients": "grads",
    "wrong_output_or_loss": "wrong loss",
}


class TrialTable:
    """A table of trials that is printed line by line, as they end.

    Args:
        space: What is varied, a column each.
        objective: The validation metric that is to be high.
        console: Where to.
    """

    def __init__(self, space: tuple[Dimension, ...], objective: str, console: Console) -> None:
        self._names, self._objective, self._console = [one.name for one in space], objective, console
        self._widths = {name: max(9, len(short(name)) + 1) for name in self._names}
        self._title = short(objective.replace("/", " "))
        self._score = max(8, len(self._title) + 1)

    def head(self) -> None:
        """Print the titles."""
        columns = "".join(short(name).rjust(width) for name, width in self._widths.items())
        score = self._title.rjust(self._score)
        self._print(f"trial{columns} epochs{score}{'best':>8}{'sec':>6}  finding", "bold")

    def line(self, trial: Trial, best: Trial | None) -> None:
        """Print a trial's line; `best` is the best one so far."""
        columns = "".join(
            value_text(trial.settings.get(name, "-")).rjust(width) for name, width in self._widths.items()
        )
        score, top = (
            number_text(self._objective, one.score(self._objective)) if one and one.best_epoch else "-"
            for one in (trial, best)
        )
        score = score.rjust(self._score)
        line = f"{trial.number:5}{columns}{trial.epochs:7}{score}{top:>8}{trial.seconds:6.1f}  {_why(trial)}"
        self._print(line.rstrip(), "bold" if trial is best else "")

    def _print(self, line: str, style: str) -> None:
        self._console.print(Text(line, style=style), soft_wrap=True)


def _why(trial: Trial) -> str:
    """Why a trial is as it is, in a few words: an error, what is wrong with it, or how it ended."""
    if trial.error or trial.finding not in UNREMARKABLE:
        return trial.error or short(trial.finding or "")
    return ENDED.get(trial.ended, trial.finding or "")


def interval(values: list[float]) -> tuple[float, float]:
    """Mean and half the width of Student's 95 % interval, infinite for one value alone."""
    from scipy import stats

    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, math.inf
    return mean, float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))


def interval_text(name: str, values: list[float], signed: bool = False) -> str:
    """`96.18% ± 0.30%`."""
    mean, half = interval(values)
    text = f"{'+' if signed and mean > 0 else ''}{number_text(name, mean)}"
    return text if math.isinf(half) else f"{text} ± {number_text(name, half)}"


def number_text(name: str, value: float) -> str:
    """A score as people write it: shares in per cent."""
    return f"{value:.2%}" if name.endswith(PERCENT) else f"{value:.4g}"


def value_text(value: Any) -> str:
    """A setting in at most eight characters."""
    if isinstance(value, str | int):
        return str(value)
    if value == 0:
        return "0"
    return f"{value:.2e}".replace("e-0", "e-") if value < 1e-2 else f"{value:.3g}"


def short(name: str) -> str:
    """A name that fits over a column."""
    for long, brief in SHORT.items():
        name = name.replace(long, brief)
    return name.replace("_", " ")
