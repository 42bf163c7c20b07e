"""Depth multiplies: gradients vanish from weights too small, and explode from weights too large.

    make lesson NAME=depth-multiplies    C1, C2, about 90 s on 2 cores

Sigmoid, tanh and ReLU, 2, 10 and 50 layers of 32 units, each from weights made for the activation (four times
Glorot's, Glorot's, He's), from a quarter of them and from twice as large ones, learn digits by plain SGD at
one rate. For sigmoid a quarter is what Keras begins with. The signs that go with either trouble are measured
one by one: of vanishing in ten layers of sigmoids from the quarter, of exploding in ten layers of ReLUs from
the double; the control are ReLUs from weights made for them. What one layer multiplies the gradient by is
taken over depth and held against the chain rule's factor: a sigmoid's slope of 1/4 at 0 times weights of gain
1; twice a gain of 1. The gradient monitor's diagnosis is a sign like the others. It speaks at the end of an
epoch, when those that explode are long lost; so their signs are taken with all examples in one batch, where
an epoch is a step, and it is asked what it said a step before the first NaN.

Where it turns: two layers bear all three sizes, and tanh ten of twice the right one, as it bounds what it
passes on. In fifty layers the right weights are not enough at this rate. What to do about either:
gradient-cures.

Seen: in 50 layers 10^-30 of the gradient arrive through sigmoids from Keras's weights (a quarter a layer, to
5 %), and 10^15 times the usual through ReLUs from doubled ones. Early layers stand still (10^-5.3 of the way
of late ones), and learning does; but weights do not drift to zero: what gets no gradient stays what it was.
Exploding weights do not grow exponentially but ever faster, ten times as fast in the last step as in the
first, and are NaN within a few steps; the monitor says so before, from the first step's gradient.
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

DEPTHS, SIGNS, EXAMPLES = (2, 10, 50), 10, 512
MADE_FOR = {"sigmoid": ("glorot_uniform", 4.0), "tanh": ("glorot_uniform", 1.0), "relu": ("he_normal", 1.0)}
WEIGHTS = {"small": 0.25, "right": 1.0, "large": 2.0}
TRUSTED = "three in four; of 16 seeds all must, or the interval reaches below"
GUESSED = np.log(10)  # loss of guessing one of ten digits

CLAIMS = (
    Claim(
        "quarter a layer",
        "small sigmoids multiply the gradient by a quarter a layer, as the chain rule has it",
        "first hidden layer's gradient against the last one's in 50 layers, a layer, minus that of 1/4; "
        "control: ReLUs",
        "powers of ten",
        0.1,
        "a factor right to a quarter of itself",
        side="within",
    ),
    Claim(
        "early still",
        "vanishing: early layers hardly move where late ones do",
        "distance that the first hidden layer's weights have gone, by the last one's; control: right ReLUs",
        "powers of ten",
        -2.0,
        "a hundredth, so that a hundred times as many epochs were needed",
        side="below",
    ),
    Claim(
        "drift",
        "vanishing: weights drift to zero",
        "norm of all hidden weights at the end by that at the start; control: right ReLUs",
        "times",
        0.5,
        "half way there",
        side="below",
    ),
    Claim(
        "stagnates",
        "vanishing: learning stagnates early",
        "fall of the training loss after the second epoch, by guessing's loss; control: right ReLUs",
        "%",
        5.0,
        "less is nothing learned",
        side="below",
    ),
    Claim(
        "vanishing",
        "vanishing: the monitor names it",
        "share of these networks that it calls so; control: right ReLUs",
        "%",
        75.0,
        TRUSTED,
        share=True,
    ),
    Claim(
        "double a layer",
        "ReLUs from doubled weights double the gradient with every layer",
        "norm of the first step's gradient, 50 layers by 10, a layer, minus that of 2; control: right ReLUs",
        "powers of ten",
        0.1,
        "a factor right to a quarter of itself",
        side="within",
    ),
    Claim(
        "avalanche",
        "exploding: the loss leaps above guessing, or turns NaN",
        "share of networks with a step whose loss is ten times guessing's, or NaN; control: right ReLUs",
        "%",
        75.0,
        TRUSTED,
        share=True,
    ),
    Claim(
        "exponential",
        "exploding: weights grow exponentially, by one factor at every step",
        "powers of ten in the last step before NaN by those in the first; control: right ReLUs",
        "times",
        2.0,
        "more is another kind of growth",
        side="below",
    ),
    Claim(
        "exploding",
        "exploding: the monitor names it before the first NaN",
        "share of networks that it calls so a step before, looking at every step; control: right ReLUs",
        "%",
        75.0,
        TRUSTED,
        share=True,
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every activation and depth from all three weights; and ReLUs with an epoch a step."""
    named = {
        f"{name} {depth} {size}": _run(name, depth, size)
        for name in MADE_FOR
        for depth in DEPTHS
        for size in WEIGHTS
    }
    return named | {f"steps {size}": _run("relu", SIGNS, size, batch=EXAMPLES) for size in WEIGHTS}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Signs of both troubles, first gradients, accuracies, and the way of both through the epochs."""
    vanishing, right = trained[f"sigmoid {SIGNS} small"], trained[f"relu {SIGNS} right"]
    exploding, steady = trained["steps large"], trained["steps right"]
    gradient = {name: _first_gradients(one) for name, one in trained.items()}
    deep, flat = DEPTHS[-1], SIGNS
    shallower = {
        name: (gradient[name][:, 0] - gradient[name][:, -1]) / (deep - 1)
        for name in (f"sigmoid {deep} small", f"relu {deep} right")
    }
    by_depth = {
        size: (_whole(gradient[f"relu {deep} {size}"]) - _whole(gradient[f"relu {flat} {size}"]))
        / (deep - flat)
        for size in WEIGHTS
    }
    found = {
        "quarter a layer": tuple(values - np.log10(0.25) for values in shallower.values()),
        "early still": (_early_by_late(vanishing), _early_by_late(right)),
        "drift": (_kept_norm(vanishing), _kept_norm(right)),
        "stagnates": (_late_fall(vanishing), _late_fall(right)),
        "vanishing": tuple(np.array(one.diagnosis) == "vanishing_gradients" for one in (vanishing, right)),
        "double a layer": (by_depth["large"] - np.log10(2), by_depth["right"] - np.log10(2)),
        "avalanche": (_leaps(exploding), _leaps(steady)),
        "exponential": (_speeding(exploding), _speeding(steady)),
        "exploding": (_warned(exploding), _warned(steady)),
    }
    signs = (("vanishing", vanishing), ("right", right), ("exploding", exploding), ("steady", steady))
    return {
        **{name: values for name, (values, _) in found.items()},
        **{f"{name}/control": values for name, (_, values) in found.items()},
        **{f"gradient {name}": values for name, values in gradient.items()},
        **{f"accuracy {name}": 100 * one.scores["last/test/accuracy"] for name, one in trained.items()},
        **{f"called {name}": one.diagnosis for name, one in trained.items()},
        **{f"gradients {name}": one.monitor["gradient_norm"][..., _rows(one)] for name, one in signs},
        **{f"updates {name}": one.monitor["update_ratio"][..., _rows(one)] for name, one in signs},
        **{f"loss {name}": one.history["train/loss"] for name, one in signs},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Gradients of the first step by layer, and accuracy by depth."""
    with mpl.rc_context(STYLE | {"font.size": 10}):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        panels = figure.subplots(3, 2, width_ratios=(1.4, 1))
        for (flow, score), name in zip(panels, MADE_FOR, strict=True):
            for size, colour in zip(WEIGHTS, COLOURS, strict=False):
                gradients = measured[f"gradient {name} {DEPTHS[-1]} {size}"]
                gradient = np.quantile(gradients, (0.25, 0.5, 0.75), axis=0)
                layers = np.arange(1, DEPTHS[-1] + 1)
                flow.plot(layers, gradient[1], color=colour, label=size)
                flow.fill_between(layers, gradient[0], gradient[2], color=colour, alpha=0.2, linewidth=0)
                every = [measured[f"accuracy {name} {depth} {size}"] for depth in DEPTHS]
                low, middle, high = np.quantile(every, (0.25, 0.5, 0.75), axis=1)
                score.plot(DEPTHS, middle, "o-", color=colour)
                score.fill_between(DEPTHS, low, high, color=colour, alpha=0.2, linewidth=0)
            flow.set(ylabel=f"{name}: gradient,\npowers of ten")
            score.set(ylabel="accuracy, %", xscale="log", ylim=(0, 100))
            score.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
            score.minorticks_off()
        panels[-1][0].set(xlabel="hidden layer of 50, first step")
        panels[-1][1].set(xlabel="hidden layers")
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, title="initial weights")
    return figure


def frames(measured: Mapping[str, Any]) -> list[tuple[str, Figure]]:
    """Gradients by layer and the loss, of sigmoids from small weights and of ReLUs from right ones."""
    epochs = len(np.asarray(measured["loss vanishing"]))
    return [(f"epoch {epoch}", _frame(measured, epoch)) for epoch in range(1, epochs + 1)]


def _frame(measured: Mapping[str, Any], epoch: int) -> Figure:
    shown = {"vanishing": "small, sigmoid", "right": "right, ReLU"}
    with mpl.rc_context(STYLE | {"font.size": 10}):
        figure = Figure(figsize=(5, 2.8), layout="constrained")
        flow, curve = figure.subplots(1, 2)
        for (name, label), colour in zip(shown.items(), COLOURS, strict=False):
            gradients = np.median(np.asarray(measured[f"gradients {name}"])[epoch - 1], axis=0)
            flow.plot(range(1, SIGNS + 1), gradients, "o-", color=colour, markersize=4, label=label)
            losses = np.median(np.asarray(measured[f"loss {name}"]), axis=1)
            curve.plot(range(1, epoch + 1), losses[:epoch], "o-", color=colour, markersize=4)
        flow.set(xlabel="hidden layer", ylabel="gradient's norm", yscale="log", ylim=(1e-8, 10))
        flow.set_xticks(range(2, SIGNS + 1, 2))
        curve.set(xlabel="epoch (dotted: guessing)", ylabel="training loss", ylim=(0, 1.2 * GUESSED))
        curve.set(xlim=(0.5, len(measured["loss right"]) + 0.5))
        curve.axhline(GUESSED, color="0.5", linestyle=":")
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def _run(activation: Any, depth: int, size: str, batch: int = 32) -> Run:
    initializer: Any
    initializer, scale = MADE_FOR[activation]
    return mlp(
        model=MLPConfig(depth, (32,), activation, initializer, scale * WEIGHTS[size]),
        data=PointsConfig("digits", train=EXAMPLES),
        seeds=16,
        epochs=8,
        batch_size=batch,
        optimizer=OptimizerConfig("SGD", learning_rate=0.03),
    )


def _rows(one: Any) -> list[int]:
    """Of the hidden layers."""
    return [place for place, name in enumerate(one.layers) if name.startswith("hidden")]


def _first_gradients(one: Any) -> np.ndarray:
    """Norm of each hidden layer's gradient at the first step, log10; (seeds, layers)."""
    return np.log10(np.maximum(one.early["gradient_norm"][0][:, _rows(one)], np.finfo("float32").tiny))


def _whole(logs: np.ndarray) -> np.ndarray:
    """Norm over all layers, log10, from those of the layers."""
    largest = logs.max(axis=1)
    return largest + np.log10((100 ** (logs - largest[:, None])).sum(axis=1)) / 2


def _early_by_late(one: Any) -> np.ndarray:
    """Distance of the first hidden layer's weights from their start by that of the last one's, log10."""
    gone = np.maximum(one.monitor["distance"][-1][:, _rows(one)], 1e-30)
    return np.log10(gone[:, 0] / gone[:, -1])


def _kept_norm(one: Any) -> np.ndarray:
    """Norm of all hidden weights after the last epoch by that before the first step."""
    start, end = one.early["weight_norm"][0], one.monitor["weight_norm"][-1]
    return np.linalg.norm(end[:, _rows(one)], axis=1) / np.linalg.norm(start[:, _rows(one)], axis=1)


def _late_fall(one: Any) -> np.ndarray:
    loss = one.history["train/loss"]
    return 100 * (loss[1] - loss[-1]) / GUESSED


def _leaps(one: Any) -> np.ndarray:
    loss = one.history["train/loss"]
    return (np.nan_to_num(loss, nan=np.inf) > 10 * GUESSED).any(axis=0)


def _speeding(one: Any) -> np.ndarray:
    """Growth of all hidden weights in the last step with a number by that in the first, in powers of ten, of
    which each has a thousandth at least."""
    norms = np.linalg.norm(one.monitor["weight_norm"][:, :, _rows(one)], axis=2)
    start = np.linalg.norm(one.early["weight_norm"][:1, :, _rows(one)], axis=2)
    with np.errstate(all="ignore"):
        grown = np.diff(np.log10(np.concatenate([start, norms])), axis=0)
    last = np.array([column[np.isfinite(column)][-1] for column in grown.T])
    return np.maximum(last, 1e-3) / np.maximum(grown[0], 1e-3)


def _warned(one: Any) -> np.ndarray:
    """Which seeds were called exploding an epoch before the first loss that is none, or at the end."""
    broken = ~np.isfinite(one.history["train/loss"])
    epochs = np.where(broken.any(axis=0), broken.argmax(axis=0), len(broken))
    named = [one.diagnosed(seed, int(last)) for seed, last in enumerate(epochs)]
    return np.array(named) == "exploding_gradients"
