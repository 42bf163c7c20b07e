"""Figures, all in one style: colour-blind safe, axes named, readable at 400 px wide."""

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import state

# Okabe and Ito's palette (Color Universal Design, 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#A0A000")
TRAIN, VALIDATION, TEST = COLOURS[:3]
STYLE = {
    "figure.dpi": 120,
    "font.size": 11,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.alpha": 0.3,
    "lines.linewidth": 2,
    "legend.frameon": False,
}


def learning_curves(history: dict[str, list], best_epoch: int, title: str) -> Figure:
    """Training and validation curves, a panel a metric, loss on a logarithmic axis, the best epoch marked.

    Of a population the means, with a band from the lowest to the highest variant.
    """
    epochs = len(history["time/epoch"])
    names = sorted({name.partition("/")[2] for name in history if name.startswith("val/")}, key=_loss_first)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 2.1 * len(names) + 0.4), layout="constrained")
        for place, name in enumerate(names, 1):
            axes = figure.add_subplot(len(names), 1, place)
            for split, colour, dash in (("train", TRAIN, "--"), ("val", VALIDATION, "-")):
                curves = np.array(history[f"{split}/{name}"], ndmin=2).reshape(epochs, -1)
                values = np.nanmean(curves, axis=1)
                places = range(1, epochs + 1)
                axes.plot(places, values, dash, color=colour, label={"val": "validation"}.get(split, split))
                if curves.shape[1] > 1:
                    band = (curves.min(axis=1), curves.max(axis=1))
                    axes.fill_between(places, *band, color=colour, alpha=0.15, linewidth=0)
                if split == "val" and best_epoch:
                    axes.plot(best_epoch, values[best_epoch - 1], "o", color=colour, label="best epoch")
            axes.set_ylabel(name.replace("_", " "))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if name == "loss":
                axes.set_yscale("log")
        figure.axes[0].legend()
        figure.axes[0].set_title(title)
        figure.axes[-1].set_xlabel("epoch")
    return figure


def _loss_first(name: str) -> tuple[bool, str]:
    return name != "loss", name


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, wholly or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    state.write(path, buffer.getvalue())


def score_panels(values: dict[str, list[float]], scores: list[float], best: int, axis: str) -> Figure:
    """A score over each hyperparameter, a panel each, the best trial marked.

    Args:
        values: By hyperparameter, one value a trial; the axis is logarithmic where they span decades.
        scores: One a trial.
        best: Place of the best trial.
        axis: What the score is.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 2.3 * len(values)), layout="constrained")
        for place, (name, column) in enumerate(values.items(), 1):
            axes = figure.add_subplot(len(values), 1, place)
            axes.plot(column, scores, "o", color=TRAIN, alpha=0.6, markersize=5)
            axes.plot(column[best], scores[best], "*", color=VALIDATION, markersize=15, label="best")
            positive = [value for value in column if value > 0]
            if positive and max(positive) > 50 * min(positive):
                # What is exactly 0 stands at the left end.
                axes.set_xscale("symlog", linthresh=min(positive), linscale=0.3)
                axes.set_xlim(left=0)
            axes.set_xlabel(name.replace("_", " "))
            axes.set_ylabel(axis)
        figure.axes[0].legend(loc="lower left")
    return figure


def importance_bars(shares: dict[str, tuple[float, float]], title: str) -> Figure:
    """How much each hyperparameter decides, with its uncertainty.

    Args:
        shares: By hyperparameter, mean and deviation.
        title: What the bars are.
    """
    names = sorted(shares, key=lambda name: shares[name][0])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 0.8 + 0.5 * len(names)), layout="constrained")
        axes = figure.add_subplot()
        means, deviations = zip(*(shares[name] for name in names), strict=True)
        axes.barh([name.replace("_", " ") for name in names], means, xerr=deviations, color=TRAIN)
        axes.set_xlim(left=min(0, *means))
        axes.set_xlabel(title)
    return figure


def gap_points(train: list[float], validation: list[float], best: int, axis: str) -> Figure:
    """Training against validation scores: below the diagonal a network has learned by heart."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 4), layout="constrained")
        axes = figure.add_subplot()
        ends = [min(*train, *validation), max(*train, *validation)]
        axes.plot(ends, ends, "--", color="0.5", label="no gap", linewidth=1)
        axes.plot(train, validation, "o", color=TRAIN, alpha=0.6, markersize=5)
        axes.plot(train[best], validation[best], "*", color=VALIDATION, markersize=15, label="best")
        axes.set_xlabel(f"training {axis}, dropout at work")
        axes.set_ylabel(f"validation {axis}")
        axes.legend(loc="lower right")
    return figure


def shrinkage_curve(expected: list[float], anew: list[float], test: list[float], axis: str) -> Figure:
    """What the best of n trials scores by luck alone, and what the best of all scores anew.

    Args:
        expected: The expected best validation score of 1, 2, ... trials.
        anew: Validation scores of the best setting on new seeds.
        test: Its test scores.
        axis: What the score is.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.2), layout="constrained")
        axes = figure.add_subplot()
        counts = range(1, len(expected) + 1)
        axes.plot(counts, expected, color=VALIDATION, label="best of n, validation, expected")
        for values, colour, label in (
            (anew, TRAIN, "the best anew, validation"),
            (test, TEST, "the best anew, test"),
        ):
            mean = float(np.mean(values))
            axes.axhline(mean, color=colour, linestyle="--", label=label)
            axes.axhspan(min(values), max(values), color=colour, alpha=0.12, linewidth=0)
        axes.set_xscale("log")
        axes.set_xlabel("trials n")
        axes.set_ylabel(axis)
        axes.legend(fontsize=9)
    return figure
