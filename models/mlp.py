"""Dense networks: from the logistic classifier to fifty layers, with every regularizer of the lessons.

A hidden layer n is a row of stock Keras layers, `[...]` only where the config asks for them:

    hidden_n -> [hidden_n_batch_normalization] -> hidden_n_activation -> [hidden_n_batch_normalization]
             -> [hidden_n_dropout]

Sources: LeCun et al. 1998, "Efficient BackProp", 4.3 (scaled inputs) and 4.6 (initial weights); Glorot and
Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", 4.2.1; He et al.
2015, "Delving deep into rectifiers", 2.2; Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of
learning", 3 (orthogonal weights); Srivastava et al. 2014, "Dropout", 4, and 5.1 (max-norm); Ioffe and Szegedy
2015, "Batch normalization", 3.1 and 3.2.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

from .config import MLPConfig, require
from .seeds import derive_seed

TASKS = ("classification", "binary", "regression")
# What stands behind the linear output layer, by head and task; a task that is not there has no such head.
_OUTPUT_ACTIVATIONS = {
    "auto": dict.fromkeys(TASKS, "linear"),
    "probabilities": {"classification": "softmax", "binary": "sigmoid"},
    "probabilities_as_logits": {"classification": "softmax", "binary": "sigmoid"},
    "softmax_one_unit": {"binary": "softmax"},
    "sigmoid": {"regression": "sigmoid"},
    "relu": dict.fromkeys(TASKS, "relu"),
}


def build_mlp(
    config: MLPConfig,
    *,
    input_shape: tuple[int, ...],
    task: str,
    classes: int = 2,
    mean: Any = 0.0,
    variance: Any = 1.0,
    seed: int = 0,
) -> keras.Model:
    """Input scaling, hidden layers, and a head for the task.

    Args:
        config: Layers, activation, initial weights, regularization and head.
        input_shape: Shape of one example, such as (28, 28) or (13,).
        task: "classification", "binary" or "regression".
        classes: Classes of a classification, at least 2; the other tasks have one output.
        mean, variance: Of the raw inputs, in their own units: each a number, or an array of shape
            `input_shape`. An input that does not vary is multiplied by 0.
        seed: Initial weights and dropout masks derive from it and from the layer's name alone.

    Returns:
        An uncompiled functional model of stock layers, which loads with `safe_mode`. It takes raw examples,
        (batch, *input_shape), uint8 pixels or floats, and gives (batch, classes), or (batch, 1): logits,
        probabilities or a number, as the head says. Scaling adds no parameters.

    Raises:
        ValueError: The head does not exist for the task, or an argument cannot be, with its rule and value.

    Example:
        >>> model = build_mlp(MLPConfig(layers=0), input_shape=(28, 28), task="classification", classes=10)
        >>> model.count_params()
        7850
    """
    activation = _output_activation(config, task)
    require("classes", "at least 2", classes, task != "classification" or classes >= 2)
    units = classes if task == "classification" else 1
    row = [_scaling(input_shape, mean, variance), layers.Flatten(name="flatten")]
    row += _dropout("input", config.input_dropout, seed)
    for number, (width, rate) in enumerate(zip(config.widths, config.dropout_rates, strict=True), start=1):
        row += _hidden(config, f"hidden_{number}", width, rate, seed)
    row += [layers.Dense(units, **_kernel(config, "output", seed), name="output")]
    if activation != "linear":
        row += [layers.Activation(activation, name="output_activation")]
    if config.head in ("probabilities_as_logits", "softmax_one_unit"):
        # On TensorFlow Keras's losses look through a softmax or sigmoid and would put the mistake right.
        row += [layers.Reshape((units,), name="output_as_it_is")]
    inputs = outputs = keras.Input(input_shape, name="input")
    for layer in row:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs, name="mlp")


def build_loss(config: MLPConfig, task: str) -> keras.Loss:
    """Cross-entropy for classes and squared error for numbers, told whether it is given logits.

    Wrong heads keep the loss that makes them wrong: `probabilities_as_logits` is read as logits. A head that
    the task does not have is a ValueError, as in `build_mlp`.

    Args:
        config: Its head decides what the loss is given.
        task: "classification", "binary" or "regression".

    Returns:
        A loss for the targets: classes in [0, classes), 0 or 1, or numbers; shape (batch,) or (batch, 1).

    Example:
        >>> model.compile("adam", loss=build_loss(config, task), metrics=build_metrics(config, task))
    """
    _output_activation(config, task)
    from_logits = config.head not in ("probabilities", "softmax_one_unit")
    match task:
        case "classification":
            return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
        case "binary":
            return keras.losses.BinaryCrossentropy(from_logits=from_logits)
    return keras.losses.MeanSquaredError()


def build_metrics(config: MLPConfig, task: str) -> list[keras.Metric]:
    """`accuracy` for classes; `mean_absolute_error` and `r2`, the share of variance explained, for numbers.

    Args:
        config: Its head decides where a binary answer turns: at a logit of 0 or a probability of 0.5.
        task: "classification", "binary" or "regression".

    Returns:
        New metrics, for the targets of `build_loss`.
    """
    logits = _output_activation(config, task) in ("linear", "relu")
    match task:
        case "classification":
            return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
        case "binary":
            return [keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0 if logits else 0.5)]
    return [keras.metrics.MeanAbsoluteError(name="mean_absolute_error"), keras.metrics.R2Score(name="r2")]


def _output_activation(config: MLPConfig, task: str) -> str:
    require("task", f"one of {', '.join(TASKS)}", task, task in TASKS)
    heads = [head for head, tasks in _OUTPUT_ACTIVATIONS.items() if task in tasks]
    require("head", f"one of {', '.join(heads)} for {task}", config.head, config.head in heads)
    return _OUTPUT_ACTIVATIONS[config.head][task]


def _hidden(config: MLPConfig, name: str, units: int, rate: float, seed: int) -> list[keras.Layer]:
    place = config.batch_normalization
    limit = None if config.max_norm is None else keras.constraints.MaxNorm(config.max_norm, axis=0)
    kernel = _kernel(config, name, seed)
    dense = layers.Dense(units, use_bias=place != "before", **kernel, kernel_constraint=limit, name=name)
    activation = layers.Activation(config.activation, name=f"{name}_activation")
    normalization = layers.BatchNormalization(name=f"{name}_batch_normalization")
    rows = {"none": [activation], "before": [normalization, activation], "after": [activation, normalization]}
    return [dense, *rows[place], *_dropout(name, rate, seed)]


def _dropout(name: str, rate: float, seed: int) -> list[keras.Layer]:
    if rate == 0:
        return []
    return [layers.Dropout(rate, seed=derive_seed(seed, "dropout", name), name=f"{name}_dropout")]


def _kernel(config: MLPConfig, name: str, seed: int) -> dict[str, Any]:
    # Keras's L2 has no half in it; the lessons' lambda does.
    penalty = keras.regularizers.L1L2(config.l1, config.l2 / 2) if config.l1 or config.l2 else None
    initializer = _initializer(config, derive_seed(seed, "init", name, "kernel"))
    return {"kernel_initializer": initializer, "kernel_regularizer": penalty}


def _initializer(config: MLPConfig, seed: int) -> keras.Initializer:
    scale = config.initializer_scale
    match config.initializer:
        case "zeros":
            return keras.initializers.Zeros()
        case "constant":
            return keras.initializers.Constant(scale)
        case "normal":
            return keras.initializers.RandomNormal(stddev=0.05 * scale, seed=seed)
        case "uniform":
            return keras.initializers.RandomUniform(-0.05 * scale, 0.05 * scale, seed=seed)
        case "orthogonal":
            return keras.initializers.Orthogonal(gain=scale, seed=seed)
    family, _, distribution = config.initializer.partition("_")
    variance, mode = {"glorot": (1, "fan_avg"), "he": (2, "fan_in"), "lecun": (1, "fan_in")}[family]
    return keras.initializers.VarianceScaling(variance * scale**2, mode, distribution, seed=seed)


def _scaling(input_shape: tuple[int, ...], mean: Any, variance: Any) -> layers.Layer:
    """(x - mean) / deviation as one multiplication and one addition, which XLA fuses with the cast."""
    sizes = len(input_shape) > 0 and all(size >= 1 for size in input_shape)
    require("input_shape", "one size or more, each at least 1", input_shape, sizes)
    mean, variance = np.asarray(mean, "float64"), np.asarray(variance, "float64")
    for name, array in (("mean", mean), ("variance", variance)):
        shape = array.shape
        require(name, f"a number or of shape {input_shape}", shape, shape in ((), tuple(input_shape)))
        require(name, "finite", array, bool(np.isfinite(array).all()))
    require("variance", "0 or more", variance, bool((variance >= 0).all()))
    deviation = np.sqrt(variance)
    float32 = np.finfo("float32")
    # Less than float32 tells apart is rounding noise of an input that is constant.
    varies = deviation > np.maximum(np.abs(mean) * float32.eps, float32.tiny)
    scale = np.where(varies, 1 / np.where(varies, deviation, 1), 0)
    offset = -mean * scale
    scale, offset = (array.item() if array.ndim == 0 else array for array in (scale, offset))
    return layers.Rescaling(scale, offset, name="input_scaling")
