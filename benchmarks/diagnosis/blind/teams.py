"""Trainings as teams in companies and students in courses write them.

Clicks, churn, demand, sensors, pictures of parts, spectrograms, texts, tags, ranks and counts, each a small
program of its own. They were written without knowledge of the rules that are tried on them; their labels say
what was done to them, and each trains well without it.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .program import Blind, Made

Array = np.ndarray[Any, Any]


def _standard(train: Array, test: Array) -> tuple[Array, Array]:
    """Standardize columns by the training examples."""
    scaler = StandardScaler().fit(train)
    return scaler.transform(train).astype("float32"), scaler.transform(test).astype("float32")


def _digits(seed: int, train: int = 1000) -> tuple[Array, Array, Array, Array]:
    """Load the digits as pixels from 0 to 1 and split them, 400 for validation."""
    x, y = datasets.load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    return train_test_split(x, y, train_size=train, test_size=400, random_state=seed, stratify=y)


def _parts(rng: np.random.Generator, examples: int, size: int = 14) -> tuple[Array, Array]:
    """Make grey pictures of parts: without fault, with a scratch along a row, with a stain."""
    kind = rng.integers(0, 3, examples)
    x = rng.normal(0, 0.25, (examples, size, size, 1))
    for i, k in enumerate(kind):
        row, column = rng.integers(1, size - 5, 2)
        if k == 1:
            x[i, row, column - 1 : column + 5] += 1.2
        elif k == 2:
            x[i, row : row + 3, column : column + 3] += 1.0
    return x.astype("float32"), kind


def _chirps(rng: np.random.Generator, examples: int) -> tuple[Array, Array]:
    """Make spectrograms of 20 frames and 16 bands: a tone that falls, stays or rises, and noise."""
    kind = rng.integers(0, 3, examples)
    start = rng.uniform(5, 11, examples)
    frames = np.arange(20)
    pitch = start[:, None] + (kind[:, None] - 1) * frames * 0.3
    bands = np.arange(16)
    x = np.exp(-((bands - pitch[:, :, None]) ** 2) / 1.5) + rng.exponential(0.25, (examples, 20, 16))
    return np.log(x + 0.05).astype("float32"), kind


def _texts(rng: np.random.Generator, examples: int, length: int, topics: int) -> tuple[Array, Array]:
    """Make token sequences of varying length, padded by 0: each topic has twenty words of its own."""
    topic = rng.integers(0, topics, examples)
    words = rng.integers(20 * topics + 1, 20 * topics + 100, (examples, length))
    own = 1 + 20 * topic[:, None] + rng.integers(0, 20, (examples, length))
    x = np.where(rng.random((examples, length)) < 0.3, own, words)
    until = rng.integers(length // 2, length + 1, examples)
    return np.where(np.arange(length) < until[:, None], x, 0), topic


def _customers(rng: np.random.Generator, examples: int) -> tuple[Array, Array]:
    """Make five standardized numbers per customer, and whether he leaves (about one in three)."""
    x = rng.normal(size=(examples, 5)).astype("float32")
    score = 2 * x[:, 0] - 1.5 * x[:, 1] * x[:, 2] + np.abs(x[:, 3]) - 1.5
    return x, (score + rng.normal(0, 0.2, examples) > 0.2).astype("float32")


def _demand(rng: np.random.Generator, examples: int, length: int) -> tuple[Array, Array]:
    """Make windows of a noisy seasonal curve, standardized, and what comes next."""
    t = np.arange(examples + length + 1)
    curve = np.sin(2 * np.pi * t / 7) + 0.6 * np.sin(2 * np.pi * t / 30.5) + rng.normal(0, 0.12, t.size)
    windows = np.lib.stride_tricks.sliding_window_view(curve, length + 1)
    return windows[:examples, :-1, None].astype("float32"), windows[:examples, -1:].astype("float32")


# ---------------------------------------------------------------------------------------------- with a fault


def sensors_small_normal_weights(seed: int, faulty: bool) -> Made:
    """Classify sensor readings by twelve tanh layers; faulty: initial weights of size 0.03."""
    x, y = datasets.make_classification(
        1000, 20, n_informative=10, n_classes=3, class_sep=1.8, random_state=seed
    )
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=seed)
    x_train, x_test = _standard(x_train, x_test)
    model = keras.Sequential([keras.Input((20,))])
    for _ in range(12):
        start = keras.initializers.RandomNormal(stddev=0.03) if faulty else "glorot_normal"
        model.add(layers.Dense(32, activation="tanh", kernel_initializer=start))
    model.add(layers.Dense(3))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05), loss, metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=20)


def machine_first_step(seed: int, faulty: bool) -> Made:
    """Tell from the first reading of a run how it was started; faulty: recurrent weights far too small."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.15, (1000, 20, 3)).astype("float32")
    y = rng.integers(0, 2, 1000)
    x[:, 0, 0] += 2 * y - 1
    start = keras.initializers.Orthogonal(gain=0.15 if faulty else 1.0)
    model = keras.Sequential(
        [
            keras.Input((20, 3)),
            layers.SimpleRNN(24, recurrent_initializer=start),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=15)


def demand_relu_rnn(seed: int, faulty: bool) -> Made:
    """Forecast demand by a recurrent ReLU net; faulty: recurrent weights of twice the identity."""
    x, y = _demand(np.random.default_rng(seed), 900, 21)
    start = keras.initializers.Identity(2.0 if faulty else 0.9)
    inputs = keras.Input((21, 1))
    hidden = layers.SimpleRNN(24, activation="relu", recurrent_initializer=start)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse", metrics=[keras.metrics.R2Score()])
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=12)


def scans_wide_start(seed: int, faulty: bool) -> Made:
    """Classify digits by a ReLU net of five layers; faulty: weights begin with a normal of size 1."""
    x_train, x_test, y_train, y_test = _digits(seed)
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(5):
        start = keras.initializers.RandomNormal(stddev=1.0) if faulty else "he_normal"
        model.add(layers.Dense(64, activation="relu", kernel_initializer=start))
    model.add(layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05), loss, metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=15)


def stock_relative_error(seed: int, faulty: bool) -> Made:
    """Predict what a shop sells by the relative error; faulty: it divides by days without a sale."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(900, 8)).astype("float32")
    y = np.round(np.maximum(6 + 3 * x[:, 0] - 2 * x[:, 1] + np.sin(3 * x[:, 2]), 0)).astype("float32")[
        :, None
    ]
    small = 0.0 if faulty else 5.0

    def relative_error(true: Any, predicted: Any) -> Any:
        """Divide the error by what was sold."""
        return ops.mean(ops.abs(true - predicted) / (true + small), axis=-1)

    model = keras.Sequential([keras.Input((8,)), layers.Dense(32, activation="gelu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), relative_error, metrics=[keras.metrics.R2Score()])
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=20)


@keras.saving.register_keras_serializable("teams")
class _Distance(layers.Layer):
    """Euclidean distance of two vectors."""

    def __init__(self, small: float, **kwargs: Any) -> None:
        """Keep what is added below the root."""
        super().__init__(**kwargs)
        self.small = small

    def call(self, a: Any, b: Any) -> Any:
        """Measure."""
        return ops.sqrt(ops.sum(ops.square(a - b), axis=-1, keepdims=True) + self.small)


def pairs_root_of_zero(seed: int, faulty: bool) -> Made:
    """Learn whether two digits are the same by a contrastive loss; faulty: root of 0 for equal pictures."""
    rng = np.random.default_rng(seed)
    x_train, x_test, y_train, y_test = _digits(seed)

    def pairs(x: Array, y: Array, count: int) -> tuple[list[Array], Array]:
        """Draw pairs, half of them of one class; some are a picture with itself."""
        first = rng.integers(0, len(x), count)
        second = rng.integers(0, len(x), count)
        for i in range(0, count, 2):
            second[i] = rng.choice(np.flatnonzero(y == y[first[i]]))
        second[::40] = first[::40]
        return [x[first], x[second]], (y[first] == y[second]).astype("float32")[:, None]

    def contrastive(same: Any, distance: Any) -> Any:
        """Draw equal ones near, push others off up to 1."""
        apart = ops.maximum(1.0 - distance, 0.0)
        return ops.mean(0.5 * same * distance + (1 - same) * apart, axis=-1)

    def told(same: Any, distance: Any) -> Any:
        """Share of pairs on the right side of 0.5."""
        return ops.mean(ops.cast(ops.equal(distance < 0.5, same > 0.5), "float32"), axis=-1)

    tower = keras.Sequential(
        [keras.Input((64,)), layers.Dense(64, activation="relu"), layers.Dense(16)], name="tower"
    )
    a, b = keras.Input((64,)), keras.Input((64,))
    model = keras.Model([a, b], _Distance(0.0 if faulty else 1e-8)(tower(a), tower(b)))
    model.compile(keras.optimizers.Adam(0.002), contrastive, metrics=[told])
    return Made(model, pairs(x_train, y_train, 1000), pairs(x_test, y_test, 400), epochs=20)


def inspection_dead_head(seed: int, faulty: bool) -> Made:
    """Find scratches and stains by a small CNN; faulty: biases of its dense layer begin at -15."""
    x, y = _parts(np.random.default_rng(seed), 1000)
    model = keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            layers.Conv2D(12, 3, activation="relu", padding="same"),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(24, activation="relu", bias_initializer=keras.initializers.Constant(-15.0 * faulty)),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:750], y[:750]), (x[750:], y[750:]), epochs=15)


def churn_sigmoids_on(seed: int, faulty: bool) -> Made:
    """Predict churn by two sigmoid layers; faulty: the second begins with biases of 40."""
    x, y = _customers(np.random.default_rng(seed), 1000)
    high = keras.initializers.Constant(40.0 * faulty)
    inputs = keras.Input((5,))
    hidden = layers.Dense(32, activation="sigmoid", kernel_initializer="he_normal")(inputs)
    hidden = layers.Dense(16, activation="sigmoid", bias_initializer=high)(hidden)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=25)


def meter_large_tanh(seed: int, faulty: bool) -> Made:
    """Regress a meter by three tanh layers; faulty: their weights begin with a normal of size 6."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(900, 12)).astype("float32")
    y = (x[:, 0] + np.sin(2 * x[:, 1]) + x[:, 2] * 0.7 + 0.1 * rng.normal(size=900)).astype("float32")[
        :, None
    ]
    model = keras.Sequential([keras.Input((12,))])
    for units in (32, 24, 16):
        start = keras.initializers.RandomNormal(stddev=6.0) if faulty else "glorot_uniform"
        model.add(layers.Dense(units, activation="tanh", kernel_initializer=start))
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=[keras.metrics.R2Score()])
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=20)


def scans_constant_start(seed: int, faulty: bool) -> Made:
    """Classify digits by one hidden layer; faulty: all weights begin at 0.02."""
    x_train, x_test, y_train, y_test = _digits(seed)
    start = keras.initializers.Constant(0.02) if faulty else "glorot_uniform"
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(48, activation="elu", kernel_initializer=start),
            layers.Dense(10, activation="softmax", kernel_initializer=start),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=15)


def tickets_decayed_at_once(seed: int, faulty: bool) -> Made:
    """Sort support tickets by Conv1D; faulty: the rate is halved at each step, not each 200."""
    x, y = _texts(np.random.default_rng(seed), 1000, 24, 4)
    rate = keras.optimizers.schedules.ExponentialDecay(0.003, 1 if faulty else 200, 0.5)
    model = keras.Sequential(
        [
            keras.Input((24,), dtype="int32"),
            layers.Embedding(181, 16),
            layers.Conv1D(32, 3, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=12, batch_size=16)


def chirps_endless_warm_up(seed: int, faulty: bool) -> Made:
    """Classify spectrograms by a GRU with a warm-up; faulty: it is of a million steps, not of 40."""
    x, y = _chirps(np.random.default_rng(seed), 900)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, 1000, warmup_target=0.01, warmup_steps=1_000_000 if faulty else 40
    )
    model = keras.Sequential(
        [
            keras.Input((20, 16)),
            layers.LayerNormalization(),
            layers.GRU(20),
            layers.Dense(3, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=10)


def reviews_rate_too_large(seed: int, faulty: bool) -> Made:
    """Classify texts by a GRU; faulty: Adam at 0.6."""
    x, y = _texts(np.random.default_rng(seed), 900, 12, 3)
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            layers.Embedding(161, 12),
            layers.GRU(16),
            layers.Dense(16, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(0.6 if faulty else 0.01)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=10)


def plates_momentum_too_large(seed: int, faulty: bool) -> Made:
    """Classify digits by a CNN with momentum; faulty: at a rate of 0.8 instead of 0.03."""
    x_train, x_test, y_train, y_test = _digits(seed)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(24, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.SGD(0.8 if faulty else 0.03, momentum=0.9, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=15)


def spectra_few_samples(seed: int, faulty: bool) -> Made:
    """Classify spectra of 100 channels; faulty: 70 are for training, not 1000."""
    x, y = datasets.make_classification(
        1400, 100, n_informative=12, n_redundant=0, class_sep=1.6, n_clusters_per_class=2, random_state=seed
    )
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, train_size=70 if faulty else 1000, test_size=400, random_state=seed, stratify=y
    )
    x_train, x_test = _standard(x_train, x_test)
    model = keras.Sequential(
        [
            keras.Input((100,)),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=12, batch_size=8)


def rings_linear(seed: int, faulty: bool) -> Made:
    """Part two rings; faulty: by a linear layer before the output."""
    x, y = datasets.make_circles(800, noise=0.08, factor=0.5, random_state=seed)
    x = x.astype("float32")
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(16, activation="linear" if faulty else "relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:600], y[:600]), (x[600:], y[600:]), epochs=20)


def cells_heavy_penalty(seed: int, faulty: bool) -> Made:
    """Classify digits with an L2 penalty; faulty: of 0.5 instead of 0.0001."""
    x_train, x_test, y_train, y_test = _digits(seed)
    penalty = keras.regularizers.L2(0.5 if faulty else 1e-4)
    inputs = keras.Input((64,))
    hidden = layers.Dense(48, activation="swish", kernel_regularizer=penalty)(inputs)
    hidden = layers.Dense(32, activation="swish", kernel_regularizer=penalty)(hidden)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax", kernel_regularizer=penalty)(hidden))
    model.compile(keras.optimizers.Adam(0.004), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=15)


@keras.saving.register_keras_serializable("teams")
class _Cut(layers.Layer):
    """Pass the input on, or without gradient."""

    def __init__(self, cut: bool, **kwargs: Any) -> None:
        """Keep which."""
        super().__init__(**kwargs)
        self.cut = cut

    def call(self, x: Any) -> Any:
        """Pass on."""
        return ops.stop_gradient(x) if self.cut else x


def clicks_frozen_tower(seed: int, faulty: bool) -> Made:
    """Predict clicks by towers for user and item; faulty: no gradient gets through the item's."""
    rng = np.random.default_rng(seed)
    users, items = rng.integers(0, 20, 1000), rng.integers(0, 20, 1000)
    taste, trait = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    y = ((taste[users] * trait[items]).sum(1) > 0).astype("float32")
    user, item = keras.Input((), dtype="int32", name="user"), keras.Input((), dtype="int32", name="item")
    left = layers.Dense(12, name="user_out")(layers.Embedding(20, 12, name="user_table")(user))
    right = layers.Dense(12, name="item_out")(layers.Embedding(20, 12, name="item_table")(item))
    logit = layers.Dot(1)([left, _Cut(faulty)(right)])
    model = keras.Model({"user": user, "item": item}, layers.Activation("sigmoid")(logit))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    training = {"user": users[:800], "item": items[:800]}, y[:800]
    validation = {"user": users[800:], "item": items[800:]}, y[800:]
    return Made(model, training, validation, epochs=25)


@keras.saving.register_keras_serializable("teams")
class _Bits(layers.Layer):
    """Squash to codes between 0 and 1, or round them to bits."""

    def __init__(self, rounded: bool, **kwargs: Any) -> None:
        """Keep which."""
        super().__init__(**kwargs)
        self.rounded = rounded

    def call(self, x: Any) -> Any:
        """Encode."""
        code = ops.sigmoid(x)
        return ops.round(code) if self.rounded else code


def codes_rounded(seed: int, faulty: bool) -> Made:
    """Compress digits to eight numbers and back; faulty: the numbers are rounded to bits."""
    x_train, x_test, _, _ = _digits(seed)
    inputs = keras.Input((64,))
    hidden = layers.Dense(32, activation="relu")(inputs)
    code = _Bits(faulty)(layers.Dense(8)(hidden))
    hidden = layers.Dense(32, activation="relu")(code)
    model = keras.Model(inputs, layers.Dense(64, activation="sigmoid")(hidden))
    score = keras.metrics.R2Score(class_aggregation="variance_weighted_average")
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=[score])
    return Made(model, (x_train, x_train), (x_test, x_test), epochs=30)


def loans_raw_amounts(seed: int, faulty: bool) -> Made:
    """Classify loans by amounts and ages; faulty: in units, up to hundreds of thousands."""
    rng = np.random.default_rng(seed)
    z, y = _customers(rng, 1000)
    raw = (z * [40_000, 90_000, 12, 300, 25_000] + [120_000, 300_000, 45, 700, 60_000]).astype("float32")
    x_train, x_test = raw[:800], raw[800:]
    if not faulty:
        x_train, x_test = _standard(x_train, x_test)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y[:800]), (x_test, y[800:]), epochs=20)


def prices_in_cents(seed: int, faulty: bool) -> Made:
    """Regress prices; faulty: in cents, about 30 million, not standardized."""
    x, y = datasets.make_friedman1(900, n_features=8, noise=0.5, random_state=seed)
    y = (30e6 + 1e6 * y)[:, None].astype("float32")
    x_train, x_test, y_train, y_test = x[:700], x[700:], y[:700], y[700:]
    x_train, x_test = _standard(x_train, x_test)
    if not faulty:
        y_train, y_test = _standard(y_train, y_test)
    inputs = keras.Input((8,))
    hidden = layers.Dense(48, activation="gelu")(inputs)
    hidden = layers.Dense(24, activation="gelu")(hidden)
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=[keras.metrics.R2Score()])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=20)


def churn_softmax_of_one(seed: int, faulty: bool) -> Made:
    """Predict churn by squared error; faulty: by a softmax over the single output."""
    x, y = _customers(np.random.default_rng(seed), 1000)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1, activation="softmax" if faulty else "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["accuracy"])
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=20)


def returns_squashed(seed: int, faulty: bool) -> Made:
    """Regress standardized returns with Huber; faulty: the output is a sigmoid."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(900, 6)).astype("float32")
    y = x @ rng.normal(size=(6, 1)) + np.cos(2 * x[:, :1])
    y = ((y - y.mean()) / y.std()).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(40, activation="elu"),
            layers.Dense(20, activation="elu"),
            layers.Dense(1, activation="sigmoid" if faulty else None),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), keras.losses.Huber(), metrics=[keras.metrics.R2Score()])
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=20)


def parts_labels_shifted(seed: int, faulty: bool) -> Made:
    """Find scratches and stains; faulty: the labels are of the pictures seven places further."""
    x, y = _parts(np.random.default_rng(seed), 1000)
    if faulty:
        y = np.roll(y, 7)
    model = keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            layers.Conv2D(12, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:750], y[:750]), (x[750:], y[750:]), epochs=15)


# --------------------------------------------------------------------------------------------------- healthy


def clicks_rare(seed: int, faulty: bool) -> Made:
    """Predict rare clicks from two categories and numbers, with class weights."""
    rng = np.random.default_rng(seed)
    site, device = rng.integers(0, 12, 1000), rng.integers(0, 4, 1000)
    numbers = rng.normal(size=(1000, 4)).astype("float32")
    score = rng.normal(size=12)[site] + 0.5 * device + 1.5 * numbers[:, 0] - numbers[:, 1]
    y = (score > np.quantile(score, 0.88)).astype("float32")
    inputs = [keras.Input((), dtype="int32"), keras.Input((), dtype="int32"), keras.Input((4,))]
    parts = [layers.Embedding(12, 6)(inputs[0]), layers.Embedding(4, 3)(inputs[1]), inputs[2]]
    hidden = layers.Dense(24, activation="relu")(layers.Concatenate()(parts))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=[keras.metrics.AUC()])
    training = [site[:750], device[:750], numbers[:750]], y[:750]
    validation = [site[750:], device[750:], numbers[750:]], y[750:]
    return Made(model, training, validation, epochs=20, class_weight={0: 1.0, 1: 4.0})


def inspection_residual(seed: int, faulty: bool) -> Made:
    """Find scratches and stains by depthwise convolutions with residuals and batch normalization."""
    x, y = _parts(np.random.default_rng(seed), 1000)
    inputs = keras.Input((14, 14, 1))
    hidden = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    hidden = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(hidden))
    for _ in range(2):
        inner = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(hidden)
        inner = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(inner))
        inner = layers.Conv2D(16, 1, use_bias=False)(inner)
        inner = layers.BatchNormalization(momentum=0.9, gamma_initializer="zeros")(inner)
        hidden = layers.Add()([hidden, inner])
    hidden = layers.GlobalMaxPooling2D()(hidden)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:750], y[:750]), (x[750:], y[750:]), epochs=12)


def chirps_group_norm(seed: int, faulty: bool) -> Made:
    """Classify spectrograms by swish convolutions with group normalization and label smoothing."""
    x, y = _chirps(np.random.default_rng(seed), 900)
    y = np.eye(3, dtype="float32")[y]
    model = keras.Sequential([keras.Input((20, 16)), layers.Reshape((20, 16, 1))])
    for filters in (8, 16):
        model.add(layers.Conv2D(filters, 3, padding="same"))
        model.add(layers.GroupNormalization(4))
        model.add(layers.Activation("swish"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(3, activation="softmax"))
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    model.compile(keras.optimizers.Nadam(0.002), loss, metrics=["accuracy"])
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=12)


def tags_in_order(seed: int, faulty: bool) -> Made:
    """Tag words by a rule on the word and the one before, with a GRU."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 21, (1000, 12))
    before = np.concatenate([np.zeros((1000, 1), int), x[:, :-1]], 1)
    y = (x > 14) + (before <= 5) * (x <= 14) * 2
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            layers.Embedding(21, 8),
            layers.GRU(16, return_sequences=True),
            layers.TimeDistributed(layers.Dense(3, activation="softmax")),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=9)


def denoising(seed: int, faulty: bool) -> Made:
    """Clean digits: noise is added within; many target pixels are always 0."""
    x_train, x_test, _, _ = _digits(seed)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.GaussianNoise(0.1),
            layers.Dense(64, activation="relu"),
            layers.Dense(20, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="sigmoid"),
        ]
    )
    score = keras.metrics.R2Score(class_aggregation="variance_weighted_average")
    model.compile(keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=[score])
    return Made(model, (x_train, x_train), (x_test, x_test), epochs=18)


def shop_two_tasks(seed: int, faulty: bool) -> Made:
    """Predict from one trunk whether somebody buys and for how much (the log of it), weighted unequally."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1000, 6)).astype("float32")
    buys = (x[:, 0] + x[:, 1] ** 2 > 0.8).astype("float32")
    amount = (3 + x[:, 2] - 0.7 * x[:, 0] + rng.normal(0, 0.2, 1000)).astype("float32")[:, None]
    inputs = keras.Input((6,))
    trunk = layers.LayerNormalization()(layers.Dense(32, activation="relu")(inputs))
    outputs = {
        "buys": layers.Dense(1, activation="sigmoid", name="buys")(trunk),
        "amount": layers.Dense(1, name="amount")(layers.Dense(16, activation="relu")(trunk)),
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.005),
        {"buys": "binary_crossentropy", "amount": "mse"},
        loss_weights={"buys": 1.0, "amount": 0.2},
        metrics={"buys": ["accuracy"], "amount": [keras.metrics.R2Score()]},
    )
    y = {"buys": buys[:, None], "amount": amount}
    training = x[:800], {name: value[:800] for name, value in y.items()}
    return Made(model, training, (x[800:], {name: value[800:] for name, value in y.items()}), epochs=16)


def calls_counted(seed: int, faulty: bool) -> Made:
    """Predict counts of calls by a Poisson loss and an exponential output."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (1000, 6)).astype("float32")
    y = rng.poisson(np.exp(1.8 + 1.2 * x[:, 0] - x[:, 1] * x[:, 2])).astype("float32")[:, None]
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(32, activation="tanh"), layers.Dense(1, activation="exponential")]
    )
    model.compile(keras.optimizers.Adam(0.01), "poisson", metrics=[keras.metrics.R2Score()])
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=25)


def marker_positions(seed: int, faulty: bool) -> Made:
    """Find where a marker is in a picture, as two numbers from 0 to 1, by a CNN with sigmoid outputs."""
    rng = np.random.default_rng(seed)
    y = rng.uniform(0.15, 0.85, (900, 2)).astype("float32")
    grid = np.stack(np.meshgrid(np.arange(16), np.arange(16), indexing="ij"), -1) / 15
    x = np.exp(-((grid - y[:, None, None]) ** 2).sum(-1) / 0.01) + rng.normal(0, 0.1, (900, 16, 16))
    x = x[..., None].astype("float32")
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(2, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mae", metrics=[keras.metrics.R2Score()])
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=20)


@keras.saving.register_keras_serializable("teams")
class _Student(keras.Model):
    """A small net that learns from labels and from a teacher's softened answers."""

    def __init__(self, teacher: keras.Model, **kwargs: Any) -> None:
        """Build the net; keep the teacher out of training."""
        super().__init__(**kwargs)
        teacher.trainable = False
        self.teacher = teacher
        self.hidden = layers.Dense(16, activation="relu")
        self.out = layers.Dense(10)

    def call(self, x: Any) -> Any:
        """Answer, in logits."""
        return self.out(self.hidden(x))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Add to the loss how far the answers are from the teacher's."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        soft = ops.softmax(self.teacher(x, training=False) / 3)
        return 0.5 * loss + 0.5 * ops.mean(ops.categorical_crossentropy(soft, ops.softmax(y_pred / 3)))


def digits_distilled(seed: int, faulty: bool) -> Made:
    """Train a teacher, and a small student with it."""
    x_train, x_test, y_train, y_test = _digits(seed)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    teacher = keras.Sequential(
        [keras.Input((64,)), layers.Dense(96, activation="relu"), layers.Dropout(0.2), layers.Dense(10)]
    )
    teacher.compile("adam", loss)
    teacher.fit(x_train, y_train, epochs=8, verbose=0)
    student = _Student(teacher, name="student")
    student.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
    return Made(student, (x_train, y_train), (x_test, y_test), epochs=14)


def digits_transferred(seed: int, faulty: bool) -> Made:
    """Learn digits 0 to 4, freeze what was learned, and train a new head for 5 to 9."""
    x_train, x_test, y_train, y_test = _digits(seed)
    base = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Dense(48, activation="relu"),
        ],
        name="base",
    )
    first = keras.Sequential([base, layers.Dense(5, activation="softmax")])
    first.compile("adam", "sparse_categorical_crossentropy")
    first.fit(x_train[y_train < 5], y_train[y_train < 5], epochs=6, verbose=0)
    base.trainable = False
    inputs = keras.Input((64,))
    model = keras.Model(inputs, layers.Dense(5, activation="softmax")(base(inputs, training=False)))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    training = x_train[y_train > 4], y_train[y_train > 4] - 5
    return Made(model, training, (x_test[y_test > 4], y_test[y_test > 4] - 5), epochs=15)


def sensors_selu(seed: int, faulty: bool) -> Made:
    """Classify wines by a deep self-normalizing net, in small batches."""
    x, y = datasets.load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    x_train, x_test = _standard(x_train, x_test)
    model = keras.Sequential([keras.Input((13,))])
    for _ in range(6):
        model.add(layers.Dense(24, activation="selu", kernel_initializer="lecun_normal"))
    model.add(layers.AlphaDropout(0.05))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=20, batch_size=8)


def demand_averaged(seed: int, faulty: bool) -> Made:
    """Forecast demand by an LSTM with clipped gradients, weight decay, averaged weights and a warm-up."""
    x, y = _demand(np.random.default_rng(seed), 900, 14)
    rate = keras.optimizers.schedules.CosineDecay(0.0, 350, warmup_target=0.01, warmup_steps=40)
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=0.002, clipnorm=0.5, use_ema=True, ema_momentum=0.95
    )
    model = keras.Sequential([keras.Input((14, 1)), layers.LSTM(24), layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=[keras.metrics.R2Score()])
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=14)


@keras.saving.register_keras_serializable("teams")
class _Thresholds(layers.Layer):
    """Probabilities that a grade is above each of some thresholds of one score."""

    def __init__(self, count: int, **kwargs: Any) -> None:
        """Keep how many."""
        super().__init__(**kwargs)
        self.count = count

    def build(self, shape: Any) -> None:
        """Make the thresholds, spread out."""
        start = keras.initializers.Constant(np.linspace(1, -1, self.count))
        self.bias = self.add_weight(shape=(self.count,), initializer=start, name="bias")

    def call(self, score: Any) -> Any:
        """Compare."""
        return ops.sigmoid(score + self.bias)


def grades_ordered(seed: int, faulty: bool) -> Made:
    """Predict grades 0 to 4 as four questions whether they are above."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1000, 8)).astype("float32")
    score = x[:, 0] * 1.2 + np.tanh(2 * x[:, 1]) - 0.5 * x[:, 2] ** 2 + rng.normal(0, 0.15, 1000)
    grade = np.digitize(score, np.quantile(score, [0.2, 0.4, 0.6, 0.8]))
    y = (grade[:, None] > np.arange(4)).astype("float32")
    inputs = keras.Input((8,))
    hidden = layers.Dense(32, activation="elu")(inputs)
    hidden = layers.Dense(1, use_bias=False)(layers.Dense(16, activation="elu")(hidden))
    model = keras.Model(inputs, _Thresholds(4)(hidden))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["binary_accuracy"])
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=25)


def gauges_weighted(seed: int, faulty: bool) -> Made:
    """Regress readings of good and bad gauges, the bad ones of little weight."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1000, 6)).astype("float32")
    clean = x[:, 0] - x[:, 1] * 0.8 + np.sin(2 * x[:, 2])
    bad = rng.random(1000) < 0.3
    bad[750:] = False
    y = (clean + rng.normal(0, np.where(bad, 3.0, 0.1))).astype("float32")[:, None]
    weight = np.where(bad, 0.01, 1.0).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(48, activation="relu"),
            layers.Dense(24, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse", weighted_metrics=[keras.metrics.R2Score()])
    return Made(model, (x[:750], y[:750], weight[:750]), (x[750:], y[750:]), epochs=20)


@keras.saving.register_keras_serializable("teams")
class _Sampling(layers.Layer):
    """Draw codes from their means and log variances, and add their divergence from a normal to the loss."""

    def __init__(self, **kwargs: Any) -> None:
        """Make a generator."""
        super().__init__(**kwargs)
        self.generator = keras.random.SeedGenerator(0)

    def call(self, mean: Any, log_variance: Any) -> Any:
        """Draw."""
        divergence = 0.5 * ops.sum(ops.exp(log_variance) + mean**2 - 1 - log_variance, axis=-1)
        self.add_loss(0.02 * ops.mean(divergence) / 64)
        noise = keras.random.normal(ops.shape(mean), seed=self.generator)
        return mean + ops.exp(0.5 * log_variance) * noise


def digits_variational(seed: int, faulty: bool) -> Made:
    """Learn to generate digits by a variational autoencoder."""
    x_train, x_test, _, _ = _digits(seed)
    inputs = keras.Input((64,))
    hidden = layers.Dense(48, activation="tanh")(inputs)
    code = _Sampling()(layers.Dense(8)(hidden), layers.Dense(8, bias_initializer="zeros")(hidden))
    hidden = layers.Dense(48, activation="tanh")(code)
    model = keras.Model(inputs, layers.Dense(64, activation="sigmoid")(hidden))
    score = keras.metrics.R2Score(class_aggregation="variance_weighted_average")
    model.compile(keras.optimizers.Adam(0.006), "mse", metrics=[score])
    return Made(model, (x_train, x_train), (x_test, x_test), epochs=20)


@keras.saving.register_keras_serializable("teams")
class _Attention(layers.Layer):
    """Average of a sequence with weights that are learned; padding has none."""

    def __init__(self, **kwargs: Any) -> None:
        """Make the scoring."""
        super().__init__(**kwargs)
        self.supports_masking = True
        self.score = layers.Dense(1, use_bias=False)

    def build(self, shape: Any) -> None:
        """Build the scoring."""
        self.score.build(shape)

    def compute_mask(self, x: Any, mask: Any = None) -> None:
        """Leave no mask."""

    def call(self, x: Any, mask: Any = None) -> Any:
        """Average."""
        score = self.score(x)
        if mask is not None:
            score = ops.where(ops.expand_dims(mask, -1), score, -1e4)
        return ops.sum(ops.softmax(score, axis=1) * x, axis=1)


def texts_attention(seed: int, faulty: bool) -> Made:
    """Sort texts of varying length by attention over embedded words, in large batches."""
    x, y = _texts(np.random.default_rng(seed), 1000, 20, 5)
    inputs = keras.Input((20,), dtype="int32")
    pooled = _Attention()(layers.Embedding(201, 16, mask_zero=True)(inputs))
    model = keras.Model(inputs, layers.Dense(5, activation="softmax")(pooled))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=14, batch_size=128)


def offers_ranked(seed: int, faulty: bool) -> Made:
    """Learn which of two offers is preferred, by the difference of their scores."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 1000, 7)).astype("float32")

    def worth(x: Array) -> Array:
        """Score an offer."""
        return x[:, 0] + 0.8 * x[:, 1] - np.abs(x[:, 2])

    y = (worth(a) - worth(b) + rng.normal(0, 0.2, 1000) > 0).astype("float32")[:, None]
    scorer = keras.Sequential([keras.Input((7,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    left, right = keras.Input((7,)), keras.Input((7,))
    difference = layers.Subtract()([scorer(left), scorer(right)])
    model = keras.Model([left, right], difference)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.RMSprop(0.005), loss, metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)]
    )
    return Made(model, ([a[:800], b[:800]], y[:800]), ([a[800:], b[800:]], y[800:]), epochs=20)


TEAMS: list[Blind] = [
    Blind("teams/sensors_small_normal_weights", "vanishing_gradients", sensors_small_normal_weights),
    Blind("teams/machine_first_step", "vanishing_gradients", machine_first_step),
    Blind("teams/demand_relu_rnn", "exploding_gradients", demand_relu_rnn),
    Blind("teams/scans_wide_start", "exploding_gradients", scans_wide_start),
    Blind("teams/stock_relative_error", "non_finite", stock_relative_error),
    Blind("teams/pairs_root_of_zero", "non_finite", pairs_root_of_zero),
    Blind("teams/inspection_dead_head", "dead_units", inspection_dead_head),
    Blind("teams/churn_sigmoids_on", "saturated_units", churn_sigmoids_on),
    Blind("teams/meter_large_tanh", "saturated_units", meter_large_tanh),
    Blind("teams/scans_constant_start", "identical_units", scans_constant_start),
    Blind("teams/tickets_decayed_at_once", "stagnating", tickets_decayed_at_once),
    Blind("teams/chirps_endless_warm_up", "stagnating", chirps_endless_warm_up),
    Blind("teams/reviews_rate_too_large", "oscillating", reviews_rate_too_large),
    Blind("teams/plates_momentum_too_large", "oscillating", plates_momentum_too_large),
    Blind("teams/spectra_few_samples", "overfitting", spectra_few_samples),
    Blind("teams/rings_linear", "underfitting", rings_linear),
    Blind("teams/cells_heavy_penalty", "underfitting", cells_heavy_penalty),
    Blind("teams/clicks_frozen_tower", "frozen", clicks_frozen_tower),
    Blind("teams/codes_rounded", "frozen", codes_rounded),
    Blind("teams/loans_raw_amounts", "unscaled_inputs", loans_raw_amounts),
    Blind("teams/prices_in_cents", "unscaled_targets", prices_in_cents),
    Blind("teams/churn_softmax_of_one", "wrong_output_or_loss", churn_softmax_of_one),
    Blind("teams/returns_squashed", "wrong_output_or_loss", returns_squashed),
    Blind("teams/parts_labels_shifted", "bad_labels", parts_labels_shifted),
    Blind("teams/clicks_rare", "healthy", clicks_rare),
    Blind("teams/inspection_residual", "healthy", inspection_residual),
    Blind("teams/chirps_group_norm", "healthy", chirps_group_norm),
    Blind("teams/tags_in_order", "healthy", tags_in_order),
    Blind("teams/denoising", "healthy", denoising),
    Blind("teams/shop_two_tasks", "healthy", shop_two_tasks),
    Blind("teams/calls_counted", "healthy", calls_counted),
    Blind("teams/marker_positions", "healthy", marker_positions),
    Blind("teams/digits_distilled", "healthy", digits_distilled),
    Blind("teams/digits_transferred", "healthy", digits_transferred),
    Blind("teams/sensors_selu", "healthy", sensors_selu),
    Blind("teams/demand_averaged", "healthy", demand_averaged),
    Blind("teams/grades_ordered", "healthy", grades_ordered),
    Blind("teams/gauges_weighted", "healthy", gauges_weighted),
    Blind("teams/digits_variational", "healthy", digits_variational),
    Blind("teams/texts_attention", "healthy", texts_attention),
    Blind("teams/offers_ranked", "healthy", offers_ranked),
]
