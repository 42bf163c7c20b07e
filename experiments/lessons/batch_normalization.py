"""Batch normalization brings inputs of layers to mean 0 and deviation 1, and training is faster for it.

    make lesson NAME=batch-normalization    C4, about 40 s on 2 cores

Eight layers of 32 ReLUs learn digits by plain SGD: without batch normalization, with it before the activation
(as Ioffe and Szegedy 2015 have it), and with it behind. Each of them has its own best of four rates, by
validation accuracy; weights and batches are the same. That a normalized unit has mean 0 and deviation 1 is
checked on a batch in training, before its scale and offset have learned anything. What layers are given in
evaluation, with the averages and the scale and offset learned, the monitor measures. Epochs are counted until
the validation accuracy that the network without it has in the end, at its best rate.

Where it turns: He's weights leave little to normalize; from half of them the network is tried as well.
Normalized before the activation a layer is given rectified numbers, whose mean is not 0; behind it, it is.

Seen: it makes up for weights half as large, by 64 points of accuracy (59 to 70); from He's weights, eight
layers deep and at each one's best rate, it is neither faster (1.06 times) nor clearly better (1.5 points,
-0.7 to 4.3). Before the activation units have mean 0 and deviation 1 to 0.002. Behind it not all have:
rectified units that are hardly ever above 0 vary by less than the 0.001 that is added to the variance. What
trained layers are given is 0.16 off mean 0 and deviation 1 behind the activation (0.14 to 0.27), 1.3 without;
on another processor 0.44 (0.36 to 0.54).
Before the activation the largest rate is still the best, and 1.5 points may be too few. With three rates up
to 0.3 and 12 epochs, tried first, it was 1.0 times as fast and 0.2 points better.
"""

from collections.abc import Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from whyfit.models import build_mlp
from whyfit.models.config import MLPConfig

from ..book.trained import epochs_until
from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim, Fact

RATES = (0.03, 0.1, 0.3, 1.0)
PLACES = ("none", "before", "after")
LABELS = {"none": "without", "before": "before the activation", "after": "behind the activation"}
LAYERS, EPOCHS, BATCH = 8, 10, 64
SCALES = (1.0, 0.5)

CLAIMS = (
    Fact(
        "before",
        "before the activation each unit has mean 0 and deviation 1 in training",
        "largest mean, and distance of deviations from 1, of units that vary; control: without",
        0.01,
        "what the 0.001 added to the variance takes from units that vary little",
    ),
    Fact(
        "behind",
        "behind the activation, too, each unit has mean 0 and deviation 1 in training",
        "largest mean, and distance of deviations from 1, of units that vary; control: without",
        0.01,
        "what the 0.001 added to the variance takes from units that vary little",
    ),
    Claim(
        "inputs",
        "behind the activation it keeps what trained layers are given near mean 0 and deviation 1",
        "distance of mean from 0 plus that of deviation from 1, mean over layers; control: without",
        "deviations",
        0.25,
        "within a quarter of what it is meant to be",
        side="below",
    ),
    Claim(
        "faster",
        "with it before the activation training is faster",
        "epochs until the last validation accuracy of the network without, without by with, seed by seed",
        "times",
        1.5,
        "a third of the time saved pays for steps that cost more",
    ),
    Claim(
        "better",
        "with it before the activation the network ends better",
        "last test accuracy at the best rates, with minus without, seed by seed",
        "points",
        1.0,
        "3 of the 300 digits",
    ),
    Claim(
        "forgives",
        "it makes up for initial weights half as large",
        "last test accuracy from those at the best rates, with minus without; control: from He's weights",
        "points",
        5.0,
        "15 of the 300 digits",
    ),
    Claim(
        "places",
        "both places do the same for accuracy",
        "last test accuracy at the best rates, before minus after; control: minus without, low rate",
        "points",
        2.0,
        "6 of the 300 digits",
        side="within",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Each place at each rate, from both sizes of initial weights."""
    return {
        f"{place} {rate} {scale}": _run(place, rate, scale)
        for place in PLACES
        for rate in RATES
        for scale in SCALES
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Statistics of units, and accuracies, at the best rates."""
    best, small = ({place: _best(trained, place, scale) for place in PLACES} for scale in SCALES)
    curves = {place: 100 * one.history["val/accuracy"] for place, one in best.items()}
    accuracy, halved = (
        {place: 100 * one.scores["last/test/accuracy"] for place, one in ones.items()}
        for ones in (best, small)
    )
    given = {place: _given(one) for place, one in best.items()}
    off = {
        place: np.mean(np.abs(mean) + np.abs(spread - 1), axis=1) for place, (mean, spread) in given.items()
    }
    aim = curves["none"][-1]
    epochs = {place: epochs_until(values >= aim) for place, values in curves.items()}
    data = best["none"].data
    return {
        "before": _errors(data, "before"),
        "before/control": _errors(data, "none"),
        "behind": _errors(data, "after"),
        "behind/control": _errors(data, "none"),
        "inputs": off["after"],
        "inputs/control": off["none"],
        "faster": epochs["none"] / epochs["before"],
        "faster/control": epochs["none"] / np.roll(epochs["none"], 1),
        "better": accuracy["before"] - accuracy["none"],
        "better/control": np.roll(accuracy["none"], 1) - accuracy["none"],
        "forgives": halved["before"] - halved["none"],
        "forgives/control": accuracy["before"] - accuracy["none"],
        "places": accuracy["before"] - accuracy["after"],
        "places/control": accuracy["before"]
        - 100 * trained[f"none {RATES[0]} 1.0"].scores["last/test/accuracy"],
        **{f"curve {place}": values for place, values in curves.items()},
        **{f"mean {place}": mean for place, (mean, _) in given.items()},
        **{f"spread {place}": spread for place, (_, spread) in given.items()},
        **{f"epochs {place}": values for place, values in epochs.items()},
        **{f"accuracy {place}": values for place, values in accuracy.items()},
        **{f"halved {place}": values for place, values in halved.items()},
        **{f"rate {place}": one.run.optimizer.learning_rate for place, one in best.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Learning curves, and what layers are given."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        panels = figure.subplots(3, height_ratios=(1.5, 1, 1))
        names = ("curve", "mean", "spread")
        for place, colour in zip(PLACES, COLOURS, strict=False):
            for axes, name in zip(panels, names, strict=True):
                values = measured[f"{name} {place}"]
                low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1 if name == "curve" else 0)
                at = np.arange(len(middle)) + (1 if name == "curve" else 2)
                rate = f", rate {measured[f'rate {place}']:g}"
                axes.plot(at, middle, color=colour, label=LABELS[place] + rate)
                axes.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
        panels[0].set(xlabel="epoch", ylabel="validation accuracy, %", ylim=(0, 100))
        panels[0].legend(loc="lower right", fontsize=9)
        panels[1].axhline(0, color="0.4", linestyle=":")
        panels[1].set(ylabel="mean of\nwhat it is given")
        panels[2].axhline(1, color="0.4", linestyle=":")
        panels[2].set(ylabel="deviation of\nwhat it is given", xlabel="hidden layer, after training")
    return figure


def _network(place: Any, scale: float = 1.0) -> MLPConfig:
    return MLPConfig(
        LAYERS, (32,), initializer="he_normal", initializer_scale=scale, batch_normalization=place
    )


def _run(place: str, rate: float, scale: float) -> Run:
    return mlp(
        model=_network(place, scale),
        data=PointsConfig("digits"),
        seeds=16,
        epochs=EPOCHS,
        batch_size=BATCH,
        optimizer=OptimizerConfig("SGD", learning_rate=rate),
    )


def _best(trained: Mapping[str, Any], place: str, scale: float) -> Any:
    """At the rate with the highest validation accuracy in the end."""
    ones = [trained[f"{place} {rate} {scale}"] for rate in RATES]
    return max(ones, key=lambda one: float(np.median(one.history["val/accuracy"][-3:])))


def _given(one: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of what each hidden layer but the first is given in the end; (seeds, layers)."""
    rows = [place for place, name in enumerate(one.layers) if name in _names()[1:]]
    return one.monitor["input_mean"][-1][:, rows], one.monitor["input_spread"][-1][:, rows]


def _names() -> list[str]:
    return [f"hidden_{number}" for number in range(1, LAYERS + 1)]


def _errors(data: Any, place: str) -> list[float]:
    """Largest mean, and distance of a deviation from 1, of units of new networks on a batch in training."""
    model = build_mlp(
        _network(place),
        input_shape=data.train.x.shape[1:],
        task="classification",
        classes=10,
        mean=data.mean,
        variance=data.variance,
    )
    behind = "_batch_normalization" if place != "none" else ""
    outputs = [model.get_layer(name + behind).output for name in _names()]
    values = keras.Model(model.input, outputs)(data.train.x[: 4 * BATCH], training=True)
    units = np.concatenate([ops.convert_to_numpy(value) for value in values], axis=1)
    units = units[:, np.ptp(units, axis=0) > 0]
    return [float(np.abs(units.mean(axis=0)).max()), float(np.abs(units.std(axis=0) - 1).max())]
