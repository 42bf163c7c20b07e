"""A softmax classifier of N inputs and K outputs has (N + 1) K parameters, and is everyone else's baseline.

    make lesson NAME=logistic-classifier    A1, about 30 s on 2 cores

The classifier without a hidden layer reads the letters A to J: 28 x 28 inputs, ten outputs, 7,850 numbers.
They are counted in the built model, for other sizes too. Its accuracy is what every network of these lessons
has to beat, so it gets its own best learning rate, chosen on validation; test fonts occur nowhere else.
Its loss is convex, so that it should not matter where it begins: zeros and random weights are compared seed
by seed, each at its best rate. That holds for no network with a hidden layer, which is the control (zeros
never leave zero there).

Seen: 7,850 parameters; 77.7 % of the test letters from random weights, and 2.8 points more from zeros (1.8 to
3.5): it does matter where it begins. Convex or not, eight epochs do not come near the lowest loss, and the
best validation loss lies before it. More examples (5,000: 1.2 points), longer training (12 epochs: 1.9) and
0.01 of L2 beside (1.9) left some of it.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models import build_mlp
from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import GlyphsConfig
from ..figures import COLOURS, STYLE, TRAIN, VALIDATION
from ..recipes import mlp
from ..verdict import Claim, Fact

LETTERS = GlyphsConfig(train=2_000, validation=1_000, test=1_000)
RATES = (1e-3, 3e-3)
STARTS = ("glorot_uniform", "zeros")
SIZES = ((784, 10), (64, 10), (2, 3), (13, 2))

CLAIMS = (
    Fact(
        "parameters",
        "N inputs and K outputs take (N + 1) K parameters: 7,850 for 28 x 28 pictures in ten classes",
        "parameters counted minus (N + 1) K",
        0.0,
        "they are whole numbers",
    ),
    Claim(
        "accuracy",
        "without a hidden layer most letters are read",
        "test accuracy at the best learning rate",
        "%",
        50.0,
        "five times what guessing gives",
    ),
    Claim(
        "start",
        "it does not matter where a linear classifier begins",
        "test accuracy from zeros minus that from random weights, seed by seed; control: hidden layer",
        "points",
        1.0,
        "ten test pictures of 1,000",
        side="within",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Two ways to begin, at each rate; with a hidden layer; and one that learns nothing."""
    named = {f"{start}, rate {rate:g}": _run(rate, start) for start in STARTS for rate in RATES}
    named |= {f"hidden layer, {start}": _run(3e-3, start, layers=1) for start in STARTS}
    return named | {"untrained": _run(1e-12)}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters, accuracies in per cent, and the weights of one classifier."""
    accuracy = {name: 100 * one.scores["test/accuracy"] for name, one in trained.items()}
    random, zeros = (_best(trained, start) for start in STARTS)
    history = trained[random].history
    kernel = trained[zeros].model(0, best=True).get_layer("output").kernel
    return {
        "parameters": [_parameters(n, k, 0) - (n + 1) * k for n, k in SIZES],
        "parameters/control": [_parameters(n, k, 1) - (n + 1) * k for n, k in SIZES],
        "accuracy": accuracy[random],
        "accuracy/control": accuracy["untrained"],
        "start": accuracy[zeros] - accuracy[random],
        "start/control": accuracy["hidden layer, zeros"] - accuracy["hidden layer, glorot_uniform"],
        "train curve": 100 * history["train/accuracy"],
        "validation curve": 100 * history["val/accuracy"],
        "kernel": np.array(kernel).reshape(28, 28, 10),
        **{f"accuracy {name}": values for name, values in accuracy.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """What a classifier looks for in each letter, and how it learns."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 5.2), layout="constrained")
        parts: Any = figure.subfigures(2, height_ratios=(1, 1.25))
        upper, lower = parts
        upper.suptitle("weights of each letter: blue speaks for it, red against", fontsize=11)
        kernel = measured["kernel"]
        bound = np.quantile(np.abs(kernel), 0.995)
        for place, axes in enumerate(upper.subplots(2, 5).flat):
            axes.imshow(kernel[:, :, place], cmap="RdBu", vmin=-bound, vmax=bound)
            axes.set_axis_off()
            axes.set_title("ABCDEFGHIJ"[place], fontsize=10, pad=2)
        axes = lower.subplots()
        for name, colour in (("train", TRAIN), ("validation", VALIDATION)):
            low, middle, high = np.quantile(measured[f"{name} curve"], (0.25, 0.5, 0.75), axis=1)
            epochs = np.arange(1, len(middle) + 1)
            axes.plot(epochs, middle, color=colour, label=name)
            axes.fill_between(epochs, low, high, color=colour, alpha=0.2, linewidth=0)
        test = np.median(measured["accuracy"])
        axes.axhline(test, color=COLOURS[2], linestyle="--", label=f"test, best epoch: {test:.1f} %")
        axes.set_xlabel("epoch")
        axes.set_ylabel("accuracy, %")
        axes.legend(loc="lower right")
    return figure


def _run(rate: float, start: Any = "glorot_uniform", layers: int = 0) -> Run:
    return mlp(
        model=MLPConfig(layers=layers, units=(32,), initializer=start),
        data=LETTERS,
        seeds=16,
        epochs=8,
        batch_size=128,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _best(trained: Mapping[str, Any], name: str) -> str:
    """At the learning rate with the lowest validation loss."""
    names = [f"{name}, rate {rate:g}" for rate in RATES]
    return min(names, key=lambda name: trained[name].val_loss)


def _parameters(inputs: int, outputs: int, layers: int) -> int:
    config = MLPConfig(layers=layers, units=(32,))
    return build_mlp(config, input_shape=(inputs,), task="classification", classes=outputs).count_params()
