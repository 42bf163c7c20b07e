"""A step is w - rate * gradient: too small a rate crawls, too large a one diverges.

    make lesson NAME=learning-rate    B2, about 20 s on 2 cores

Keras's SGD, momentum, Nesterov and Adam take 100 steps in float64, and beside them go their formulas. On a
parabola of curvature h theory says where each diverges (rate * h above 2 for SGD; Polyak 1964 for momentum):
4,001 curvatures go downhill at once, and the first that grows is the rate of divergence. Then a network of
32 ReLUs reads digits with SGD at twelve rates, all with the same weights and batches. The best rate is the
one with the best validation accuracy; all are judged on test, each at its own best epoch, which is
generous to bad rates.

Where it turns: how large is too large hangs on the curvature, and so on scale of inputs, loss and batch.
That a rate should lie between 0 and 1 is no law: it depends on the same.

Seen: steps agree to 3e-16, thresholds to the grid's 0.0005. The best rate was 0.32; 1 did nearly as well.
From 3.2 on all networks were at chance; at 10 a fifth of the losses ended higher than they began, at 32 all.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim, Fact

RATES = tuple(10 ** (half / 2) for half in range(-8, 4))
RATE, MOMENTUM, BETA_2, EPSILON = (
    2**-5,
    0.875,
    1 - 2**-10,
    2**-20,
)  # exact in float32, which Keras keeps them in

CLAIMS = (
    Fact(
        "formulas",
        "Keras's SGD, momentum, Nesterov and Adam take the steps of their formulas",
        "difference of weights over 100 steps in float64, by the largest weight",
        1e-12,
        "10,000 times the rounding of float64",
    ),
    Fact(
        "threshold",
        "on a parabola SGD, momentum and Nesterov diverge where theory says",
        "rate * curvature from which on it grows, relative to theory",
        0.005,
        "growth so near to the threshold takes more than the 200 steps to show",
    ),
    Claim(
        "too small",
        "a hundredth of the best rate learns less in the same time",
        "test accuracy at the best rate minus that at a hundredth of it, seed by seed",
        "points",
        5.0,
        "15 of the 300 digits; a difference that anybody sees",
    ),
    Claim(
        "too large",
        "thirty times the best rate learns less",
        "test accuracy at the best rate minus that at 32 times it, seed by seed",
        "points",
        5.0,
        "as above",
    ),
    Claim(
        "diverges",
        "at the largest rate the loss ends above where it began",
        "share of networks whose last training loss is above the smallest rate's first, or not finite",
        "%",
        50.0,
        "most do",
        share=True,
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """A run a rate."""
    return {
        f"{rate:.2g}": mlp(
            model=MLPConfig(units=(32,)),
            data=PointsConfig("digits"),
            seeds=16,
            epochs=10,
            batch_size=32,
            optimizer=OptimizerConfig("SGD", learning_rate=rate),
        )
        for rate in RATES
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Errors of steps and thresholds; accuracies and losses by rate."""
    runs = list(trained.values())
    accuracy = 100 * np.stack([one.scores["test/accuracy"] for one in runs])
    validation = np.stack([one.scores["best/val/accuracy"] for one in runs])
    loss = np.stack([one.history["train/loss"][-1] for one in runs])
    best = int(np.argmax(np.median(validation, axis=1)))
    above = ~(loss <= runs[0].history["train/loss"][0])  # NaN, too, is above
    found = {name: _threshold(make) for name, (make, _, _) in RULES.items() if name != "Adam"}
    differences = np.array(
        [_differences(make, rule, RULES[wrong][1]) for make, rule, wrong in RULES.values()]
    )
    error = {name: found[name] / theory - 1 for name, theory in THRESHOLDS.items()}
    return {
        "formulas": differences[:, 0],
        "formulas/control": differences[:, 1],
        "threshold": list(error.values()),
        "threshold/control": [found[name] / THRESHOLDS["SGD"] - 1 for name in ("momentum", "Nesterov")],
        "too small": accuracy[best] - accuracy[best - 4],
        "too small/control": accuracy[best] - accuracy[best - 1],
        "too large": accuracy[best] - accuracy[min(best + 3, len(RATES) - 1)],
        "too large/control": accuracy[best] - accuracy[best - 1],
        "diverges": above[-1],
        "diverges/control": above[best],
        "best": best,
        "accuracy": accuracy,
        "above": above,
        "found": list(found.values()),
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Accuracy and share of diverged networks over the rate."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 5.2), layout="constrained")
        upper, lower = figure.subplots(2, sharex=True, height_ratios=(2, 1))
        low, middle, high = np.percentile(measured["accuracy"], (25, 50, 75), axis=1)
        upper.plot(RATES, middle, "o-", color=COLOURS[0], label="median of 16 seeds, quartiles")
        upper.fill_between(RATES, low, high, color=COLOURS[0], alpha=0.2, linewidth=0)
        best = int(measured["best"])
        upper.axvline(RATES[best], color=COLOURS[2], linestyle="--", label="best on validation")
        upper.set_ylabel("test accuracy, %")
        figure.legend(loc="outside upper center", ncols=2, fontsize=9)
        upper.set_ylim(0, 102)
        lower.plot(RATES, 100 * np.mean(measured["above"], axis=1), "o-", color=COLOURS[1])
        lower.set_ylabel("loss ends higher than\nit began, % of seeds")
        lower.set_xscale("log")
        lower.set_xlabel("learning rate of SGD")
    return figure


def _sgd(w: Any, g: Any, state: dict[str, Any], step: int) -> Any:
    return w - RATE * g


def _momentum(w: Any, g: Any, state: dict[str, Any], step: int) -> Any:
    state["v"] = MOMENTUM * state.get("v", 0) - RATE * g
    return w + state["v"]


def _nesterov(w: Any, g: Any, state: dict[str, Any], step: int) -> Any:
    state["v"] = MOMENTUM * state.get("v", 0) - RATE * g
    return w + MOMENTUM * state["v"] - RATE * g


def _adam(w: Any, g: Any, state: dict[str, Any], step: int) -> Any:
    """Kingma and Ba 2015, the form at the end of section 2."""
    state["m"] = MOMENTUM * state.get("m", 0) + (1 - MOMENTUM) * g
    state["v"] = BETA_2 * state.get("v", 0) + (1 - BETA_2) * g**2
    rate = RATE * np.sqrt(1 - BETA_2**step) / (1 - MOMENTUM**step)
    return w - rate * state["m"] / (np.sqrt(state["v"]) + EPSILON)


# How to make each optimizer, its formula, and whose formula is a wrong one for it.
RULES: dict[str, tuple[Callable[[], Any], Callable[..., Any], str]] = {
    "SGD": (lambda: keras.optimizers.SGD(RATE), _sgd, "momentum"),
    "momentum": (lambda: keras.optimizers.SGD(RATE, MOMENTUM), _momentum, "Nesterov"),
    "Nesterov": (lambda: keras.optimizers.SGD(RATE, MOMENTUM, nesterov=True), _nesterov, "momentum"),
    "Adam": (lambda: keras.optimizers.Adam(RATE, MOMENTUM, BETA_2, EPSILON), _adam, "SGD"),
}
# Of rate * curvature: where a root of the recursion for w leaves the unit circle, at -1.
THRESHOLDS = {
    "SGD": 2.0,
    "momentum": 2 * (1 + MOMENTUM),
    "Nesterov": 2 * (1 + MOMENTUM) / (1 + 2 * MOMENTUM),
}


def _differences(make: Callable[[], Any], *rules: Callable[..., Any]) -> list[float]:
    """From each formula, over 100 steps down f(w) = sum log cosh(w), whose gradient is tanh(w)."""
    start = np.linspace(-3, 3, 20)
    variable, optimizer = keras.Variable(start, dtype="float64"), make()
    weights: list[Any] = [start for _ in rules]
    states: list[dict[str, Any]] = [{} for _ in rules]
    largest = np.zeros(len(rules))
    for step in range(1, 101):
        optimizer.apply([ops.tanh(variable.value)], [variable])
        found = ops.convert_to_numpy(variable.value)
        for place, rule in enumerate(rules):
            w = weights[place]
            weights[place] = rule(w, np.tanh(w), states[place], step)
        largest = np.maximum(largest, [np.abs(found - w).max() for w in weights])
    return list(largest / 3)


def _threshold(make: Callable[[], Any]) -> float:
    """Smallest rate * curvature whose w grows from step 100 to step 200."""
    products = np.linspace(0.5, 4.5, 4_001)
    curvature = ops.convert_to_tensor(products / RATE, "float64")
    variable = keras.Variable(np.full(4_001, 1e-3), dtype="float64")
    optimizer, sizes = make(), []
    for _ in range(2):
        for _ in range(100):
            optimizer.apply([curvature * variable.value], [variable])
        with np.errstate(over="ignore"):
            sizes.append(np.abs(ops.convert_to_numpy(variable.value)))
    grows = ~(sizes[1] <= sizes[0])
    return float(products[np.argmax(grows)])
