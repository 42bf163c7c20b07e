"""A network learns a new representation in which classes separate.

    make lesson NAME=learned-representation    A9, about 35 s on 2 cores

Two rings, one inside the other, which no line separates. A network of tanh layers of 8, 2, 8 and 2 units
learns to tell them apart; its second and its fourth layer can be drawn as planes. After every layer a linear
classifier (scikit-learn's logistic regression, on the training points' outputs of that layer) says
how well a line separates the classes there, on test points. The network before its training, of the same
weights, is the control: many units alone may help a line. The drawing shows the first seed's.

Where it turns: two units all the way could only bend the plane, never cut it, and rings cannot be drawn apart
within a plane that is only bent; eight units first lift it.

Seen: a line gets 51 % right in the input, before training everywhere, and 99.6 % in layer 4 after it. But
layer 1, of eight units, already has 99 %: what later layers add is not that a line can separate but how far
apart it finds the classes, which the drawing shows. After two epochs the planes still lose what layer 1 has.
"""

from collections.abc import Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from keras import ops
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression

from whyfit.models import build_mlp
from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

NETWORK = MLPConfig(units=(8, 2, 8, 2), activation="tanh")
EPOCHS = {f"epoch {epoch}": epoch for epoch in (1, 2, 3, 4, 8, 40)}
COMPARED = ("untrained", "epoch 2", "epoch 8", "epoch 40")
"""Stages of which every seed is looked at; of the others the first one is."""
LAST = "epoch 40"
DRAWN = ("input", "hidden_2", "hidden_4")

CLAIMS = (
    Claim(
        "separates",
        "in the last hidden layer a line separates what no line separates in the input",
        "test accuracy of a linear classifier, on the last hidden layer minus on the input, seed by seed",
        "points",
        25.0,
        "half of the way from guessing to all right",
    ),
    Claim(
        "learned",
        "that is learnt, and does not come of the units alone",
        "test accuracy of a linear classifier there, trained minus untrained, seed by seed",
        "points",
        10.0,
        "100 of the 1,000 test points",
    ),
    Claim(
        "layer by layer",
        "the second plane separates better than the first",
        "test accuracy of a linear classifier, on layer 4 minus on layer 2, seed by seed",
        "points",
        2.0,
        "20 of the 1,000 test points",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """The same network after ever more epochs: the same seeds, weights and batches."""
    return {
        name: mlp(
            model=NETWORK,
            data=PointsConfig("circles", train=1_000),
            seeds=16,
            epochs=epochs,
            batch_size=32,
            optimizer=OptimizerConfig("Adam", learning_rate=1e-2),
        )
        for name, epochs in EPOCHS.items()
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """How well a line separates after each layer, by epoch, and the first seed's planes."""
    data = trained[LAST].data
    grid = _grid()
    measured: dict[str, Any] = {"classes": data.test.y}
    score = {}
    for name in ("untrained", *EPOCHS):
        models = [
            _untrained(data, seed) if name == "untrained" else trained[name].model(seed)
            for seed in range(trained[LAST].seeds if name in COMPARED else 1)
        ]
        score[name] = np.array([_separation(model, data) for model in models])
        for layer in DRAWN:
            places = [_outputs(models[0], part, layer) for part in (data.test.x, grid.reshape(-1, 2))]
            measured |= {f"points {name} {layer}": places[0], f"grid {name} {layer}": places[1]}
    trained_now, before = score[LAST], score["untrained"]
    return measured | {
        "separates": trained_now[:, -1] - trained_now[:, 0],
        "separates/control": before[:, -1] - before[:, 0],
        "learned": trained_now[:, -1] - before[:, -1],
        "learned/control": before[:, -1] - np.roll(before[:, -1], 1),
        "layer by layer": trained_now[:, 4] - trained_now[:, 2],
        "layer by layer/control": before[:, 4] - before[:, 2],
        **{f"score {name}": values for name, values in score.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """The plane as each layer bends it, as it learns, and how well a line separates there."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        panels = figure.subplots(4, 2)
        _draw_plane(panels[0, 0], measured, "untrained", "input")
        panels[0, 0].set_title("input", fontsize=10)
        for axes, name in zip(panels[1:], ("untrained", "epoch 8", LAST), strict=True):
            for one, layer in zip(axes, DRAWN[1:], strict=True):
                _draw_plane(one, measured, name, layer)
                one.set_title(f"{name}, layer {layer[-1]}", fontsize=10)
        curve = panels[0, 1]
        for colour, name in zip(COLOURS[2:], COMPARED, strict=False):
            low, middle, high = np.percentile(measured[f"score {name}"], (25, 50, 75), axis=0)
            curve.plot(middle, "o-", color=colour, markersize=4, label=name)
            curve.fill_between(range(len(middle)), low, high, color=colour, alpha=0.2, linewidth=0)
        curve.set_ylabel("a line gets right, %", fontsize=9)
        curve.set_xticks(range(5), ["input", "1", "2", "3", "4"], fontsize=9)
        curve.set_title("after layer", fontsize=10)
        figure.legend(*curve.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    return figure


def frames(measured: Mapping[str, Any]) -> list[tuple[str, Figure]]:
    """The planes of layers 2 and 4 as the first seed's network learns, and what a line gets right there."""
    return [(name, _frame(measured, name)) for name in ("untrained", *EPOCHS)]


def _frame(measured: Mapping[str, Any], name: str) -> Figure:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 2.8), layout="constrained")
        for axes, layer in zip(figure.subplots(1, 2), DRAWN[1:], strict=True):
            _draw_plane(axes, measured, name, layer)
            right = np.asarray(measured[f"score {name}"])[0, int(layer[-1])]
            axes.set_title(f"layer {layer[-1]}: a line gets {right:.0f} %", fontsize=10)
            axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        figure.suptitle(name, fontsize=11)
    return figure


def _draw_plane(axes: Any, measured: Mapping[str, Any], name: str, layer: str) -> None:
    grid = np.asarray(measured[f"grid {name} {layer}"]).reshape(-1, _grid().shape[1], 2)
    for line in grid:
        axes.plot(*line.T, color="0.75", linewidth=0.6, zorder=1)
    points, classes = np.asarray(measured[f"points {name} {layer}"]), np.asarray(measured["classes"])
    for kind, colour in enumerate(COLOURS[:2]):
        axes.plot(*points[classes == kind][:200].T, ".", color=colour, markersize=3, zorder=2)
    axes.grid(False)
    axes.tick_params(labelsize=8)


def _grid() -> np.ndarray:
    """Lines along and across the plane, (lines, points, 2)."""
    ticks, along = np.linspace(-1.3, 1.3, 14), np.linspace(-1.3, 1.3, 40)
    level = np.stack(np.meshgrid(along, ticks), axis=-1)
    return np.concatenate([level, level[..., ::-1]]).astype("float32")


def _untrained(data: Any, seed: int) -> keras.Model:
    return build_mlp(
        NETWORK, input_shape=(2,), task="binary", mean=data.mean, variance=data.variance, seed=seed
    )


def _outputs(model: keras.Model, x: np.ndarray, layer: str) -> np.ndarray:
    """What a hidden layer makes of points; of "input" the points themselves."""
    if layer == "input":
        return x
    part = keras.Model(model.input, model.get_layer(f"{layer}_activation").output)
    return ops.convert_to_numpy(part(x))


def _separation(model: keras.Model, data: Any) -> list[float]:
    """Test accuracy in per cent of a linear classifier on the input and on each hidden layer."""
    found = []
    for layer in ("input", *(f"hidden_{number}" for number in range(1, NETWORK.depth + 1))):
        train, test = (_outputs(model, split.x, layer) for split in (data.train, data.test))
        classifier = LogisticRegression(C=1e3, max_iter=300).fit(train, data.train.y)
        found.append(100 * float(classifier.score(test, data.test.y)))
    return found
