"""Backpropagation has lots of reuse: all derivatives for the price of a few forward passes.

    make lesson NAME=chain-rule-reuse    A5, about 25 s on 2 cores

The reuse is counted and timed. In TensorFlow's graph of all gradients of a network of L layers there are
2 L - 1 products of matrices on the way back; where every layer's chain is worked out by itself, which is the
control, there are L (L + 1) / 2. And the gradient by all weights costs a few forward passes, however many
weights there are, while differences, the control, take a pass for each weight and one more: they are timed up
to some thousand weights, and counted beyond. Forward passes and gradients are timed in turns, on 128
examples.

Seen: 31 products for 16 layers, 136 without reuse. 1.1 million weights cost 3.8 forward passes (2.9 to 5.3;
on a busy machine), 9,000 weights by differences 15,000.

Needs TensorFlow, whose graphs are counted.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from whyfit.models import build_loss, build_mlp
from whyfit.models.config import MLPConfig

from ..book.graph import needed
from ..figures import COLOURS, STYLE
from ..verdict import Claim, Fact

DEPTHS = (1, 2, 4, 8, 16)
WIDTHS = (4, 16, 64, 256, 1_024)
DIFFERENCES_UP_TO = 64
ROUNDS = 16

ALONE = True

CLAIMS = (
    Fact(
        "reuse",
        "L layers take 2 L - 1 products of matrices on the way back, as they reuse what later layers found",
        "products counted minus 2 L - 1, up to 16 layers; control: each layer's gradient by itself",
        0.0,
        "they are whole numbers",
    ),
    Claim(
        "time/cost",
        "the gradient by 1.1 million weights costs as much as a few forward passes",
        "its time against that of a forward pass, over rounds; control: differences, a pass for each weight",
        "passes",
        6.0,
        "twice what counting products leads to expect",
        side="below",
    ),
)


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Products counted, and times in forward passes."""
    reused, alone = zip(*(_products(depth) for depth in DEPTHS), strict=True)
    weights, passes = zip(*(_passes(width) for width in WIDTHS), strict=True)
    expected = 2 * np.array(DEPTHS) - 1
    timed = [_passes_of_differences(width) for width in WIDTHS if width <= DIFFERENCES_UP_TO]
    return {
        "reuse": np.array(reused) - expected,
        "reuse/control": np.array(alone) - expected,
        "time/cost": passes[-1],
        "time/cost/control": np.full(ROUNDS, weights[-1] + 1),
        "products reused": reused,
        "products alone": alone,
        "weights": weights,
        "time/passes": passes,
        "time/differences": timed,
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Products over depth, and passes over the number of weights."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 5.8), layout="constrained")
        upper, lower = figure.subplots(2)
        upper.plot(DEPTHS, measured["products alone"], "o-", color=COLOURS[1], label="each layer by itself")
        upper.plot(DEPTHS, measured["products reused"], "o-", color=COLOURS[0], label="with reuse")
        upper.set_xlabel("layers")
        upper.set_ylabel("products on the way back")
        upper.legend(loc="upper left")
        weights, timed = np.array(measured["weights"]), measured["time/differences"]
        low, middle, high = np.quantile(measured["time/passes"], (0.25, 0.5, 0.75), axis=1)
        lower.loglog(weights, weights + 1, "--", color=COLOURS[1], label="differences, one a weight")
        lower.loglog(weights[: len(timed)], timed, "o", color=COLOURS[1], label="differences, timed")
        lower.loglog(weights, middle, "o-", color=COLOURS[0], label="backpropagation, timed")
        lower.fill_between(weights, low, high, color=COLOURS[0], alpha=0.2, linewidth=0)
        lower.set_xlabel("weights")
        lower.set_ylabel("cost, forward passes")
        lower.legend(loc="upper left", fontsize=9)
    return figure


def _products(depth: int) -> tuple[int, int]:
    """Products of matrices on the way back through so many layers: all at once, and each by itself."""
    model, forward = _network(MLPConfig(layers=depth - 1, units=(4,)))
    kernels = [weight for weight in model.trainable_weights if weight.name == "kernel"]

    def count(weights: list[Any]) -> int:
        graph = tf.function(lambda: _gradient(forward, weights)).get_concrete_function().graph
        return sum(operation.type == "MatMul" for operation in needed(graph)) - depth

    return count(kernels), sum(count([kernel]) for kernel in kernels)


def _passes(width: int) -> tuple[int, list[float]]:
    """Weights of a network, and what their gradient costs in forward passes, in each round."""
    model, loss = _network(MLPConfig(units=(width, width)))
    forward, gradient = tf.function(loss), tf.function(lambda: _gradient(loss, model.trainable_weights))
    _seconds(forward, 5), _seconds(gradient, 5)
    return model.count_params(), [_seconds(gradient, 5) / _seconds(forward, 5) for _ in range(ROUNDS)]


def _passes_of_differences(width: int) -> float:
    """What the derivatives by all weights cost in forward passes, if each weight is moved in turn."""
    model, loss = _network(MLPConfig(units=(width, width)))
    forward = tf.function(loss)
    _seconds(forward, 5)
    return _seconds(lambda: _differences(model, forward), 1) / _seconds(forward, 50)


def _differences(model: keras.Model, forward: Callable[[], tf.Tensor], step: float = 1e-3) -> list[float]:
    before, derivatives = float(forward()), []
    for weight in model.trainable_weights:
        values = weight.numpy()
        for place in np.ndindex(values.shape):
            moved = values.copy()
            moved[place] += step
            weight.assign(moved)
            derivatives.append((float(forward()) - before) / step)
        weight.assign(values)
    return derivatives


def _network(config: MLPConfig) -> tuple[keras.Model, Callable[[], tf.Tensor]]:
    """A network and its loss on 128 examples of 64 numbers."""
    model = build_mlp(config, input_shape=(64,), task="classification", classes=10)
    rng, loss = np.random.default_rng(0), build_loss(config, "classification")
    x, y = tf.constant(rng.standard_normal((128, 64)), "float32"), tf.constant(rng.integers(0, 10, (128, 1)))
    return model, lambda: loss(y, model(x))


def _gradient(loss: Callable[[], tf.Tensor], weights: list[Any]) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        value = loss()
    return tape.gradient(value, [weight.value for weight in weights])


def _seconds(call: Callable[[], Any], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times
