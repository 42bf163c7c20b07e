"""Trainings as Keras's own guides, papers and more advanced users write them.

Residual and recurrent networks, attention, autoencoders, recommenders, custom layers, losses and training
steps. They were written without knowledge of the rules that are tried on them; their labels say what was done
to them.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from sklearn import datasets, decomposition
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .program import Blind, Made

Array = np.ndarray[Any, Any]


# Data


def digit_images(seed: int, train: int = 1000, held: int = 400) -> tuple[Array, Array, Array, Array]:
    """Load the digits as 8 by 8 pictures of one channel, 0 to 1, and split them."""
    x, y = datasets.load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
    return train_test_split(x, y, train_size=train, test_size=held, random_state=seed, stratify=y)


def friedman(seed: int, examples: int = 1300, noise: float = 0.5) -> tuple[Array, Array, Array, Array]:
    """Make Friedman's first regression with standardized columns and a standardized target; split it."""
    x, y = datasets.make_friedman1(examples, 6, noise=noise, random_state=seed)
    x = StandardScaler().fit_transform(x).astype("float32")
    y = ((y - y.mean()) / y.std()).astype("float32")
    return train_test_split(x, y, test_size=300, random_state=seed)


def topic_tokens(seed: int, examples: int = 1300, length: int = 20) -> tuple[Array, Array, Array, Array]:
    """Make sequences of 60 words in which some words tell one of four topics; split them."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, 4, examples)
    words = rng.integers(20, 60, (examples, length))
    told = rng.integers(0, 5, (examples, length)) + 5 * topic[:, None]
    x = np.where(rng.random((examples, length)) < 0.25, told, words)
    return train_test_split(x, topic, test_size=300, random_state=seed)


def waves(seed: int, examples: int = 1000, length: int = 24) -> tuple[Array, Array, Array, Array]:
    """Make noisy windows of two added sines and the value that follows; split them."""
    rng = np.random.default_rng(seed)
    time = np.arange(length + 1)
    phase = rng.uniform(0, 2 * np.pi, (2, examples, 1))
    series = np.sin(2 * np.pi * time / 12 + phase[0]) + 0.5 * np.sin(2 * np.pi * time / 7 + phase[1])
    series = (series + rng.normal(0, 0.1, series.shape)).astype("float32")
    return train_test_split(series[:, :-1, None], series[:, -1], test_size=0.25, random_state=seed)


def chirps(seed: int, examples: int = 1000, length: int = 48) -> tuple[Array, Array, Array, Array]:
    """Make noisy oscillations of three kinds (even, rising, falling in pitch) of unit size; split them."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, examples)
    time = np.linspace(0, 1, length)
    bend = np.array([0.0, 6.0, -6.0])[kind][:, None]
    phase = rng.uniform(0, 2 * np.pi, (examples, 1))
    x = np.sin(2 * np.pi * (7 * time + bend * time * (time - 1) / 2 * 2) + phase)
    x = x + rng.normal(0, 0.2, x.shape)
    return train_test_split(x[..., None].astype("float32"), kind, test_size=0.25, random_state=seed)


def photo_patches(seed: int, patches: int = 500, size: int = 16) -> tuple[Array, Array, Array, Array]:
    """Cut patches from a grey photograph, add noise, and split noisy and clean ones."""
    rng = np.random.default_rng(seed)
    photo = datasets.load_sample_images().images[0].mean(-1)[::3, ::3] / 255
    rows = rng.integers(0, photo.shape[0] - size, patches)
    columns = rng.integers(0, photo.shape[1] - size, patches)
    clean = np.stack([photo[i : i + size, j : j + size] for i, j in zip(rows, columns, strict=True)])
    clean = clean[..., None].astype("float32")
    noisy = (clean + rng.normal(0, 0.15, clean.shape)).astype("float32")
    return train_test_split(noisy, clean, test_size=0.25, random_state=seed)


def ratings(seed: int, users: int, items: int, seen: int, noise: float) -> tuple[list[Array], Array]:
    """Make (user, item) pairs and ratings of standard size from two hidden tastes."""
    rng = np.random.default_rng(seed)
    tastes, kinds = rng.normal(size=(users, 2)), rng.normal(size=(items, 2))
    pairs = rng.choice(users * items, seen, replace=False)
    user, item = pairs // items, pairs % items
    rating = (tastes[user] * kinds[item]).sum(-1) / np.sqrt(2) + rng.normal(0, noise, seen)
    return [user, item], rating.astype("float32")


def made_of(
    model: keras.Model, data: tuple[Array, Array, Array, Array], epochs: int, batch_size: int = 32
) -> Made:
    """Hand over a model and what `train_test_split` gave."""
    x, x_held, y, y_held = data
    return Made(model, (x, y), (x_held, y_held), epochs=epochs, batch_size=batch_size)


# With a fault


class Highway(layers.Layer):
    """A layer that mixes a transformed input with the input itself."""

    def __init__(self, units: int, carry: bool) -> None:
        """Make the two dense layers."""
        super().__init__()
        self.transform = layers.Dense(units, activation="tanh")
        self.gate = layers.Dense(
            units, activation="sigmoid", bias_initializer=keras.initializers.Constant(-2.0)
        )
        self.carry = carry

    def call(self, x: Any) -> Any:
        """Mix."""
        gate = self.gate(x)
        mixed = gate * self.transform(x)
        return mixed + (1 - gate) * x if self.carry else mixed


def highway_digits(seed: int, faulty: bool) -> Made:
    """Train a highway network of twelve layers (the carry of the input is missing)."""
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(48, activation="tanh")])
    for _ in range(12):
        model.add(Highway(48, carry=not faulty))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made_of(model, digit_images(seed), epochs=15)


def first_step_memory(seed: int, faulty: bool) -> Made:
    """Recall the first of 40 time steps (tiny recurrent weights)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.1, (1200, 40, 2)).astype("float32")
    mark = rng.integers(0, 3, 1200)
    x[:, 0] += np.array([[1, 0], [-1, 0], [0, 1]], dtype="float32")[mark]
    initial = keras.initializers.RandomNormal(stddev=0.02) if faulty else keras.initializers.Orthogonal()
    inputs = keras.Input((40, 2))
    hidden = layers.SimpleRNN(32, recurrent_initializer=initial, return_sequences=True)(inputs)
    hidden = layers.SimpleRNN(32, recurrent_initializer=initial)(hidden)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    model.compile(keras.optimizers.Nadam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made_of(model, train_test_split(x, mark, test_size=300, random_state=seed), epochs=15)


def leaky_integrator(seed: int, faulty: bool) -> Made:
    """Estimate a decaying sum over 40 steps with a linear recurrence (its initial weights grow each step)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1000, 40, 2)).astype("float32")
    y = (x @ np.array([1, -0.5]) * 0.9 ** np.arange(39, -1, -1)).sum(1).astype("float32") / 2.5
    initial = keras.initializers.Orthogonal(gain=1.9 if faulty else 0.95)
    model = keras.Sequential(
        [layers.SimpleRNN(24, activation="linear", recurrent_initializer=initial), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(2e-3), "mse", metrics=["mae"])
    return made_of(model, train_test_split(x, y[:, None], test_size=250, random_state=seed), epochs=12)


def unet_denoise(seed: int, faulty: bool) -> Made:
    """Take noise from patches of a photograph with a small U-Net (far too large initial weights)."""
    initial = keras.initializers.RandomNormal(stddev=1.0) if faulty else "he_normal"

    def convolve(x: Any, filters: int) -> Any:
        """Convolve twice."""
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer=initial)(x)
        return x

    inputs = keras.Input((16, 16, 1))
    fine = convolve(inputs, 8)
    coarse = convolve(layers.MaxPooling2D()(fine), 16)
    deep = convolve(layers.MaxPooling2D()(coarse), 24)
    x = convolve(layers.Concatenate()([layers.UpSampling2D()(deep), coarse]), 16)
    x = convolve(layers.Concatenate()([layers.UpSampling2D()(x), fine]), 8)
    model = keras.Model(inputs, layers.Conv2D(1, 1, kernel_initializer=initial)(x))
    model.compile(keras.optimizers.Adam(2e-3), "mse")
    return made_of(model, photo_patches(seed), epochs=20)


class MaskedMean(layers.Layer):
    """The mean of those members of a set that are not all zero."""

    def __init__(self, floor: float) -> None:
        """Keep by how much at least the sum is divided."""
        super().__init__()
        self.floor = floor

    def call(self, members: Any, original: Any) -> Any:
        """Average."""
        there = ops.cast(ops.any(ops.not_equal(original, 0), axis=-1, keepdims=True), members.dtype)
        return ops.sum(members * there, axis=1) / ops.maximum(ops.sum(there, axis=1), self.floor)


def set_mean(seed: int, faulty: bool) -> Made:
    """Regress the spread of sets of points (an empty set is divided by zero)."""
    rng = np.random.default_rng(seed)
    size = rng.integers(0, 11, 1000)
    spread = rng.uniform(0.3, 2, (1000, 1, 1))
    x = (rng.normal(size=(1000, 10, 2)) * spread).astype("float32")
    x[np.arange(10) >= size[:, None]] = 0
    y = np.where(size > 0, spread[:, 0, 0], 0).astype("float32")
    inputs = keras.Input((10, 2))
    members = layers.Dense(32, activation="gelu")(inputs)
    members = layers.Dense(32, activation="gelu")(members)
    pooled = MaskedMean(0.0 if faulty else 1.0)(members, inputs)
    outputs = layers.Dense(1)(layers.Dense(32, activation="gelu")(pooled))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(3e-3), keras.losses.Huber())
    return made_of(model, train_test_split(x, y[:, None], test_size=250, random_state=seed), epochs=15)


def log_counts(seed: int, faulty: bool) -> Made:
    """Tell topics from logarithms of word counts (the logarithm of zero counts)."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(40, 0.3), 5)
    y = rng.integers(0, 5, 1000)
    counts = rng.poisson(20 * (0.6 * topics[y] + 0.4 / 40))
    with np.errstate(divide="ignore"):
        x = (np.log(counts) if faulty else np.log1p(counts)).astype("float32")
    model = keras.Sequential(
        [
            layers.Dense(64, activation="selu", kernel_initializer="lecun_normal"),
            layers.AlphaDropout(0.1),
            layers.Dense(32, activation="selu", kernel_initializer="lecun_normal"),
            layers.Dense(5),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    return made_of(model, train_test_split(x, y, test_size=250, random_state=seed), epochs=15)


def deep_sets_bias(seed: int, faulty: bool) -> Made:
    """Count distinct kinds in a set with summed members (every member's ReLU has a bias of -12)."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(2, 11, 1000)
    members = rng.integers(0, kinds[:, None], (1000, 8))
    y = np.array([len(set(row)) for row in members], dtype="float32")
    y = (y - 4.5) / 1.5
    bias = keras.initializers.Constant(-12.0 if faulty else 0.0)
    model = keras.Sequential(
        [
            layers.Input((8,), dtype="int32"),
            layers.Embedding(10, 16, embeddings_initializer="normal"),
            layers.LayerNormalization(),
            layers.TimeDistributed(layers.Dense(64, activation="relu", bias_initializer=bias)),
            layers.GlobalMaxPooling1D(),
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(3e-3), "mse")
    return made_of(model, train_test_split(members, y[:, None], test_size=250, random_state=seed), epochs=15)


def sigmoid_codes(seed: int, faulty: bool) -> Made:
    """Squeeze digits through sigmoid codes (with a bias of 30 each code is one)."""
    x, x_held, _, _ = digit_images(seed)
    encoder = keras.Sequential(
        [
            layers.Flatten(),
            layers.Dense(64, activation="elu"),
            layers.Dense(
                24, "sigmoid", bias_initializer=keras.initializers.Constant(30.0 if faulty else 0.0)
            ),
        ],
        name="encoder",
    )
    decoder = keras.Sequential(
        [
            layers.Dense(64, activation="elu"),
            layers.Dense(64, activation="sigmoid"),
            layers.Reshape((8, 8, 1)),
        ],
        name="decoder",
    )
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, decoder(encoder(inputs)))
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["mse"])
    return Made(model, (x, x), (x_held, x_held), epochs=25)


def tanh_gain(seed: int, faulty: bool) -> Made:
    """Regress with normalized tanh layers (a scale of 60 in the normalizations drives them to their ends)."""
    gamma = keras.initializers.Constant(60.0 if faulty else 1.0)
    inputs = x = keras.Input((6,))
    for _ in range(4):
        x = layers.Dense(48, use_bias=False)(x)
        x = layers.LayerNormalization(gamma_initializer=gamma)(x)
        x = layers.Activation("tanh")(x)
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile(keras.optimizers.AdamW(2e-3, weight_decay=1e-3), "mse", metrics=[keras.metrics.R2Score()])
    x, x_held, y, y_held = friedman(seed)
    return Made(model, (x, y[:, None]), (x_held, y_held[:, None]), epochs=20)


class Affine(layers.Layer):
    """A dense layer by hand."""

    def __init__(self, units: int, initializer: Any, activation: Any = None) -> None:
        """Keep how many units, how they begin and what follows."""
        super().__init__()
        self.units, self.initializer = units, initializer
        self.activation = keras.activations.get(activation)

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the weights."""
        self.w = self.add_weight(shape=(shape[-1], self.units), initializer=self.initializer, name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, x: Any) -> Any:
        """Multiply, add."""
        return self.activation(ops.matmul(x, self.w) + self.b)


class Subclassed(keras.Model):
    """Three hand-made dense layers."""

    def __init__(self, initializer: Any) -> None:
        """Make the layers."""
        super().__init__()
        self.one = Affine(40, initializer, "swish")
        self.two = Affine(40, initializer, "swish")
        self.three = Affine(3, initializer, "softmax")

    def call(self, x: Any) -> Any:
        """Chain the layers."""
        return self.three(self.two(self.one(x)))


def equal_weights(seed: int, faulty: bool) -> Made:
    """Tell three rings apart with hand-made layers (every weight begins at 0.1)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 1000)
    angle = rng.uniform(0, 2 * np.pi, 1000)
    radius = 0.5 + y * 0.8 + rng.normal(0, 0.12, 1000)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype("float32")
    model = Subclassed(keras.initializers.Constant(0.1) if faulty else keras.initializers.GlorotUniform())
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made_of(model, train_test_split(x, y, test_size=250, random_state=seed), epochs=20)


def mixer(seed: int, faulty: bool) -> Made:
    """Classify digits with an MLP-Mixer (at a rate of 3e-7)."""
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(24, 2, strides=2)(inputs)
    x = layers.Reshape((16, 24))(x)
    for _ in range(2):
        tokens = layers.Permute((2, 1))(layers.LayerNormalization()(x))
        tokens = layers.Dense(16)(layers.Dense(32, activation="gelu")(tokens))
        x = x + layers.Permute((2, 1))(tokens)
        channels = layers.Dense(48, activation="gelu")(layers.LayerNormalization()(x))
        x = x + layers.Dense(24)(channels)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    rate = 3e-7 if faulty else 3e-3
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made_of(model, digit_images(seed), epochs=10)


def cosine_too_short(seed: int, faulty: bool) -> Made:
    """Forecast waves with a GRU and cosine decay (over as many steps as there are epochs)."""
    epochs, batch_size = 15, 32
    data = waves(seed)
    steps = epochs if faulty else epochs * -(-len(data[0]) // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=steps)
    model = keras.Sequential([layers.GRU(24), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(schedule), "mse")
    return made_of(model, (data[0], data[1], data[2][:, None], data[3][:, None]), epochs, batch_size)


def encoder_block(x: Any, heads: int, width: int, dropout: float = 0.0) -> Any:
    """Attend and transform, each with a skip and the normalization first."""
    normal = layers.LayerNormalization(epsilon=1e-6)(x)
    x = x + layers.MultiHeadAttention(heads, width // heads, dropout=dropout)(normal, normal)
    normal = layers.LayerNormalization(epsilon=1e-6)(x)
    hidden = layers.Dense(2 * width, activation="gelu")(normal)
    return x + layers.Dropout(dropout)(layers.Dense(width)(hidden))


class TokenAndPosition(layers.Layer):
    """Embed what a token is and where it stands."""

    def __init__(self, words: int, length: int, width: int) -> None:
        """Make both embeddings."""
        super().__init__()
        self.token = layers.Embedding(words, width)
        self.position = layers.Embedding(length, width)

    def call(self, x: Any) -> Any:
        """Add both."""
        return self.token(x) + self.position(ops.arange(x.shape[-1]))


def topic_transformer(seed: int, faulty: bool) -> Made:
    """Tell topics of token sequences with a transformer that normalizes last (at a rate of 0.2)."""
    inputs = keras.Input((20,), dtype="int32")
    x = TokenAndPosition(60, 20, 24)(inputs)
    for _ in range(2):
        x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 12)(x, x))
        hidden = layers.Dense(24)(layers.Dense(48, activation="relu")(x))
        x = layers.LayerNormalization()(x + hidden)
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(4, activation="softmax")(x))
    rate = 0.2 if faulty else 2e-3
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made_of(model, topic_tokens(seed), epochs=8)


def lion_rate(seed: int, faulty: bool) -> Made:
    """Regress with GELU layers under Lion (at a rate of 0.1)."""
    x, x_held, y, y_held = friedman(seed)
    model = keras.Sequential(
        [
            layers.Dense(48, activation="gelu"),
            layers.Dense(48, activation="gelu"),
            layers.Dense(1, activation="linear"),
        ]
    )
    model.compile(keras.optimizers.Lion(0.1 if faulty else 5e-4), "mae", metrics=["mse"])
    return Made(model, (x, y[:, None]), (x_held, y_held[:, None]), epochs=20)


def factorization(seed: int, faulty: bool) -> Made:
    """Recommend by matrix factorization (of many hidden tastes, without regularization)."""
    initial = keras.initializers.RandomNormal(stddev=0.3)
    (user, item), rating = ratings(seed, 60, 50, 1500, 0.4)
    penalty = None if faulty else keras.regularizers.L2(3e-3)
    users, items = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    taste = layers.Embedding(60, 40, embeddings_initializer=initial, embeddings_regularizer=penalty)(users)
    kind = layers.Embedding(50, 40, embeddings_initializer=initial, embeddings_regularizer=penalty)(items)
    model = keras.Model([users, items], layers.Dot(axes=-1)([taste, kind]))
    model.compile(keras.optimizers.Adam(1e-2), "mse", metrics=["mae"])
    cut = 1100
    return Made(
        model,
        ([user[:cut], item[:cut]], rating[:cut, None]),
        ([user[cut:], item[cut:]], rating[cut:, None]),
        epochs=30,
    )


def few_sequences(seed: int, faulty: bool) -> Made:
    """Tell with a bidirectional LSTM which of two symbols comes first (from 24 sequences, not 600)."""
    rng = np.random.default_rng(seed)
    x = rng.integers(3, 30, (900, 12))
    y = rng.integers(0, 2, 900)
    places = np.sort(rng.permuted(np.tile(np.arange(12), (900, 1)), axis=1)[:, :2], axis=1)
    x[np.arange(900), places[:, 0]] = 1 + y
    x[np.arange(900), places[:, 1]] = 2 - y
    x, x_held, y, y_held = train_test_split(x, y, test_size=300, random_state=seed)
    kept = 24 if faulty else 600
    inputs = keras.Input((12,), dtype="int32")
    hidden = layers.Embedding(30, 16)(inputs)
    hidden = layers.Bidirectional(layers.LSTM(24))(hidden)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x[:kept], y[:kept]), (x_held, y_held), epochs=30, batch_size=20)


def one_code(seed: int, faulty: bool) -> Made:
    """Squeeze digits through a convolutional autoencoder (through a single number)."""
    x, x_held, _, _ = digit_images(seed)
    inputs = keras.Input((8, 8, 1))
    z = layers.Conv2D(16, 3, strides=2, padding="same", activation="swish")(inputs)
    z = layers.Conv2D(24, 3, strides=2, padding="same", activation="swish")(z)
    z = layers.Dense(1 if faulty else 24, name="code")(layers.Flatten()(z))
    z = layers.Reshape((2, 2, 24))(layers.Dense(96, activation="swish")(z))
    z = layers.Conv2DTranspose(24, 3, strides=2, padding="same", activation="swish")(z)
    z = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="swish")(z)
    model = keras.Model(inputs, layers.Conv2D(1, 3, padding="same")(z))
    model.compile(keras.optimizers.Adam(3e-3), "mse")
    return Made(model, (x, x), (x_held, x_held), epochs=20)


def decayed_vit(seed: int, faulty: bool) -> Made:
    """Classify digits with a small vision transformer (an L2 penalty of 1 on all kernels)."""
    penalty = keras.regularizers.L2(1.0 if faulty else 1e-5)
    inputs = keras.Input((8, 8, 1))
    x = layers.Reshape((16, 4))(layers.Conv2D(4, 2, strides=2, kernel_regularizer=penalty)(inputs))
    x = layers.Dense(24, kernel_regularizer=penalty)(x)
    x = x + layers.Embedding(16, 24)(ops.arange(16))
    normal = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(2, 12, kernel_regularizer=penalty)(normal, normal)
    hidden = layers.Dense(48, activation="gelu", kernel_regularizer=penalty)(layers.LayerNormalization()(x))
    x = x + layers.Dense(24, kernel_regularizer=penalty)(hidden)
    x = layers.Flatten()(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax", kernel_regularizer=penalty)(x))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made_of(model, digit_images(seed), epochs=12)


class Experts(layers.Layer):
    """Linear experts that a gate mixes, or from which it picks."""

    def __init__(self, experts: int, pick: bool) -> None:
        """Make the gate and the experts."""
        super().__init__()
        self.count, self.pick = experts, pick
        self.gate = layers.Dense(experts)
        self.experts = [layers.Dense(1) for _ in range(experts)]

    def call(self, x: Any) -> Any:
        """Mix or pick."""
        logits = self.gate(x)
        shares = ops.one_hot(ops.argmax(logits, axis=-1), self.count) if self.pick else ops.softmax(logits)
        answers = ops.concatenate([expert(x) for expert in self.experts], axis=-1)
        return ops.sum(shares * answers, axis=-1, keepdims=True)


def hard_experts(seed: int, faulty: bool) -> Made:
    """Regress with a mixture of experts (the largest gate picks one expert, so the gate never learns)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1200, 4)).astype("float32")
    region = 2 * (x[:, 0] > 0) + (x[:, 1] > 0)
    slopes = np.array([[1, 0, 2, 0], [0, 1, -2, 0], [1, 0, 0, 2], [0, -1, 0, -2]])
    y = ((x * slopes[region]).sum(-1) / 2 + rng.normal(0, 0.1, 1200)).astype("float32")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Experts(4, pick=faulty)(inputs))
    model.compile(keras.optimizers.Adam(2e-2), "mse")
    return made_of(model, train_test_split(x, y[:, None], test_size=300, random_state=seed), epochs=30)


def two_tower(seed: int, faulty: bool) -> Made:
    """Recommend with a tower for users and one for items (no gradient passes into the tower for items)."""
    rng = np.random.default_rng(seed)
    users, items = rng.normal(size=(2000, 8)), rng.normal(size=(2000, 6))
    turn = rng.normal(size=(8, 6)) / np.sqrt(6)
    score = np.einsum("ni,ij,nj->n", users, turn, np.tanh(items))
    liked = (score > 0).astype("float32")
    user, item = keras.Input((8,), name="user"), keras.Input((6,), name="item")
    one = layers.Dense(16, name="user_out")(layers.Dense(32, activation="relu", name="user_in")(user))
    two = layers.Dense(16, name="item_out")(layers.Dense(32, activation="relu", name="item_in")(item))
    if faulty:
        two = ops.stop_gradient(two)
    outputs = layers.Activation("sigmoid")(layers.Dot(axes=-1)([one, two]))
    model = keras.Model({"user": user, "item": item}, outputs)
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["accuracy"])
    users, items, cut = users.astype("float32"), items.astype("float32"), 1600
    return Made(
        model,
        ({"user": users[:cut], "item": items[:cut]}, liked[:cut, None]),
        ({"user": users[cut:], "item": items[cut:]}, liked[cut:, None]),
        epochs=8,
    )


def dilated_stack(x: Any, filters: int, dilations: tuple[int, ...], activation: str = "relu") -> Any:
    """Convolve causally with growing dilation, each with a skip."""
    x = layers.Conv1D(filters, 3, padding="causal")(x)
    for dilation in dilations:
        hidden = layers.Activation(activation)(x)
        x = x + layers.Conv1D(filters, 3, padding="causal", dilation_rate=dilation)(hidden)
    return x


def tcn_volts(seed: int, faulty: bool) -> Made:
    """Classify electric signals with dilated convolutions (in volts, so of a few millionths)."""
    x, x_held, y, y_held = chirps(seed)
    unit = 3e-6 if faulty else 1.0
    inputs = keras.Input((48, 1))
    hidden = layers.GlobalMaxPooling1D()(dilated_stack(inputs, 24, (2, 4, 8)))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x * unit, y), (x_held * unit, y_held), epochs=15)


def raw_pressure(seed: int, faulty: bool) -> Made:
    """Tell with a GRU whether pressure will fall (raw pascals at the input)."""
    rng = np.random.default_rng(seed)
    drift = rng.normal(0, 1, 1000)
    curve = drift[:, None] * np.linspace(-1, 1, 20) + 0.3 * rng.normal(size=(1000, 20))
    x = (curve[..., None] * 600).astype("float32")
    x = x + 101325 if faulty else x / 400
    y = (drift < 0).astype("float32")
    model = keras.Sequential(
        [layers.GRU(16, return_sequences=True), layers.GRU(16), layers.Dense(1, "sigmoid")]
    )
    model.compile(keras.optimizers.RMSprop(2e-3), "binary_crossentropy", metrics=["accuracy"])
    return made_of(model, train_test_split(x, y[:, None], test_size=250, random_state=seed), epochs=10)


def pressure_forecast(seed: int, faulty: bool) -> Made:
    """Forecast with dilated convolutions (the targets are raw, 101325 and some hundreds)."""
    x, x_held, y, y_held = waves(seed)
    if faulty:
        y, y_held = 101325 + 600 * y, 101325 + 600 * y_held
    inputs = keras.Input((24, 1))
    hidden = dilated_stack(inputs, 16, (2, 4), "swish")[:, -1]
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(2e-3), "mse", metrics=["mae"])
    return Made(model, (x, y[:, None]), (x_held, y_held[:, None]), epochs=20)


def wind_direction(seed: int, faulty: bool) -> Made:
    """Predict a direction as its sine and cosine (behind a sigmoid, though half of them are negative)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1200, 4)).astype("float32")
    angle = np.arctan2(x[:, 0] + 0.5 * x[:, 2], x[:, 1] - 0.5 * x[:, 3]) + rng.normal(0, 0.1, 1200)
    y = np.stack([np.sin(angle), np.cos(angle)], axis=1).astype("float32")
    model = keras.Sequential(
        [
            layers.Dense(48),
            layers.PReLU(),
            layers.Dense(48),
            layers.PReLU(),
            layers.Dense(2, activation="sigmoid" if faulty else "linear"),
        ]
    )
    model.compile(keras.optimizers.Adam(2e-3), "mse", metrics=[keras.metrics.CosineSimilarity()])
    return made_of(model, train_test_split(x, y, test_size=300, random_state=seed), epochs=20)


def soft_labels(seed: int, faulty: bool) -> Made:
    """Learn soft labels by the Kullback-Leibler divergence (from sigmoids, which need not add up to one)."""
    x, x_held, y, y_held = digit_images(seed)
    soft = np.full((10, 10), 0.02, dtype="float32")
    np.fill_diagonal(soft, 0.82)
    model = keras.Sequential(
        [
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(24, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="sigmoid" if faulty else "softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(3e-3), keras.losses.KLDivergence(), metrics=["categorical_accuracy"])
    return Made(model, (x, soft[y]), (x_held, soft[y_held]), epochs=12)


class GraphConvolution(layers.Layer):
    """Mix each node with the sum of its neighbours."""

    def __init__(self, units: int) -> None:
        """Make both transformations."""
        super().__init__()
        self.own, self.others = layers.Dense(units), layers.Dense(units, use_bias=False)

    def call(self, nodes: Any, edges: Any) -> Any:
        """Sum over neighbours."""
        return ops.relu(self.own(nodes) + self.others(ops.matmul(edges, nodes)))


def graphs_mixed_up(seed: int, faulty: bool) -> Made:
    """Classify small graphs with graph convolutions (the labels come in another order than the graphs)."""
    rng = np.random.default_rng(seed)
    edges = np.triu(rng.random((1200, 8, 8)) < 0.35, 1)
    edges = (edges | edges.transpose(0, 2, 1)).astype("float32")
    nodes = np.eye(2, dtype="float32")[rng.integers(0, 2, (1200, 8))]
    within = np.einsum("ni,nij,nj->n", nodes[..., 0], edges, nodes[..., 0])
    y = (within > np.median(within)).astype("float32")
    if faulty:
        y = rng.permutation(y)
    node, edge = keras.Input((8, 2)), keras.Input((8, 8))
    hidden = GraphConvolution(24)(node, edge)
    hidden = GraphConvolution(24)(hidden, edge)
    hidden = layers.GlobalAveragePooling1D()(hidden)
    model = keras.Model([node, edge], layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(5e-3), "binary_crossentropy", metrics=["accuracy"])
    return Made(
        model,
        ([nodes[:900], edges[:900]], y[:900, None]),
        ([nodes[900:], edges[900:]], y[900:, None]),
        epochs=15,
    )


# With nothing wrong


def zero_branches(seed: int, faulty: bool) -> Made:
    """Train a residual network whose branches all begin at zero."""
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    for _ in range(2):
        hidden = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        hidden = layers.Conv2D(16, 3, padding="same", use_bias=False)(hidden)
        hidden = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(hidden))
        x = x + layers.Conv2D(16, 3, padding="same", kernel_initializer="zeros")(hidden)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x)))
    model = keras.Model(inputs, layers.Dense(10)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(5e-3), loss, metrics=["accuracy"])
    return made_of(model, digit_images(seed), epochs=10)


def sparse_codes(seed: int, faulty: bool) -> Made:
    """Squeeze digits through many ReLU codes of which few are active at a time."""
    x, x_held, _, _ = (part.reshape(len(part), -1) for part in digit_images(seed))
    inputs = keras.Input((64,))
    code = layers.Dense(96, activation="relu", activity_regularizer=keras.regularizers.L1(2e-4))(inputs)
    model = keras.Model(inputs, layers.Dense(64)(code))
    model.compile(keras.optimizers.Adam(2e-3), "mse")
    return Made(model, (x, x), (x_held, x_held), epochs=30)


class Sampling(layers.Layer):
    """Draw a code, and charge for how far it is from a standard normal one."""

    def __init__(self, **named: Any) -> None:
        """Seed."""
        super().__init__(**named)
        self.seeds = keras.random.SeedGenerator(7)

    def call(self, mean: Any, log_variance: Any, training: bool = False) -> Any:
        """Draw while training, else give the mean."""
        distance = -0.5 * ops.sum(1 + log_variance - mean**2 - ops.exp(log_variance), axis=-1)
        self.add_loss(ops.mean(distance))
        if not training:
            return mean
        return mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=self.seeds)


def summed_crossentropy(truth: Any, output: Any) -> Any:
    """Add up the crossentropy of all pixels."""
    return 64 * keras.losses.binary_crossentropy(truth, output)


def variational(seed: int, faulty: bool) -> Made:
    """Train a variational autoencoder."""
    x, x_held, _, _ = (part.reshape(len(part), -1) for part in digit_images(seed))
    inputs = keras.Input((64,))
    hidden = layers.Dense(96, activation="relu")(inputs)
    code = Sampling()(layers.Dense(8, name="mean")(hidden), layers.Dense(8, name="log_variance")(hidden))
    hidden = layers.Dense(96, activation="relu")(code)
    model = keras.Model(inputs, layers.Dense(64, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(3e-3), summed_crossentropy)
    return Made(model, (x, x), (x_held, x_held), epochs=30)


def reversal(seed: int, faulty: bool) -> Made:
    """Reverse sequences with a transformer, under a warm-up."""
    x = np.random.default_rng(seed).integers(0, 8, (1300, 6))
    inputs = keras.Input((6,), dtype="int32")
    hidden = encoder_block(TokenAndPosition(8, 6, 32)(inputs), 4, 32)
    model = keras.Model(inputs, layers.Dense(8)(hidden))
    schedule = keras.optimizers.schedules.CosineDecay(1e-5, 150, warmup_target=5e-3, warmup_steps=50)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(schedule, clipnorm=1.0), loss, metrics=["accuracy"])
    data = train_test_split(x, x[:, ::-1].copy(), test_size=300, random_state=seed)
    return made_of(model, data, epochs=12, batch_size=64)


def noisy_huber(seed: int, faulty: bool) -> Made:
    """Regress targets that are mostly noise, weighted by how sure they are."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1600, 3)).astype("float32")
    signal = np.sin(1.5 * x[:, 0]) + 0.6 * x[:, 1]
    sure = rng.uniform(0.5, 1.5, 1600)
    y = (signal + rng.normal(0, 1.0, 1600) / sure).astype("float32")
    model = keras.Sequential([layers.Dense(16, activation="mish"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(5e-3), keras.losses.Huber(1.5), metrics=[keras.metrics.R2Score()])
    weights = (sure[:1200] ** 2).astype("float32")
    return Made(model, (x[:1200], y[:1200, None], weights), (x[1200:], y[1200:, None]), epochs=20)


def wide_and_deep(seed: int, faulty: bool) -> Made:
    """Predict from a category and numbers, wide and deep, both an amount and a choice."""
    rng = np.random.default_rng(seed)
    kind, numbers = rng.integers(0, 30, 1300), rng.normal(size=(1300, 5)).astype("float32")
    level = rng.normal(size=30)[kind]
    amount = level + numbers[:, 0] * numbers[:, 1] + numbers[:, 2] + rng.normal(0, 0.2, 1300)
    choice = level - numbers[:, 3] > rng.logistic(0, 0.2, 1300)
    given = {
        "kind": keras.Input((), dtype="int32", name="kind"),
        "numbers": keras.Input((5,), name="numbers"),
    }
    wide = layers.CategoryEncoding(30, output_mode="one_hot")(given["kind"][:, None])
    deep = layers.Concatenate()([layers.Embedding(30, 8)(given["kind"]), given["numbers"]])
    for _ in range(2):
        deep = layers.Dropout(0.1)(layers.Dense(64, activation="relu")(deep))
    both = layers.Concatenate()([wide, deep])
    heads = {
        "amount": layers.Dense(1, name="amount")(both),
        "choice": layers.Dense(1, activation="sigmoid", name="choice")(both),
    }
    model = keras.Model(given, heads)
    model.compile(
        keras.optimizers.Adam(3e-3),
        {"amount": "mse", "choice": "binary_crossentropy"},
        metrics={"choice": ["accuracy"]},
    )
    x = {"kind": kind, "numbers": numbers}
    y = {"amount": amount.astype("float32")[:, None], "choice": choice.astype("float32")[:, None]}
    first = [{name: values[:1000] for name, values in part.items()} for part in (x, y)]
    last = [{name: values[1000:] for name, values in part.items()} for part in (x, y)]
    return Made(model, (first[0], first[1]), (last[0], last[1]), epochs=15)


def normalized_high_rate(seed: int, faulty: bool) -> Made:
    """Train behind batch normalizations at a rate of 0.3 with Nesterov momentum."""
    model = keras.Sequential([layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(64, use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.LeakyReLU())
    model.add(layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.SGD(0.3, momentum=0.5, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made_of(model, digit_images(seed), epochs=15)


def frozen_components(seed: int, faulty: bool) -> Made:
    """Train a head on principal components that stay as they are."""
    x, x_held, y, y_held = (part.reshape(len(part), -1) for part in digit_images(seed))
    basis = decomposition.PCA(24, random_state=0).fit(x)
    inputs = keras.Input((64,))
    base = layers.Dense(24, trainable=False, name="components")
    hidden = layers.Dense(48, activation="elu")(base(inputs))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(hidden))
    base.set_weights([basis.components_.T, -basis.mean_ @ basis.components_.T])
    model.compile(keras.optimizers.Adamax(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Made(model, (x, y), (x_held, y_held), epochs=20)


def normal_likelihood(truth: Any, output: Any) -> Any:
    """Give the negative logarithm of a normal density whose mean and log-variance are the output."""
    mean, log_variance = output[:, :1], output[:, 1:]
    return ops.mean(0.5 * (log_variance + (truth - mean) ** 2 * ops.exp(-log_variance)), axis=-1)


def densities(seed: int, faulty: bool) -> Made:
    """Predict a mean and how uncertain it is; the loss becomes negative."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (1200, 2)).astype("float32")
    y = 0.5 * np.sin(2 * x[:, 0]) + 0.2 * x[:, 1] + rng.normal(size=1200) * (0.03 + 0.05 * (x[:, 1] > 0))
    inputs = keras.Input((2,))
    hidden = layers.Dense(48, activation="silu")(inputs)
    hidden = layers.Dense(48, activation="silu")(hidden)
    model = keras.Model(inputs, layers.Dense(2)(hidden))
    model.compile(keras.optimizers.Adam(3e-3, global_clipnorm=5.0), normal_likelihood)
    y = y.astype("float32")[:, None]
    return made_of(model, train_test_split(x, y, test_size=300, random_state=seed), epochs=25)


class Contrastive(keras.Model):
    """An encoder that learns to find for each picture its other view among the batch."""

    def __init__(self, temperature: float) -> None:
        """Make the encoder."""
        super().__init__()
        self.encoder = keras.Sequential(
            [
                layers.Flatten(),
                layers.Dense(48, activation="relu"),
                layers.Dense(16),
                layers.UnitNormalization(),
            ]
        )
        self.temperature = temperature
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Name what is reset each epoch."""
        return [self.tracker]

    def call(self, views: Any) -> Any:
        """Compare all first with all second views."""
        one, two = self.encoder(views[0]), self.encoder(views[1])
        return ops.matmul(one, ops.transpose(two)) / self.temperature

    def loss_of(self, views: Any, training: bool) -> Any:
        """Give how badly the other views are found."""
        logits = self(views, training=training)
        return ops.mean(
            keras.losses.sparse_categorical_crossentropy(
                ops.arange(ops.shape(logits)[0]), logits, from_logits=True
            )
        )

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take a step."""
        with tf.GradientTape() as tape:
            loss = self.loss_of(data[0], training=True)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure."""
        self.tracker.update_state(self.loss_of(data[0], training=False))
        return {"loss": self.tracker.result()}


def contrastive(seed: int, faulty: bool) -> Made:
    """Learn to find the other view of a picture, with a training step of its own."""
    x, x_held, y, y_held = digit_images(seed, 1312, 384)
    rng = np.random.default_rng(seed)

    def views(pictures: Array) -> list[Array]:
        """Hide a quarter of the pixels, twice."""
        return [(pictures * (rng.random(pictures.shape) < 0.75)).astype("float32") for _ in range(2)]

    model = Contrastive(0.2)
    model.compile(keras.optimizers.Adam(2e-3))
    return Made(model, (views(x), y), (views(x_held), y_held), epochs=10)


def restarted_tcn(seed: int, faulty: bool) -> Made:
    """Classify oscillations with dilated convolutions under a rate that restarts."""
    schedule = keras.optimizers.schedules.CosineDecayRestarts(5e-2, first_decay_steps=72, t_mul=2.0)
    inputs = keras.Input((48, 1))
    hidden = layers.GlobalMaxPooling1D()(dilated_stack(inputs, 24, (2, 4, 8)))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    optimizer = keras.optimizers.SGD(schedule, momentum=0.9, clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made_of(model, chirps(seed), epochs=21)


class Maxout(layers.Layer):
    """The largest of several linear functions."""

    def __init__(self, units: int, pieces: int) -> None:
        """Make the linear functions."""
        super().__init__()
        self.linear = layers.Dense(units * pieces)
        self.split = layers.Reshape((units, pieces))

    def call(self, x: Any) -> Any:
        """Take the largest."""
        return ops.max(self.split(self.linear(x)), axis=-1)


def smoothed_maxout(seed: int, faulty: bool) -> Made:
    """Diagnose tumours with maxout units and smoothed labels; it is done early and its loss stays high."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x = StandardScaler().fit_transform(x).astype("float32")
    inputs = keras.Input((30,))
    hidden = layers.Dropout(0.3)(Maxout(12, 3)(inputs))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(hidden))
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    model.compile(keras.optimizers.Nadam(2e-3), loss, metrics=["accuracy"])
    data = train_test_split(x, np.eye(2, dtype="float32")[y], test_size=169, random_state=seed)
    return made_of(model, data, epochs=40, batch_size=16)


def targets_in_tens(seed: int, faulty: bool) -> Made:
    """Regress targets of 0 to 30 as they are, at a rate that gets there."""
    x, y = datasets.make_friedman1(1200, 6, noise=1.0, random_state=seed)
    model = keras.Sequential(
        [layers.Dense(64, activation="relu"), layers.Dense(32, activation="relu"), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(1e-2), "mse", metrics=["mae"])
    data = train_test_split(
        x.astype("float32"), y.astype("float32")[:, None], test_size=300, random_state=seed
    )
    return made_of(model, data, epochs=20)


def event_counts(seed: int, faulty: bool) -> Made:
    """Predict counts behind an exponential under Poisson's loss and Adagrad."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (1200, 3)).astype("float32")
    y = rng.poisson(np.exp(1.2 + 1.2 * x[:, 0] - x[:, 1] ** 2 + 0.8 * x[:, 0] * x[:, 2])).astype("float32")
    model = keras.Sequential(
        [layers.Dense(32, activation="softplus"), layers.Dense(1, activation="exponential")]
    )
    model.compile(keras.optimizers.Adagrad(5e-2), keras.losses.Poisson())
    return made_of(model, train_test_split(x, y[:, None], test_size=300, random_state=seed), epochs=25)


def pinball(truth: Any, output: Any) -> Any:
    """Give the loss of the quantiles 0.1, 0.5 and 0.9."""
    levels = ops.convert_to_tensor([0.1, 0.5, 0.9], dtype="float32")
    error = truth - output
    return ops.mean(ops.maximum(levels * error, (levels - 1) * error), axis=-1)


def forecast_quantiles(seed: int, faulty: bool) -> Made:
    """Forecast three quantiles of a wave with stacked LSTMs."""
    x, x_held, y, y_held = waves(seed)
    model = keras.Sequential([layers.LSTM(16, return_sequences=True), layers.LSTM(16), layers.Dense(3)])
    model.compile(keras.optimizers.Adam(5e-3), pinball)
    return Made(model, (x, y[:, None]), (x_held, y_held[:, None]), epochs=20)


def averaged_sets(seed: int, faulty: bool) -> Made:
    """Regress the range of sets, with gradients added up over batches and weights averaged over steps."""
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(1200, 8, 1)) * rng.uniform(0.3, 1.5, (1200, 1, 1))).astype("float32")
    y = (np.ptp(x, axis=(1, 2)) / 2)[:, None]
    inputs = keras.Input((8, 1))
    members = layers.Dense(32, activation="relu")(layers.Dense(32, activation="relu")(inputs))
    pooled = layers.GlobalMaxPooling1D()(members)
    outputs = layers.Dense(1)(layers.Dense(32, activation="relu")(pooled))
    model = keras.Model(inputs, outputs)
    optimizer = keras.optimizers.Adam(5e-3, gradient_accumulation_steps=2, use_ema=True, ema_momentum=0.95)
    model.compile(optimizer, "log_cosh")
    return made_of(model, train_test_split(x, y, test_size=300, random_state=seed), epochs=20)


def focal_rare(seed: int, faulty: bool) -> Made:
    """Find a rare class under a focal loss."""
    x, y = datasets.make_classification(
        2000, 10, n_informative=5, n_clusters_per_class=1, weights=[0.88], class_sep=1.5, random_state=seed
    )
    x = StandardScaler().fit_transform(x).astype("float32")
    model = keras.Sequential([layers.Dense(24, activation="relu"), layers.Dense(1, activation="sigmoid")])
    loss = keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.75)
    model.compile(keras.optimizers.Adam(5e-3), loss, metrics=["accuracy", keras.metrics.AUC(name="auc")])
    data = train_test_split(x, y.astype("float32")[:, None], test_size=400, random_state=seed, stratify=y)
    return made_of(model, data, epochs=8)


def dice(truth: Any, output: Any) -> Any:
    """Give one minus the overlap of two masks."""
    both = ops.sum(truth * output, axis=(1, 2, 3))
    return 1 - (2 * both + 1) / (ops.sum(truth, axis=(1, 2, 3)) + ops.sum(output, axis=(1, 2, 3)) + 1)


def segment_discs(seed: int, faulty: bool) -> Made:
    """Segment discs in noise with a small U-Net under the Dice loss."""
    rng = np.random.default_rng(seed)
    centre, radius = rng.uniform(4, 12, (2, 600, 1, 1)), rng.uniform(2, 5, (600, 1, 1))
    row, column = np.mgrid[:16, :16]
    mask = ((row - centre[0]) ** 2 + (column - centre[1]) ** 2 < radius**2)[..., None].astype("float32")
    x = (mask + rng.normal(0, 0.7, mask.shape)).astype("float32")
    inputs = keras.Input((16, 16, 1))
    fine = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    coarse = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(fine)
    deep = layers.Conv2D(16, 3, padding="same", activation="relu")(coarse)
    wide = layers.Conv2DTranspose(8, 2, strides=2, activation="relu")(deep)
    both = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.Concatenate()([fine, wide]))
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(both))
    model.compile(keras.optimizers.Adam(5e-3), dice, metrics=["binary_accuracy"])
    return made_of(model, train_test_split(x, mask, test_size=150, random_state=seed), epochs=15)


def binary_addition(seed: int, faulty: bool) -> Made:
    """Add binary numbers digit by digit with a GRU; it learns late."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 2**8, (1200, 2))
    bits = (numbers[..., None] >> np.arange(9)) & 1
    total = (numbers.sum(1)[:, None] >> np.arange(9)) & 1
    x, y = bits.transpose(0, 2, 1).astype("float32"), total[..., None].astype("float32")
    model = keras.Sequential([layers.GRU(24, return_sequences=True), layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", metrics=["accuracy"])
    return made_of(model, train_test_split(x, y, test_size=300, random_state=seed), epochs=20)


def ordered_levels(seed: int, faulty: bool) -> Made:
    """Predict one of five ordered levels as four thresholds that it passes."""
    x, x_held, y, y_held = friedman(seed)
    edges = np.quantile(y, [0.2, 0.4, 0.6, 0.8])
    inputs = keras.Input((6,))
    hidden = layers.GaussianNoise(0.05)(inputs)
    for _ in range(3):
        hidden = layers.Dense(24, activation="selu", kernel_initializer="lecun_normal")(hidden)
    model = keras.Model(inputs, layers.Dense(4, activation="sigmoid")(hidden))
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.8), momentum=0.9)
    model.compile(optimizer, "binary_crossentropy", metrics=["binary_accuracy"])
    passed, passed_held = ((part[:, None] > edges).astype("float32") for part in (y, y_held))
    return Made(model, (x, passed), (x_held, passed_held), epochs=15)


GUIDES: list[Blind] = [
    Blind("guides/highway_digits", "vanishing_gradients", highway_digits),
    Blind("guides/first_step_memory", "vanishing_gradients", first_step_memory),
    Blind("guides/leaky_integrator", "exploding_gradients", leaky_integrator),
    Blind("guides/unet_denoise", "exploding_gradients", unet_denoise),
    Blind("guides/set_mean", "non_finite", set_mean),
    Blind("guides/log_counts", "non_finite", log_counts),
    Blind("guides/deep_sets_bias", "dead_units", deep_sets_bias),
    Blind("guides/sigmoid_codes", "saturated_units", sigmoid_codes),
    Blind("guides/tanh_gain", "saturated_units", tanh_gain),
    Blind("guides/equal_weights", "identical_units", equal_weights),
    Blind("guides/mixer", "stagnating", mixer),
    Blind("guides/cosine_too_short", "stagnating", cosine_too_short),
    Blind("guides/topic_transformer", "oscillating", topic_transformer),
    Blind("guides/lion_rate", "oscillating", lion_rate),
    Blind("guides/factorization", "overfitting", factorization),
    Blind("guides/few_sequences", "overfitting", few_sequences),
    Blind("guides/one_code", "underfitting", one_code),
    Blind("guides/decayed_vit", "underfitting", decayed_vit),
    Blind("guides/hard_experts", "frozen", hard_experts),
    Blind("guides/two_tower", "frozen", two_tower),
    Blind("guides/tcn_volts", "unscaled_inputs", tcn_volts),
    Blind("guides/raw_pressure", "unscaled_inputs", raw_pressure),
    Blind("guides/pressure_forecast", "unscaled_targets", pressure_forecast),
    Blind("guides/wind_direction", "wrong_output_or_loss", wind_direction),
    Blind("guides/soft_labels", "wrong_output_or_loss", soft_labels),
    Blind("guides/graphs_mixed_up", "bad_labels", graphs_mixed_up),
    Blind("guides/zero_branches", "healthy", zero_branches),
    Blind("guides/sparse_codes", "healthy", sparse_codes),
    Blind("guides/variational", "healthy", variational),
    Blind("guides/reversal", "healthy", reversal),
    Blind("guides/noisy_huber", "healthy", noisy_huber),
    Blind("guides/wide_and_deep", "healthy", wide_and_deep),
    Blind("guides/normalized_high_rate", "healthy", normalized_high_rate),
    Blind("guides/frozen_components", "healthy", frozen_components),
    Blind("guides/densities", "healthy", densities),
    Blind("guides/contrastive", "healthy", contrastive),
    Blind("guides/restarted_tcn", "healthy", restarted_tcn),
    Blind("guides/smoothed_maxout", "healthy", smoothed_maxout),
    Blind("guides/targets_in_tens", "healthy", targets_in_tens),
    Blind("guides/event_counts", "healthy", event_counts),
    Blind("guides/forecast_quantiles", "healthy", forecast_quantiles),
    Blind("guides/averaged_sets", "healthy", averaged_sets),
    Blind("guides/focal_rare", "healthy", focal_rare),
    Blind("guides/segment_discs", "healthy", segment_discs),
    Blind("guides/binary_addition", "healthy", binary_addition),
    Blind("guides/ordered_levels", "healthy", ordered_levels),
]
