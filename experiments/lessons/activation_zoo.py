"""Activations differ by the gradient they let through: ReLU and its kin learn deep, sigmoid does not.

    make lesson NAME=activation-zoo    B7, about 80 s on 2 cores

Eight activations in a network of five layers of 32 units that reads digits, each at its best of three rates
by validation accuracy, judged on test. What of the gradient reaches the first layer is its norm there by that
in the last hidden layer, in the first epoch, at that rate. Sigmoid and ReLU are also tried with one hidden
layer, where nothing stands in the gradient's way. The functions and their derivatives are held against their
formulas, and softmax against its own.

Where it turns: with one hidden layer, or with batch normalization, sigmoid does as well. All begin with
Glorot's weights, which were made for tanh; He's would help ReLU, not sigmoid.

Seen: five layers deep sigmoid got 82 % right, all others 94 to 96 %; with one layer sigmoid and ReLU were
equal. Of sigmoid's gradient a seventieth of ReLU's share came through to the first layer. Softplus, whose
slope is a sigmoid, learnt as well as ReLU.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from keras import ops
from matplotlib.figure import Figure
from scipy.special import expit

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim, Fact

RATES = (3e-3, 1e-2, 3e-2)
DEEP, FLAT = 5, 1
Curve = Callable[[np.ndarray], np.ndarray]
# Function and derivative, by formula.
ZOO: dict[str, tuple[Curve, Curve]] = {
    "sigmoid": (expit, lambda x: expit(x) * expit(-x)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "hard_tanh": (lambda x: np.clip(x, -1, 1), lambda x: 1.0 * (np.abs(x) < 1)),
    "softsign": (lambda x: x / (1 + np.abs(x)), lambda x: (1 + np.abs(x)) ** -2.0),
    "relu": (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.2 * x), lambda x: np.where(x > 0, 1, 0.2)),
    "softplus": (lambda x: np.logaddexp(0, x), expit),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.where(x > 0, 1, np.exp(x))),
}

CLAIMS = (
    Fact(
        "formulas",
        "Keras's activations and the slopes of their curves are those of their formulas",
        "difference of functions, and of slopes taken by differences of 0.01, from -4 to 4",
        1e-3,
        "what differences of 0.01 in float32 can tell",
    ),
    Fact(
        "softmax",
        "softmax's outputs are positive, sum to 1, and do not change when all inputs grow by as much",
        "largest of the three errors over 1,000 random inputs",
        1e-5,
        "float32 rounding",
    ),
    Claim(
        "deep",
        "five layers deep, ReLU beats sigmoid",
        "test accuracy at each one's best rate, ReLU minus sigmoid, seed by seed",
        "points",
        5.0,
        "15 of the 300 digits",
    ),
    Claim(
        "flow",
        "ReLU lets more of the gradient through to the first layer than sigmoid",
        "gradient of the first by that of the last hidden layer, epoch 1, ReLU by sigmoid, seed by seed",
        "times",
        10.0,
        "a factor that no choice of one rate for all layers makes up for",
    ),
    Claim(
        "kin",
        "leaky ReLU, ELU and ReLU do the same",
        "test accuracy, best of the three minus worst, seed by seed",
        "points",
        3.0,
        "9 of the 300 digits",
        side="below",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """All eight deep, two of them with one hidden layer, at every rate."""
    kinds = [(name, DEEP) for name in ZOO] + [("sigmoid", FLAT), ("relu", FLAT)]
    return {
        f"{name}, {layers}, {rate}": mlp(
            model=MLPConfig(layers, (32,), activation=name),  # type: ignore[arg-type]
            data=PointsConfig("digits"),
            seeds=16,
            epochs=8,
            batch_size=32,
            optimizer=OptimizerConfig("Adam", learning_rate=rate),
        )
        for name, layers in kinds
        for rate in RATES
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies at the best rates, gradients by layer, and errors of curves."""
    best: dict[str, Any] = {}
    for name, one in trained.items():
        kind = name.rpartition(",")[0]
        score = np.median(one.scores["best/val/accuracy"])
        if kind not in best or score > np.median(best[kind].scores["best/val/accuracy"]):
            best[kind] = one
    accuracy = {kind: 100 * one.scores["test/accuracy"] for kind, one in best.items()}
    gradient = {kind: one.monitor["gradient_norm"][0][:, :-1] for kind, one in best.items()}
    share = {kind: values[:, 0] / values[:, -1] for kind, values in gradient.items()}
    kin = np.stack([accuracy[f"{name}, {DEEP}"] for name in ("relu", "leaky_relu", "elu")])
    wider = np.concatenate([kin, accuracy[f"sigmoid, {DEEP}"][None]])
    errors = {name: _errors(name, ZOO[name]) for name in ZOO}
    others = list(ZOO)[1:] + list(ZOO)[:1]
    return {
        "formulas": list(errors.values()),
        "formulas/control": [_errors(name, ZOO[other]) for name, other in zip(ZOO, others, strict=True)],
        "softmax": _softmax_errors(ops.softmax),
        "softmax/control": _softmax_errors(ops.sigmoid),
        "deep": accuracy[f"relu, {DEEP}"] - accuracy[f"sigmoid, {DEEP}"],
        "deep/control": accuracy[f"relu, {FLAT}"] - accuracy[f"sigmoid, {FLAT}"],
        "flow": share[f"relu, {DEEP}"] / share[f"sigmoid, {DEEP}"],
        "flow/control": share[f"relu, {DEEP}"] / share[f"leaky_relu, {DEEP}"],
        "kin": np.ptp(kin, axis=0),
        "kin/control": np.ptp(wider, axis=0),
        **{f"accuracy {kind}": values for kind, values in accuracy.items()},
        **{f"gradient {kind}": values for kind, values in gradient.items()},
        **{f"rate {kind}": one.run.optimizer.learning_rate for kind, one in best.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Functions, derivatives, gradient by layer and accuracy; one colour an activation."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        (curves, slopes), (flow, scores) = figure.subplots(2, 2, height_ratios=(1, 1.3))
        x = np.linspace(-3, 3, 301)
        for place, (name, (function, derivative)) in enumerate(ZOO.items()):
            style = {"color": COLOURS[place], "linestyle": ("-", "--")[place % 2], "linewidth": 1.6}
            curves.plot(x, function(x), **style)
            slopes.plot(x, derivative(x), **style)
            gradient = measured[f"gradient {name}, {DEEP}"]
            flow.plot(range(1, DEEP + 1), np.median(gradient, axis=0), label=name, **style)
        kinds = [name.removeprefix("accuracy ") for name in measured if name.startswith("accuracy ")]
        values = [measured[f"accuracy {kind}"] for kind in kinds]
        labels = [kind.replace(f", {DEEP}", "").replace(f", {FLAT}", ", 1 layer") for kind in kinds]
        scores.boxplot(values, vert=False, tick_labels=labels, medianprops={"color": COLOURS[1]})
        scores.tick_params(axis="y", labelsize=8)
        scores.invert_yaxis()
        scores.set(xlabel="test accuracy, %")
        curves.set(xlabel="input", ylabel="output", ylim=(-1.5, 3))
        slopes.set(xlabel="input", ylabel="derivative")
        flow.set(xlabel="hidden layer", ylabel="norm of gradient, first epoch", yscale="log")
        figure.legend(*flow.get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=9)
    return figure


def _errors(name: str, formulas: tuple[Curve, Curve]) -> float:
    """Largest error of Keras's function against formulas, of values and of slopes."""
    activation, step = keras.activations.get(name), 0.01
    x = np.arange(-4, 4, step) + step / 3  # beside the bends, where there is no one slope
    x = x[np.min(np.abs(x[:, None] - [-1, 0, 1]), axis=1) > step]
    low, high, middle = (
        ops.convert_to_numpy(activation(ops.convert_to_tensor(x + shift, "float32")))
        for shift in (-step / 2, step / 2, 0)
    )
    slope = (high - low).astype("float64") / step
    return float(max(np.abs(middle - formulas[0](x)).max(), np.abs(slope - formulas[1](x)).max()))


def _softmax_errors(function: Callable[[Any], Any]) -> list[float]:
    x = np.random.default_rng(0).normal(size=(1_000, 10)).astype("float32")
    outputs, shifted = (ops.convert_to_numpy(function(ops.convert_to_tensor(x + by))) for by in (0, 1))
    sums = np.abs(outputs.sum(axis=1) - 1).max()
    return [float(max(0, -outputs.min())), float(sums), float(np.abs(outputs - shifted).max())]
