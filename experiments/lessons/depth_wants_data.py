"""Deep models shine only with enough data.

    make lesson NAME=depth-wants-data    A11, about 120 s on 2 cores

A linear classifier, a network of one layer of 32 ReLUs and one of four such layers read letters A to J, from
30 to 3,000 pictures of them (FULL=1: 20,000 as well). Each has its own best of two rates by validation loss,
and the weights of its best epoch; all have the same pictures, in the same order, over the same epochs. Test
letters are of fonts that nobody trained on. Where the deep network's curve crosses the linear one's is read
off straight lines over the logarithm of the number of pictures, seed by seed.

Where it turns: a linear model that already says all there is to say gains nothing by more data or depth; and
regularization, which nobody has here, moves the crossing to fewer pictures.

Seen: from 30 pictures the deep network was 7 points behind the linear one, from 3,000 it was 5.7 points
before it; they crossed at 550 to 1,290 pictures. One layer was better than four from every number of
pictures, by 2 points still from 3,000: what depth brings does grow with data, but so few updates are not yet
enough for it. From 20,000 (FULL=1) four layers have caught up with one, and not passed it.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import GlyphsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

# Hidden layers, and the rates to choose from.
KINDS = {"linear": (0, (1e-3, 1e-2)), "shallow": (1, (1e-3, 3e-3)), "deep": (4, (1e-3, 3e-3))}
EPOCHS = {30: 20, 300: 12, 1_000: 7, 3_000: 4}
LONG = {20_000: 4}
FEW, MANY = 30, 3_000

CLAIMS = (
    Claim(
        "few",
        f"from {FEW} pictures the deep network is no better than the linear one",
        "test accuracy, deep minus linear, seed by seed",
        "points",
        1.0,
        "10 of the 1,000 test pictures",
        side="below",
    ),
    Claim(
        "many",
        f"from {MANY:,} pictures the deep network is better than the linear one",
        "test accuracy, deep minus linear, seed by seed",
        "points",
        5.0,
        "50 of the 1,000 test pictures; a third fewer mistakes",
    ),
    Claim(
        "depth",
        f"from {MANY:,} pictures four layers are better than one",
        "test accuracy, deep minus shallow, seed by seed",
        "points",
        1.0,
        "10 of the 1,000 test pictures",
    ),
    Claim(
        "grows",
        "what depth brings grows with data",
        f"deep minus shallow from {MANY:,} pictures, minus the same from {FEW}, seed by seed",
        "points",
        1.0,
        "10 of the 1,000 test pictures",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every kind from every number of pictures, at two rates."""
    return {
        f"{kind}, {size}, {rate}": mlp(
            model=MLPConfig(layers, (32,), initializer="he_normal"),
            data=GlyphsConfig(train=size, validation=500, test=1_000),
            seeds=16,
            epochs=epochs,
            batch_size=min(32, size),
            optimizer=OptimizerConfig("Adam", learning_rate=rate),
        )
        for size, epochs in (EPOCHS | (LONG if full else {})).items()
        for kind, (layers, rates) in KINDS.items()
        for rate in rates
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Test accuracy in per cent by kind and number of pictures, and where curves cross."""
    sizes = sorted({int(name.split(", ")[1]) for name in trained})
    accuracy = {}
    for kind, (_, rates) in KINDS.items():
        for size in sizes:
            runs = [trained[f"{kind}, {size}, {rate}"].scores for rate in rates]
            best = min(runs, key=lambda scores: np.median(scores["best/val/loss"]))
            accuracy[kind, size] = 100 * best["test/accuracy"]
    gain = np.stack([accuracy["deep", size] - accuracy["linear", size] for size in sizes])
    depth = {size: accuracy["deep", size] - accuracy["shallow", size] for size in (FEW, MANY)}
    few, many = sizes.index(FEW), sizes.index(MANY)
    return {
        "few": gain[few],
        "few/control": gain[many],
        "many": gain[many],
        "many/control": gain[few],
        "depth": depth[MANY],
        "depth/control": accuracy["deep", MANY] - np.roll(accuracy["deep", MANY], 1),
        "grows": depth[MANY] - depth[FEW],
        "grows/control": depth[MANY] - np.roll(depth[MANY], 1),
        "sizes": sizes,
        "crossing": [_crossing(np.log(sizes), curve) for curve in gain.T],
        **{kind: np.stack([accuracy[kind, size] for size in sizes]) for kind in KINDS},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Accuracy over the number of pictures, and what deep gains."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6), layout="constrained")
        upper, lower = figure.subplots(2, sharex=True)
        sizes = measured["sizes"]
        curves = {kind: (measured[kind], upper) for kind in KINDS}
        curves |= {
            f"deep - {kind}": (measured["deep"] - measured[kind], lower) for kind in ("linear", "shallow")
        }
        for colour, (name, (values, axes)) in zip((*COLOURS[:3], *COLOURS[:2]), curves.items(), strict=True):
            low, middle, high = np.percentile(values, (25, 50, 75), axis=1)
            axes.plot(sizes, middle, "o-", color=colour, label=name)
            axes.fill_between(sizes, low, high, color=colour, alpha=0.2, linewidth=0)
        crossing = np.array(measured["crossing"])
        lower.axhline(0, color="0.4", linewidth=1)
        if np.isfinite(np.median(crossing)):
            label = f"crosses linear at {np.median(crossing):.0f}"
            lower.axvline(np.median(crossing), color="0.4", linestyle="--", linewidth=1, label=label)
        upper.set(ylabel="test accuracy, %", xscale="log")
        lower.set(xlabel="pictures to train on", ylabel="difference, points")
        upper.legend(fontsize=9)
        lower.legend(fontsize=9)
    return figure


def _crossing(places: np.ndarray, gain: np.ndarray) -> float:
    """Number of pictures from which on the gain stays above 0; the smallest tried where it always does,
    infinite where it never does."""
    below = np.flatnonzero(gain <= 0)
    if not len(below):
        return float(np.exp(places[0]))
    last = int(below[-1])
    if last + 1 == len(gain):
        return float("inf")
    share = -gain[last] / (gain[last + 1] - gain[last])
    return float(np.exp(places[last] + share * (places[last + 1] - places[last])))
