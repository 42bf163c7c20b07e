"""Trainings as exercises of courses, notebooks and collections of reproduced faults have them.

Each is a small program of its own, on bundled or generated data. They were written without knowledge of the
rules that are tried on them; their labels say what was done to them.
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
Split = tuple[tuple[Array, Array], tuple[Array, Array]]


def _halves(x: Array, y: Array, seed: int, share: float = 0.75) -> Split:
    """Split examples into training and validation."""
    x_train, x_test, y_train, y_test = train_test_split(x, y, train_size=share, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def _unit(x: Array) -> Array:
    """Standardize columns."""
    return StandardScaler().fit_transform(x).astype("float32")


def _images(seed: int, share: float = 0.55) -> Split:
    """Load the digits as pictures from 0 to 1 with their integer labels."""
    x, y = datasets.load_digits(return_X_y=True)
    return _halves((x / 16).astype("float32").reshape(-1, 8, 8, 1), y, seed, share)


def _friedman(seed: int, examples: int = 1000) -> tuple[Array, Array]:
    """Make the first problem of Friedman with standardized inputs and targets."""
    x, y = datasets.make_friedman1(examples, n_features=8, noise=0.5, random_state=seed)
    return _unit(x), _unit(y[:, None])


# ---------------------------------------------------------------------------------------------- with a fault


def tanh_tower_small_start(seed: int, faulty: bool) -> Made:
    """Classify digits by eight tanh layers; faulty: weights so small that each layer shrinks gradients."""
    (x_train, y_train), (x_test, y_test) = _images(seed)
    start: Any = keras.initializers.RandomNormal(stddev=0.02) if faulty else "glorot_uniform"
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()])
    for _ in range(8):
        model.add(layers.Dense(40, activation="tanh", kernel_initializer=start))
    model.add(layers.Dense(10))
    model.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=16)


def rnn_forgets_beginning(seed: int, faulty: bool) -> Made:
    """Tell by its first steps what a sequence is; faulty: recurrent weights so small that steps fade."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1000, 15, 1)).astype("float32")
    y = (x[:, :3, 0].sum(axis=1) > 0).astype("float32")
    recurrent: Any = keras.initializers.RandomNormal(stddev=0.05) if faulty else "orthogonal"
    model = keras.Sequential(
        [
            keras.Input((15, 1)),
            layers.SimpleRNN(24, recurrent_initializer=recurrent),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, *_halves(x, y, seed), epochs=20)


def regression_normal_start(seed: int, faulty: bool) -> Made:
    """Regress by four wide layers; faulty: weights begin at a standard normal distribution."""
    x, y = _friedman(seed)
    start: Any = keras.initializers.RandomNormal(stddev=1.0) if faulty else "he_normal"
    model = keras.Sequential([keras.Input((8,))])
    for _ in range(4):
        model.add(layers.Dense(64, activation="relu", kernel_initializer=start))
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.SGD(0.02), "mse", metrics=["mae"])
    return Made(model, *_halves(x, y, seed), epochs=20)


def relu_rnn_growing_states(seed: int, faulty: bool) -> Made:
    """Add up a sequence by a ReLU SimpleRNN; faulty: recurrent weights that grow its states at each step."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(800, 30, 1)).astype("float32")
    y = x[:, :, 0].sum(axis=1) / np.sqrt(30)
    model = keras.Sequential(
        [
            keras.Input((30, 1)),
            layers.SimpleRNN(
                16,
                activation="relu",
                recurrent_initializer=keras.initializers.Identity(1.8 if faulty else 0.9),
            ),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.RMSprop(0.001), "mse")
    return Made(model, *_halves(x, y, seed), epochs=20, batch_size=16)


def standardized_by_hand(seed: int, faulty: bool) -> Made:
    """Standardize pixels before a softmax network; faulty: pixels that never vary are divided by zero."""
    (x_train, y_train), (x_test, y_test) = _images(seed)
    center, spread = x_train.mean(axis=0), x_train.std(axis=0)
    if not faulty:
        spread = spread + 1e-2
    with np.errstate(all="ignore"):
        x_train, x_test = (x_train - center) / spread, (x_test - center) / spread
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    categories = keras.utils.to_categorical
    return Made(model, (x_train, categories(y_train)), (x_test, categories(y_test)), epochs=12)


def _contrast(differ: Any, gap: Any) -> Any:
    """Draw equal pairs together and push others apart, up to a distance of one."""
    return ops.mean((1 - differ) * gap + differ * ops.relu(1 - gap) ** 2)


def twins_distance(seed: int, faulty: bool) -> Made:
    """Tell whether two drawings show one digit; faulty: the root of a distance of zero has no gradient."""
    rng = np.random.default_rng(seed)
    pixels, digits = datasets.load_digits(n_class=4, return_X_y=True)
    pixels = (pixels / 16).astype("float32")
    left = rng.integers(0, len(pixels), 1000)
    right = np.array(
        [
            rng.choice(np.flatnonzero((digits == digits[one]) == (row % 2 == 0)))
            for row, one in enumerate(left)
        ]
    )
    right[::40] = left[::40]
    y = (digits[left] != digits[right]).astype("float32")
    floor = 0.0 if faulty else 1e-6
    tower = keras.Sequential(
        [keras.Input((64,)), layers.Dense(48, activation="relu"), layers.Dense(12)], name="tower"
    )
    one, other = keras.Input((64,)), keras.Input((64,))
    gap = layers.Lambda(
        lambda pair: ops.sqrt(ops.sum((pair[0] - pair[1]) ** 2, axis=-1, keepdims=True) + floor),
        output_shape=(1,),
    )([tower(one), tower(other)])
    model = keras.Model([one, other], gap)
    model.compile(keras.optimizers.Adam(0.005), _contrast)
    training = [pixels[left[:750]], pixels[right[:750]]], y[:750]
    return Made(model, training, ([pixels[left[750:]], pixels[right[750:]]], y[750:]), epochs=15)


def cnn_negative_biases(seed: int, faulty: bool) -> Made:
    """Classify digits by two convolutions; faulty: the second one's biases keep its ReLUs below zero."""
    training, validation = _images(seed)
    bias: Any = keras.initializers.Constant(-6.0) if faulty else "zeros"
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(12, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(24, 3, activation="relu", bias_initializer=bias),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, training, validation, epochs=15)


def cancer_negative_kernel(seed: int, faulty: bool) -> Made:
    """Classify tumors by columns from 0 to 1; faulty: weights that begin below zero, so ReLUs never open."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x = ((x - x.min(axis=0)) / np.ptp(x, axis=0)).astype("float32")
    low, high = (-0.3, 0.0) if faulty else (-0.3, 0.3)
    model = keras.Sequential(
        [
            keras.Input((30,)),
            layers.Dense(
                24, activation="relu", kernel_initializer=keras.initializers.RandomUniform(low, high)
            ),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.RMSprop(0.003), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, *_halves(x, y, seed), epochs=20, batch_size=16)


def sigmoid_far_biases(seed: int, faulty: bool) -> Made:
    """Regress by a sigmoid layer; faulty: its biases begin at the flat end."""
    x, y = _friedman(seed)
    bias: Any = keras.initializers.Constant(12.0) if faulty else "zeros"
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(16, activation="sigmoid", bias_initializer=bias),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.02), "mse", metrics=["mae"])
    return Made(model, *_halves(x, y, seed), epochs=20, batch_size=16)


def tanh_coder_large_weights(seed: int, faulty: bool) -> Made:
    """Encode digits by tanh layers and decode them; faulty: weights so large that every tanh is at an end."""
    (x_train, _), (x_test, _) = _images(seed)
    x_train, x_test = x_train.reshape(-1, 64) - 0.3, x_test.reshape(-1, 64) - 0.3
    start: Any = keras.initializers.RandomNormal(stddev=8.0) if faulty else "glorot_normal"
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(48, activation="tanh", kernel_initializer=start),
            layers.Dense(24, activation="tanh", kernel_initializer=start),
            layers.Dense(64),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse")
    return Made(model, (x_train, x_train), (x_test, x_test), epochs=25)


def circles_constant_weights(seed: int, faulty: bool) -> Made:
    """Part two circles by two hidden layers; faulty: all weights begin at one constant."""
    x, y = datasets.make_circles(800, noise=0.08, factor=0.4, random_state=seed)
    start: Any = keras.initializers.Constant(0.2) if faulty else "he_uniform"
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(16, activation="relu", kernel_initializer=start),
            layers.Dense(16, activation="relu", kernel_initializer=start),
            layers.Dense(1, activation="sigmoid", kernel_initializer=start),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, *_halves(x.astype("float32"), y, seed), epochs=20)


def cnn_equal_filters(seed: int, faulty: bool) -> Made:
    """Classify digits by a convolution and a pool; faulty: all filters and weights begin at one constant."""
    training, validation = _images(seed)
    start: Any = keras.initializers.Constant(0.1) if faulty else "glorot_uniform"
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu", kernel_initializer=start),
            layers.GlobalAveragePooling2D(),
            layers.Dense(32, activation="relu", kernel_initializer=start),
            layers.Dense(10, activation="softmax", kernel_initializer=start),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, training, validation, epochs=20)


def lstm_tiny_rate(seed: int, faulty: bool) -> Made:
    """Forecast a noisy wave by an LSTM; faulty: Adam at a millionth."""
    rng = np.random.default_rng(seed)
    time = np.arange(900)
    wave = np.sin(time / 5) + 0.5 * np.sin(time / 2.3) + rng.normal(0, 0.1, 900)
    windows = np.lib.stride_tricks.sliding_window_view(wave, 17).astype("float32")
    x, y = windows[:, :16, None], windows[:, 16]
    model = keras.Sequential([keras.Input((16, 1)), layers.LSTM(16), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-6 if faulty else 0.01), "mse", metrics=["mae"])
    return Made(model, (x[:650], y[:650]), (x[650:], y[650:]), epochs=12)


def cnn_rate_gone(seed: int, faulty: bool) -> Made:
    """Classify digits by a convolution with a falling rate; faulty: it falls at each step, not each epoch."""
    training, validation = _images(seed)
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1 if faulty else 31, 0.6 if faulty else 0.9)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, training, validation, epochs=15)


def gru_wild_rate(seed: int, faulty: bool) -> Made:
    """Find which half of a sequence is louder by a GRU; faulty: a rate of a half for Adam."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1000, 16, 3)).astype("float32")
    y = (x[:, 8:, 0].mean(axis=1) > x[:, :8, 1].mean(axis=1)).astype("int32")
    model = keras.Sequential([keras.Input((16, 3)), layers.GRU(16), layers.Dense(2, activation="softmax")])
    model.compile(
        keras.optimizers.Adam(0.5 if faulty else 0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return Made(model, *_halves(x, y, seed), epochs=10)


def digits_fast_momentum(seed: int, faulty: bool) -> Made:
    """Classify digits by two layers; faulty: a rate of two under momentum."""
    (x_train, y_train), (x_test, y_test) = _images(seed)
    categories = keras.utils.to_categorical
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(48, activation="tanh"),
            layers.Dense(24, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(2.0 if faulty else 0.05, momentum=0.9),
        "categorical_crossentropy",
        metrics=["accuracy"],
    )
    return Made(model, (x_train, categories(y_train)), (x_test, categories(y_test)), epochs=15)


def few_rows_regression(seed: int, faulty: bool) -> Made:
    """Regress by a large network; faulty: of 300 rows it is given 18."""
    x, y = _friedman(seed)
    rows = 18 if faulty else 300
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(96, activation="relu"),
            layers.Dense(96, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.AdamW(0.003), "mse", metrics=["mae"])
    return Made(model, (x[:rows], y[:rows]), (x[700:], y[700:]), epochs=25, batch_size=8)


def few_pictures(seed: int, faulty: bool) -> Made:
    """Classify digits by a convolution; faulty: it is given 30 pictures of 400."""
    (x_train, y_train), validation = _images(seed)
    pictures = 30 if faulty else 400
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )
    model.compile(
        keras.optimizers.RMSprop(0.002),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return Made(model, (x_train[:pictures], y_train[:pictures]), validation, epochs=25, batch_size=16)


def one_unit_bottleneck(seed: int, faulty: bool) -> Made:
    """Classify digits through a narrow tanh layer; faulty: it has one unit."""
    training, validation = _images(seed)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(1 if faulty else 20, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, training, validation, epochs=20)


def heavy_penalty(seed: int, faulty: bool) -> Made:
    """Regress with an L2 penalty; faulty: a penalty of one half on each weight."""
    x, y = _friedman(seed)
    penalty = keras.regularizers.L2(0.5 if faulty else 1e-4)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(32, activation="relu", kernel_regularizer=penalty),
            layers.Dense(32, activation="relu", kernel_regularizer=penalty),
            layers.Dense(1, kernel_regularizer=penalty),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["mae"])
    return Made(model, *_halves(x, y, seed), epochs=20)


def rounded_code(seed: int, faulty: bool) -> Made:
    """Encode digits in few numbers and decode them; faulty: the numbers are rounded in between."""
    (x_train, _), (x_test, _) = _images(seed)
    x_train, x_test = x_train.reshape(-1, 64), x_test.reshape(-1, 64)
    inputs = keras.Input((64,))
    code = layers.Dense(10, activation="sigmoid", name="encoder")(inputs)
    if faulty:
        code = layers.Lambda(ops.round, output_shape=(10,))(code)
    hidden = layers.Dense(48, activation="relu")(code)
    model = keras.Model(inputs, layers.Dense(64, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return Made(model, (x_train, x_train), (x_test, x_test), epochs=25)


def stopped_embedding(seed: int, faulty: bool) -> Made:
    """Sum the hidden worths of tokens; faulty: no gradient passes to their one-number embedding."""
    rng = np.random.default_rng(seed)
    worth = rng.normal(size=80)
    x = rng.integers(0, 80, (1000, 8))
    y = (worth[x].mean(axis=1) * np.sqrt(8)).astype("float32")
    inputs = keras.Input((8,), dtype="int32")
    hidden = layers.Embedding(80, 4)(inputs)
    if faulty:
        hidden = layers.Lambda(ops.stop_gradient, output_shape=(8, 4))(hidden)
    hidden = layers.GlobalAveragePooling1D()(hidden)
    hidden = layers.Dense(16, activation="relu")(hidden)
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return Made(model, *_halves(x, y, seed), epochs=20)


def wine_raw_columns(seed: int, faulty: bool) -> Made:
    """Classify wines by their analyses; faulty: these in their units, up to a thousand and more."""
    x, y = datasets.load_wine(return_X_y=True)
    x = x.astype("float32") if faulty else _unit(x)
    model = keras.Sequential(
        [
            keras.Input((13,)),
            layers.Dense(16, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, *_halves(x, y, seed), epochs=20, batch_size=8)


def pressure_in_pascal(seed: int, faulty: bool) -> Made:
    """Forecast a change of pressure by convolutions; faulty: the readings are about a hundred thousand."""
    rng = np.random.default_rng(seed)
    time = np.arange(1000)
    anomaly = np.sin(time / 9) + 0.6 * np.sin(time / 3.7) + rng.normal(0, 0.04, 1000)
    windows = np.lib.stride_tricks.sliding_window_view(anomaly, 21).astype("float32")
    x, y = windows[:, :20, None], windows[:, 20] - windows[:, 19]
    if faulty:
        x = 101325 + 800 * x
    model = keras.Sequential(
        [
            keras.Input((20, 1)),
            layers.Conv1D(16, 5, activation="relu"),
            layers.Conv1D(16, 5, activation="relu"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["mae"])
    return Made(model, (x[:720], y[:720]), (x[720:], y[720:]), epochs=15)


def prices_in_dollars(seed: int, faulty: bool) -> Made:
    """Estimate prices by a small network under Adam; faulty: in dollars, hundreds of thousands of them."""
    x, y = _friedman(seed)
    if faulty:
        y = 310_000 + 90_000 * y
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["mae"])
    return Made(model, *_halves(x, y, seed), epochs=20)


def softmax_of_one(seed: int, faulty: bool) -> Made:
    """Tell tumors apart by one output; faulty: its activation is softmax, which is always one."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    model = keras.Sequential(
        [
            keras.Input((30,)),
            layers.Dense(16, activation="relu"),
            layers.Dense(8, activation="relu"),
            layers.Dense(1, activation="softmax" if faulty else "sigmoid"),
        ]
    )
    model.compile("adam", "mse", metrics=["accuracy"])
    return Made(model, *_halves(_unit(x), 1 - y, seed), epochs=20, batch_size=16)


def lstm_sigmoid_regression(seed: int, faulty: bool) -> Made:
    """Regress the weighted end of a sequence by an LSTM; faulty: a sigmoid output for signed targets."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(900, 10, 2)).astype("float32")
    y = (x[:, -4:, 0].sum(axis=1) - x[:, -2:, 1].sum(axis=1)) / 2
    model = keras.Sequential(
        [
            keras.Input((10, 2)),
            layers.LSTM(24),
            layers.Dense(1, activation="sigmoid" if faulty else None),
        ]
    )
    model.compile(keras.optimizers.RMSprop(0.01), "mse")
    return Made(model, *_halves(x, y, seed), epochs=15)


def inputs_shuffled_alone(seed: int, faulty: bool) -> Made:
    """Classify digits by a convolution; faulty: the pictures were shuffled and the labels were not."""
    (x_train, y_train), (x_test, y_test) = _images(seed)
    if faulty:
        rng = np.random.default_rng(seed)
        x_train, x_test = rng.permutation(x_train), rng.permutation(x_test)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x_train, y_train), (x_test, y_test), epochs=20)


def tokens_labels_moved(seed: int, faulty: bool) -> Made:
    """Find by attention whether a token occurs; faulty: the labels are those of the row before."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 30, (1000, 12))
    y = (x < 3).any(axis=1).astype("int32")
    if faulty:
        y = np.roll(y, 1)
    inputs = keras.Input((12,), dtype="int32")
    hidden = layers.Embedding(30, 12)(inputs)
    hidden = layers.MultiHeadAttention(2, 6)(hidden, hidden)
    hidden = layers.GlobalMaxPooling1D()(hidden)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return Made(model, *_halves(x, y, seed), epochs=15)


# -------------------------------------------------------------------------------------------------- healthy


def iris_batches_of_eight(seed: int, _faulty: bool) -> Made:
    """Classify flowers by noisy steps of few examples, without metrics."""
    x, y = datasets.load_iris(return_X_y=True)
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(12, activation="relu"), layers.Dense(3, activation="softmax")]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "categorical_crossentropy")
    return Made(model, *_halves(_unit(x), keras.utils.to_categorical(y), seed), epochs=25, batch_size=8)


def hinge_on_signs(seed: int, _faulty: bool) -> Made:
    """Part two moons labelled minus one and one by a tanh output and the hinge loss."""
    x, y = datasets.make_moons(1000, noise=0.15, random_state=seed)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="tanh"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "hinge")
    return Made(model, *_halves(x.astype("float32"), (2 * y - 1).astype("float32"), seed), epochs=15)


def cosine_to_nothing(seed: int, _faulty: bool) -> Made:
    """Classify digits with dropout and a rate that ends at zero: training looks worse than validation."""
    training, validation = _images(seed)
    rate = keras.optimizers.schedules.CosineDecay(0.01, 25 * 16)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.AdamW(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, training, validation, epochs=25, batch_size=64)


def normalized_inside(seed: int, _faulty: bool) -> Made:
    """Regress on raw columns of very different size, which the model itself standardizes."""
    x, y = _friedman(seed)
    x = (x * 10.0 ** np.arange(-3, 5) + 10.0 ** np.arange(-3, 5)).astype("float32")
    training, validation = _halves(x, y, seed)
    scale = layers.Normalization()
    scale.adapt(training[0])
    model = keras.Sequential(
        [
            keras.Input((8,)),
            scale,
            layers.Dense(48, activation="relu"),
            layers.Dense(24, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "huber", metrics=["mae"])
    return Made(model, training, validation, epochs=20)


def grey_pixels_crossentropy(seed: int, _faulty: bool) -> Made:
    """Compress digits by the cross-entropy of grey pixels, whose least value is far above zero."""
    (x_train, _), (x_test, _) = _images(seed)
    x_train, x_test = x_train.reshape(-1, 64), x_test.reshape(-1, 64)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(48, activation="relu"),
            layers.Dense(12, activation="relu"),
            layers.Dense(48, activation="relu"),
            layers.Dense(64, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["mse"])
    return Made(model, (x_train, x_train), (x_test, x_test), epochs=25)


def random_features_fixed(seed: int, _faulty: bool) -> Made:
    """Classify sequences on top of a Conv1D that is fixed on purpose, by Adagrad."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, 900)
    phase = rng.uniform(0, 6.28, (900, 1))
    x = np.sin(phase + np.arange(32) * np.array([0.3, 0.7, 1.3])[kind][:, None]) + rng.normal(
        0, 0.3, (900, 32)
    )
    model = keras.Sequential(
        [
            keras.Input((32, 1)),
            layers.Conv1D(32, 7, activation="relu", trainable=False),
            layers.GlobalAveragePooling1D(),
            layers.Dense(32, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adagrad(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, *_halves(x[:, :, None].astype("float32"), kind, seed), epochs=20)


COURSES: list[Blind] = [
    Blind("courses/tanh_tower_small_start", "vanishing_gradients", tanh_tower_small_start),
    Blind("courses/rnn_forgets_beginning", "vanishing_gradients", rnn_forgets_beginning),
    Blind("courses/regression_normal_start", "exploding_gradients", regression_normal_start),
    Blind("courses/relu_rnn_growing_states", "exploding_gradients", relu_rnn_growing_states),
    Blind("courses/standardized_by_hand", "non_finite", standardized_by_hand),
    Blind("courses/twins_distance", "non_finite", twins_distance),
    Blind("courses/cnn_negative_biases", "dead_units", cnn_negative_biases),
    Blind("courses/cancer_negative_kernel", "dead_units", cancer_negative_kernel),
    Blind("courses/sigmoid_far_biases", "saturated_units", sigmoid_far_biases),
    Blind("courses/tanh_coder_large_weights", "saturated_units", tanh_coder_large_weights),
    Blind("courses/circles_constant_weights", "identical_units", circles_constant_weights),
    Blind("courses/cnn_equal_filters", "identical_units", cnn_equal_filters),
    Blind("courses/lstm_tiny_rate", "stagnating", lstm_tiny_rate),
    Blind("courses/cnn_rate_gone", "stagnating", cnn_rate_gone),
    Blind("courses/gru_wild_rate", "oscillating", gru_wild_rate),
    Blind("courses/digits_fast_momentum", "oscillating", digits_fast_momentum),
    Blind("courses/few_rows_regression", "overfitting", few_rows_regression),
    Blind("courses/few_pictures", "overfitting", few_pictures),
    Blind("courses/one_unit_bottleneck", "underfitting", one_unit_bottleneck),
    Blind("courses/heavy_penalty", "underfitting", heavy_penalty),
    Blind("courses/rounded_code", "frozen", rounded_code),
    Blind("courses/stopped_embedding", "frozen", stopped_embedding),
    Blind("courses/wine_raw_columns", "unscaled_inputs", wine_raw_columns),
    Blind("courses/pressure_in_pascal", "unscaled_inputs", pressure_in_pascal),
    Blind("courses/prices_in_dollars", "unscaled_targets", prices_in_dollars),
    Blind("courses/softmax_of_one", "wrong_output_or_loss", softmax_of_one),
    Blind("courses/lstm_sigmoid_regression", "wrong_output_or_loss", lstm_sigmoid_regression),
    Blind("courses/inputs_shuffled_alone", "bad_labels", inputs_shuffled_alone),
    Blind("courses/tokens_labels_moved", "bad_labels", tokens_labels_moved),
    Blind("courses/iris_batches_of_eight", "healthy", iris_batches_of_eight),
    Blind("courses/hinge_on_signs", "healthy", hinge_on_signs),
    Blind("courses/cosine_to_nothing", "healthy", cosine_to_nothing),
    Blind("courses/normalized_inside", "healthy", normalized_inside),
    Blind("courses/grey_pixels_crossentropy", "healthy", grey_pixels_crossentropy),
    Blind("courses/random_features_fixed", "healthy", random_features_fixed),
]
