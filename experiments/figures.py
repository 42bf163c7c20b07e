"""Figures, all in one style: colour-blind safe, axes named, readable at 400 px wide."""

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import state

# Okabe and Ito's palette (Color Universal Design, 2008).
TRAIN, VALIDATION, TEST = "#0072B2", "#D55E00", "#009E73"
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
