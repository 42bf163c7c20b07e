"""Figures, all in one style: colour-blind safe, axes named, readable at 400 px wide."""

import io
from pathlib import Path

import matplotlib as mpl
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


def learning_curves(history: dict[str, list[float]], best_epoch: int, title: str) -> Figure:
    """Training and validation curves side by side, loss on a logarithmic axis, the best epoch marked."""
    names = [name.removeprefix("train/") for name in history if name.startswith("train/")]
    names = [name for name in names if f"val/{name}" in history]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4 * len(names), 3.2), layout="constrained")
        for place, name in enumerate(names, 1):
            axes = figure.add_subplot(1, len(names), place)
            for split, colour, dash in (("train", TRAIN, "--"), ("val", VALIDATION, "-")):
                values = history[f"{split}/{name}"]
                epochs = range(1, len(values) + 1)
                axes.plot(epochs, values, dash, color=colour, label={"val": "validation"}.get(split, split))
                if split == "val" and best_epoch:
                    axes.plot(best_epoch, values[best_epoch - 1], "o", color=colour, label="best epoch")
            axes.set(xlabel="epoch", ylabel=name.replace("_", " "))
            if name == "loss":
                axes.set_yscale("log")
            else:
                axes.set_ylim(top=1.01)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.axes[0].legend()
        figure.suptitle(title)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, wholly or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    state.write(path, buffer.getvalue())
