# ruff: noqa: E501 - a program a line
"""Programs written after the rules, of other architectures, data and losses.

The first eleven that were trained (`LOOKED_AT`) were then looked at, and the rules changed; on the others nothing was
tuned.
"""

from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from sklearn import datasets

from . import corpus, data, networks
from .data import Pair
from .networks import CUTS, Options, Through, dense, initializer
from .program import Program


def rooms(seed: int, n: int = 900) -> Pair:
    """Houses as they are measured: area, year, distance; prices in thousands."""
    rng = np.random.default_rng(seed)
    area, year, distance = rng.uniform(40, 250, n), rng.uniform(1900, 2020, n), rng.exponential(5, n)
    price = 2.5 * area + 0.8 * (year - 1900) - 6 * distance + 15 * rng.normal(size=n) + 80
    return np.stack([area, year, distance], 1).astype("float32"), price.astype("float32")


def counts(seed: int, n: int = 1000) -> Pair:
    """How often something happens, by 4 numbers."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)).astype("float32")
    return x, rng.poisson(np.exp(0.7 * x[:, 0] - 0.5 * x[:, 1] + 0.8)).astype("float32")


def weak(seed: int, n: int = 1500) -> Pair:
    """A fifth of the variance can be predicted."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)).astype("float32")
    y = x[:, 0] - 0.5 * x[:, 1] + 2.2 * rng.normal(size=n)
    return x, ((y - y.mean()) / y.std()).astype("float32")


def rare(seed: int, n: int = 1600) -> Pair:
    """One in ten is of the second class."""
    x, y = datasets.make_classification(
        n, 12, n_informative=6, weights=[0.9], class_sep=1.5, flip_y=0.01, random_state=seed
    )
    return x.astype("float32"), y


def several(seed: int, n: int = 1000) -> Pair:
    """Six answers of yes and no at once."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 10)).astype("float32")
    return x, (x @ rng.normal(size=(10, 6)) > 0).astype("float32")


def blocks(seed: int, n: int = 700) -> Pair:
    """Pictures (12, 12, 3) in bytes: which quarter is brighter."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 120, (n, 12, 12, 3)), rng.integers(0, 4, n)
    for place, quarter in enumerate(y):
        row, column = 6 * (quarter // 2), 6 * (quarter % 2)
        x[place, row : row + 6, column : column + 6] += 90
    return x.astype("float32"), y


def forecast(seed: int, n: int = 700, steps: int = 30) -> Pair:
    """Noisy waves; the next number."""
    rng = np.random.default_rng(seed)
    time = np.arange(steps + 1) + rng.uniform(0, 30, (n, 1))
    wave = np.sin(time / rng.uniform(1.5, 4, (n, 1))) + 0.1 * rng.normal(size=(n, steps + 1))
    return wave[:, :-1, None].astype("float32"), wave[:, -1].astype("float32")


def pairs(seed: int, n: int = 1200) -> tuple[Any, np.ndarray]:
    """Two digits each; whether they are the same."""
    x, y = data.digits(seed)
    rng = np.random.default_rng(seed)
    order = np.argsort(y, kind="stable")
    near = order[np.minimum(np.searchsorted(y[order], y) + rng.integers(0, 150, len(y)), len(y) - 1)]
    other = np.where(rng.uniform(size=len(y)) < 0.5, near, rng.permutation(len(y)))
    return (x[:n], x[other][:n]), (y == y[other]).astype("int64")[:n]


def both(seed: int) -> tuple[Any, Any]:
    """Digits: which, and how much ink."""
    x, y = data.digits(seed)
    ink = x.mean(axis=1)
    return x, (y, ((ink - ink.mean()) / ink.std()).astype("float32"))


def signs(seed: int) -> Pair:
    """Two half circles, labels -1 and 1."""
    x, y = data.moons(seed)
    return x, (2 * y - 1).astype("float32")


def twins(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """One network for two inputs, and what their difference tells."""
    one, two = keras.Input(shape), keras.Input(shape)
    body = [dense(width, options, options.get("activation", "relu")) for width in (64, 32)]
    seen = []
    for x in (one, two):
        for layer in body:
            x = layer(x)
        seen.append(x)
    x = ops.abs(seen[0] - seen[1])
    return keras.Model((one, two), dense(outputs, options, last, last=True)(dense(32, options, "relu")(x)))


def forked(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """Two outputs of one body."""
    inputs = keras.Input(shape)
    x = dense(64, options, options.get("activation", "relu"))(
        dense(64, options, options.get("activation", "relu"))(inputs)
    )
    return keras.Model(inputs, (dense(10, options, "softmax", last=True)(x), dense(1, options, last=True)(x)))


def within(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """Scales its inputs itself."""
    inputs = x = keras.Input(shape)
    if options.get("adapt"):
        x = layers.Normalization(name="normalization")(x)
    for width in (32, 32):
        x = dense(width, options, "relu")(x)
    return keras.Model(inputs, dense(outputs, options, last, last=True)(x))


def separable(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """Separable convolutions with group normalization."""
    inputs = keras.Input(shape)
    x = layers.Rescaling(options.get("rescaling", 1 / 255))(inputs)
    for filters in (12, 24):
        x = layers.SeparableConv2D(filters, 3, padding="same")(x)
        x = layers.GroupNormalization(4)(x) if options.get("groups", True) else x
        x = layers.MaxPooling2D(2)(layers.Activation(options.get("activation", "gelu"))(x))
    return keras.Model(inputs, dense(outputs, options, last, last=True)(layers.GlobalAveragePooling2D()(x)))


def hourglass(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """Pictures to a few numbers and back."""
    inputs = keras.Input(shape)
    activation, begins = options.get("activation", "relu"), initializer(options.get("kernel", "he_normal"))
    x = layers.Conv2D(12, 3, 2, "same", activation=activation, kernel_initializer=begins)(inputs)
    x = layers.Conv2D(24, 3, 2, "same", activation=activation, kernel_initializer=begins)(x)
    for _ in range(options.get("more", 0)):
        x = layers.Conv2D(24, 3, 1, "same", activation=activation, kernel_initializer=begins)(x)
    if options.get("cut"):
        x = Through(CUTS[options["cut"]])(x)
    x = layers.Conv2DTranspose(12, 3, 2, "same", activation=activation, kernel_initializer=begins)(x)
    return keras.Model(inputs, layers.Conv2DTranspose(1, 3, 2, "same", activation=last)(x))


def adapted(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """A body that is to stay as it is, and a head that learns."""
    body = keras.Sequential([keras.Input(shape), layers.Dense(256, "relu"), layers.Dense(256, "relu")])
    body.trainable = False
    inputs = keras.Input(shape)
    x = dense(64, options, options.get("activation", "relu"))(body(inputs))
    return keras.Model(inputs, dense(outputs, options, last, last=True)(x))


class OwnStep(keras.Model):
    """Computes its loss in a step of its own: outputs and a latent code, both drawn to what they should be."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.into = dense(32, options, options.get("activation", "tanh"))
        self.code = dense(8, options)
        self.out = dense(64, options, "sigmoid", last=True)

    def call(self, x: Any, training: bool = False) -> Any:
        """The code's picture."""
        return self.out(self.code(self.into(x)))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Reconstruction, and a small code."""
        code = self.code(self.into(x))
        return ops.mean(ops.sum(ops.square(x - y_pred), axis=-1)) + 0.01 * ops.mean(ops.square(code))


def own_step(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """A model whose loss is nobody else's."""
    return OwnStep(options)


def _pinball(y: Any, p: Any) -> Any:
    error = ops.reshape(y, ops.shape(p)) - p
    return ops.mean(ops.maximum(0.7 * error, -0.3 * error), axis=-1)


def _two() -> list[Any]:
    return [keras.losses.SparseCategoricalCrossentropy(), keras.losses.MeanSquaredError()]


def _restarts() -> Any:
    return keras.optimizers.schedules.CosineDecayRestarts(1e-2, 60)


def fresh() -> list[Program]:
    """All of them."""
    loss, base = corpus._loss, partial(corpus.Base, held_out="fresh")
    sparse, binary, squared = corpus.SPARSE, corpus.BINARY, corpus.SQUARED
    sgd: Options = {"optimizer": "SGD", "rate": 0.05, "momentum": 0.9}
    houses = base(
        "houses",
        within,
        rooms,
        squared | {"adapt": True, "rate": 1e-2, "epochs": 25, "y_scale": 0.005, "y_shift": -1.6},
    )
    counting = base(
        "counting",
        networks.mlp,
        counts,
        squared | {"last": "exponential", "loss": loss("Poisson"), "rate": 3e-3, "epochs": 12},
    )
    weakly = base("weak", networks.mlp, weak, squared | {"units": [16], "rate": 3e-3, "epochs": 12})
    rarely = base("rare", networks.mlp, rare, binary | {"rate": 5e-3, "epochs": 12})
    many = base("several", networks.mlp, several, binary | {"outputs": 6, "rate": 5e-3, "epochs": 12})
    bright = base("bytes", separable, blocks, {"outputs": 4, **sparse, "rate": 5e-3, "epochs": 10})
    next_one = base(
        "forecast",
        networks.rnn,
        forecast,
        squared | {"cell": "GRU", "recurrent_layers": 2, "rate": 1e-2, "epochs": 10},
    )
    same = base("pairs", twins, pairs, binary | {"rate": 3e-3, "epochs": 15})
    fork = base("forked", forked, both, {"outputs": 0, "loss": _two, "rate": 3e-3, "epochs": 10})
    margin = base(
        "margin",
        networks.mlp,
        signs,
        {"outputs": 1, "last": "tanh", "loss": loss("Hinge"), "rate": 1e-2, "epochs": 12},
    )
    glass = base(
        "hourglass",
        hourglass,
        picture_copies,
        {"outputs": 1, "last": "sigmoid", "loss": loss("BinaryCrossentropy"), "rate": 3e-3, "epochs": 10},
    )
    head = base("adapted", adapted, data.digits, {"outputs": 10, **sparse, "rate": 3e-3, "epochs": 10})
    own = base(
        "own_step",
        own_step,
        data.copies,
        {"outputs": 64, "loss": loss("MeanSquaredError"), "rate": 5e-3, "epochs": 12},
    )
    bidirectional = base(
        "both_ways",
        networks.rnn,
        data.tagged,
        {
            "outputs": 2,
            **sparse,
            "cell": "LSTM",
            "sequences": True,
            "bidirectional": True,
            "rate": 1e-2,
            "epochs": 8,
        },
    )
    selu = base(
        "selu",
        networks.mlp,
        data.wine,
        {
            "outputs": 3,
            **sparse,
            "activation": "selu",
            "kernel": "lecun_normal",
            "units": [32] * 6,
            "batch": 16,
            "epochs": 20,
            **sgd | {"rate": 0.01},
        },
    )
    quantile = base(
        "quantile",
        networks.mlp,
        data.surface,
        {"outputs": 1, "loss": partial(corpus._given, _pinball), "rate": 5e-3, "epochs": 15},
    )
    return [
        houses("healthy", "scaled_within"),
        counting("healthy", "poisson"),
        weakly("healthy", "noise"),
        rarely("healthy", "plain"),
        rarely("healthy", "weighted", class_weight={0: 1.0, 1: 8.0}),
        many("healthy", "plain"),
        bright("healthy", "plain"),
        next_one("healthy", "plain"),
        same("healthy", "plain"),
        fork("healthy", "plain"),
        margin("healthy", "plain"),
        glass("healthy", "plain"),
        head("healthy", "plain"),
        own("healthy", "plain"),
        bidirectional("healthy", "plain"),
        selu("healthy", "plain"),
        quantile("healthy", "plain"),
        quantile("healthy", "restarts", rate=_restarts),
        selu("vanishing_gradients", "sigmoids", {"activation": "sigmoid", "units": [24] * 9}, units=[24] * 9),
        glass("vanishing_gradients", "small", {"kernel": 0.005}, more=5, **sgd | {"rate": 0.1, "epochs": 12}),
        many("exploding_gradients", "init", {"kernel": 1.2, "last_kernel": 1.2}, units=[48] * 6, **sgd | {"rate": 0.02}),
        next_one("exploding_gradients", "recurrent", {"recurrent_initializer": 1.5}, cell="SimpleRNN", activation="relu", recurrent_layers=1, recurrent_initializer="orthogonal", **sgd | {"rate": 0.005, "epochs": 15}),
        houses("non_finite", "data", {"x_bad": (0.02, float("nan"))}),
        same("dead_units", "bias", {"bias": -8.0}),
        many("dead_units", "bias", {"bias": -12.0}),
        own("saturated_units", "wide", {"kernel": 12.0}),
        margin("saturated_units", "sigmoid", {"kernel": 40.0}, activation="sigmoid", units=[24, 24, 24]),
        counting("identical_units", "zeros", {"kernel": "zeros", "last_kernel": "zeros"}, data=data.surface, last=None, loss=loss("MeanSquaredError")),
        selu("identical_units", "constant", {"kernel": ("constant", 0.05), "last_kernel": ("constant", 0.05)}, units=[32, 32]),
        bright("stagnating", "rate", {"rate": 1e-7}),
        own("stagnating", "rate", {"rate": 1e-7}),
        bidirectional("stagnating", "sgd", {"optimizer": "SGD", "rate": 1e-5}),
        same("oscillating", "rate", {"rate": 0.3}, activation="tanh"),
        glass("oscillating", "rate", {"rate": 0.5}, activation="tanh"),
        rarely("overfitting", "few", {"examples": 50, "label_noise": 0.3}, units=[128, 128], epochs=40),
        weakly("overfitting", "wide", {"units": [256, 256], "epochs": 60, "examples": 120}),
        glass("frozen", "stop", {"cut": "stop"}, cut=None),
        bidirectional("frozen", "round", {"cut": "round"}, cut=None),
        houses("unscaled_inputs", "raw", {"adapt": False}, **sgd | {"rate": 0.01}),
        houses("unscaled_targets", "raw", {"y_scale": 200.0, "y_shift": 0.0}, epochs=12),
        bright("unscaled_inputs", "bytes", {"rescaling": 100.0, "groups": False}, groups=False, activation="relu", epochs=20),
        houses("wrong_output_or_loss", "sigmoid", {"last": "sigmoid"}),
        rarely("wrong_output_or_loss", "one_softmax", {"last": "softmax"}),
        head("wrong_output_or_loss", "relu", {"last": None}),
        many("bad_labels", "shuffled", {"labels": "shuffled"}),
        next_one("bad_labels", "shuffled", {"labels": "shuffled"}),
        same("underfitting", "penalty", {"l2": 3.0}),
        many("underfitting", "narrow", {"units": [1], "activation": "tanh"}),
    ]  # fmt: skip


def picture_copies(seed: int) -> Pair:
    """Digits as pictures, to be put out again."""
    x, _ = data.digit_pictures(seed)
    return x, x
