"""A network too small misses the pattern, one too large learns its few examples by heart.

    make lesson NAME=overfitting    D1, about 45 s on 2 cores

Whether a product is above 0, with so much noise that a quarter of the answers are wrong, is learned by two
layers of 1, 8 and 128 ReLUs from 30 points and from 1,000, where data are not what is lacking. All make 300
updates, each on a tenth of the points. Every size has its own best of two rates, by the validation accuracy
of the last five epochs, and is judged with its last weights: stopping early would hide what is to be seen.
The right size is the one best on validation from 1,000. Seeds share data; each has its own weights and order.

Where it turns: without noise to learn, by heart is right; and the largest network stops early enough if it
is let (lesson early-stopping).

Seen: one unit a layer is 20 points behind eight (11 to 22) where data are not lacking, and 970 points more
bring it 2.1 (0.7 to 4.4, which leaves the two points open), 128 units 20. From 30 points, 128 units are 23
points better on these than on others (18 to 25) and lose 8 points after their best epoch (6 to 10); from
1,000, nothing. With 100 points to 300 updates they were not yet learned by heart (a gap of 4 points).
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import STYLE, TEST, TRAIN, VALIDATION
from ..recipes import mlp
from ..verdict import Claim

UNITS = (1, 8, 128)
SMALLEST, LARGEST = UNITS[0], UNITS[-1]
POINTS = (30, 200, 1_000)
FEW, MANY = POINTS[0], POINTS[-1]
RATES = (1e-2, 3e-2)
EPOCHS = 30

CLAIMS = (
    Claim(
        "too simple",
        "a network too small misses the pattern",
        f"test accuracy from {MANY:,} points, right size minus {SMALLEST} a layer; control: the next size",
        "points",
        5.0,
        "50 of 1,000 points; a third more mistakes than need be",
    ),
    Claim(
        "by heart",
        "a network too large does better on the examples that it has learned than on others",
        f"training minus test accuracy of {LARGEST} units from {FEW} points; control: from {MANY:,}",
        "points",
        5.0,
        "what it says of itself is then wrong by as much",
    ),
    Claim(
        "harm",
        "learning by heart costs it what it knew",
        f"test accuracy of {LARGEST} units, best epoch minus last, from {FEW} points; control: from {MANY:,}",
        "points",
        1.0,
        "10 of 1,000 points",
    ),
    Claim(
        "more data",
        "more data do not help the network too small",
        f"test accuracy from {MANY:,} points minus from {FEW}, {SMALLEST} unit; control: {LARGEST} units",
        "points",
        2.0,
        "20 of 1,000 points, for ten times the data",
        side="below",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every size from few points, the extremes from every number of points, at both rates."""
    pairs = [(units, points) for units in UNITS for points in (FEW, MANY)]
    pairs += [(LARGEST, points) for points in POINTS[1:-1]]
    return {
        f"{units} {points} {rate:g}": _run(units, points, rate) for units, points in pairs for rate in RATES
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent by size and number of points."""
    best = {name.rpartition(" ")[0]: _best(trained, name.rpartition(" ")[0]) for name in trained}
    ends = {split: {key: _end(one, split) for key, one in best.items()} for split in ("train", "val", "test")}
    by_size = [float(np.mean(ends["val"][f"{units} {MANY}"])) for units in UNITS]
    right = int(np.argmax(by_size))
    other = right + 1 if right + 1 < len(UNITS) else right - 1
    few, many = (f"{LARGEST} {points}" for points in (FEW, MANY))
    gaps = {key: ends["train"][key] - ends["test"][key] for key in best}
    lost = {key: 100 * one.scores["test/accuracy"] - ends["test"][key] for key, one in best.items()}
    tested = ends["test"]
    return {
        "too simple": tested[f"{UNITS[right]} {MANY}"] - tested[f"{SMALLEST} {MANY}"],
        "too simple/control": tested[f"{UNITS[right]} {MANY}"] - tested[f"{UNITS[other]} {MANY}"],
        "by heart": gaps[few],
        "by heart/control": gaps[many],
        "harm": lost[few],
        "harm/control": lost[many],
        "more data": tested[f"{SMALLEST} {MANY}"] - tested[f"{SMALLEST} {FEW}"],
        "more data/control": tested[many] - tested[few],
        "right": UNITS[right],
        **{f"{split} {key}": values for split, found in ends.items() for key, values in found.items()},
        **{
            f"curve {split} {key}": one.history[f"{split}/loss"]
            for split in ("train", "val")
            for key, one in best.items()
        },
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Losses over epochs of three sizes, accuracy over size, and over data."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        parts: Any = figure.subfigures(2, height_ratios=(1, 1.1))
        upper, lower = parts
        panels = upper.subplots(1, 3, sharey=True)
        for axes, units in zip(panels, UNITS, strict=True):
            for split, colour, dash in (("train", TRAIN, "--"), ("val", VALIDATION, "-")):
                _band(
                    axes, range(1, EPOCHS + 1), measured[f"curve {split} {units} {FEW}"], colour, dash, split
                )
            axes.set_title(f"{units} a layer", fontsize=11)
            axes.set_xlabel("epoch")
        panels[0].set(ylabel=f"loss, {FEW} points", yscale="log")
        left, right = lower.subplots(1, 2, sharey=True)
        for split, colour, dash in (("train", TRAIN, "--"), ("test", TEST, "-")):
            sizes = np.array([measured[f"{split} {units} {FEW}"] for units in UNITS])
            _band(left, UNITS, sizes, colour, dash, split)
            data = np.array([measured[f"{split} {LARGEST} {points}"] for points in POINTS])
            _band(right, POINTS, data, colour, dash, split)
        enough = [np.median(measured[f"test {units} {MANY}"]) for units in UNITS]
        left.plot(UNITS, enough, ":", color=TEST, label=f"test, from {MANY:,}")
        left.set(xscale="log", xlabel=f"units a layer, {FEW} points", ylabel="accuracy, %")
        right.set(xscale="log", xlabel=f"points, {LARGEST} units a layer")
        for axes, places in ((left, UNITS), (right, POINTS)):
            axes.set_xticks(places, [f"{place:,}" for place in places])
            axes.minorticks_off()
        handles = [*panels[0].get_legend_handles_labels()[0], *left.get_legend_handles_labels()[0][1:]]
        names = ["training", "validation", "test", f"test, {MANY:,} points"]
        figure.legend(handles, names, loc="outside upper center", ncols=4, fontsize=9)
    return figure


def _run(units: int, points: int, rate: float) -> Run:
    return mlp(
        model=MLPConfig(units=(units, units)),
        data=PointsConfig("multiplicative", train=points, validation=500, test=1_000, noise=0.3),
        seeds=16,
        epochs=EPOCHS,
        batch_size=points // 10,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _best(trained: Mapping[str, Any], key: str) -> Any:
    """At the rate that validation likes best."""
    return max((trained[f"{key} {rate:g}"] for rate in RATES), key=lambda one: one.last_val_accuracy)


def _end(one: Any, split: str) -> np.ndarray:
    """Accuracy of the last weights; training's is taken while the last epoch goes on. (seeds,)"""
    last = one.scores["last/test/accuracy"] if split == "test" else one.history[f"{split}/accuracy"][-1]
    return 100 * last


def _band(axes: Any, x: Any, values: np.ndarray, colour: str, dash: str, label: str) -> None:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1)
    axes.plot(x, middle, dash, color=colour, label=label)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
