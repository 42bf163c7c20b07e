"""Weights all zero keep hidden units identical: no better than a linear model.

    make lesson NAME=zero-init    B5, about 30 s on 2 cores

A network of 32 ReLUs learns two spirals, which no line separates. Started from zeros its units get the same
gradient for ever (here none at all: a ReLU at 0 passes nothing on); from one constant they all get one and
the same. From random weights, by whatever recipe, each unit goes its own way. Sigmoid units, which do pass
something on at 0, show that it is symmetry that holds zeros back, not the ReLU.
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

RANDOM = ("normal", "glorot_uniform", "he_normal", "orthogonal")
SAME = ("zeros", "constant")
POINTS = PointsConfig("spirals", train=1_000)

CLAIMS = (
    Claim(
        "identical",
        "from zeros or a constant, hidden units stay identical",
        "largest distance between two units, as share of that from Glorot's weights",
        "%",
        1.0,
        "a hundredth of what random weights give is nothing",
        side="below",
    ),
    Claim(
        "gain",
        "random weights beat zeros",
        "test accuracy from Glorot's weights minus that from zeros, seed by seed",
        "points",
        5.0,
        "a difference that anybody sees",
    ),
    Claim(
        "linear",
        "from zeros a network is no better than a linear one",
        "test accuracy from zeros minus that of a linear classifier, seed by seed",
        "points",
        2.0,
        "what the linear one itself varies by",
        side="below",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Each way to begin, for ReLUs; zeros for sigmoids, too; and no hidden layer."""
    named = {name: _run("relu", name) for name in (*SAME, *RANDOM)}
    named["glorot again"] = _run("relu", "glorot_normal")
    named |= {f"sigmoid {name}": _run("sigmoid", name) for name in ("zeros", "glorot_uniform")}
    return named | {"linear": _run("relu", "glorot_uniform", layers=0)}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent and distances between units, by variant."""
    accuracy = {name: 100 * one.scores["test/accuracy"] for name, one in trained.items()}
    distance = {
        name: one.monitor["unit_distance"][:, :, 0] for name, one in trained.items() if name != "linear"
    }
    of_random = distance["glorot_uniform"][-1]
    return {
        "identical": np.maximum(distance["zeros"][-1], distance["constant"][-1]) / of_random * 100,
        "identical/control": distance["he_normal"][-1] / of_random * 100,
        "gain": accuracy["glorot_uniform"] - accuracy["zeros"],
        "gain/control": accuracy["glorot_uniform"] - accuracy["glorot again"],
        "linear": accuracy["zeros"] - accuracy["linear"],
        "linear/control": accuracy["glorot_uniform"] - accuracy["linear"],
        **{f"accuracy {name}": values for name, values in accuracy.items()},
        **{f"distance {name}": values for name, values in distance.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """How far units are apart over epochs, and what accuracy comes of it."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.4), layout="constrained")
        upper, lower = figure.subplots(2)
        names = [name.removeprefix("accuracy ") for name in measured if name.startswith("accuracy ")]
        for colour, name in zip(COLOURS, (*SAME, "glorot_uniform", "he_normal"), strict=False):
            middle = np.median(measured[f"distance {name}"], axis=1)
            upper.plot(np.arange(1, len(middle) + 1), middle, color=colour, label=name)
        upper.set_xlabel("epoch")
        upper.set_ylabel("largest distance of two units")
        upper.legend()
        lower.boxplot([measured[f"accuracy {name}"] for name in names], vert=False, tick_labels=names)
        lower.invert_yaxis()
        lower.set_xlabel("test accuracy, %")
    return figure


def _run(activation: Any, initializer: Any, layers: int | None = None) -> Run:
    units = (32,)
    model = MLPConfig(
        layers=layers,
        units=units,
        activation=activation,
        initializer=initializer,
        initializer_scale=0.1 if initializer == "constant" else 1.0,
    )
    return mlp(
        model=model,
        data=POINTS,
        seeds=16,
        epochs=40,
        batch_size=32,
        optimizer=OptimizerConfig("Adam", learning_rate=1e-2),
    )
