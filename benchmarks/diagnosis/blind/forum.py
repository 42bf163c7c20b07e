"""Trainings as people post them on forums, and as practitioners write them when all is well.

Each is a small program of its own: tables, small pictures, time series and token sequences. They were written
without knowledge of the rules that are tried on them; their labels say what was done to them.
"""

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .program import Blind, Made

Array = np.ndarray[Any, Any]


def _digits(seed: int, train: int = 1000) -> tuple[Array, Array, Array, Array]:
    """Load the digits as float pixels 0 to 16 and split them."""
    x, y = datasets.load_digits(return_X_y=True)
    return train_test_split(x.astype("float32"), y, train_size=train, random_state=seed, stratify=y)


def _standard(train: Array, test: Array) -> tuple[Array, Array]:
    """Standardize columns by the training examples."""
    scaler = StandardScaler().fit(train)
    return scaler.transform(train).astype("float32"), scaler.transform(test).astype("float32")


def _reviews(rng: np.random.Generator, examples: int, length: int, words: int) -> tuple[Array, Array]:
    """Make token sequences: two moods that prefer different words."""
    mood = rng.integers(0, 2, examples)
    neutral = rng.integers(1, words, (examples, length))
    half = words // 2
    loaded = rng.integers(1, half, (examples, length)) + mood[:, None] * (half - 1)
    return np.where(rng.random((examples, length)) < 0.35, loaded, neutral), mood


# ---------------------------------------------------------------------------------------------- with a fault


def digits_deep_sigmoid(seed: int, faulty: bool) -> Made:
    """Classify digits by ten narrow layers; faulty: all of them sigmoid."""
    x_train, x_test, y_train, y_test = _digits(seed)
    x_train, x_test = x_train / 16 - 0.3, x_test / 16 - 0.3
    activation = "sigmoid" if faulty else "relu"
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(10):
        model.add(layers.Dense(48, activation=activation))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(
        keras.optimizers.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=25)


def first_symbol_simple_rnn(seed: int, faulty: bool) -> Made:
    """Recall after 50 steps which symbol came first; faulty: recurrent weights begin tiny, so no way back."""
    rng = np.random.default_rng(seed)
    symbols = rng.integers(0, 4, 1200)
    x = 0.1 * rng.standard_normal((1200, 50, 4)).astype("float32")
    x[np.arange(1200), 0, symbols] += 1
    recurrent = keras.initializers.RandomNormal(stddev=0.01) if faulty else "orthogonal"
    model = keras.Sequential(
        [
            keras.Input((50, 4)),
            layers.SimpleRNN(32, recurrent_initializer=recurrent),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.0005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:900], symbols[:900]), (x[900:], symbols[900:]), epochs=15)


def rents_normal_weights(seed: int, faulty: bool) -> Made:
    """Predict (standardized) rents by a deep net; faulty: weights begin with a standard deviation of 1."""
    x, y = datasets.make_friedman1(1200, n_features=8, noise=0.5, random_state=seed)
    y = (y - y.mean()) / y.std()
    x = 2 * x - 1
    start = keras.initializers.RandomNormal(stddev=1.0) if faulty else "he_normal"
    model = keras.Sequential(
        [
            keras.Input((8,)),
            *[layers.Dense(64, activation="relu", kernel_initializer=start) for _ in range(4)],
            layers.Dense(1, kernel_initializer=start),
        ]
    )
    model.compile(keras.optimizers.SGD(0.005, momentum=0.9), "mse", metrics=["mae"])
    return Made(model, (x[:900], y[:900]), (x[900:], y[900:]), epochs=20)


def machine_hum_relu_rnn(seed: int, faulty: bool) -> Made:
    """Tell by a ReLU RNN which of three speeds a machine runs at; faulty: recurrent weights far above 1."""
    rng = np.random.default_rng(seed)
    speed = rng.integers(0, 3, 1000)
    t = np.arange(40)
    phase = rng.uniform(0, 2 * np.pi, (1000, 1))
    x = np.sin((0.2 + 0.25 * speed[:, None]) * t + phase) + 0.15 * rng.standard_normal((1000, 40))
    inputs = keras.Input((40, 1))
    recurrent = keras.initializers.RandomNormal(stddev=0.6) if faulty else "orthogonal"
    hidden = layers.SimpleRNN(48, activation="relu", recurrent_initializer=recurrent)(inputs)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"])
    y = keras.utils.to_categorical(speed, 3)
    return Made(model, (x[:800, :, None], y[:800]), (x[800:, :, None], y[800:]), epochs=15, batch_size=32)


def digits_divided_by_std(seed: int, faulty: bool) -> Made:
    """Standardize pixels by hand; faulty: some pixels are constant, so 0 / 0."""
    x_train, x_test, y_train, y_test = _digits(seed)
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    if not faulty:
        std = np.where(std > 0, std, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        x_train, x_test = (x_train - mean) / std, (x_test - mean) / std
    x_test = np.clip(x_test, -5, 5)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=15)


class Distance(layers.Layer):
    """The Euclidean distance of two batches of vectors."""

    def __init__(self, smallest: float) -> None:
        super().__init__()
        self.smallest = smallest

    def call(self, pair: list[Any]) -> Any:
        """Square, sum, root."""
        squared = ops.sum(ops.square(pair[0] - pair[1]), axis=1, keepdims=True)
        return ops.sqrt(ops.maximum(squared, self.smallest) if self.smallest else squared)


def siamese_distance(seed: int, faulty: bool) -> Made:
    """Learn whether two digits are the same; faulty: the distance is a plain root, of 0 for some pairs."""
    rng = np.random.default_rng(seed)
    x_train, x_test, y_train, y_test = _digits(seed)

    def pairs(x: Array, y: Array, number: int) -> tuple[list[Array], Array]:
        """Draw as many equal as unequal pairs; an example may meet itself."""
        first = rng.integers(0, len(x), number)
        same = np.arange(number) % 2
        second = [
            rng.choice(np.flatnonzero(y == y[i]) if s else np.flatnonzero(y != y[i]))
            for i, s in zip(first, same, strict=True)
        ]
        return [x[first] / 16, x[second] / 16], same.astype("float32")[:, None]

    def contrastive(y: Any, distance: Any) -> Any:
        """Pull equal pairs together and push others to a distance of 1."""
        return ops.mean(y * distance + (1 - y) * ops.square(ops.maximum(1 - distance, 0)))

    def right(y: Any, distance: Any) -> Any:
        """Compare with half the margin."""
        return ops.mean(ops.cast((distance < 0.5) == (y > 0.5), "float32"))

    encoder = keras.Sequential([keras.Input((64,)), layers.Dense(64, activation="relu"), layers.Dense(16)])
    left, other = keras.Input((64,)), keras.Input((64,))
    distance = Distance(0.0 if faulty else 1e-6)([encoder(left), encoder(other)])
    model = keras.Model([left, other], distance)
    model.compile(keras.optimizers.Adam(0.002), contrastive, metrics=[right])
    return Made(model, pairs(x_train, y_train, 2000), pairs(x_test, y_test, 500), epochs=20, batch_size=64)


def per_class_sigmoid_prior(seed: int, faulty: bool) -> Made:
    """Give each class a sigmoid that begins at 1 %; faulty: the hidden layers are given that bias too."""
    x_train, x_test, y_train, y_test = _digits(seed)
    prior = keras.initializers.Constant(-math.log(99))
    hidden_bias = prior if faulty else "zeros"
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(16, 3, activation="relu", bias_initializer=hidden_bias),
            layers.Conv2D(32, 3, activation="relu", bias_initializer=hidden_bias),
            layers.Flatten(),
            layers.Dense(10, activation="sigmoid", bias_initializer=prior),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["categorical_accuracy"])
    return Made(
        model,
        (x_train.reshape(-1, 8, 8, 1), keras.utils.to_categorical(y_train, 10)),
        (x_test.reshape(-1, 8, 8, 1), keras.utils.to_categorical(y_test, 10)),
        epochs=15,
    )


def digits_rand_weights(seed: int, faulty: bool) -> Made:
    """Classify by two sigmoid layers; faulty: weights begin as by np.random.rand, all positive and large."""
    x_train, x_test, y_train, y_test = _digits(seed)
    start = keras.initializers.RandomUniform(0, 1) if faulty else "glorot_uniform"
    model = keras.Sequential()
    model.add(keras.Input((64,)))
    model.add(layers.Dense(100, activation="sigmoid", kernel_initializer=start))
    model.add(layers.Dense(50, activation="sigmoid", kernel_initializer=start))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return Made(model, (x_train / 16, y_train), (x_test / 16, y_test), epochs=20, batch_size=20)


def rings_constant_weights(seed: int, faulty: bool) -> Made:
    """Tell an inner from an outer ring; faulty: all weights begin at 0.1, so units stay copies."""
    x, y = datasets.make_circles(1000, noise=0.08, factor=0.45, random_state=seed)
    start = keras.initializers.Constant(0.1) if faulty else "glorot_uniform"
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(32, activation="tanh", kernel_initializer=start),
            layers.Dense(16, activation="tanh", kernel_initializer=start),
            layers.Dense(1, activation="sigmoid", kernel_initializer=start),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=25)


def wine_finetuning_rate(seed: int, faulty: bool) -> Made:
    """Classify wines; faulty: with the learning rate of a fine-tuning tutorial, 1e-6."""
    x, y = datasets.load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed, stratify=y)
    x_train, x_test = _standard(x_train, x_test)
    inputs = keras.Input((13,))
    hidden = layers.Dense(32, activation="relu")(inputs)
    hidden = layers.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    rate = 1e-6 if faulty else 1e-3
    model.compile(keras.optimizers.AdamW(rate), "categorical_crossentropy", metrics=["accuracy"])
    y_train, y_test = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_test)
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=25, batch_size=8)


def bars_decay_in_steps(seed: int, faulty: bool) -> Made:
    """Find the direction of bars in pictures; faulty: the decay is counted in steps, taken for epochs."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, 1000)
    images = 0.3 * rng.standard_normal((1000, 12, 12, 1))
    for image, kind in zip(images, y, strict=True):
        start, where = rng.integers(0, 5, 2)
        k = np.arange(7)
        rows, columns = [
            (where + 2 + 0 * k, start + k),
            (start + k, where + 2 + 0 * k),
            (start + k, where + k),
            (start + k, where + 6 - k),
        ][kind]
        image[rows, columns, 0] += 1
    steps = 800 // 32
    decay = keras.optimizers.schedules.ExponentialDecay(
        0.05, decay_steps=2 if faulty else 10 * steps, decay_rate=0.3, staircase=True
    )
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(12, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(24, 3, activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(decay, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return Made(model, (images[:800], y[:800]), (images[800:], y[800:]), epochs=20)


def reviews_gru_rate(seed: int, faulty: bool) -> Made:
    """Tell the mood of token sequences by a GRU; faulty: Adam with a learning rate of 0.5."""
    x, y = _reviews(np.random.default_rng(seed), 1200, 25, 60)
    model = keras.Sequential(
        [
            keras.Input((25,)),
            layers.Embedding(60, 16),
            layers.GRU(24),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.5 if faulty else 0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    return Made(model, (x[:900], y[:900]), (x[900:], y[900:]), epochs=12)


def few_patients(seed: int, faulty: bool) -> Made:
    """Predict a dose from 40 measurements; faulty: of 32 patients only, whom the network knows by heart."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1100, 40)).astype("float32")
    y = x[:, :15] @ rng.uniform(0.1, 0.4, 15) + 0.3 * np.tanh(2 * x[:, 20])
    y = (y + 0.1 * rng.standard_normal(1100))[:, None]
    number = 32 if faulty else 800
    model = keras.Sequential(
        [
            keras.Input((40,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["r2_score"])
    return Made(model, (x[:number], y[:number]), (x[800:], y[800:]), epochs=30, batch_size=16)


def rings_without_activation(seed: int, faulty: bool) -> Made:
    """Classify three rings; faulty: the hidden layers have no activation, so all is linear."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 1000)
    angle, radius = rng.uniform(0, 2 * np.pi, 1000), 0.5 + y + 0.15 * rng.standard_normal(1000)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    activation = None if faulty else "relu"
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(32, activation=activation),
            layers.Dense(32, activation=activation),
            layers.Dense(3),
        ]
    )
    model.compile(
        keras.optimizers.Nadam(0.005),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return Made(model, (x[:800], y[:800]), (x[800:], y[800:]), epochs=20)


def cancer_strong_l2(seed: int, faulty: bool) -> Made:
    """Classify tumours; faulty: an L2 penalty of 1 on every layer leaves nothing of the weights."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed, stratify=y)
    x_train, x_test = _standard(x_train, x_test)
    l2 = keras.regularizers.L2(1.0 if faulty else 1e-4)
    model = keras.Sequential(
        [
            keras.Input((30,)),
            layers.Dense(32, activation="relu", kernel_regularizer=l2),
            layers.Dense(16, activation="relu", kernel_regularizer=l2),
            layers.Dense(1, activation="sigmoid", kernel_regularizer=l2),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=25, batch_size=16)


class Bits(layers.Layer):
    """Activations between 0 and 1, rounded or as they are."""

    def __init__(self, rounded: bool) -> None:
        super().__init__()
        self.rounded = rounded

    def call(self, x: Any) -> Any:
        """Round."""
        return ops.round(x) if self.rounded else x


def binary_codes(seed: int, faulty: bool) -> Made:
    """Classify digits by a code of 12 values; faulty: it is rounded to bits, and nothing goes back."""
    x_train, x_test, y_train, y_test = _digits(seed)
    image = keras.Input((64,))
    hidden = layers.Dense(64, activation="relu", name="encoder")(image)
    code = Bits(faulty)(layers.Dense(12, activation="sigmoid", name="code")(hidden))
    hidden = layers.Dense(64, activation="relu", name="decoder")(code)
    model = keras.Model(image, layers.Dense(10, activation="softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train / 16, y_train), (x_test / 16, y_test), epochs=20)


def credit_raw_columns(seed: int, faulty: bool) -> Made:
    """Predict from income, balance and so on whether a credit is paid back; faulty: in plain dollars."""
    rng = np.random.default_rng(seed)
    income, balance = rng.uniform(15_000, 150_000, 1000), rng.uniform(0, 40_000, 1000)
    age, rate = rng.uniform(18, 80, 1000), rng.uniform(0.02, 0.2, 1000)
    debts = rng.uniform(0, 5, 1000)
    score = (
        (income / 50_000 - 1.6)
        + (1 - balance / 20_000)
        + (age - 49) / 25
        - (rate - 0.11) / 0.03
        - (debts - 2.5)
    )
    y = (score + 0.3 * rng.standard_normal(1000) > 0).astype("float32")
    x = np.stack([income, balance, age, rate, debts], axis=1)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed)
    if not faulty:
        x_train, x_test = _standard(x_train, x_test)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(32, activation="tanh"),
            layers.Dense(16, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.RMSprop(0.001), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=20)


def sensor_in_amperes(seed: int, faulty: bool) -> Made:
    """Classify pulses of a sensor by Conv1D; faulty: the currents are given in amperes, a few 1e-6."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 900)
    t = np.linspace(-1, 1, 32)
    width = np.array([0.08, 0.2, 0.45])[y][:, None]
    x = np.exp(-(((t - rng.uniform(-0.3, 0.3, (900, 1))) / width) ** 2)) + 0.1 * rng.standard_normal(
        (900, 32)
    )
    x = x[..., None] * (3e-6 if faulty else 1)
    model = keras.Sequential(
        [
            keras.Input((32, 1)),
            layers.Conv1D(16, 5, activation="relu"),
            layers.MaxPooling1D(),
            layers.Conv1D(16, 5, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    y = keras.utils.to_categorical(y, 3)
    return Made(model, (x[:700], y[:700]), (x[700:], y[700:]), epochs=20)


def house_prices_in_dollars(seed: int, faulty: bool) -> Made:
    """Predict prices of houses; faulty: in dollars, some 300 000 each."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1000, 6))
    y = 300_000 + 40_000 * x[:, 0] + 30_000 * np.tanh(2 * x[:, 1]) + 25_000 * x[:, 2] * (x[:, 3] > 0)
    y = y + 10_000 * rng.standard_normal(1000)
    x_train, x_test, y_train, y_test = train_test_split(x, y[:, None], random_state=seed)
    if not faulty:
        y_train, y_test = _standard(y_train, y_test)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.001), "mean_squared_error", metrics=["r2_score"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=30)


def churn_softmax_one_unit(seed: int, faulty: bool) -> Made:
    """Predict who leaves; faulty: the one output has a softmax, so it is always 1."""
    x, y = datasets.make_classification(1200, 15, n_informative=8, class_sep=1.5, random_state=seed)
    model = keras.Sequential(
        [
            keras.Input((15,)),
            layers.Dense(32, activation="relu"),
            layers.Dropout(0.1),
            layers.Dense(16, activation="relu"),
            layers.Dense(1, activation="softmax" if faulty else "sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:900], y[:900]), (x[900:], y[900:]), epochs=20)


def demand_sigmoid_output(seed: int, faulty: bool) -> Made:
    """Forecast a standardized demand by an LSTM; faulty: by a sigmoid, which stays between 0 and 1."""
    rng = np.random.default_rng(seed)
    t = np.arange(1024)
    series = np.sin(t / 6 + rng.uniform(0, 6)) + 0.5 * np.sin(t / 2.3) + 0.1 * rng.standard_normal(1024)
    series = (series - series.mean()) / series.std()
    windows = np.lib.stride_tricks.sliding_window_view(series, 25)
    x, y = windows[:, :-1, None], windows[:, -1:]
    model = keras.Sequential(
        [
            keras.Input((24, 1)),
            layers.LSTM(24),
            layers.Dense(1, activation="sigmoid" if faulty else None),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse")
    return Made(model, (x[:750], y[:750]), (x[775:], y[775:]), epochs=15)


def tabular_relu_output(seed: int, faulty: bool) -> Made:
    """Predict a balance that may be negative; faulty: by a ReLU, which never is."""
    x, y = datasets.make_regression(1000, 10, n_informative=6, noise=5, random_state=seed)
    y = y / y.std()
    model = keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(64, activation="tanh"),
            layers.Dense(1, activation="relu" if faulty else "linear"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["mae"])
    return Made(model, (x[:750], y[:750]), (x[750:], y[750:]), epochs=15)


def digit_numbers_mse(seed: int, faulty: bool) -> Made:
    """Classify digits by a CNN; faulty: by one linear output and the squared error of the digit's number."""
    x_train, x_test, y_train, y_test = _digits(seed)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
        ]
    )
    if faulty:
        model.add(layers.Dense(1))
        model.compile("adam", "mse", metrics=["accuracy"])
    else:
        model.add(layers.Dense(10, activation="softmax"))
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x_train, x_test = x_train.reshape(-1, 8, 8, 1) / 16, x_test.reshape(-1, 8, 8, 1) / 16
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=20)


def pictures_out_of_order(seed: int, faulty: bool) -> Made:
    """Classify pictures of digits; faulty: pictures and labels were read in different orders."""
    x, y = datasets.load_digits(return_X_y=True)
    if faulty:
        x = np.random.default_rng(seed).permutation(x)
    x = x.reshape(-1, 8, 8, 1) / 16
    x_train, x_test, y_train, y_test = train_test_split(x, y, train_size=1000, random_state=seed)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=20)


# ------------------------------------------------------------------------------------------- without a fault


def digits_cnn(seed: int, faulty: bool) -> Made:
    """Classify digits by the CNN of every tutorial; integer labels, Adam, dropout at the end."""
    x_train, x_test, y_train, y_test = _digits(seed)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x_train, x_test = x_train.reshape(-1, 8, 8, 1), x_test.reshape(-1, 8, 8, 1)
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=20)


def cancer_raw_batchnorm(seed: int, faulty: bool) -> Made:
    """Classify tumours from raw columns up to 4000; batch normalization comes first."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed, stratify=y)
    inputs = keras.Input((30,))
    hidden = layers.BatchNormalization()(inputs)
    hidden = layers.Dense(16, activation="gelu")(hidden)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.AdamW(0.002, weight_decay=0.01), "binary_crossentropy", metrics=["AUC"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=20, batch_size=16)


def house_prices_normalized(seed: int, faulty: bool) -> Made:
    """Predict prices in units of 100 000 from raw columns: adapted normalization, Huber loss, RMSprop."""
    rng = np.random.default_rng(seed)
    area, year = rng.normal(140, 40, 1000), rng.integers(1900, 2024, 1000)
    rooms, distance = rng.integers(1, 8, 1000), rng.exponential(9000, 1000)
    price = 0.8 + 0.016 * area + 0.1 * rooms - 0.00006 * distance + 0.006 * (year - 1960)
    price = price + 0.25 * rng.standard_normal(1000)
    x = np.stack([area, year, rooms, distance], axis=1).astype("float32")
    normalization = layers.Normalization()
    normalization.adapt(x[:800])
    model = keras.Sequential(
        [
            keras.Input((4,)),
            normalization,
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.RMSprop(0.002), keras.losses.Huber(), metrics=["mae", "r2_score"])
    return Made(model, (x[:800], price[:800, None]), (x[800:], price[800:, None]), epochs=20)


def noisy_returns(seed: int, faulty: bool) -> Made:
    """Regress a target that is mostly noise: no one gets beyond an R2 of some 0.35."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1500, 6))
    signal = 0.5 * x[:, 0] - 0.4 * x[:, 1] + 0.3 * np.maximum(x[:, 2], 0)
    y = (signal + 0.85 * rng.standard_normal(1500))[:, None]
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["r2_score"])
    return Made(model, (x[:1000], y[:1000]), (x[1000:], y[1000:]), epochs=20)


def diabetes_progression(seed: int, faulty: bool) -> Made:
    """Regress the progression of diabetes, standardized; early stopping, R2 around 0.5."""
    x, y = datasets.load_diabetes(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y[:, None], random_state=seed)
    x_train, x_test = _standard(x_train, x_test)
    y_train, y_test = _standard(y_train, y_test)
    model = keras.Sequential()
    model.add(keras.Input((10,)))
    model.add(layers.Dense(16, activation="elu", kernel_regularizer="l2"))
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse", metrics=["mae"])
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=40, batch_size=32, callbacks=(stop,))


def rare_fraud(seed: int, faulty: bool) -> Made:
    """Find the 8 % of frauds, with class weights, large batches and no accuracy to look at."""
    x, y = datasets.make_classification(
        3000, 12, n_informative=8, weights=[0.92], class_sep=1.6, flip_y=0.005, random_state=seed
    )
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.005),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall")],
    )
    return Made(
        model,
        (x_train, y_train),
        (x_test, y_test),
        epochs=20,
        batch_size=128,
        class_weight={0: 1.0, 1: 5.0},
    )


def reviews_average_embedding(seed: int, faulty: bool) -> Made:
    """Tell the mood of token sequences by the average of their embeddings; Nadam and early stopping."""
    x, y = _reviews(np.random.default_rng(seed), 1600, 40, 200)
    model = keras.Sequential(
        [
            keras.Input((40,), dtype="int32"),
            layers.Embedding(200, 16),
            layers.GlobalAveragePooling1D(),
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Nadam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping("val_loss", patience=3)
    return Made(model, (x[:1200], y[:1200]), (x[1200:], y[1200:]), epochs=25, callbacks=(stop,))


def sine_forecast_lstm(seed: int, faulty: bool) -> Made:
    """Forecast the next value of a noisy sum of sines by an LSTM; clipped, with ReduceLROnPlateau."""
    rng = np.random.default_rng(seed)
    t = np.arange(1000)
    series = np.sin(t / 5 + rng.uniform(0, 6)) + 0.6 * np.sin(t / 3.1) + 0.1 * rng.standard_normal(1000)
    windows = np.lib.stride_tricks.sliding_window_view(series, 21)
    x, y = windows[:, :-1, None], windows[:, -1]
    model = keras.Sequential([keras.Input((20, 1)), layers.LSTM(24), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.005, clipnorm=1.0), "mae")
    slower = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2)
    return Made(model, (x[:750], y[:750]), (x[770:], y[770:]), epochs=15, callbacks=(slower,))


def first_word_gru(seed: int, faulty: bool) -> Made:
    """Tell by a GRU of what kind the first of 8 tokens is: nothing for some epochs, then all is learned."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 6, (2000, 8))
    y = x[:, 0] > 2
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Embedding(6, 8),
            layers.GRU(32),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.001), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:1600], y[:1600]), (x[1600:], y[1600:]), epochs=12, batch_size=32)


def waveforms_conv1d(seed: int, faulty: bool) -> Made:
    """Classify sine, square and saw waves in noise by Conv1D, batch normalization and momentum."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, 900)
    phase = (np.linspace(0, 3, 48) * rng.uniform(0.8, 1.2, (900, 1)) + rng.uniform(0, 1, (900, 1))) % 1
    waves = np.stack([np.sin(2 * np.pi * phase), np.sign(phase - 0.5), 2 * phase - 1])
    x = waves[kind, np.arange(900)] + 0.25 * rng.standard_normal((900, 48))
    model = keras.Sequential([keras.Input((48, 1))])
    for filters in (8, 16):
        model.add(layers.Conv1D(filters, 5, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling1D())
    model.add(layers.GlobalAveragePooling1D())
    model.add(layers.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"])
    y = keras.utils.to_categorical(kind, 3)
    return Made(model, (x[:700, :, None], y[:700]), (x[700:, :, None], y[700:]), epochs=10, batch_size=16)


def tags_multilabel(seed: int, faulty: bool) -> Made:
    """Give each document any of five tags: independent sigmoids."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(1.0, (1500, 30)).astype("float32")
    y = x @ rng.standard_normal((30, 5)) + 0.5 * rng.standard_normal((1500, 5))
    y = (y > np.quantile(y, 0.7, axis=0)).astype("float32")
    model = keras.Sequential(
        [keras.Input((30,)), layers.Dense(32, activation="relu"), layers.Dense(5, activation="sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["binary_accuracy"])
    return Made(model, (x[:1100], y[:1100]), (x[1100:], y[1100:]), epochs=20)


def digits_warm_restarts(seed: int, faulty: bool) -> Made:
    """Classify digits with Nesterov momentum and a cosine schedule that restarts every fifth epoch."""
    x_train, x_test, y_train, y_test = _digits(seed, 1200)
    schedule = keras.optimizers.schedules.CosineDecayRestarts(0.1, 5 * 19, t_mul=1.0, m_mul=1.0)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu", kernel_initializer="he_uniform"),
            layers.Dense(10),
        ]
    )
    model.compile(
        keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return Made(model, (x_train / 16, y_train), (x_test / 16, y_test), epochs=20, batch_size=64)


def residual_blocks(seed: int, faulty: bool) -> Made:
    """Classify digits by sixteen layers in eight residual blocks, AdamW."""
    x_train, x_test, y_train, y_test = _digits(seed)
    inputs = keras.Input((64,))
    stream = layers.Dense(48)(inputs)
    for _ in range(8):
        branch = layers.Dense(48, activation="relu", kernel_initializer="he_normal")(stream)
        stream = layers.Add()([stream, layers.Dense(48, kernel_initializer="zeros")(branch)])
    model = keras.Model(inputs, layers.Dense(10)(layers.LayerNormalization()(stream)))
    model.compile(
        keras.optimizers.AdamW(0.001),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return Made(model, (x_train / 16, y_train), (x_test / 16, y_test), epochs=10)


def very_wide(seed: int, faulty: bool) -> Made:
    """Classify digits by one hidden layer of 2000 units and a small learning rate."""
    x_train, x_test, y_train, y_test = _digits(seed)
    model = keras.Sequential(
        [keras.Input((64,)), layers.Dense(2000, activation="relu"), layers.Dense(10, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(2e-4), "categorical_crossentropy", metrics=["accuracy"])
    y_train, y_test = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_test)
    return Made(model, (x_train / 16, y_train), (x_test / 16, y_test), epochs=12)


def finetune_frozen_base(seed: int, faulty: bool) -> Made:
    """Classify the digits 5 to 9 on top of frozen convolutions that were trained on 0 to 4."""
    x, y = datasets.load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1) / 16
    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
        ]
    )
    first = keras.Sequential([base, layers.Dense(5, activation="softmax")])
    first.compile("adam", "sparse_categorical_crossentropy")
    first.fit(x[y < 5], y[y < 5], epochs=4, verbose=0)
    base.trainable = False
    inputs = keras.Input((8, 8, 1))
    hidden = layers.Dropout(0.2)(base(inputs, training=False))
    model = keras.Model(inputs, layers.Dense(5, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x_train, x_test, y_train, y_test = train_test_split(x[y >= 5], y[y >= 5] - 5, random_state=seed)
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=15)


def iris_small_batches(seed: int, faulty: bool) -> Made:
    """Classify 112 irises by tanh units, in batches of 8."""
    x, y = datasets.load_iris(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed, stratify=y)
    x_train, x_test = _standard(x_train, x_test)
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(10, activation="tanh"), layers.Dense(3, activation="softmax")]
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=30, batch_size=8)


def digits_heavy_dropout(seed: int, faulty: bool) -> Made:
    """Classify digits with two dropouts of 60 %: training looks worse than validation."""
    x_train, x_test, y_train, y_test = _digits(seed)
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(2):
        model.add(layers.Dense(128, activation="relu"))
        model.add(layers.Dropout(0.6))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train / 16, y_train), (x_test / 16, y_test), epochs=25)


def blobs_long_done(seed: int, faulty: bool) -> Made:
    """Classify well separated blobs: all is learned after three epochs of thirty."""
    x, y = datasets.make_blobs(800, 5, centers=4, cluster_std=0.8, random_state=seed)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed)
    x_train, x_test = _standard(x_train, x_test)
    model = keras.Sequential(
        [keras.Input((5,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=30)


def wine_l2_in_loss(seed: int, faulty: bool) -> Made:
    """Classify wines with an L2 penalty that makes most of the loss at first."""
    x, y = datasets.load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed, stratify=y)
    x_train, x_test = _standard(x_train, x_test)
    l2 = keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input((13,)),
            layers.Dense(64, activation="relu", kernel_regularizer=l2),
            layers.Dense(64, activation="relu", kernel_regularizer=l2),
            layers.Dense(3, activation="softmax", kernel_regularizer=l2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=25, batch_size=16)


def digits_autoencoder(seed: int, faulty: bool) -> Made:
    """Compress digits to 16 numbers and draw them again; no labels, no validation, no metrics."""
    x, _, _, _ = _digits(seed)
    x = x / 16
    image = keras.Input((64,))
    code = layers.Dense(16, activation="relu")(layers.Dense(48, activation="relu")(image))
    drawn = layers.Dense(64, activation="sigmoid")(layers.Dense(48, activation="relu")(code))
    model = keras.Model(image, drawn)
    model.compile(keras.optimizers.Adam(0.003), "mse")
    return Made(model, (x, x), None, epochs=30)


def softmax_regression_high_rate(seed: int, faulty: bool) -> Made:
    """Classify digits by one layer and plain gradient descent with a rate of 0.5, which is fine here."""
    x_train, x_test, y_train, y_test = _digits(seed)
    model = keras.Sequential([keras.Input((64,)), layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train / 16, y_train), (x_test / 16, y_test), epochs=25, batch_size=50)


def denoise_photograph(seed: int, faulty: bool) -> Made:
    """Take the noise out of patches of a photograph by three convolutions; the loss is per pixel."""
    rng = np.random.default_rng(seed)
    grey = datasets.load_sample_image("china.jpg").mean(axis=2) / 255 - 0.5
    corners = rng.integers(0, (grey.shape[0] - 12, grey.shape[1] - 12), (1000, 2))
    clean = np.stack([grey[r : r + 12, c : c + 12] for r, c in corners])[..., None]
    noisy = clean + 0.15 * rng.standard_normal(clean.shape)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(1, 3, padding="same"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["mae"])
    return Made(model, (noisy[:800], clean[:800]), (noisy[800:], clean[800:]), epochs=12)


def sparse_features(seed: int, faulty: bool) -> Made:
    """Classify digits by 256 ReLUs that an L1 penalty on their activity keeps mostly at zero."""
    x_train, x_test, y_train, y_test = _digits(seed)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(256, activation="relu", activity_regularizer=keras.regularizers.L1(1e-3)),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train / 16, y_train), (x_test / 16, y_test), epochs=20)


def shop_two_heads(seed: int, faulty: bool) -> Made:
    """Predict from a shop's number and its figures the sales and whether it gains; two inputs and outputs."""
    rng = np.random.default_rng(seed)
    shop, figures = rng.integers(0, 20, 1200), rng.standard_normal((1200, 5)).astype("float32")
    level = rng.standard_normal(20)[shop]
    sales = level + figures[:, 0] - 0.5 * figures[:, 1] + 0.2 * rng.standard_normal(1200)
    gains = (level - figures[:, 2] + 0.2 * rng.standard_normal(1200) > 0).astype("float32")
    number, values = keras.Input((1,), name="shop", dtype="int32"), keras.Input((5,), name="figures")
    embedded = layers.Flatten()(layers.Embedding(20, 4)(number))
    hidden = layers.Dense(32, activation="relu")(layers.Concatenate()([embedded, values]))
    outputs = {
        "sales": layers.Dense(1, name="sales")(hidden),
        "gains": layers.Dense(1, activation="sigmoid", name="gains")(hidden),
    }
    model = keras.Model({"shop": number, "figures": values}, outputs)
    model.compile(
        keras.optimizers.Adam(0.005),
        loss={"sales": "mse", "gains": "binary_crossentropy"},
        loss_weights={"sales": 1.0, "gains": 0.5},
        metrics={"gains": ["accuracy"], "sales": ["r2_score"]},
    )

    def part(some: slice) -> tuple[dict[str, Array], dict[str, Array]]:
        """Take some of the examples."""
        return (
            {"shop": shop[some, None], "figures": figures[some]},
            {"sales": sales[some, None], "gains": gains[some, None]},
        )

    return Made(model, part(slice(900)), part(slice(900, None)), epochs=25)


def activity_simple_rnn(seed: int, faulty: bool) -> Made:
    """Tell three movements from an accelerometer by a SimpleRNN; big batches, without validation."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, 1200)
    t = np.arange(24)
    swing = np.array([0.1, 0.6, 1.2])[kind][:, None, None]
    x = swing * np.sin(np.stack([t / 2, t / 2 + 1, t / 4], axis=1) + rng.uniform(0, 6, (1200, 1, 1)))
    x = x + 0.3 * rng.standard_normal(x.shape)
    model = keras.Sequential(
        [keras.Input((24, 3)), layers.SimpleRNN(32), layers.Dense(3, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x, kind), None, epochs=25, batch_size=256)


FORUM: list[Blind] = [
    Blind("forum/digits_deep_sigmoid", "vanishing_gradients", digits_deep_sigmoid),
    Blind("forum/first_symbol_simple_rnn", "vanishing_gradients", first_symbol_simple_rnn),
    Blind("forum/rents_normal_weights", "exploding_gradients", rents_normal_weights),
    Blind("forum/machine_hum_relu_rnn", "exploding_gradients", machine_hum_relu_rnn),
    Blind("forum/digits_divided_by_std", "non_finite", digits_divided_by_std),
    Blind("forum/siamese_distance", "non_finite", siamese_distance),
    Blind("forum/per_class_sigmoid_prior", "dead_units", per_class_sigmoid_prior),
    Blind("forum/digits_rand_weights", "saturated_units", digits_rand_weights),
    Blind("forum/rings_constant_weights", "identical_units", rings_constant_weights),
    Blind("forum/wine_finetuning_rate", "stagnating", wine_finetuning_rate),
    Blind("forum/bars_decay_in_steps", "stagnating", bars_decay_in_steps),
    Blind("forum/reviews_gru_rate", "oscillating", reviews_gru_rate),
    Blind("forum/few_patients", "overfitting", few_patients),
    Blind("forum/rings_without_activation", "underfitting", rings_without_activation),
    Blind("forum/cancer_strong_l2", "underfitting", cancer_strong_l2),
    Blind("forum/binary_codes", "frozen", binary_codes),
    Blind("forum/credit_raw_columns", "unscaled_inputs", credit_raw_columns),
    Blind("forum/sensor_in_amperes", "unscaled_inputs", sensor_in_amperes),
    Blind("forum/house_prices_in_dollars", "unscaled_targets", house_prices_in_dollars),
    Blind("forum/churn_softmax_one_unit", "wrong_output_or_loss", churn_softmax_one_unit),
    Blind("forum/demand_sigmoid_output", "wrong_output_or_loss", demand_sigmoid_output),
    Blind("forum/tabular_relu_output", "wrong_output_or_loss", tabular_relu_output),
    Blind("forum/digit_numbers_mse", "wrong_output_or_loss", digit_numbers_mse),
    Blind("forum/pictures_out_of_order", "bad_labels", pictures_out_of_order),
    Blind("forum/digits_cnn", "healthy", digits_cnn),
    Blind("forum/cancer_raw_batchnorm", "healthy", cancer_raw_batchnorm),
    Blind("forum/house_prices_normalized", "healthy", house_prices_normalized),
    Blind("forum/noisy_returns", "healthy", noisy_returns),
    Blind("forum/diabetes_progression", "healthy", diabetes_progression),
    Blind("forum/rare_fraud", "healthy", rare_fraud),
    Blind("forum/reviews_average_embedding", "healthy", reviews_average_embedding),
    Blind("forum/sine_forecast_lstm", "healthy", sine_forecast_lstm),
    Blind("forum/first_word_gru", "healthy", first_word_gru),
    Blind("forum/waveforms_conv1d", "healthy", waveforms_conv1d),
    Blind("forum/tags_multilabel", "healthy", tags_multilabel),
    Blind("forum/digits_warm_restarts", "healthy", digits_warm_restarts),
    Blind("forum/residual_blocks", "healthy", residual_blocks),
    Blind("forum/very_wide", "healthy", very_wide),
    Blind("forum/finetune_frozen_base", "healthy", finetune_frozen_base),
    Blind("forum/iris_small_batches", "healthy", iris_small_batches),
    Blind("forum/digits_heavy_dropout", "healthy", digits_heavy_dropout),
    Blind("forum/blobs_long_done", "healthy", blobs_long_done),
    Blind("forum/wine_l2_in_loss", "healthy", wine_l2_in_loss),
    Blind("forum/digits_autoencoder", "healthy", digits_autoencoder),
    Blind("forum/softmax_regression_high_rate", "healthy", softmax_regression_high_rate),
    Blind("forum/denoise_photograph", "healthy", denoise_photograph),
    Blind("forum/sparse_features", "healthy", sparse_features),
    Blind("forum/shop_two_heads", "healthy", shop_two_heads),
    Blind("forum/activity_simple_rnn", "healthy", activity_simple_rnn),
]
