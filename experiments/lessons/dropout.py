"""Dropout: half of the activations to 0 at random makes units redundant; in evaluation it is the identity.

    make lesson NAME=dropout    D6, D7, about 45 s on 2 cores

Two layers of 64 ReLUs learn 200 digits with shares p of 0 to 0.9 of the hidden activations dropped at random
for every example, and, for comparison, with L2; each at its best of two rates by validation
accuracy over the last five epochs, judged with the last weights. Redundancy is what is left of the test
accuracy when units are removed for good from a network that has been trained: half of every hidden layer,
the others scaled as dropout scales them, mean over ten draws. Of trained networks' own dropout layers it is
asked whether what they let through is on average what goes in, and whether they do anything in evaluation.
That evaluation is the average of the random networks is tested against 10,000 of them, each a draw of units
kept, the same for all of 50 test pictures: the mean of their probabilities against the one answer. Seeds
share data; each has its own weights, order and masks.

Where it turns: of 64 units half are 32, and with few epochs nothing is left to be made up for: here less
dropout, or none, reads better. Through one hidden layer the average of the logits is exact, each further
layer bends it; that of probabilities never is.

Seen: 0.5 costs 1.5 points against the share that validation likes best (0.5 to 2.3), 0.9 all. With half of
the units removed, dropout's network loses 19 points less than the plain one (16 to 20), L2's 5 points more.
What is let through is on average what went in, to 0.1 %. Evaluation is 16 points of probability off the mean
of 10,000 random networks (15.5 to 16.7), one random network 19: the mean is far less sure of itself. But both
give the same answers, on all but 0 to 2 % of pictures.
"""

from collections.abc import Mapping
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

RATES, UNITS = (3e-3, 1e-2), 64
SHARES = (0.0, 0.25, 0.5, 0.75, 0.9)
DEFAULT = 0.5
OPTIONS: dict[str, dict[str, Any]] = {
    **{f"dropout {share:g}": {"dropout": (share,)} for share in SHARES},
    "L2 0.01": {"l2": 0.01},
}
REMOVED = (0.0, 0.25, 0.5, 0.75)
NETWORKS, PICTURES = 10_000, 50

CLAIMS = (
    Claim(
        "default",
        "0.5 is a good default: no other share is better by a point",
        "test accuracy, the share that validation likes best minus 0.5, seed by seed; control: minus 0.9",
        "points",
        1.0,
        "10 of the 1,000 test digits",
        side="below",
    ),
    Claim(
        "redundant",
        "dropout makes units redundant",
        "test accuracy lost by removing half of the units, plain minus dropout; control: minus L2",
        "points",
        5.0,
        "one digit in twenty",
    ),
    Claim(
        "expectation",
        "what dropout lets through is on average what goes in",
        "sum of activations behind a dropout layer against before, mean of 1,000 masks; control: not scaled",
        "%",
        1.0,
        "an error of a hundredth through each of ten layers would be one of a tenth",
        side="within",
    ),
    Fact(
        "identity",
        "in evaluation dropout does nothing",
        "largest difference between what goes in and what comes out; control: in training",
        0.0,
        "nothing is computed that could round",
    ),
    Claim(
        "average",
        f"evaluation gives the average of {NETWORKS:,} random networks",
        "probability of the right class, evaluation against their mean, mean difference over pictures; "
        "control: one random network against their mean",
        "points",
        2.0,
        "nobody decides otherwise for 2 points of probability",
        side="below",
    ),
    Claim(
        "same answers",
        "evaluation gives the answers that their average gives",
        "pictures read otherwise than by the mean of their probabilities; control: by one random network",
        "%",
        5.0,
        "one digit in twenty",
        side="below",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every share and every L2 at both rates."""
    return {f"{name}, {rate:g}": _run(rate, **how) for name, how in OPTIONS.items() for rate in RATES}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent, and what dropout lets through."""
    best = {name: _best(trained, name) for name in OPTIONS}
    test = {name: 100 * one.scores["last/test/accuracy"] for name, one in best.items()}
    dropped = [f"dropout {share:g}" for share in SHARES]
    chosen = max(dropped, key=lambda name: best[name].last_val_accuracy)
    shown = {"plain": best[dropped[0]], "dropout 0.5": best["dropout 0.5"], "L2 0.01": best["L2 0.01"]}
    left = {name: np.stack([_without(one, share) for share in REMOVED]) for name, one in shown.items()}
    lost = {name: values[0] - values[REMOVED.index(0.5)] for name, values in left.items()}
    passed, same, changed = _let_through(shown["dropout 0.5"])
    away, otherwise = _against_average(shown["dropout 0.5"])
    return {
        "default": test[chosen] - test["dropout 0.5"],
        "default/control": test[chosen] - test["dropout 0.9"],
        "redundant": lost["plain"] - lost["dropout 0.5"],
        "redundant/control": lost["plain"] - lost["L2 0.01"],
        "expectation": 100 * (passed - 1),
        "expectation/control": 100 * (passed * (1 - DEFAULT) - 1),
        "identity": same,
        "identity/control": changed,
        "average": away[0],
        "average/control": away[1],
        "same answers": otherwise[0],
        "same answers/control": otherwise[1],
        "chosen": [chosen],
        **{f"test {name}": values for name, values in test.items()},
        **{f"left {name}": values for name, values in left.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Accuracy over the share dropped, and over the share of units removed after training."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6), layout="constrained")
        upper, lower = figure.subplots(2)
        values = np.stack([measured[f"test dropout {share:g}"] for share in SHARES])
        _band(upper, SHARES, values, COLOURS[0], "")
        upper.set(xlabel="share p dropped in training", ylabel="test accuracy, %")
        for name, colour in zip(("dropout 0.5", "plain", "L2 0.01"), COLOURS, strict=False):
            _band(lower, 100 * np.array(REMOVED), measured[f"left {name}"], colour, name)
        lower.set(xlabel="units removed after training, %", ylabel="test accuracy, %")
        lower.legend(loc="lower left")
    return figure


def _run(rate: float, **how: Any) -> Run:
    return mlp(
        model=MLPConfig(units=(UNITS, UNITS), **how),
        data=PointsConfig("digits", train=200, validation=500, test=1_000),
        seeds=16,
        epochs=25,
        batch_size=20,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _best(trained: Mapping[str, Any], name: str) -> Any:
    """At the rate that validation likes best."""
    return max((trained[f"{name}, {rate:g}"] for rate in RATES), key=lambda one: one.last_val_accuracy)


def _without(one: Any, share: float) -> np.ndarray:
    """Test accuracy with a share of the hidden units removed, mean over ten draws; (seeds,)."""
    found, test = [], one.data.test.head(300)
    for place in range(one.seeds):
        kept = _masks(place, 10, share)
        answers = _logits(one.model(place), test.x, kept).argmax(axis=-1)
        found.append(100 * (answers == test.y).mean())
    return np.array(found)


def _against_average(one: Any) -> tuple[np.ndarray, np.ndarray]:
    """Against random networks' mean, in evaluation and of one of them: how far the right class's probability
    is off, in points, and the share of pictures read otherwise, in per cent; (2, seeds) each."""
    test, away, otherwise = one.data.test.head(PICTURES), [], []
    for place in range(one.seeds):
        model, rng = one.model(place), np.random.default_rng(place)
        single = _probabilities(_logits(model, test.x, _masks(rng, 1, DEFAULT)))[0]
        parts = [_masks(rng, 500, DEFAULT) for _ in range(NETWORKS // 500)]
        mean = np.mean([_probabilities(_logits(model, test.x, kept)).mean(axis=0) for kept in parts], axis=0)
        evaluated = _probabilities(ops.convert_to_numpy(model(test.x, training=False)))
        right = (np.arange(PICTURES), test.y)
        away.append([np.abs(answer[right] - mean[right]).mean() for answer in (evaluated, single)])
        read = [answer.argmax(axis=1) != mean.argmax(axis=1) for answer in (evaluated, single)]
        otherwise.append(np.mean(read, axis=1))
    return 100 * np.array(away).T, 100 * np.array(otherwise).T


def _let_through(one: Any) -> tuple[np.ndarray, float, float]:
    """Of each seed's first dropout layer: sum behind by sum before, over masks, (seeds,); and the largest
    difference between input and output in evaluation, and in training."""
    passed, same, changed = [], [], []
    for place in range(one.seeds):
        model = one.model(place)
        inputs = _first_layer(model, one.data.test.head(PICTURES).x)
        layer = model.get_layer("hidden_1_dropout")
        many = np.tile(inputs, (1_000, 1))
        trained, evaluated = (ops.convert_to_numpy(layer(many, training=how)) for how in (True, False))
        passed.append(trained.sum(dtype="float64") / many.sum(dtype="float64"))
        same.append(np.abs(evaluated - many).max())
        changed.append(np.abs(trained - many).max())
    return np.array(passed), float(max(same)), float(min(changed))


def _masks(rng: Any, count: int, share: float) -> list[np.ndarray]:
    """For both hidden layers 1 / (1 - share) where a unit is kept, (count, 1, units)."""
    rng = np.random.default_rng(rng)
    kept = [rng.random((count, 1, UNITS), "float32") >= share for _ in range(2)]
    return [one / np.float32(1 - share) for one in kept]


def _logits(model: keras.Model, x: np.ndarray, masks: list[np.ndarray]) -> np.ndarray:
    """Of the network with each of the masks on its hidden units, (masks, pictures, classes)."""
    values = _first_layer(model, x) * masks[0]
    for name, mask in (("hidden_2", masks[1]), ("output", None)):
        kernel, bias = (ops.convert_to_numpy(one) for one in model.get_layer(name).weights)
        values = (values.reshape(-1, UNITS) @ kernel + bias).reshape(len(masks[0]), len(x), -1)
        values = values if mask is None else np.maximum(values, 0) * mask
    return values


def _first_layer(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """What comes out of the first hidden layer, before dropout."""
    layer = model.get_layer("hidden_1_activation")
    return ops.convert_to_numpy(keras.Model(model.input, layer.output)(x))


def _probabilities(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def _band(axes: Any, x: Any, values: np.ndarray, colour: str, label: str) -> None:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1)
    axes.plot(x, middle, "o-", color=colour, label=label)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
