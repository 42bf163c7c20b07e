# ruff: noqa: E501 - a program a line
"""The programs: what is wrong with each, and what else is as it should be.

Families `attention`, `words`, `signals`, `tables`, `copying` and `subclass` (architectures and data) were set apart
before any rule was written; the rules were looked at again after their first score, so that the last word is that of
`fresh.py`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import ops

from . import data, networks
from .blind.program import Blind, blind
from .program import Options, Program

HELD_OUT: tuple[str, ...] = ("attention", "words", "signals", "tables", "copying", "subclass")


def _loss(name: str, **settings: Any) -> Callable[[], Any]:
    return partial(getattr(keras.losses, name), **settings)


SPARSE: Options = {"last": "softmax", "loss": _loss("SparseCategoricalCrossentropy"), "metrics": ["accuracy"]}
LOGITS: Options = {"loss": _loss("SparseCategoricalCrossentropy", from_logits=True), "metrics": ["accuracy"]}
BINARY: Options = {
    "outputs": 1,
    "last": "sigmoid",
    "loss": _loss("BinaryCrossentropy"),
    "metrics": ["accuracy"],
}
SQUARED: Options = {"outputs": 1, "loss": _loss("MeanSquaredError")}
TEN: Options = {"outputs": 10, **SPARSE}


def _given(function: Any) -> Any:
    return function


def _negative_log(y: Any, p: Any) -> Any:
    """A loss of somebody's own, which takes the logarithm of what can be 0."""
    p = ops.clip(p, 0.0, 1.0) * ops.cast(p > 0.02, p.dtype)
    y = ops.cast(y, p.dtype)
    return -ops.mean(y * ops.log(p) + (1 - y) * ops.log(1 - p), axis=-1)


def _tiny_loss(y: Any, p: Any) -> Any:
    """Squared error, scaled so far down that the optimizer's epsilon swallows the gradient."""
    return ops.mean(ops.square(y - p), axis=-1) * 1e-12


def _own_squares(y: Any, p: Any) -> Any:
    """Squared error, written by hand."""
    return ops.mean(ops.square(ops.reshape(y, ops.shape(p)) - p), axis=-1)


def _quickly_decayed() -> Any:
    return keras.optimizers.schedules.ExponentialDecay(1e-3, 2, 0.5)


def _warmed_up() -> Any:
    return keras.optimizers.schedules.CosineDecay(1e-5, 300, warmup_target=3e-3, warmup_steps=60)


class Base:
    """A base with its name, from which faulty and healthy programs are made."""

    def __init__(self, base: str, network: Any, source: Any, options: Options, *, held_out: str = "") -> None:
        self.base, self.network, self.source, self.options = base, network, source, options
        self.held_out = held_out or ("second" if base.split("-")[0] in HELD_OUT else "")

    def __call__(self, label: str, way: str, fault: Options | None = None, **options: Any) -> Program:
        return Program(
            f"{self.base}-{label}-{way}",
            self.base.split("-")[0],
            label,
            self.network,
            self.source,
            {**self.options, **options},
            fault or {},
            self.held_out,
        )


def _tuned() -> list[Program]:
    digits = Base("dense-digits", networks.mlp, data.digits, TEN)
    moons = Base("dense-moons", networks.mlp, data.moons, BINARY | {"rate": 5e-3, "epochs": 12})
    spirals = Base(
        "dense-spirals", networks.mlp, data.spirals, {"outputs": 3, **SPARSE, "rate": 1e-2, "epochs": 20}
    )
    checkers = Base("dense-checkers", networks.mlp, data.checkers, BINARY | {"rate": 1e-2, "epochs": 15})
    surface = Base("dense-surface", networks.mlp, data.surface, SQUARED | {"rate": 5e-3, "epochs": 15})
    plane = Base("dense-plane", networks.mlp, data.plane, SQUARED | {"rate": 5e-3, "epochs": 8})
    pictures = Base(
        "convolution-digits", networks.cnn, data.digit_pictures, TEN | {"rate": 3e-3, "epochs": 8}
    )
    sums = Base("recurrent-sums", networks.rnn, data.sums, BINARY | {"rate": 1e-2, "epochs": 10})
    means = Base("recurrent-means", networks.rnn, data.means, SQUARED | {"rate": 1e-2, "epochs": 10})
    recall = Base("recurrent-recall", networks.rnn, data.recall, BINARY | {"rate": 1e-2, "epochs": 8})
    normed = Base(
        "dense-normed", networks.mlp, data.digits, TEN | {"units": [64] * 4, "norm": "before", "epochs": 10}
    )
    sgd = {"optimizer": "SGD", "rate": 0.1, "epochs": 12}
    deep_relu = {"units": [24] * 10, "epochs": 10, "optimizer": "SGD", "rate": 0.02, "momentum": 0.9}
    return [
        # The gradient does not arrive.
        digits("vanishing_gradients", "sigmoids", {"activation": "sigmoid", "kernel": "glorot_uniform"}, **deep_relu),
        digits(
            "vanishing_gradients", "sigmoids_adam", {"activation": "sigmoid", "kernel": 0.1},
            units=[24] * 12, rate=1e-3, epochs=8, activation="relu",
        ),
        digits("vanishing_gradients", "small_tanh", {"kernel": 0.02}, **deep_relu | {"activation": "tanh"}),
        digits("vanishing_gradients", "small_relu", {"kernel": 0.03}, **deep_relu),
        surface("vanishing_gradients", "sigmoids", {"activation": "sigmoid"}, **deep_relu | {"units": [24] * 8, "activation": "tanh"}),
        pictures("vanishing_gradients", "small", {"kernel": 0.01, "last_kernel": 0.1}, filters=[8] * 8, epochs=12, optimizer="SGD", rate=0.03, momentum=0.9),
        recall("vanishing_gradients", "simple", {"cell": "SimpleRNN", "width": 12, "data_options": {}}, cell="SimpleRNN", data_options={"steps": 8}),
        # It grows.
        digits("exploding_gradients", "relu", {"kernel": ("scale", 18.0)}, **deep_relu | {"rate": 0.01}),
        digits("exploding_gradients", "wide", {"kernel": 2.0, "last_kernel": 2.0}, units=[64] * 5, epochs=8, optimizer="SGD", rate=0.05),
        surface("exploding_gradients", "rate", {"rate": 1.5}, optimizer="SGD", rate=0.03, momentum=0.9),
        surface("exploding_gradients", "init", {"kernel": 1.5, "last_kernel": 1.5}, units=[64] * 4, optimizer="SGD", rate=0.01, momentum=0.9),
        pictures("exploding_gradients", "init", {"kernel": 1.0}, filters=[16] * 5, optimizer="SGD", rate=0.05, epochs=10),
        means("exploding_gradients", "recurrent", {"recurrent_initializer": 1.0}, activation="relu", recurrent_initializer="orthogonal", optimizer="SGD", rate=0.02, data_options={"steps": 25}),
        # No number.
        digits("non_finite", "data", {"x_bad": (0.02, float("nan"))}),
        digits("non_finite", "rare", {"x_bad": (0.002, float("nan"))}),
        surface("non_finite", "infinite", {"x_bad": (0.01, float("inf"))}),
        surface("non_finite", "target", {"y_bad": (0.01, float("nan"))}),
        moons("non_finite", "logarithm", {"loss": partial(_given, _negative_log)}, metrics=[]),
        digits("non_finite", "root", {"cut": "sqrt"}, cut=None, cut_at=1),
        # Units.
        digits("dead_units", "bias", {"bias": -10.0}),
        digits("dead_units", "middle", {"bias": -4.0}, units=[32] * 5),
        surface("dead_units", "bias", {"bias": -20.0}),
        pictures("dead_units", "bias", {"bias": -5.0}),
        digits("dead_units", "sgd", {"bias": -6.0}, **sgd),
        digits("saturated_units", "wide", {"kernel": 4.0}, activation="tanh", units=[48] * 3),
        digits("saturated_units", "bias", {"bias": 12.0}, activation="sigmoid", **sgd | {"rate": 0.5, "epochs": 15}),
        surface("saturated_units", "wide", {"kernel": 10.0}, activation="tanh"),
        sums("saturated_units", "recurrent", {"recurrent_initializer": 8.0}, width=24),
        digits("identical_units", "zeros", {"kernel": "zeros", "last_kernel": "zeros"}),
        digits("identical_units", "zeros_tanh", {"kernel": "zeros", "last_kernel": "zeros"}, activation="tanh"),
        digits("identical_units", "constant", {"kernel": ("constant", 0.02), "last_kernel": ("constant", 0.02)}, activation="tanh"),
        spirals("identical_units", "constant", {"kernel": ("constant", 0.3), "last_kernel": ("constant", 0.3)}),
        surface("identical_units", "constant", {"kernel": ("constant", 0.1), "last_kernel": ("constant", 0.1)}),
        # The rate.
        digits("stagnating", "adam", {"rate": 1e-7}),
        digits("stagnating", "sgd", {"rate": 1e-5}, **sgd),
        surface("stagnating", "zero", {"rate": 0.0}),
        pictures("stagnating", "adam", {"rate": 1e-6}),
        surface("stagnating", "epsilon", {"loss": partial(_given, _tiny_loss)}, loss=partial(_given, _own_squares)),
        digits("stagnating", "clipped", {"clipnorm": 1e-5}, **sgd),
        digits("stagnating", "decayed", {"rate": _quickly_decayed}),
        digits("oscillating", "adam", {"rate": 0.3}, activation="tanh", units=[64, 64]),
        digits("oscillating", "sgd", {"rate": 3.0}, activation="tanh", **sgd),
        surface("oscillating", "adam", {"rate": 0.5}, activation="tanh"),
        moons("oscillating", "adam", {"rate": 1.0}, activation="tanh"),
        sums("oscillating", "adam", {"rate": 0.5}, cell="GRU"),
        # Capacity and examples.
        digits("overfitting", "few", {"examples": 50}, units=[128, 128], epochs=25, rate=2e-3, noise=0),
        digits("overfitting", "noise", {"label_noise": 0.5}, units=[256, 256], epochs=30, rate=2e-3, examples=500),
        surface("overfitting", "few", {"examples": 40, "noise": 0.7}, units=[128, 128], epochs=60, rate=5e-3),
        moons("overfitting", "noise", {"examples": 60, "label_noise": 0.4}, units=[128, 128], epochs=60),
        spirals("underfitting", "linear", {"units": []}),
        checkers("underfitting", "linear", {"units": []}),
        surface("underfitting", "linear", {"units": []}),
        digits("underfitting", "bottleneck", {"units": [1], "activation": "tanh"}, epochs=20),
        digits("underfitting", "penalty", {"l2": 0.5}, epochs=12),
        digits("underfitting", "dropout", {"dropout": 0.95}, units=[32, 32, 32], epochs=12),
        # No gradient at all.
        digits("frozen", "stop", {"cut": "stop"}, cut=None),
        digits("frozen", "round", {"cut": "round", "cut_at": 1}, cut=None, units=[32, 32, 32]),
        pictures("frozen", "stop", {"cut": "stop"}, cut=None),
        sums("frozen", "cast", {"cut": "cast"}, cut=None),
        # Scales.
        digits("unscaled_inputs", "thousands", {"x_scale": 1000.0}, **sgd),
        surface("unscaled_inputs", "ten_thousands", {"x_scale": 1e4}),
        surface("unscaled_inputs", "one", {"x_scale": [1e4, 1, 1, 1, 1, 1]}),
        moons("unscaled_inputs", "shift", {"x_shift": 1000.0}),
        spirals("unscaled_inputs", "tiny", {"x_scale": 1e-4}),
        pictures("unscaled_inputs", "bytes", {"x_scale": 255.0 * 16}, **sgd),
        surface("unscaled_targets", "thousands", {"y_scale": 1e4}),
        surface("unscaled_targets", "sgd", {"y_scale": 300.0}, optimizer="SGD", rate=0.03, momentum=0.9),
        plane("unscaled_targets", "shift", {"y_shift": 5000.0}),
        means("unscaled_targets", "thousands", {"y_scale": 5000.0}),
        # What comes out.
        moons("wrong_output_or_loss", "one_softmax", {"last": "softmax"}),
        digits("wrong_output_or_loss", "logits", {"last": None}),
        surface("wrong_output_or_loss", "relu", {"last": "relu"}),
        surface("wrong_output_or_loss", "sigmoid", {"last": "sigmoid"}, y_scale=1.0),
        moons("wrong_output_or_loss", "one_class", {"loss": _loss("CategoricalCrossentropy")}),
        digits("wrong_output_or_loss", "squares", {"last": None, "loss": _loss("MeanSquaredError"), "outputs": 1}),
        moons("wrong_output_or_loss", "tanh", {"last": "tanh"}),
        # Labels.
        digits("bad_labels", "shuffled", {"labels": "shuffled"}, epochs=12),
        digits("bad_labels", "turned", {"labels": "turned"}, units=[128, 128], epochs=25),
        moons("bad_labels", "random", {"labels": "random"}),
        surface("bad_labels", "shuffled", {"labels": "shuffled"}),
        pictures("bad_labels", "shuffled", {"labels": "shuffled"}, epochs=12),
        # Nothing.
        digits("healthy", "plain"),
        digits("healthy", "long", epochs=40, rate=3e-3),
        digits("healthy", "linear", units=[], epochs=15, rate=1e-2),
        digits("healthy", "sparse", units=[256], l2=0, bias=-0.3, epochs=15),
        digits("healthy", "dropout", dropout=0.4, units=[128, 128], epochs=15),
        digits("healthy", "penalty", l2=1e-3, epochs=15),
        digits("healthy", "warm", warm=12, epochs=4),
        digits("healthy", "warm_up", rate=_warmed_up, epochs=12),
        digits("healthy", "small_batch", batch=8, epochs=8, examples=500),
        digits("healthy", "rmsprop", optimizer="RMSprop", rate=1e-3, validate=False),
        digits("healthy", "squares", last="softmax", one_hot=10, loss=_loss("MeanSquaredError"), epochs=15),
        normed("healthy", "plain"),
        plane("healthy", "noise"),
        surface("healthy", "plain"),
        surface("healthy", "absolute", loss=_loss("MeanAbsoluteError"), metrics=["accuracy"]),
        checkers("healthy", "plain"),
        spirals("healthy", "tanh", activation="tanh", units=[48, 48], rate=2e-2),
        pictures("healthy", "plain"),
        pictures("healthy", "norm", norm=True, epochs=12),
        sums("healthy", "lstm", cell="LSTM", epochs=12),
        means("healthy", "gru", cell="GRU"),
    ]  # fmt: skip


def _held_out() -> list[Program]:
    attention = Base(
        "attention-tokens", networks.attention, data.tokens, BINARY | {"rate": 5e-3, "epochs": 8}
    )
    topics = Base(
        "attention-topics",
        networks.attention,
        data.topics,
        {"outputs": 4, **LOGITS, "rate": 3e-3, "epochs": 8},
    )
    words = Base(
        "words-topics", networks.embedding, data.topics, {"outputs": 4, **SPARSE, "rate": 1e-2, "epochs": 8}
    )
    tokens = Base(
        "words-tokens", networks.rnn, data.tokens, BINARY | {"rate": 1e-2, "epochs": 8, "cell": "LSTM"}
    )
    tagged = Base(
        "words-tagged",
        networks.rnn,
        data.tagged,
        {"outputs": 2, **SPARSE, "cell": "GRU", "sequences": True, "rate": 1e-2, "epochs": 8},
    )
    waves = Base(
        "signals-waves", networks.cnn, data.waves, SQUARED | {"head": 32, "rate": 3e-3, "epochs": 15}
    )
    shapes = Base(
        "signals-shapes",
        networks.cnn,
        data.wave_classes,
        {"outputs": 3, **SPARSE, "rate": 5e-3, "epochs": 10, "global": True},
    )
    cancer = Base(
        "tables-cancer",
        networks.mlp,
        data.breast_cancer,
        BINARY | {"units": [16, 16], "rate": 3e-3, "epochs": 12},
    )
    wine = Base(
        "tables-wine",
        networks.residual,
        data.wine,
        {"outputs": 3, **LOGITS, "rate": 3e-3, "epochs": 15, "batch": 16},
    )
    diabetes = Base(
        "tables-diabetes", networks.mlp, data.diabetes, SQUARED | {"units": [16], "rate": 3e-3, "epochs": 15}
    )
    copying = Base(
        "copying-digits",
        networks.mlp,
        data.copies,
        {
            "outputs": 64,
            "last": "sigmoid",
            "loss": _loss("MeanSquaredError"),
            "units": [48, 16, 48],
            "rate": 3e-3,
            "epochs": 15,
        },
    )
    subclass = Base(
        "subclass-digits",
        networks.subclassed,
        data.digits,
        {"outputs": 10, **LOGITS, "rate": 2e-3, "epochs": 10},
    )
    angles = Base(
        "subclass-angles",
        networks.subclassed,
        data.angles,
        {"outputs": 2, "loss": _loss("Huber"), "units": [48, 48], "rate": 1e-2, "epochs": 20},
    )
    sgd = {"optimizer": "SGD", "rate": 0.05, "momentum": 0.9}
    return [
        subclass("vanishing_gradients", "sigmoids", {"activation": "sigmoid"}, units=[32] * 10, **sgd | {"rate": 0.02, "activation": "selu"}),
        cancer("vanishing_gradients", "deep", {"activation": "sigmoid"}, activation="tanh", **sgd | {"units": [24] * 10, "rate": 0.01}),
        attention("vanishing_gradients", "no_way_around", {"layernorm": False, "blocks": 5, "kernel": 0.03}, blocks=2, **sgd | {"rate": 0.05, "epochs": 12}),
        waves("exploding_gradients", "init", {"kernel": 1.5}, filters=[16] * 5, **sgd | {"rate": 0.003, "epochs": 20}),
        subclass("exploding_gradients", "rate", {"kernel": ("scale", 20.0)}, units=[32] * 10, **sgd | {"rate": 0.005}),
        diabetes("exploding_gradients", "rate", {"rate": 2.0}, **sgd | {"rate": 0.01}),
        cancer("non_finite", "data", {"x_bad": (0.01, float("nan"))}),
        waves("non_finite", "data", {"x_bad": (0.03, float("nan"))}),
        angles("non_finite", "target", {"y_bad": (0.02, float("inf"))}),
        waves("dead_units", "bias", {"bias": -6.0}),
        angles("dead_units", "bias", {"bias": -15.0}),
        words("dead_units", "bias", {"bias": -3.0}),
        cancer("saturated_units", "wide", {"kernel": 15.0}, activation="tanh", **sgd | {"rate": 0.01}),
        tokens("saturated_units", "recurrent", {"recurrent_initializer": 10.0, "kernel_initializer": 10.0}, width=24, cell="SimpleRNN", rate=5e-3),
        words("identical_units", "constant", {"kernel": ("constant", 0.1), "last_kernel": ("constant", 0.1), "embeddings": ("constant", 0.1)}),
        angles("identical_units", "constant", {"kernel": ("constant", 0.2), "last_kernel": ("constant", 0.2)}),
        shapes("identical_units", "zeros", {"kernel": "zeros", "last_kernel": "zeros"}),
        attention("stagnating", "rate", {"rate": 1e-7}),
        wine("stagnating", "rate", {"rate": 1e-6}),
        waves("stagnating", "rate", {"rate": 1e-6}, **sgd),
        topics("oscillating", "rate", {"rate": 0.3}),
        subclass("oscillating", "rate", {"rate": 0.5}, activation="tanh"),
        shapes("oscillating", "rate", {"rate": 0.3}, activation="tanh"),
        words("overfitting", "few_noisy", {"examples": 60, "label_noise": 0.4}, epochs=25, units=[64]),
        wine("overfitting", "noise", {"label_noise": 0.5}, epochs=50, width=64),
        diabetes("overfitting", "wide", {"units": [256, 256], "epochs": 60, "examples": 150}),
        angles("underfitting", "narrow", {"units": [1], "activation": "tanh"}),
        shapes("underfitting", "penalty", {"l2": 2.0}),
        copying("underfitting", "narrow", {"units": [1], "activation": "tanh"}),
        words("frozen", "stop", {"cut": "stop"}, cut=None),
        attention("frozen", "stop", {"cut": "stop"}, cut=None),
        subclass("frozen", "detached", {"detached": True}),
        cancer("unscaled_inputs", "raw", {"data": data.breast_cancer_raw}, **sgd | {"rate": 0.02}),
        wine("unscaled_inputs", "raw", {"data": data.wine_raw, "layernorm": False}, layernorm=False, **sgd | {"rate": 0.003}),
        waves("unscaled_inputs", "tiny", {"x_scale": 1e-4}, **sgd | {"rate": 0.01}),
        diabetes("unscaled_targets", "raw", {"data": data.diabetes_raw}),
        waves("unscaled_targets", "scale", {"y_scale": 2e3, "y_shift": 1e4}),
        cancer("wrong_output_or_loss", "one_softmax", {"last": "softmax"}),
        subclass("wrong_output_or_loss", "logits", {"loss": _loss("SparseCategoricalCrossentropy")}),
        diabetes("wrong_output_or_loss", "relu", {"last": "relu"}),
        waves("wrong_output_or_loss", "tanh", {"last": "sigmoid"}),
        topics("bad_labels", "shuffled", {"labels": "shuffled"}),
        cancer("bad_labels", "shuffled", {"labels": "shuffled"}, units=[64, 64]),
        waves("bad_labels", "shuffled", {"labels": "shuffled"}),
        attention("healthy", "plain"),
        topics("healthy", "plain", blocks=2),
        words("healthy", "plain"),
        tokens("healthy", "lstm"),
        tagged("healthy", "sequence"),
        waves("healthy", "plain"),
        shapes("healthy", "plain"),
        cancer("healthy", "plain"),
        wine("healthy", "zero_branch", zero_branch=True),
        diabetes("healthy", "noise"),
        copying("healthy", "plain"),
        subclass("healthy", "plain"),
        angles("healthy", "huber"),
        subclass("healthy", "ema", use_ema=True, optimizer="SGD", rate=0.1, momentum=0.9),
        cancer("healthy", "weighted", class_weight={0: 2.0, 1: 1.0}),
        shapes("healthy", "steps", steps_per_execution=4),
    ]  # fmt: skip


def programs() -> list[Program | Blind]:
    """All of them."""
    from .fresh import fresh

    every = [*_tuned(), *_held_out(), *fresh(), *blind()]
    names = [program.name for program in every]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    return every
