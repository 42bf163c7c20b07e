"""ReLU's derivative is 0 or 1, sigmoid's at most 1/4, tanh's at most 1; through many layers they multiply.

    make lesson NAME=derivatives-shrink    A7, about 35 s on 2 cores

The extremes are taken from automatic derivatives over -15 to 15; not much
beyond, float64 rounds tanh's to 0. What they come to is seen in networks of
twelve hidden layers of 32 units on two spirals, at their first step, before anything is learned. Of each unit
the derivative is known; the best path from the last layer to the first takes in each layer the unit with the
largest one, and multiplies them. The weights count, too: the norm of the first layer's gradient against the
last hidden one's tells what arrives, each activation from the weights made for it (Glorot's; He's for ReLUs),
and sigmoids also from weights 4 and 16 times as large, which shows where the claim turns.

Seen: on the best path 10^-7.2 comes back through twelve sigmoids, all of it through ReLUs; the first layer's
gradient is 10^-7.2 of the last one's, with ReLUs 10^-0.8. It turns with the weights: 4 times as large they
leave 10^-2.8, 16 times as large nothing vanishes, though nearly all sigmoids are saturated then.

Needs TensorFlow, whose derivatives are asked for.
"""

from collections.abc import Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim, Fact

LAYERS = 12
GRID = np.linspace(-15, 15, 3_001)
SCALES = (1, 4, 16)
PLAIN = {"sigmoid": "sigmoid x1", "tanh": "tanh", "relu": "relu"}
MADE_FOR = {"sigmoid": "glorot_uniform", "tanh": "glorot_uniform", "relu": "he_normal"}

CLAIMS = (
    Fact(
        "extremes",
        "derivatives are 0 or 1 of ReLU, in (0, 1/4] of sigmoid, in (0, 1] of tanh",
        "distance of the extremes measured from those; control: softplus's from those of sigmoid",
        1e-6,
        "a grid that may miss the middle by a little",
    ),
    Claim(
        "path",
        "through twelve layers of sigmoids less than a millionth comes back even on the best path",
        "product of the largest derivatives of each layer, median over examples; control: ReLUs",
        "powers of ten",
        -6.0,
        "float32 keeps seven digits, so that what is a millionth as large moves nothing",
        side="below",
    ),
    Claim(
        "gradient",
        "the first of twelve layers of sigmoids gets less than a thousandth of the last one's gradient",
        "norm of the gradient, first hidden layer against last, at the first step; control: ReLUs",
        "powers of ten",
        -3.0,
        "at any one learning rate the first layer then needs a thousand steps for one of the last",
        side="below",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Each activation from the weights made for it, and sigmoids from larger ones."""
    named = {name: _run(name) for name in ("tanh", "relu")}
    return {f"sigmoid x{scale}": _run("sigmoid", scale) for scale in SCALES} | named


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Derivatives of single units, along paths, and of layers."""
    reached = {name: _log_share(one) for name, one in trained.items()}
    paths = {name: _best_paths(trained[PLAIN[name]]) for name in ("sigmoid", "relu")}
    curves = {name: _derivative(name, GRID) for name in (*MADE_FOR, "softplus")}
    ends = {name: np.array([curve.min(), curve.max()]) for name, curve in curves.items()}
    relu = np.minimum(curves["relu"], np.abs(curves["relu"] - 1)).max()
    tails = [curves[name].min() <= 0 for name in ("sigmoid", "tanh")]
    return {
        "extremes": [relu, *(ends["sigmoid"] - (0, 0.25)), *(ends["tanh"] - (0, 1)), *tails],
        "extremes/control": ends["softplus"] - (0, 0.25),
        "path": paths["sigmoid"][:, 0],
        "path/control": paths["relu"][:, 0],
        "gradient": reached["sigmoid x1"][:, 0],
        "gradient/control": reached["relu"][:, 0],
        **{f"share {name}": values for name, values in reached.items()},
        **{f"path {name}": values for name, values in paths.items()},
        **{f"curve {name}": curve for name, curve in curves.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """The derivatives, and what arrives through how many layers."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        upper, lower = figure.subplots(2, height_ratios=(1, 1.7))
        for name, colour in zip(PLAIN, COLOURS, strict=False):
            upper.plot(GRID, measured[f"curve {name}"], color=colour, label=name)
        upper.set_xlim(-6, 6)
        upper.set_xlabel("input of the unit")
        upper.set_ylabel("derivative")
        upper.legend(loc="upper left")
        shown = dict(PLAIN) | {f"sigmoid, weights x{scale}": f"sigmoid x{scale}" for scale in SCALES[1:]}
        away = np.arange(LAYERS - 1, -1, -1)
        for (name, key), colour in zip(shown.items(), COLOURS, strict=False):
            low, middle, high = 10 ** np.quantile(measured[f"share {key}"], (0.25, 0.5, 0.75), axis=0)
            lower.semilogy(away, middle, color=colour, label=name)
            lower.fill_between(away, low, high, color=colour, alpha=0.2, linewidth=0)
        lower.set_xticks(range(0, LAYERS, 2))
        lower.set_xlabel("layers before the last")
        lower.set_ylabel("gradient, last layer = 1")
        lower.legend(loc="lower left", fontsize=9)
    return figure


def _run(activation: Any, scale: float = 1) -> Run:
    initializer: Any = MADE_FOR[activation]
    return mlp(
        model=MLPConfig(
            layers=LAYERS,
            units=(32,),
            activation=activation,
            initializer=initializer,
            initializer_scale=scale,
        ),
        data=PointsConfig("spirals", train=64, validation=64, test=64),
        seeds=16,
        epochs=1,
        batch_size=64,
        optimizer=OptimizerConfig("SGD", learning_rate=1e-6),
    )


def _log_share(one: Any) -> np.ndarray:
    """Norm of each hidden layer's gradient against the last one's at the first step, log10; (seeds, layers).
    Norms below the smallest float32 stand as that."""
    norms = np.maximum(one.early["gradient_norm"][0], np.finfo("float32").tiny)
    hidden = norms[:, :LAYERS]
    return np.log10(hidden / hidden[:, -1:])


def _best_paths(one: Any) -> np.ndarray:
    """Product of the largest derivatives from the last layer down to each, log10; (seeds, layers)."""
    found = []
    for place in range(one.seeds):
        model = one.model(place)
        inputs = [model.get_layer(f"hidden_{layer}").output for layer in range(1, LAYERS + 1)]
        values = keras.Model(model.input, inputs)(one.data.test.x)
        largest = [
            _derivative(one.run.model.activation, ops.convert_to_numpy(value)).max(axis=1) for value in values
        ]
        logs = np.log10(np.maximum(largest, np.finfo("float64").tiny))
        found.append(np.median(logs[::-1].cumsum(axis=0)[::-1], axis=1))
    return np.array(found)


def _derivative(activation: str, z: np.ndarray) -> np.ndarray:
    """Of an activation, unit by unit, by automatic differentiation in float64."""
    variable = tf.constant(z, "float64")
    with tf.GradientTape() as tape:
        tape.watch(variable)
        values = keras.activations.get(activation)(variable)
    return tape.gradient(values, variable).numpy()
