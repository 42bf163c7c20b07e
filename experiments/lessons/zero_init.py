"""Weights all zero keep hidden units identical: no better than a linear model.

    make lesson NAME=zero-init    B5, about 20 s on 2 cores

A network of 32 units learns two moons, which a line separates only in part. Started from zeros, ReLUs get no
gradient at all (one at 0 passes nothing on), and sigmoids, which do pass something on at 0, all get one and
the same; so do ReLUs that start from one constant. Identical units are one unit, and one unit's boundary is
a line. From random weights, by whatever recipe, each unit goes its own way. The test is fair as all begin at
the same data in the same order of batches, and only the initial kernels differ.

It turns where something else tells units apart: random weights in the first layer alone would do, and so
would dropout, which drops other units at other times.

Seen: sigmoids from zeros got 88.0 % of the test points right, ReLUs from a constant 87.6 %, a linear
classifier 87.5 %, ReLUs from zeros 50 %, and random weights 95.5 to 96.7 %. Equal units were equal to the
last bit.
"""

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
from ..verdict import Claim, Fact

RANDOM = ("glorot_uniform", "he_normal", "normal", "orthogonal")
SAME = {"ReLU, zeros": ("relu", "zeros"), "sigmoid, zeros": ("sigmoid", "zeros")}
SAME |= {"ReLU, constant 0.1": ("relu", "constant")}
STEPS = 100

CLAIMS = (
    Fact(
        "step by step",
        "from zeros or a constant, all hidden units have the same weights after every step",
        f"largest difference between two units' incoming weights over {STEPS} steps, by the largest weight",
        1e-4,
        "what float32 rounding may add up to",
    ),
    Claim(
        "identical",
        "from zeros or a constant, hidden units still do the same at the end",
        "largest distance between two units' outputs, as share of that from Glorot's weights",
        "%",
        1.0,
        "a hundredth of what random weights give is nothing",
        side="below",
    ),
    Claim(
        "gain",
        "random weights beat the best of zeros and constant",
        "test accuracy from Glorot's weights minus the best from equal ones, seed by seed",
        "points",
        3.0,
        "a third of what a line gets wrong here",
    ),
    Claim(
        "linear",
        "from zeros or a constant a network is no better than a linear one",
        "best test accuracy from equal weights minus that of a linear classifier, seed by seed",
        "points",
        2.0,
        "20 of the 1,000 test points; a difference nobody would train a network for",
        side="below",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Each way to begin; sigmoids from zeros, too; and no hidden layer."""
    named = {name: _run(*how) for name, how in SAME.items()}
    named |= {f"ReLU, {name}": _run("relu", name) for name in (*RANDOM, "glorot_normal")}
    return named | {"no hidden layer": _run("relu", "glorot_uniform", layers=0)}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent, distances between units, and the weights' differences step by step."""
    accuracy = {name: 100 * one.scores["test/accuracy"] for name, one in trained.items()}
    distance = {name: one.monitor["unit_distance"][:, :, 0] for name, one in trained.items()}
    glorot = "ReLU, glorot_uniform"
    same = np.max([accuracy[name] for name in SAME], axis=0)
    data = trained[glorot].data
    apart = {name: _differences(data, *how) for name, how in SAME.items()}
    apart[glorot] = _differences(data, "relu", "glorot_uniform")
    return {
        "step by step": np.concatenate([apart[name] for name in SAME]),
        "step by step/control": apart[glorot],
        "identical": np.max([distance[name][-1] for name in SAME], axis=0) / distance[glorot][-1] * 100,
        "identical/control": distance["ReLU, he_normal"][-1] / distance[glorot][-1] * 100,
        "gain": accuracy[glorot] - same,
        "gain/control": accuracy[glorot] - accuracy["ReLU, glorot_normal"],
        "linear": same - accuracy["no hidden layer"],
        "linear/control": accuracy[glorot] - accuracy["no hidden layer"],
        **{f"accuracy {name}": values for name, values in accuracy.items()},
        **{f"apart {name}": values for name, values in apart.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """How far units' weights are apart after each step, and what accuracy comes of it."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.2), layout="constrained")
        upper, lower = figure.subplots(2)
        names = [name.removeprefix("apart ") for name in measured if name.startswith("apart ")]
        for colour, name, dash in zip(COLOURS, names, ("-", "--", ":", "-"), strict=False):
            upper.plot(range(1, STEPS + 1), measured[f"apart {name}"], dash, color=colour, label=name)
        upper.set_ylim(-0.1, 3.2)
        upper.set_xlabel("training step")
        upper.set_ylabel("largest difference of\ntwo units' weights, relative")
        upper.legend(fontsize=9, ncols=2, loc="upper center")
        names = [name.removeprefix("accuracy ") for name in measured if name.startswith("accuracy ")]
        values = [measured[f"accuracy {name}"] for name in names]
        lower.boxplot(values, vert=False, tick_labels=names, medianprops={"color": COLOURS[1]})
        lower.invert_yaxis()
        lower.set_xlabel("test accuracy, %")
    return figure


def _differences(data: Any, activation: Any, initializer: Any) -> np.ndarray:
    """After each step the largest difference between two units' incoming weights, by the largest weight."""
    config = _network(activation, initializer)
    keras.utils.set_random_seed(0)
    model = build_mlp(config, input_shape=(2,), task="binary", mean=data.mean, variance=data.variance)
    model.compile(keras.optimizers.Adam(1e-2), loss=build_loss(config, "binary"))
    order = np.random.default_rng(0).integers(len(data.train.x), size=(STEPS, 32))
    found = []
    for places in order:
        model.train_on_batch(data.train.x[places], data.train.y[places])
        kernel = keras.ops.convert_to_numpy(model.get_layer("hidden_1").kernel)
        largest = max(float(np.abs(kernel).max()), 1e-30)  # all may be 0
        found.append(float(np.ptp(kernel, axis=1).max()) / largest)
    return np.array(found)


def _network(activation: Any, initializer: Any, layers: int | None = None) -> MLPConfig:
    scale = 0.1 if initializer == "constant" else 1.0
    return MLPConfig(layers, (32,), activation, initializer, initializer_scale=scale)


def _run(activation: Any, initializer: Any, layers: int | None = None) -> Run:
    return mlp(
        model=_network(activation, initializer, layers),
        data=PointsConfig("moons", train=1_000),
        seeds=16,
        epochs=12,
        batch_size=32,
        optimizer=OptimizerConfig("Adam", learning_rate=1e-2),
    )
