"""Small networks of many kinds. Each takes the shape of an example and options, and gives a model not
compiled."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

Options = dict[str, Any]


@keras.saving.register_keras_serializable("whyfit_benchmark")
class Through(layers.Layer):
    """Applies a function, as somebody's own layer would."""

    def __init__(self, function: Any, **more: Any) -> None:
        super().__init__(**more)
        self.function = function

    def call(self, x: Any) -> Any:
        """The function of x."""
        return self.function(x)


CUTS = {
    "stop": ops.stop_gradient,
    "round": lambda x: ops.round(x * 4) / 4,
    "sign": ops.sign,
    "cast": lambda x: ops.cast(ops.cast(x * 100, "int32"), "float32") / 100,
    "sqrt": lambda x: ops.sqrt(ops.relu(x)),
    "log": ops.log,
}


def initializer(given: Any) -> Any:
    """A Keras initializer: by name, or a number for a normal deviation, or ("scale", factor) for a
    variance of factor / fan-in."""
    if isinstance(given, (int, float)):
        return keras.initializers.RandomNormal(stddev=float(given))
    if isinstance(given, tuple) and given[0] == "constant":
        return keras.initializers.Constant(given[1])
    if isinstance(given, tuple):
        return keras.initializers.VarianceScaling(given[1], "fan_in", "truncated_normal")
    return given


def dense(units: int, options: Options, activation: Any = None, *, last: bool = False) -> Any:
    """A dense layer with the options' initializers and penalties."""
    kernel = (
        options.get("last_kernel", options.get("kernel", "glorot_uniform"))
        if last
        else options.get("kernel", "he_normal" if activation == "relu" else "glorot_uniform")
    )
    bias = "zeros" if last and not options.get("last_bias") else options.get("bias", "zeros")
    penalty = keras.regularizers.L2(options["l2"]) if options.get("l2") else None
    return layers.Dense(
        units,
        activation,
        kernel_initializer=initializer(kernel),
        bias_initializer=initializer(("constant", bias)) if isinstance(bias, (int, float)) else bias,
        kernel_regularizer=penalty,
    )


def _hidden(x: Any, units: list[int], options: Options) -> Any:
    activation = options.get("activation", "relu")
    for place, width in enumerate(units):
        if options.get("cut") and place == options.get("cut_at", 1):
            x = Through(CUTS[options["cut"]])(x)
        if options.get("norm") == "before":
            x = layers.Activation(activation)(layers.BatchNormalization()(dense(width, options)(x)))
        else:
            x = dense(width, options, activation)(x)
        if options.get("norm") == "after":
            x = layers.BatchNormalization()(x)
        if options.get("dropout"):
            x = layers.Dropout(options["dropout"])(x)
    return x


def mlp(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """Dense layers."""
    inputs = x = keras.Input(shape)
    if options.get("rescaling"):
        x = layers.Rescaling(options["rescaling"])(x)
    x = _hidden(x, options.get("units", [32, 32]), options)
    return keras.Model(inputs, dense(outputs, options, last, last=True)(x))


def residual(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """Dense blocks with a way around each; the last layer of a block begins at zero."""
    inputs = keras.Input(shape)
    x = dense(options.get("width", 32), options)(inputs)
    for _ in range(options.get("blocks", 4)):
        y = layers.LayerNormalization()(x) if options.get("layernorm", True) else x
        y = dense(options.get("width", 32), options, options.get("activation", "relu"))(y)
        zero = "zeros" if options.get("zero_branch") else options.get("kernel", "glorot_uniform")
        y = layers.Dense(options.get("width", 32), kernel_initializer=initializer(zero))(y)
        x = layers.Add()([x, y])
    return keras.Model(inputs, dense(outputs, options, last, last=True)(x))


def cnn(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """Convolutions of pictures or signals, pooled, and a dense layer."""
    flat = len(shape) == 2
    conv, pool = (layers.Conv1D, layers.MaxPooling1D) if flat else (layers.Conv2D, layers.MaxPooling2D)
    activation, bias = options.get("activation", "relu"), options.get("bias", 0.0)
    inputs = x = keras.Input(shape)
    for place, filters in enumerate(options.get("filters", [8, 16])):
        if options.get("cut") and place == 1:
            x = Through(CUTS[options["cut"]])(x)
        x = conv(
            filters,
            3,
            padding="same",
            activation=None if options.get("norm") else activation,
            kernel_initializer=initializer(options.get("kernel", "he_normal")),
            bias_initializer=keras.initializers.Constant(bias),
            kernel_regularizer=keras.regularizers.L2(options["l2"]) if options.get("l2") else None,
        )(x)
        if options.get("norm"):
            x = layers.Activation(activation)(layers.BatchNormalization()(x))
        if place < 2:
            x = pool(2)(x)
    pooled = layers.GlobalAveragePooling1D if flat else layers.GlobalAveragePooling2D
    x = pooled()(x) if options.get("global") else layers.Flatten()(x)
    if options.get("dropout"):
        x = layers.Dropout(options["dropout"])(x)
    if options.get("head"):
        x = dense(options["head"], options, activation)(x)
    return keras.Model(inputs, dense(outputs, options, last, last=True)(x))


def rnn(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """One or two recurrent layers and a dense one; of words where the shape has one number."""
    inputs = x = keras.Input(shape, dtype="int32" if len(shape) == 1 else "float32")
    if len(shape) == 1:
        x = layers.Embedding(options.get("words", 100), 16)(x)
    kind = getattr(layers, options.get("cell", "SimpleRNN"))
    settings: Options = {}
    for name in ("kernel_initializer", "recurrent_initializer", "bias_initializer"):
        if name in options:
            settings[name] = initializer(options[name])
    for name in ("activation", "unit_forget_bias"):
        if name in options:
            settings[name] = options[name]
    depth = options.get("recurrent_layers", 1)
    for place in range(depth):
        again = options.get("sequences", False) or place < depth - 1
        layer = kind(options.get("width", 16), return_sequences=again, **settings)
        x = layers.Bidirectional(layer)(x) if options.get("bidirectional") else layer(x)
    if options.get("cut"):
        x = Through(CUTS[options["cut"]])(x)
    if options.get("dropout"):
        x = layers.Dropout(options["dropout"])(x)
    return keras.Model(inputs, dense(outputs, options, last, last=True)(x))


def embedding(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """Words, averaged, and dense layers."""
    inputs = keras.Input(shape, dtype="int32")
    begins = options.get("embeddings", "uniform")
    x = layers.Embedding(
        options.get("words", 100), options.get("width", 16), embeddings_initializer=initializer(begins)
    )(inputs)
    if options.get("cut"):
        x = Through(CUTS[options["cut"]])(x)
    x = layers.GlobalAveragePooling1D()(x)
    x = _hidden(x, options.get("units", [16]), {**options, "cut": None})
    return keras.Model(inputs, dense(outputs, options, last, last=True)(x))


def attention(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """Words with places, blocks of attention, averaged."""
    width = options.get("width", 16)
    inputs = keras.Input(shape, dtype="int32")
    settings = {"kernel_initializer": initializer(options["kernel"])} if "kernel" in options else {}
    x = layers.Embedding(options.get("words", 100), width)(inputs)
    x = x + layers.Embedding(shape[0], width)(np.arange(shape[0])[None])
    for _ in range(options.get("blocks", 1)):
        if options.get("cut"):
            x = Through(CUTS[options["cut"]])(x)
        seen = layers.MultiHeadAttention(2, width // 2, **settings)(x, x)
        x = layers.LayerNormalization()(x + seen) if options.get("layernorm", True) else seen
        wide = dense(2 * width, options, options.get("activation", "relu"))(x)
        again = dense(width, options)(wide)
        x = layers.LayerNormalization()(x + again) if options.get("layernorm", True) else again
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, dense(outputs, options, last, last=True)(x))


class Subclassed(keras.Model):
    """Somebody's own class, with a step of its own where asked."""

    def __init__(self, outputs: int, last: Any, options: Options) -> None:
        super().__init__()
        self.body = [
            dense(width, options, options.get("activation", "relu"))
            for width in options.get("units", [32, 32])
        ]
        self.head = dense(outputs, options, last, last=True)
        self.unused = options.get("detached", False)

    def call(self, x: Any, training: bool = False) -> Any:
        """Layer by layer."""
        for place, layer in enumerate(self.body):
            x = layer(x)
            if self.unused and place == 0:
                x = ops.stop_gradient(x)
        return self.head(x)


def subclassed(shape: tuple[int, ...], outputs: int, last: Any, options: Options) -> keras.Model:
    """A model that is built by its first batch."""
    return Subclassed(outputs, last, options)
