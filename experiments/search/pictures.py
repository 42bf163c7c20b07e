"""Pictures of a search, kept with its run."""

import warnings
from math import comb
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..figures import gap_points, importance_bars, save_figure, score_panels, shrinkage_curve
from ..spaces import Dimension
from .trials import Trial, Trials

FEWEST = 8
"""Trials below which nothing is said of what is important."""


def pictures(trials: Trials, space: tuple[Dimension, ...], objective: str, folder: Path) -> list[Path]:
    """Draw them all; returns their files.

    Args:
        trials: The search's.
        space: What was varied.
        objective: The validation metric that is to be high.
        folder: Where they go.
    """
    files = []
    for name, figure in _figures(trials, space, objective).items():
        files.append(folder / f"{name}.png")
        save_figure(figure, files[-1])
    return files


def importance(
    trials: list[Trial], space: tuple[Dimension, ...], objective: str
) -> dict[str, tuple[float, float]]:
    """R² of the scores' ranks that is lost when a hyperparameter is shuffled: mean and deviation.

    A forest is fitted to scores over settings. Source: Breiman 2001, "Random forests", section 10.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    x = np.array([[_number(trial.settings.get(one.name), one) for one in space] for trial in trials])
    ranks = np.argsort(np.argsort([trial.score(objective) for trial in trials]))
    forest = RandomForestRegressor(100, random_state=0).fit(x, ranks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = permutation_importance(forest, x, ranks, n_repeats=10, random_state=0)
    pairs = zip(found.importances_mean, found.importances_std, strict=True)
    return {one.name: (float(mean), float(std)) for one, (mean, std) in zip(space, pairs, strict=True)}


def expected_best(scores: list[float]) -> list[float]:
    """The expected best of n scores drawn without replacement, for n from 1 to all.

    Source: Dodge et al. 2019, "Show your work: improved reporting of experimental results", section 3.1.
    """
    ordered, total = sorted(scores), len(scores)
    return [
        sum(comb(place, n - 1) * score for place, score in enumerate(ordered)) / comb(total, n)
        for n in range(1, total + 1)
    ]


def _figures(trials: Trials, space: tuple[Dimension, ...], objective: str) -> dict[str, Figure]:
    shown = [trial for trial in trials.all.values() if trial.best_epoch]
    best = trials.best(objective)
    assert best is not None
    place, name = shown.index(best), objective.removeprefix("val/")
    axis = name.replace("_", " ")
    scores = [trial.score(objective) for trial in shown]
    numeric = [one for one in space if all(isinstance(t.settings.get(one.name), int | float) for t in shown)]
    figures = {
        "gap": gap_points([trial.at_best(f"train/{name}") for trial in shown], scores, place, axis),
        "shrinkage": shrinkage_curve(
            expected_best(scores),
            [trial.at_best(objective) for trial in trials.finals.values() if trial.role == "winner"],
            [trial.test[f"test/{name}"] for trial in trials.finals.values() if trial.role == "winner"],
            axis,
        ),
    }
    if numeric:
        columns = {one.name: [float(trial.settings[one.name]) for trial in shown] for one in numeric}
        figures["scores"] = score_panels(columns, scores, place, f"validation {axis}")
    if len(shown) >= FEWEST:
        shares = importance(shown, space, objective)
        figures["importance"] = importance_bars(shares, "R² of ranks lost by shuffling it")
    return figures


def _number(value: object, one: Dimension) -> float:
    """A setting as a number that a forest can split."""
    if value is None:
        return -1.0
    if one.choices:
        return float(one.choices.index(value))
    return float(value)  # type: ignore[arg-type]
