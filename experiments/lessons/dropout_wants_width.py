"""If dropout does not help, use a bigger network.

    make lesson NAME=dropout-wants-width    D8, about 40 s on 2 cores

One layer of 32 to 1,024 ReLUs learns whether a product is above 0 from 100 points, a quarter of them wrong by
noise, with and without half of its activations dropped, for 25 epochs. Both have their own best of two rates
at every width, by validation accuracy over the last five epochs, and are judged on test with their last
weights. The gain is the difference, seed by seed; seeds share data, each has its own weights and order.
FULL=1 adds 4,096 units, with three seeds.

Where it turns: with another share dropped, or more examples, when there would be less to make up for. From a
disc within a ring dropout cost 2 points with 32 units (1 to 2.5) and 0.3 with 1,024.

Seen: with 32 units dropout brings -0.35 points (-0.6 to 0.1), with 1,024 0.2 (-0.5 to 1.4). That it does a
small network no good holds; that it helps a large one is left open, and so is whether its gain grows with
width (0.95 points, -0.4 to 1.4). The small network without dropout was the best of all. With FULL=1, 4,096
units gained -0.3 points (three seeds, -1.7 to 1.0), and were worse than 1,024 with and without.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

UNITS = (32, 256, 1_024)
SMALL, LARGE, LONG = UNITS[0], UNITS[-1], 4_096
SHARES = {"plain": 0.0, "dropout": 0.5}
RATES = (1e-2, 3e-2)

CLAIMS = (
    Claim(
        "small",
        f"{SMALL} units are too few for dropout to help",
        "test accuracy, dropout minus plain, seed by seed; control: the largest network",
        "points",
        0.5,
        "5 of the 1,000 test points",
        side="below",
    ),
    Claim(
        "large",
        f"with {LARGE:,} units dropout helps",
        "test accuracy, dropout minus plain, seed by seed; control: the smallest network",
        "points",
        0.5,
        "5 of the 1,000 test points",
    ),
    Claim(
        "grows",
        "what dropout brings grows with width",
        f"dropout's gain, {LARGE:,} units minus {SMALL}, seed by seed; control: minus a quarter of them",
        "points",
        1.0,
        "10 of the 1,000 test points",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every width with and without, at both rates; where it is long, one more."""
    widths = (*UNITS, LONG) if full else UNITS
    settings = [(units, name, rate) for units in widths for name in SHARES for rate in RATES]
    return {f"{units} {name}, {rate:g}": _run(units, SHARES[name], rate) for units, name, rate in settings}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent and dropout's gains, by width."""
    widths = list(dict.fromkeys(int(name.partition(" ")[0]) for name in trained))
    test = {f"{units} {name}": _test(trained, f"{units} {name}") for units in widths for name in SHARES}
    gains = {units: test[f"{units} dropout"] - test[f"{units} plain"] for units in widths}
    return {
        "small": gains[SMALL],
        "small/control": gains[LARGE],
        "large": gains[LARGE],
        "large/control": gains[SMALL],
        "grows": gains[LARGE] - gains[SMALL],
        "grows/control": gains[LARGE] - gains[LARGE // 4],
        "widths": widths,
        **{f"test {name}": values for name, values in test.items()},
        **{f"gain {units}": values for units, values in gains.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Accuracy and gain over width."""
    widths = [int(units) for units in measured["widths"]]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 5.6), layout="constrained")
        upper, lower = figure.subplots(2, sharex=True)
        for name, colour in (("plain", COLOURS[1]), ("dropout", COLOURS[0])):
            _band(upper, widths, [measured[f"test {units} {name}"] for units in widths], colour, name)
        _band(lower, widths, [measured[f"gain {units}"] for units in widths], COLOURS[2], "")
        lower.axhline(0, color="0.4", linestyle=":")
        upper.set_ylabel("test accuracy, %")
        upper.legend(loc="lower left")
        lower.set(xscale="log", xlabel="hidden units", ylabel="dropout's gain, points")
        lower.set_xticks(widths, [f"{units:,}" for units in widths])
        lower.minorticks_off()
    return figure


def _run(units: int, share: float, rate: float) -> Run:
    return mlp(
        model=MLPConfig(units=(units,), dropout=(share,)),
        data=PointsConfig("multiplicative", train=100, validation=300, test=1_000, noise=0.3),
        seeds=3 if units == LONG else 16,
        epochs=25,
        batch_size=10,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _test(trained: Mapping[str, Any], name: str) -> np.ndarray:
    """Of the last weights at the rate that validation likes best."""
    best = max((trained[f"{name}, {rate:g}"] for rate in RATES), key=lambda one: one.last_val_accuracy)
    return 100 * best.scores["last/test/accuracy"]


def _band(axes: Any, x: Any, rows: list[np.ndarray], colour: str, label: str) -> None:
    """Quartiles of every row, which may have another number of seeds than the next."""
    low, middle, high = np.array([np.quantile(values, (0.25, 0.5, 0.75)) for values in rows]).T
    axes.plot(x, middle, "o-", color=colour, label=label)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
