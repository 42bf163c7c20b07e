"""The backward pass takes about twice the forward pass's compute and memory.

    make lesson NAME=backward-costs-twice    A6, about 35 s on 2 cores

On the way back every layer takes two products where it took one forwards: one for its weights, one for what
lies below. That is counted in TensorFlow's graphs, and timed: forward pass and gradient in turns, over
widths, depths and batches. The control leaves out the gradient by the weights.

Memory is a process's own, looked at every millisecond: what was there before, weights apart, is taken off.
With wide layers and few examples weights are nearly all, and their gradient as much again. With many
examples a forward pass can forget a layer's outputs as soon as the next has read them, and training cannot.

Seen: twice the multiplications with all gradients; 1.1 to 1.7 times the time, another on each machine (the
first layer needs no gradient of its input). Memory: 2.00 times where weights are nearly all of it. With many
examples (L + 1) / 2 times for L layers, 4.5 for eight: "about twice" does not hold there.

Needs TensorFlow, whose graphs are counted and whose memory is seen from outside.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import matplotlib as mpl
import numpy as np
import psutil
import tensorflow as tf
from matplotlib.figure import Figure

from whyfit.models import build_mlp
from whyfit.models.config import MLPConfig

from ..book.graph import needed
from ..figures import COLOURS, STYLE
from ..verdict import Claim, Fact

WIDTHS, DEPTHS, BATCHES = (128, 256, 512), (2, 4, 8, 16), (32, 128, 512)
MIDDLE = (512, 4, 128)
"""Width, depth and batch of what is timed; one of them varies at a time."""
FEW = (3_072, 3, 16)
MANY = tuple((32, depth, 262_144) for depth in (2, 4, 8))
ROUNDS, LOOKS = 16, 6
PEAK = "peak memory of both passes against the forward pass alone minus 2, over rounds"
Network = tuple[int, int, int]

ALONE = True

CLAIMS = (
    Fact(
        "products",
        "backwards there are twice as many multiplications as forwards",
        "multiplications of the way back against those forwards, minus 2; control: by the input alone",
        0.0,
        "they are whole numbers",
    ),
    Claim(
        "time/backward",
        "the backward pass takes about twice as long as the forward pass",
        "time of the backward pass against the forward pass minus 2, the median over widths, depths and "
        "batches, over rounds; control: the gradient by the input alone",
        "times",
        0.5,
        "nearer to twice than to once or three times",
        side="within",
    ),
    Claim(
        "memory/few",
        "with few examples and wide layers training takes about twice the forward pass's memory",
        f"{PEAK}; control: the gradient by the input alone",
        "times",
        0.5,
        "nearer to twice than to once or three times",
        side="within",
    ),
    Claim(
        "memory/many",
        "with many examples and eight layers it does, too",
        f"{PEAK}; control: the gradient by the input alone",
        "times",
        0.5,
        "nearer to twice than to once or three times",
        side="within",
    ),
)


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Multiplications counted, times and peaks of memory."""
    width, depth, batch = MIDDLE
    cases = {
        "width": [(one, depth, batch) for one in WIDTHS],
        "depth": [(width, one, batch) for one in DEPTHS],
        "batch": [(width, depth, one) for one in BATCHES],
    }
    times = {case: _backward_times(case) for case in sorted({case for row in cases.values() for case in row})}
    ratios, by_input = (np.array([times[case][place] for case in times]) for place in (0, 1))
    few, *many = _peaks_of([FEW, *MANY])
    counted = [_multiplications((64, one, 32)) for one in DEPTHS]
    return {
        "products": [both / forward - 3 for forward, both, _ in counted],
        "products/control": [by_input / forward - 3 for forward, _, by_input in counted],
        "time/backward": np.median(ratios, axis=0) - 2,
        "time/backward/control": np.median(by_input, axis=0) - 2,
        "memory/few": few[:, 1] / few[:, 0] - 2,
        "memory/few/control": few[:, 2] / few[:, 0] - 2,
        "memory/many": many[-1][:, 1] / many[-1][:, 0] - 2,
        "memory/many/control": many[-1][:, 2] / many[-1][:, 0] - 2,
        "memory/by depth": [np.median(one[:, 1] / one[:, 0]) for one in many],
        **{f"time/by {name}": [times[case][0] for case in row] for name, row in cases.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Time and memory against the forward pass's."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 5.6), layout="constrained")
        upper, lower = figure.subplots(2)
        for (name, values), colour in zip(
            {"width": WIDTHS, "depth": DEPTHS, "batch": BATCHES}.items(), COLOURS, strict=False
        ):
            low, middle, high = np.quantile(measured[f"time/by {name}"], (0.25, 0.5, 0.75), axis=1)
            upper.semilogx(values, middle, "o-", color=colour, label=name)
            upper.fill_between(values, low, high, color=colour, alpha=0.2, linewidth=0)
        upper.axhline(2, color="0.4", linestyle=":")
        upper.set_ylim(0, 4)
        upper.set_xlabel("width, depth or batch (others: 512, 4, 128)")
        upper.set_ylabel("backward : forward, time")
        upper.legend(loc="lower right", ncols=3)
        names = ["few examples,\n3 layers", *(f"many,\n{depth} layers" for _, depth, _ in MANY)]
        peaks = [2 + np.median(measured["memory/few"]), *measured["memory/by depth"]]
        lower.bar(names, peaks, color=[COLOURS[1], *[COLOURS[2]] * len(MANY)])
        lower.axhline(2, color="0.4", linestyle=":")
        lower.set_ylabel("both passes : forward,\npeak memory")
    return figure


def _passes(network: Network) -> tuple[int, tf.Tensor, list[Any]]:
    """Weights of a network of square layers, an input, and functions of it: the forward pass, both passes
    with the gradient by the weights, by the input, and by all."""
    width, depth, batch = network
    model = build_mlp(
        MLPConfig(layers=depth - 1, units=(width,)),
        input_shape=(width,),
        task="classification",
        classes=width,
    )
    weights = [weight.value for weight in model.trainable_weights]

    def loss(x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(model(x)))

    def gradient(x: tf.Tensor, by_input: bool, by_weights: bool) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x)
        return tape.gradient(value, [x] * by_input + weights * by_weights)

    kinds = ((False, True), (True, False), (True, True))
    both = [tf.function(lambda x, kind=kind: gradient(x, *kind)) for kind in kinds]
    x = tf.random.stateless_normal((batch, width), seed=(0, 0))
    return model.count_params(), x, [tf.function(loss), *both]


def _multiplications(network: Network) -> tuple[int, int, int]:
    """Forwards; of both passes with all gradients; and of both with the gradient by the input alone."""
    _, x, (forward, _, by_input, by_all) = _passes(network)

    def count(passes: Any) -> int:
        graph = passes.get_concrete_function(x).graph
        return sum(_size(one) for one in needed(graph) if one.type == "MatMul")

    return count(forward), count(by_all), count(by_input)


def _size(product: tf.Operation) -> int:
    """Multiplications of a product of matrices."""
    (rows, columns), inner = product.outputs[0].shape, product.inputs[0].shape
    return rows * columns * (inner[0] if product.get_attr("transpose_a") else inner[1])


def _backward_times(network: Network) -> tuple[list[float], list[float]]:
    """Time of the backward pass in forward passes, in each round: by the weights, and by the input alone."""
    _, x, functions = _passes(network)
    for function in functions[:3]:
        function(x)
    rounds = [[_seconds(one, x) for one in functions[:3]] for _ in range(ROUNDS)]
    return [both / one - 1 for one, both, _ in rounds], [both / one - 1 for one, _, both in rounds]


def _seconds(function: Callable[..., Any], x: tf.Tensor) -> float:
    began = time.perf_counter()
    for _ in range(2):
        function(x)
    return time.perf_counter() - began


def _peaks_of(networks: list[Network]) -> list[np.ndarray]:
    """Peaks of each network, in a process without oneDNN, whose allocator keeps what it once had: seen from
    outside, nothing would ever grow."""
    spawned = multiprocessing.get_context("spawn")
    switch = ("TF_ENABLE_ONEDNN_OPTS", "0")  # read when the process imports TensorFlow, for its first task
    with ProcessPoolExecutor(1, spawned, initializer=os.putenv, initargs=switch) as process:
        return list(process.map(_peaks, networks))


def _peaks(network: Network) -> np.ndarray:
    """Bytes, weights included, at the peak of forward pass, of both, and of both by the input alone;
    (rounds, 3)."""
    weights, x, functions = _passes(network)
    for function in functions[:3]:
        function(x)
    return 4 * weights + np.array([[_peak(one, x) for one in functions[:3]] for _ in range(LOOKS)])


def _peak(function: Callable[..., Any], x: tf.Tensor) -> int:
    """Bytes that the process takes more while something is computed, at most."""
    process, done, seen = psutil.Process(), threading.Event(), []

    def look() -> None:
        while not done.wait(0.001):
            seen.append(process.memory_info().rss)

    before = process.memory_info().rss
    thread = threading.Thread(target=look)
    thread.start()
    result = function(x)
    seen.append(process.memory_info().rss)
    done.set()
    thread.join()
    del result
    return max(seen) - before
