"""L2 keeps weights medium-sized: its derivative is the weight itself; L1 and L2 make up for few examples.

    make lesson NAME=penalties    D3, D5, about 30 s on 2 cores

Two layers of 32 ReLUs learn whether a product is above 0 from 100 points, a quarter wrong by noise, in
30 epochs of Adam, with three strengths of L2, of L1, and of both at once, each at half its strength. L2 adds
(lambda / 2) times the sum of squares of all kernels to the loss, L1 lambda times the sum of their magnitudes.
Every kind has its own best strength and rate of two, by validation accuracy over the last five epochs, and is
judged on test with the last weights. Seeds share data; each has its own weights and order.

Where it turns: what a penalty does hangs on its strength, as the picture shows; with more examples there is
less to make up for. What L1 does to single weights: lesson l1-kills-weights.

Seen: with the best L2 the largest weights are a third of what they are without (0.33 to 0.39); but not all
are medium-sized: under Adam 30 % end below 10^-5, under plain SGD (lesson l1-kills-weights) hardly any. The
best penalty brings 0.45 points (0.2 to 1.3), which does not decide on one; from a disc within a ring it
brought nothing. Both together do no better than one alone (0.1 points, -0.1 to 0.3).
"""

from collections.abc import Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib.figure import Figure

from whyfit.models import build_mlp
from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim, Fact

RATES, STRENGTH = (1e-2, 3e-2), 0.03
L2 = (1e-5, 3e-3, 1e-2, 3e-2)
L1 = (3e-4, 1e-3, 3e-3)
PLAIN = "nothing"
KINDS: dict[str, list[dict[str, Any]]] = {
    PLAIN: [{}],
    "L2": [{"l2": strength} for strength in L2],
    "L1": [{"l1": strength} for strength in L1],
    "both": [{"l1": l1 / 2, "l2": l2 / 2} for l1 in L1[1:] for l2 in L2[2:]],
}

CLAIMS = (
    Fact(
        "derivative",
        "the derivative of L2's penalty is lambda times the weight, of L1's lambda times its sign",
        "difference from the automatic derivative, by its largest; control: Keras's L2, without the half",
        1e-6,
        "a few units in float32's last place",
    ),
    Claim(
        "medium",
        "L2 leaves no large weights",
        "size from where on the largest hundredth of weights is, best L2 by none; control: L2 of 1e-5",
        "times",
        0.75,
        "a quarter smaller is seen in a histogram",
        side="below",
    ),
    Claim(
        "helps",
        "a penalty makes the network better",
        "test accuracy, the best of all penalties minus none, seed by seed; control: L2 of 1e-5",
        "points",
        1.0,
        "10 of the 1,000 test points",
    ),
    Claim(
        "both",
        "L1 and L2 together are better than either alone",
        "test accuracy, both minus the better alone, seed by seed; control: L1 alone minus that",
        "points",
        0.5,
        "5 of the 1,000 test points",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """No penalty, and every strength of every kind, at both rates."""
    settings = [(how, rate) for hows in KINDS.values() for how in hows for rate in RATES]
    return {f"{_name(how)}, {rate:g}": _run(rate, how) for how, rate in settings}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent, and weights."""
    best = {kind: _best(trained, *hows) for kind, hows in KINDS.items()}
    weakest = _best(trained, KINDS["L2"][0])
    alone = max((best["L1"], best["L2"]), key=lambda one: one.last_val_accuracy)
    penalized = max((alone, best["both"]), key=lambda one: one.last_val_accuracy)
    weights = {kind: _weights(one) for kind, one in best.items()}
    large = {kind: np.quantile(sizes, 0.99, axis=1) for kind, sizes in weights.items()}
    each = {_name(how): _test(_best(trained, how)) for hows in KINDS.values() for how in hows}
    return {
        "derivative": _errors({"L2": _penalty(l2=STRENGTH), "L1": _penalty(l1=STRENGTH)}),
        "derivative/control": _errors({"L2": keras.regularizers.L2(STRENGTH)}),
        "medium": large["L2"] / large[PLAIN],
        "medium/control": np.quantile(_weights(weakest), 0.99, axis=1) / large[PLAIN],
        "helps": _test(penalized) - _test(best[PLAIN]),
        "helps/control": _test(weakest) - _test(best[PLAIN]),
        "both": _test(best["both"]) - _test(alone),
        "both/control": _test(best["L1"]) - _test(alone),
        "chosen": [f"{kind}: {one.run.model.l1:g} {one.run.model.l2:g}" for kind, one in best.items()],
        **{f"weights {kind}": sizes.ravel() for kind, sizes in weights.items()},
        **{f"test {name}": values for name, values in each.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """How large weights are, and accuracy over strength."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.3), layout="constrained")
        upper, lower = figure.subplots(2)
        colours = dict(zip(KINDS, COLOURS, strict=False))
        bins = np.logspace(-5, 0.5, 56)
        for kind, colour in colours.items():
            sizes = np.clip(measured[f"weights {kind}"], bins[0], bins[-1])
            shares = 100 * np.histogram(sizes, bins)[0] / len(sizes)
            upper.stairs(shares, bins, color=colour, label=kind, linewidth=2)
        upper.set(xscale="log", xlabel="|weight|, left end: all below", ylabel="weights, % a bin")
        figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=9)
        for kind in ("L2", "L1"):
            strengths = [max(how.values()) for how in KINDS[kind]]
            values = np.array([measured[f"test {_name(how)}"] for how in KINDS[kind]])
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1)
            lower.plot(strengths, middle, "o-", color=colours[kind], label=kind)
            lower.fill_between(strengths, low, high, color=colours[kind], alpha=0.2, linewidth=0)
        lower.axhline(np.median(measured[f"test {PLAIN}"]), color=colours[PLAIN], label=PLAIN)
        best = max(np.median(measured[f"test {_name(how)}"]) for how in KINDS["both"])
        lower.axhline(best, color=colours["both"], linestyle="--", label="both, best strengths")
        lower.set(xscale="log", xlabel="strength lambda", ylabel="test accuracy, %")
        lower.legend(*(found[2:] for found in lower.get_legend_handles_labels()), fontsize=9)
    return figure


def _run(rate: float, how: dict[str, Any]) -> Run:
    return mlp(
        model=MLPConfig(units=(32, 32), **how),
        data=PointsConfig("multiplicative", train=100, validation=500, test=1_000, noise=0.3),
        seeds=16,
        epochs=30,
        batch_size=10,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _name(how: dict[str, Any]) -> str:
    return " ".join(f"{kind.upper()} {strength:g}" for kind, strength in how.items()) or PLAIN


def _best(trained: Mapping[str, Any], *hows: dict[str, Any]) -> Any:
    """Of some strengths and both rates what validation likes best."""
    found = (trained[f"{_name(how)}, {rate:g}"] for how in hows for rate in RATES)
    return max(found, key=lambda one: one.last_val_accuracy)


def _test(one: Any) -> np.ndarray:
    return 100 * one.scores["last/test/accuracy"]


def _weights(one: Any) -> np.ndarray:
    """Magnitudes of the weights between the hidden layers, (seeds, weights)."""
    models = [one.model(place) for place in range(one.seeds)]
    return np.abs([ops.convert_to_numpy(model.get_layer("hidden_2").kernel).ravel() for model in models])


def _penalty(**strength: Any) -> Any:
    """As the networks have it."""
    model = build_mlp(MLPConfig(units=(1,), **strength), input_shape=(1,), task="binary")
    return model.get_layer("hidden_1").kernel_regularizer


def _errors(penalties: dict[str, Any]) -> list[float]:
    """Of the automatic derivatives against lambda w for L2 and lambda sign w for L1."""
    weights = tf.constant(np.random.default_rng(0).normal(size=(64, 64)), "float32")
    found = []
    for kind, penalty in penalties.items():
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = penalty(weights)
        automatic = tape.gradient(value, weights).numpy()
        claimed = STRENGTH * (weights.numpy() if kind == "L2" else np.sign(weights.numpy()))
        found.append(float(np.abs(automatic - claimed).max() / np.abs(automatic).max()))
    return found
