"""The loss fits the task: cross-entropy for classes, squared error for numbers.

    make lesson NAME=losses-fit-tasks    B6, about 25 s on 2 cores

Both losses on both tasks. Classes are two moons: one logit under cross-entropy, or the same logit through a
sigmoid under squared error from 0 and 1. Numbers are products of two inputs: a linear unit under squared
error, or ten classes of number, equally many examples in each, under cross-entropy, read as the mean of the
likeliest class or as the mean over all classes, whichever errs less. Networks of 32 ReLUs, SGD, five rates
each, the best by validation, judged on test. Classes are also tried from weights five times as large,
from which half of the outputs are confidently wrong: there squared error's gradient, 2 (p - y) p (1 - p), is
almost 0, cross-entropy's, p - y, is at its largest.

Where it turns: from good weights both losses may well do the same on classes; and a rule that divides
by the gradient's size, as Adam does, makes up for much of what squared error loses.

Seen: on the moons, each at its best rate, both losses do the same (0.1 points apart), also from large
weights: the lesson's claim about classes does not hold here. On numbers the ten classes err 1.03 to 1.11
times as much as squared error, which 16 seeds do not tell from the margin.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from keras import ops
from matplotlib.figure import Figure
from scipy.special import expit

from whyfit.models import Population, ShuffledBatches, Variant
from whyfit.models.config import MLPConfig

from ..book.trained import data_of
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..verdict import Claim, Fact

SEEDS, EPOCHS, BINS = 16, 20, 10
RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
LARGE = 5.0

CLAIMS = (
    Fact(
        "gradients",
        "by the logit z, cross-entropy's slope is p - y and squared error's 2 (p - y) p (1 - p)",
        "largest error of slopes taken by differences of 0.02 in z, from -6 to 6",
        1e-3,
        "what differences in float32 can tell",
    ),
    Claim(
        "classes",
        "for classes cross-entropy is better than squared error",
        "test accuracy, cross-entropy minus squared error, seed by seed",
        "points",
        1.0,
        "10 of the 1,000 test points; the moons leave 2 to 3 % wrong in any case",
    ),
    Claim(
        "wrong start",
        "where it begins confidently wrong, cross-entropy is better than squared error",
        f"test accuracy from weights {LARGE:g} times as large, cross-entropy minus squared error",
        "points",
        1.0,
        "as above",
    ),
    Claim(
        "numbers",
        "for numbers squared error is better than cross-entropy",
        "root of the mean squared error on test, cross-entropy on ten classes by squared error, seed by seed",
        "times",
        1.05,
        "a twentieth of the error, most of which is noise that nobody can foretell",
    ),
)


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies and errors by task and loss, and errors of slopes."""
    moons, products = PointsConfig("moons", train=1_000), PointsConfig("multiplicative", outcome="number")
    classes, numbers = data_of(moons, 0), data_of(products, 0)
    scales = (1.0, LARGE)
    found = {
        "cross-entropy": _train(classes, "binary", "auto", scales),
        "squared error": _train(classes, "regression", "sigmoid", scales),
    }
    accuracy = {}
    for loss, outputs in found.items():
        turn = 0.0 if loss == "cross-entropy" else 0.5
        for place, scale in enumerate(scales):
            right = [
                (out[place, ..., 0] > turn) == split.y
                for out, split in zip(outputs, (classes.validation, classes.test), strict=True)
            ]
            validation, test = (100 * one.mean(axis=-1) for one in right)
            accuracy[f"{loss}, {scale:g}"] = test[_best(-validation)]
    errors = _errors_of_numbers(numbers)
    good, large = (accuracy[f"cross-entropy, {scale:g}"] for scale in scales)
    squared = errors["squared error"]
    return {
        **_slopes(),
        "classes": good - accuracy["squared error, 1"],
        "classes/control": good - np.roll(good, 1),
        "wrong start": large - accuracy[f"squared error, {LARGE:g}"],
        "wrong start/control": large - np.roll(large, 1),
        "numbers": np.min([errors[name] for name in errors if name != "squared error"], axis=0) / squared,
        "numbers/control": np.roll(squared, 1) / squared,
        **{f"accuracy {name}": values for name, values in accuracy.items()},
        **{f"error {name}": values for name, values in errors.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Slopes of both losses, accuracies on classes and errors on numbers."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        slopes, classes, numbers = figure.subplots(3, height_ratios=(1.2, 1, 0.8))
        z = np.linspace(-6, 6, 200)
        slopes.plot(z, expit(z) - 1, color=COLOURS[0], label="cross-entropy")
        slopes.plot(z, 2 * (expit(z) - 1) * expit(z) * expit(-z), color=COLOURS[1], label="squared error")
        slopes.set(xlabel="logit, where the answer is 1", ylabel="slope of the loss")
        slopes.legend(fontsize=9, loc="lower right")
        for axes, prefix in ((classes, "accuracy "), (numbers, "error ")):
            names = [name.removeprefix(prefix) for name in measured if name.startswith(prefix)]
            labels = [name.replace(", 1", "").replace(f", {LARGE:g}", ",\nlarge weights") for name in names]
            values = [measured[f"{prefix}{name}"] for name in names]
            axes.boxplot(values, vert=False, tick_labels=labels, medianprops={"color": COLOURS[1]})
            axes.tick_params(axis="y", labelsize=9)
            axes.invert_yaxis()
            axes.locator_params(axis="x", nbins=5)
        classes.set_xlabel("moons: test accuracy, %")
        numbers.set_xlabel("products: root of mean squared error on test")
    return figure


def _train(data: Any, task: str, head: Any, scales: tuple[float, ...]) -> list[np.ndarray]:
    """Outputs on validation and test, (scales, rates, seeds, examples, units)."""
    variants = [
        Variant(MLPConfig(units=(32,), initializer_scale=scale, head=head), seed=seed, learning_rate=rate)
        for scale in scales
        for rate in RATES
        for seed in range(SEEDS)
    ]
    scaling = {"mean": data.mean, "variance": data.variance}
    population = Population(variants, input_shape=(2,), task=task, classes=BINS, **scaling)
    population.compile(keras.optimizers.SGD(), steps_per_execution=16)
    y = data.train.y.astype("float32" if task == "regression" else "int32")
    batches = ShuffledBatches(data.train.x, y, 32, [variant.seed for variant in variants])
    population.fit(batches.dataset, epochs=EPOCHS, shuffle=False, callbacks=[batches], verbose=0)
    shape = (len(scales), len(RATES), SEEDS)
    return [
        np.moveaxis(ops.convert_to_numpy(population(split.x)), 1, 0).reshape(*shape, len(split.x), -1)
        for split in (data.validation, data.test)
    ]


def _best(losses: np.ndarray) -> int:
    """Place of the rate whose median over seeds is lowest; losses (rates, seeds)."""
    return int(np.argmin(np.median(np.nan_to_num(losses, nan=np.inf), axis=1)))


def _errors_of_numbers(data: Any) -> dict[str, np.ndarray]:
    """Root mean squared errors on test at the best rate, (seeds,), by loss and way of reading."""
    edges = np.quantile(data.train.y, np.linspace(0, 1, BINS + 1)[1:-1])
    binned = np.digitize(data.train.y, edges)
    centres = np.array([data.train.y[binned == place].mean() for place in range(BINS)])
    with_bins = replace(data, train=replace(data.train, y=binned))
    answers = {"squared error": [out[0, ..., 0] for out in _train(data, "regression", "auto", (1.0,))]}
    shares = [
        ops.convert_to_numpy(ops.softmax(out[0]))
        for out in _train(with_bins, "classification", "auto", (1.0,))
    ]
    answers["cross-entropy, likeliest"] = [centres[out.argmax(axis=-1)] for out in shares]
    answers["cross-entropy, mean"] = [out @ centres for out in shares]
    found = {}
    for name, outputs in answers.items():
        validation, test = (
            np.sqrt(np.mean((out - split.y) ** 2, axis=-1))
            for out, split in zip(outputs, (data.validation, data.test), strict=True)
        )
        found[name] = test[_best(validation)]
    return found


def _slopes() -> dict[str, list[float]]:
    """Errors of both losses' slopes against their formulas, and against each other's."""
    z, step = np.arange(-6, 6, 0.05), 0.02
    found, formulas = [], []
    for y in (0.0, 1.0):
        p = expit(z)
        formulas.append([p - y, 2 * (p - y) * p * (1 - p)])
        ends = [ops.convert_to_tensor(z + shift, "float32") for shift in (step / 2, -step / 2)]
        target = ops.full_like(ends[0], y)
        high, low = (
            [ops.binary_crossentropy(target, end, from_logits=True), (ops.sigmoid(end) - y) ** 2]
            for end in ends
        )
        found.append([ops.convert_to_numpy(a - b) / step for a, b in zip(high, low, strict=True)])
    error, swapped = (np.abs(np.array(found) - np.array(formulas)[:, order]) for order in ([0, 1], [1, 0]))
    return {"gradients": error.max(axis=(0, 2)), "gradients/control": swapped.max(axis=(0, 2))}
