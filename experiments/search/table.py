"""The trials of a search as rows: for MLflow, for a CSV file, for pictures."""

import csv
import io
import math
from typing import TYPE_CHECKING, Any

from ..spaces import Dimension
from .trials import Trial, Trials

if TYPE_CHECKING:  # a table is read and written without Keras
    from ..tasks.task import Table


def trial_figures(trial: Trial, objective: str) -> dict[str, float]:
    """A trial's final figures, by the names under which all trials log them."""
    name = objective.removeprefix("val/")
    figures = {"score": trial.score(objective), "best/epoch": float(trial.best_epoch)}
    if trial.best_epoch:
        figures |= {f"best/{metric}": trial.at_best(metric) for metric in (objective, "val/loss")}
        figures["gap"] = trial.at_best(f"train/{name}") - trial.at_best(objective)
    return figures | {"time/trial": trial.seconds} | trial.test


def trial_table(trials: Trials, space: tuple[Dimension, ...], objective: str) -> "Table":
    """A row a trial, in the order of their numbers; empty where a figure is missing."""
    rows = [_row(trial, space, objective) for trial in trials.all.values()]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return {"columns": columns, "data": [[row.get(name) for name in columns] for row in rows]}


def write_csv(trials: Trials, space: tuple[Dimension, ...], objective: str) -> str:
    """The table as CSV."""
    table = trial_table(trials, space, objective)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table["columns"])
    writer.writerows(table["data"])
    return buffer.getvalue()


def _row(trial: Trial, space: tuple[Dimension, ...], objective: str) -> dict[str, Any]:
    row: dict[str, Any] = {"trial": trial.number} | {one.name: trial.settings.get(one.name) for one in space}
    row |= {"epochs": trial.epochs, "ended": trial.ended, "finding": trial.finding or trial.error}
    figures = trial_figures(trial, objective)
    return row | {name: value if math.isfinite(value) else None for name, value in figures.items()}
