"""Optimizers differ: at its own best rate each, they reach the same loss at different times.

    make lesson NAME=optimizers    B4, about 80 s on 2 cores

Seven optimizers train a network of two layers of 32 ReLUs on digits, with the same weights and batches, at
seven rates each, three decades around what is usual for each. Each one's best rate is the one with the lowest
validation loss over the last epochs; the test set judges. Epochs are counted until the training loss that
all reach, or that plain SGD ends with. How much an optimizer forgives is what it loses on test where the rate
is ten times too large or too small.

Where it turns: with enough epochs all of them read the digits equally well; what differs is how soon, and
how carefully the rate must be chosen.

Seen: Adam and AdamW are at SGD's loss in 8 of its 12 epochs. The last optimizer, RMSprop, takes 1.7 times as
long as the soonest (1.6 to 2.0), which does not decide on the twofold. On test all get 96 to 97 %. Ten times
its best rate ruins SGD (10 %), not Adam (89 %); a tenth of it costs SGD 7 points and Adam 3.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..book.trained import epochs_until
from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

STEPS = tuple(10 ** (half / 2) for half in range(-3, 4))
# By name: the class, its options, and the rate in the middle of the seven.
OPTIMIZERS: dict[str, tuple[Any, dict[str, Any], float]] = {
    "SGD": ("SGD", {}, 0.3),
    "momentum": ("SGD", {"momentum": 0.9}, 0.03),
    "Nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}, 0.03),
    "Adagrad": ("Adagrad", {}, 0.1),
    "RMSprop": ("RMSprop", {}, 0.01),
    "Adam": ("Adam", {}, 0.01),
    "AdamW": ("AdamW", {"weight_decay": 4e-3}, 0.01),
}

CLAIMS = (
    Claim(
        "differ",
        "the soonest optimizer is much sooner than the last",
        "epochs until the training loss that all reach, last optimizer by soonest, seed by seed",
        "times",
        2.0,
        "half the time is worth another optimizer",
    ),
    Claim(
        "sooner",
        "Adam is sooner there than plain SGD",
        "epochs until plain SGD's last training loss, SGD by Adam, seed by seed",
        "times",
        1.2,
        "a fifth of the time",
    ),
    Claim(
        "forgives",
        "adapted rates forgive a wrong rate",
        "points lost on test at a tenth and at ten times the best rate, mean: SGD minus Adam, seed by seed",
        "points",
        2.0,
        "6 of the 300 digits",
    ),
    Claim(
        "same end",
        "in the end all read equally well",
        "test accuracy at the best rates, Adam minus SGD, seed by seed",
        "points",
        2.0,
        "6 of the 300 digits",
        side="within",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every optimizer at every rate."""
    return {
        f"{name}, {rate:.2g}": mlp(
            model=MLPConfig(units=(32, 32)),
            data=PointsConfig("digits"),
            seeds=16,
            epochs=12,
            batch_size=64,
            optimizer=OptimizerConfig(kind, learning_rate=rate, **options),
        )
        for name, (kind, options, middle) in OPTIMIZERS.items()
        for rate in _rates(middle)
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Epochs, accuracies and losses at each optimizer's best rate."""
    accuracy, losses, best = {}, {}, {}
    for name, (_, _, middle) in OPTIMIZERS.items():
        runs = [trained[f"{name}, {rate:.2g}"] for rate in _rates(middle)]
        last = [np.median(np.nan_to_num(run.history["val/loss"][-5:], nan=np.inf)) for run in runs]
        best[name] = int(np.argmin(last))
        accuracy[name] = 100 * np.stack([run.scores["test/accuracy"] for run in runs])
        losses[name] = runs[best[name]].history["train/loss"]
    aim = losses["SGD"][-1]
    epochs = {name: epochs_until(curves <= aim) for name, curves in losses.items()}
    equal = [np.roll(losses["SGD"], turn, axis=1) for turn in range(len(OPTIMIZERS))]
    lost = {name: _lost(values, best[name]) for name, values in accuracy.items()}
    top = {name: values[best[name]] for name, values in accuracy.items()}
    return {
        "differ": _spread(list(losses.values())),
        "differ/control": _spread(equal),
        "sooner": epochs["SGD"] / epochs["Adam"],
        "sooner/control": epochs["SGD"] / np.roll(epochs["SGD"], 1),
        "forgives": lost["SGD"] - lost["Adam"],
        "forgives/control": lost["Adam"] - lost["AdamW"],
        "same end": top["Adam"] - top["SGD"],
        "same end/control": top["Adam"] - accuracy["SGD"][0],
        **{f"epochs {name}": values for name, values in epochs.items()},
        **{f"accuracy {name}": values for name, values in accuracy.items()},
        **{f"loss {name}": values for name, values in losses.items()},
        **{f"best {name}": place for name, place in best.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Losses at the best rates, and accuracy over the rate."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        upper, lower = figure.subplots(2)
        for place, (name, colour) in enumerate(zip(OPTIMIZERS, COLOURS, strict=False)):
            dash = ("-", "--", ":")[place % 3]
            low, middle, high = np.percentile(measured[f"loss {name}"], (25, 50, 75), axis=1)
            epochs = np.arange(1, len(middle) + 1)
            upper.plot(epochs, middle, dash, color=colour, label=name)
            upper.fill_between(epochs, low, high, color=colour, alpha=0.12, linewidth=0)
            rates = _rates(OPTIMIZERS[name][2])
            score = np.median(measured[f"accuracy {name}"], axis=1)
            lower.plot(rates, score, dash, color=colour)
            best = int(measured[f"best {name}"])
            lower.plot(rates[best], score[best], "o", color=colour)
        upper.set(xlabel="epoch", ylabel="training loss, best rate", yscale="log")
        lower.set(xlabel="learning rate (dot: best on validation)", ylabel="test accuracy, %", xscale="log")
        figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=9)
    return figure


def _rates(middle: float) -> tuple[float, ...]:
    return tuple(middle * step for step in STEPS)


def _spread(curves: list[np.ndarray]) -> np.ndarray:
    """Epochs of the last by epochs of the soonest, until the loss that all reach."""
    aim = np.max([curve[-1] for curve in curves], axis=0)
    epochs = np.stack([epochs_until(curve <= aim) for curve in curves])
    return epochs.max(axis=0) / epochs.min(axis=0)


def _lost(accuracy: np.ndarray, best: int) -> np.ndarray:
    """Points lost a decade below and a decade above the best rate, or at the end of the rates; mean."""
    wrong = accuracy[[max(best - 2, 0), min(best + 2, len(accuracy) - 1)]]
    return accuracy[best] - wrong.mean(axis=0)
