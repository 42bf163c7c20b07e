"""One hidden layer of H ReLUs reads what a linear classifier cannot; more of them soon bring little.

    make lesson NAME=hidden-units    A3, about 70 s on 2 cores

H is the knob of the simplest network: 2 to 512 units on scikit-learn's handwritten digits, (64 + 1) H +
(H + 1) 10 parameters. Every H gets its own best learning rate, chosen on validation, and its accuracy is
judged on test, seed by seed; seeds share data and order. That bending makes the difference is seen where it
is removed: the same layers without ReLUs. "Making H larger is not particularly efficient" is asked of four
times as many units where there are already 128; the control is four times as many where there are 2.
The time is that of one network's training step on 50 pictures.

Seen: 32 ReLUs read 4 points more than 8, and 128 read 2.2 points more than a linear classifier, which 32
linear units do not beat; 512 read 0.3 points more than 128 (0 to 0.7), for four times the parameters.
"""

import time
from collections.abc import Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models import build_loss, build_mlp
from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

UNITS = (2, 8, 32, 128, 512)
RATES = (4e-3, 1.6e-2)

ALONE = True

CLAIMS = (
    Claim(
        "more",
        "more units help: 32 read more digits than 8",
        "test accuracy of 32 units minus that of 8, seed by seed; control: 32 without ReLUs minus no layer",
        "points",
        1.0,
        "3 of 300 pictures",
    ),
    Claim(
        "ReLU",
        "a hidden layer of 128 ReLUs reads more than a linear classifier",
        "test accuracy minus that without a hidden layer, seed by seed; control: 32 linear units",
        "points",
        1.0,
        "3 of 300 pictures",
    ),
    Claim(
        "inefficient",
        "making H larger is not particularly efficient: 4 times 128 units bring hardly anything",
        "test accuracy of 512 units minus that of 128, seed by seed; control: 8 units minus 2",
        "points",
        1.0,
        "3 of 300 pictures, for 4 times the parameters",
        side="below",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every H at every rate; some without ReLUs; and no hidden layer."""
    named = {f"{units} {rate:g}": _run(rate, units) for units in UNITS for rate in RATES}
    named |= {f"linear 32 {rate:g}": _run(rate, 32, "linear") for rate in RATES}
    return named | {f"none {rate:g}": _run(rate, None) for rate in RATES}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent at each one's best rate, parameters, and milliseconds a step."""
    best: dict[str, Any] = {}
    for name, one in trained.items():
        key = name.rpartition(" ")[0]
        best[key] = min(best.get(key, one), one, key=lambda one: one.val_loss)
    accuracy = {key: 100 * one.scores["test/accuracy"] for key, one in best.items()}
    return {
        "more": accuracy["32"] - accuracy["8"],
        "more/control": accuracy["linear 32"] - accuracy["none"],
        "ReLU": accuracy["128"] - accuracy["none"],
        "ReLU/control": accuracy["linear 32"] - accuracy["none"],
        "inefficient": accuracy["512"] - accuracy["128"],
        "inefficient/control": accuracy["8"] - accuracy["2"],
        "parameters": [65 * units + (units + 1) * 10 for units in UNITS],
        "time/step": [_milliseconds(units) for units in UNITS],
        **{f"rate {key}": one.run.optimizer.learning_rate for key, one in best.items()},
        **{f"accuracy {key}": values for key, values in accuracy.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Accuracy and time over H."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 5.4), layout="constrained")
        upper, lower = figure.subplots(2, height_ratios=(1.6, 1), sharex=True)
        values = np.array([measured[f"accuracy {units}"] for units in UNITS])
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1)
        upper.semilogx(UNITS, middle, "o-", color=COLOURS[0], label="H ReLUs")
        upper.fill_between(UNITS, low, high, color=COLOURS[0], alpha=0.2, linewidth=0)
        upper.plot(
            32, np.median(measured["accuracy linear 32"]), "s", color=COLOURS[1], label="32 linear units"
        )
        without = np.median(measured["accuracy none"])
        upper.axhline(without, color=COLOURS[1], linestyle="--", label="no hidden layer")
        upper.set_ylabel("test accuracy, %")
        upper.legend(loc="lower right")
        lower.semilogx(UNITS, measured["time/step"], "o-", color=COLOURS[2])
        for units, milliseconds, count in zip(
            UNITS, measured["time/step"], measured["parameters"], strict=True
        ):
            lower.annotate(
                f"{count:,}",
                (units, milliseconds),
                (0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=9,
            )
        lower.set_ylim(0, 1.3 * max(measured["time/step"]))
        lower.set_xticks(UNITS, [str(units) for units in UNITS])
        lower.minorticks_off()
        lower.set_xlabel("hidden units H (lower: parameters at the points)")
        lower.set_ylabel("a step, ms")
    return figure


def _run(rate: float, units: int | None, activation: Any = "relu") -> Run:
    return mlp(
        model=MLPConfig(layers=0 if units is None else 1, units=(units or 1,), activation=activation),
        data=PointsConfig("digits"),
        seeds=16,
        epochs=20,
        batch_size=100,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _milliseconds(units: int) -> float:
    """Of a training step of one network on 50 pictures, the median of 30."""
    config = MLPConfig(units=(units,))
    model = build_mlp(config, input_shape=(8, 8), task="classification", classes=10)
    model.compile(keras.optimizers.Adam(), loss=build_loss(config, "classification"), jit_compile=False)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 8, 8)).astype("float32"), rng.integers(0, 10, 50)
    taken = []
    for _ in range(33):
        began = time.perf_counter()
        model.train_on_batch(x, y)
        taken.append(1_000 * (time.perf_counter() - began))
    return float(np.median(taken[3:]))
