"""L1 makes most weights nearly nothing; but only a proximal step makes exact zeros.

    make lesson NAME=l1-kills-weights    D4, about 30 s on 2 cores

A layer of 64 ReLUs learns 200 digits by plain SGD, 40 epochs, with nothing, three strengths of L1 or three of
L2, each at its best rate of two by validation accuracy over the last five epochs, and at the largest
strength that costs at most a point of that, so that both penalties are as strong as they can well be. L1
draws all weights down by as much, large or small, L2 by a share of what they are. Nearly nothing is a weight
below a hundredth of the largest that Glorot's recipe draws, in the layer behind the pixels. Exact zeros are
counted, too: SGD steps over the edge of |w| back and forth and never stays there. A proximal step does
(Parikh and Boyd 2014, "Proximal algorithms", 4.2 and 6.5.2): SGD on the data alone, then lambda times the
rate off every weight, but nothing beyond 0; with the same strength, seeds and batches. Whether what is nearly
nothing is of no use is seen where it is set to 0. Seeds share data; each has its own weights and order.

Where it turns: what a penalty does hangs on its strength; the weights of pixels that are always 0 are drawn
by nothing but the penalty, so that in time L2 kills those as well.

Seen: L1 makes 49 % of the weights nearly nothing, 46 points more than L2 (45 to 47), and setting them to 0
changes no answer; as many at random cost 7 points. Not one of them is exactly 0 by plain SGD; by proximal
steps 25 % of all weights are (24 to 28). With lower rates, 0.05 and 0.2, hardly any weight got there in time.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from whyfit.models import Population, ShuffledBatches, Variant
from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

RATES, UNITS = (0.1, 0.4), 64
COST = 0.01
"""Validation accuracy that the strength may cost."""
KINDS: dict[str, list[dict[str, Any]]] = {
    "nothing": [{}],
    "L2": [{"l2": strength} for strength in (1e-2, 3e-2, 1e-1)],
    "L1": [{"l1": strength} for strength in (3e-4, 1e-3, 3e-3)],
}
NOTHING = 0.01 * np.sqrt(6 / (64 + UNITS))

CLAIMS = (
    Claim(
        "kills",
        "L1 makes many more weights nearly nothing than L2",
        "share of weights nearly 0, L1 minus L2, seed by seed; control: L2 minus none",
        "points",
        30.0,
        "a third of the weights could be left out",
    ),
    Claim(
        "of no use",
        "what L1 made nearly nothing is of no use",
        "test accuracy lost by setting that to 0; control: as many of all weights at random",
        "points",
        0.5,
        "5 of the 1,000 test digits",
        side="below",
    ),
    Claim(
        "no zeros",
        "plain SGD on L1's penalty makes no exact zeros",
        "share of weights that are exactly 0 with L1; control: a proximal step of the same strength",
        "%",
        1.0,
        "fewer than one in a hundred",
        side="below",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every strength of every kind, at both rates."""
    settings = [(how, rate) for hows in KINDS.values() for how in hows for rate in RATES]
    return {f"{_name(how)}, {rate:g}": _run(rate, how) for how, rate in settings}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Shares of weights in per cent, accuracies, and magnitudes of weights."""
    at_rate = {_name(how): _best(trained, how) for hows in KINDS.values() for how in hows}
    least = at_rate["nothing"].last_val_accuracy - COST
    borne = {kind: [at_rate[_name(how)] for how in hows] for kind, hows in KINDS.items()}
    best = {
        kind: ([one for one in ones if one.last_val_accuracy >= least] or ones)[-1]
        for kind, ones in borne.items()
    }
    weights = {kind: _weights(one) for kind, one in best.items()} | {"proximal": _proximal(best["L1"])}
    small = {kind: 100 * (sizes < NOTHING).mean(axis=1) for kind, sizes in weights.items()}
    each = {name: _weights(one) for name, one in at_rate.items()}
    return {
        "kills": small["L1"] - small["L2"],
        "kills/control": small["L2"] - small["nothing"],
        "of no use": _lost(best["L1"]),
        "of no use/control": _lost(best["L1"], at_random=True),
        "no zeros": 100 * (weights["L1"] == 0).mean(axis=1),
        "no zeros/control": 100 * (weights["proximal"] == 0).mean(axis=1),
        "chosen": [f"{kind}: {one.run.model.l1:g} {one.run.model.l2:g}" for kind, one in best.items()],
        **{f"weights {kind}": sizes.ravel() for kind, sizes in weights.items()},
        **{f"small {name}": 100 * (sizes < NOTHING).mean(axis=1) for name, sizes in each.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """How many weights are smaller than what, and how many are nearly nothing over strength."""
    shown = {"nothing": "nothing", "L2": "L2", "L1": "L1, plain SGD", "proximal": "L1, proximal step"}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.2), layout="constrained")
        upper, lower = figure.subplots(2)
        sizes = np.logspace(-6, 0, 300)
        for (kind, label), colour, dash in zip(shown.items(), COLOURS, ("-", "-", "-", "--"), strict=False):
            ordered = np.sort(measured[f"weights {kind}"])
            shares = 100 * np.searchsorted(ordered, sizes) / len(ordered)
            upper.plot(sizes, shares, dash, color=colour, label=label)
        upper.axvline(NOTHING, color="0.4", linestyle=":")
        upper.set(xscale="log", xlabel="|weight| (dotted: nearly nothing)", ylabel="weights smaller, %")
        upper.legend(fontsize=9, loc="upper left")
        for kind, colour in (("L2", COLOURS[1]), ("L1", COLOURS[2])):
            strengths = [max(how.values()) for how in KINDS[kind]]
            values = np.array([measured[f"small {_name(how)}"] for how in KINDS[kind]])
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1)
            lower.plot(strengths, middle, "o-", color=colour, label=kind)
            lower.fill_between(strengths, low, high, color=colour, alpha=0.2, linewidth=0)
        lower.axhline(np.median(measured["small nothing"]), color=COLOURS[0], label="nothing")
        lower.set(xscale="log", xlabel="strength lambda", ylabel="weights nearly 0, %")
        lower.legend(fontsize=9)
    return figure


def _run(rate: float, how: dict[str, Any]) -> Run:
    return mlp(
        model=MLPConfig(units=(UNITS,), **how),
        data=PointsConfig("digits", train=200, validation=500, test=1_000),
        seeds=16,
        epochs=40,
        batch_size=20,
        optimizer=OptimizerConfig("SGD", learning_rate=rate),
    )


def _name(how: dict[str, Any]) -> str:
    return " ".join(f"{kind.upper()} {strength:g}" for kind, strength in how.items()) or "nothing"


def _best(trained: Mapping[str, Any], how: dict[str, Any]) -> Any:
    """At the rate that validation likes best."""
    found = (trained[f"{_name(how)}, {rate:g}"] for rate in RATES)
    return max(found, key=lambda one: one.last_val_accuracy)


def _weights(one: Any) -> np.ndarray:
    """Magnitudes of the weights behind the pixels, (seeds, weights)."""
    models = [one.model(place) for place in range(one.seeds)]
    return np.abs([ops.convert_to_numpy(model.get_layer("hidden_1").kernel).ravel() for model in models])


def _lost(one: Any, at_random: bool = False) -> np.ndarray:
    """Test accuracy lost when weights behind the pixels that are nearly nothing are set to 0; (seeds,)."""
    found, test = [], one.data.test
    for place in range(one.seeds):
        model = one.model(place)
        kernel = model.get_layer("hidden_1").kernel
        small = np.abs(ops.convert_to_numpy(kernel)) < NOTHING
        if at_random:
            small = np.random.default_rng(place).permuted(small.ravel()).reshape(small.shape)
        kernel.assign(ops.where(small, 0.0, kernel))
        right = ops.convert_to_numpy(model(test.x)).argmax(axis=1) == test.y
        found.append(one.scores["last/test/accuracy"][place] - right.mean())
    return 100 * np.array(found)


class _Shrink(keras.callbacks.Callback):
    """L1's proximal step: takes as much off every weight after every step, but nothing beyond 0."""

    def __init__(self, most: float) -> None:
        super().__init__()
        self._most = most

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Shrink."""
        for layer in self.model.network.dense:
            sizes = ops.maximum(ops.abs(layer.kernel) - self._most, 0.0)
            layer.kernel.assign(ops.sign(layer.kernel) * sizes)


def _proximal(one: Any) -> np.ndarray:
    """As `_weights`, of networks trained like one's, L1's part by proximal steps."""
    run, data, rate = one.run, one.data, one.run.optimizer.learning_rate
    seeds = list(range(run.seed, run.seed + run.seeds))
    model = Population(
        [Variant(replace(run.model, l1=0.0), seed=seed) for seed in seeds],
        input_shape=data.train.x.shape[1:],
        task=data.task,
        classes=data.classes,
        mean=data.mean,
        variance=data.variance,
    )
    model.compile(keras.optimizers.SGD(rate), jit_compile=False)
    batches = ShuffledBatches(data.train.x, data.train.y, run.batch_size, seeds)
    shrink = _Shrink(rate * run.model.l1)
    model.fit(batches.dataset, epochs=run.epochs, shuffle=False, verbose=0, callbacks=[batches, shrink])
    return np.abs(ops.convert_to_numpy(model.network.dense[0].kernel)).reshape(len(seeds), -1)
