"""Vanishing and exploding gradients have cures: proper weights, ReLU, batch normalization, clipping.

    make lesson NAME=gradient-cures    C3, about 45 s on 2 cores

Two networks of ten layers of 32 units learn digits, the sick ones of depth-multiplies: sigmoids from the
weights that Keras begins with, whose gradient vanishes, and ReLUs from weights twice too large, whose
gradient explodes. Each cure is tried alone: weights made for the activation (four times Glorot's for sigmoid,
He's for ReLU), ReLU in place of sigmoid (the second network has it already), batch normalization before the
activation, and gradients clipped to a norm of 1 a layer; and all together, which is one network for both.
Every network has its own best of three rates, a decade apart, by validation accuracy, also the sick ones:
what a rate alone can do is no cure's merit.

Where it turns: with a few layers nothing is to be cured. Clipping shortens steps and never lengthens one, so
that it cannot help what vanishes.

Seen: what vanishes is cured by ReLU (40 points more, 31 to 44) and by normalization a little (17 points, 11
to 21, not decided), not by larger weights, nor by clipping: at no rate do they learn in these 160 steps. What
explodes is cured by weights (46 points) and by normalization (45). Clipping it is no better than the right
rate: 25 % either way, at a rate of 0.01 clipped and of 0.0001 not. Tried first with the same rates for all,
from 0.001 on, where the network that explodes had none that it bore, clipping seemed to bring 16 points. All
cures together are 10 points better than the best alone (5 to 19), on another processor 7 (0.3 to 18).
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

LAYERS = 10
NORMALIZED = {"batch_normalization": "before"}
# By network: the middle one of three rates, activation, initial weights, their scale, other options, and the
# norm to clip to.
NETWORKS: dict[str, tuple[float, Any, Any, float, dict[str, Any], float | None]] = {
    "vanishing": (1.0, "sigmoid", "glorot_uniform", 1.0, {}, None),
    "vanishing, weights": (1.0, "sigmoid", "glorot_uniform", 4.0, {}, None),
    "vanishing, ReLU": (0.1, "relu", "glorot_uniform", 1.0, {}, None),
    "vanishing, normalization": (1.0, "sigmoid", "glorot_uniform", 1.0, NORMALIZED, None),
    "vanishing, clipping": (1.0, "sigmoid", "glorot_uniform", 1.0, {}, 1.0),
    "exploding": (1e-5, "relu", "he_normal", 2.0, {}, None),
    "exploding, weights": (0.1, "relu", "he_normal", 1.0, {}, None),
    "exploding, normalization": (1.0, "relu", "he_normal", 2.0, NORMALIZED, None),
    "exploding, clipping": (0.01, "relu", "he_normal", 2.0, {}, 1.0),
    "together": (0.1, "relu", "he_normal", 1.0, NORMALIZED, 1.0),
}
MARGIN, REASON = 20.0, "twice what guessing has"


def _cures(sick: str, cure: str, what: str, control: str) -> Claim:
    return Claim(
        f"{sick}, {cure}",
        f"{what} cures {sick} gradients",
        f"test accuracy, cured minus sick, each at its best rate, seed by seed; control: {control}",
        "points",
        MARGIN,
        REASON,
    )


CLAIMS = (
    _cures("vanishing", "weights", "initializing for sigmoids", "clipping"),
    _cures("vanishing", "ReLU", "ReLU in place of sigmoid", "clipping"),
    _cures("vanishing", "normalization", "batch normalization", "clipping"),
    _cures("exploding", "weights", "initializing for ReLUs", "all cures, against that one"),
    _cures("exploding", "normalization", "batch normalization", "all cures, against weights"),
    _cures("exploding", "clipping", "clipping", "all cures, against weights"),
    Claim(
        "together",
        "all cures together are better than the best one alone",
        "test accuracy, together minus the one best on validation; control: that one, other seeds",
        "points",
        1.0,
        "3 of the 300 digits",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every network at every rate."""
    return {f"{name} {rate:g}": _run(rate, *NETWORKS[name][1:]) for name in NETWORKS for rate in _rates(name)}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies at each network's best rate, and by rate."""
    every = {
        name: np.stack([100 * trained[f"{name} {rate:g}"].scores["test/accuracy"] for rate in _rates(name)])
        for name in NETWORKS
    }
    chosen = {name: _best_rate(trained, name) for name in NETWORKS}
    accuracy = {name: every[name][chosen[name][0]] for name in NETWORKS}
    gained = {name: accuracy[name] - accuracy[name.partition(",")[0]] for name in NETWORKS if "," in name}
    alone = max((name for name in NETWORKS if "," in name), key=lambda name: chosen[name][1])
    healthy = accuracy["together"] - accuracy["exploding, weights"]
    controls = {
        name: gained["vanishing, clipping"] if name.startswith("vanishing") else healthy for name in gained
    }
    judged = [claim.key for claim in CLAIMS[:-1]]
    return {
        **{name: gained[name] for name in judged},
        **{f"{name}/control": controls[name] for name in judged},
        "together": accuracy["together"] - accuracy[alone],
        "together/control": np.roll(accuracy[alone], 1) - accuracy[alone],
        "best alone": alone,
        **{f"by rate {name}": values for name, values in every.items()},
        **{f"accuracy {name}": values for name, values in accuracy.items()},
        **{f"rate {name}": _rates(name)[place] for name, (place, _) in chosen.items()},
        **{f"gradient {name}": _gradients(trained[f"{name} {_rates(name)[0]:g}"]) for name in NETWORKS},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Accuracy of each network, and what of the gradient is where at the first step."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        upper, lower = figure.subplots(2, height_ratios=(1.2, 1))
        values = [measured[f"accuracy {name}"] for name in NETWORKS]
        labels = [f"{name}, {measured[f'rate {name}']:g}" for name in NETWORKS]
        upper.boxplot(values, vert=False, tick_labels=labels, medianprops={"color": COLOURS[1]})
        upper.invert_yaxis()
        upper.tick_params(axis="y", labelsize=9)
        upper.set(xlabel="test accuracy at the best rate (which the name ends in), %", xlim=(0, 100))
        kinds = ("", ", weights", ", normalization")
        shown = [sick + kind for sick in ("vanishing", "exploding") for kind in kinds] + ["together"]
        for place, name in enumerate(shown):
            middle = np.median(measured[f"gradient {name}"], axis=0)
            colour = COLOURS[place % 3] if name != "together" else COLOURS[3]
            lower.plot(range(1, LAYERS + 1), middle, ("-", "--")[place // 3 % 2], color=colour, label=name)
        lower.set(xlabel="hidden layer", ylabel="norm of gradient, first step", yscale="log")
        figure.legend(*lower.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure


def _run(
    rate: float, activation: Any, initializer: Any, scale: float, options: dict[str, Any], clip: float | None
) -> Run:
    return mlp(
        model=MLPConfig(LAYERS, (32,), activation, initializer, scale, **options),
        data=PointsConfig("digits", train=512),
        seeds=16,
        epochs=10,
        batch_size=32,
        optimizer=OptimizerConfig("SGD", learning_rate=rate, clipnorm=clip),
    )


def _rates(name: str) -> tuple[float, ...]:
    middle = NETWORKS[name][0]
    return middle / 10, middle, middle * 10


def _best_rate(trained: Mapping[str, Any], name: str) -> tuple[int, float]:
    """Place of the rate with the highest validation accuracy at the best epochs, and that."""
    scores = [np.nanmedian(trained[f"{name} {rate:g}"].scores["best/val/accuracy"]) for rate in _rates(name)]
    return int(np.argmax(scores)), float(np.max(scores))


def _gradients(one: Any) -> np.ndarray:
    """Norm of each hidden layer's gradient at the first step, (seeds, layers)."""
    rows = [place for place, name in enumerate(one.layers) if name in _names()]
    return np.maximum(one.early["gradient_norm"][0][:, rows], np.finfo("float32").tiny)


def _names() -> list[str]:
    return [f"hidden_{number}" for number in range(1, LAYERS + 1)]
