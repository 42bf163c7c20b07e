"""What reaches below Keras's public API, or holds for one backend alone. `tests/test_population.py` breaks
when Keras changes underneath.

Used of Keras's inner parts: `_keras_logits`, by which TensorFlow's losses look through a softmax; the
optimizer's `_clip_gradients`, `_apply_weight_decay` and `_get_variable_index`, in `population_optimizer`.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

LANES = 16
"""Numbers in the widest register of a CPU (AVX-512, float32)."""
_ROUNDED_BY_PLACE = ("sigmoid", "tanh", "softplus", "elu")


def keeps_order(jit_compile: bool) -> bool:
    """Whether sums and exponentials need help to give the same bits wherever a variant stands.

    XLA computes each number alike, whatever its place. TensorFlow's own kernels take the last numbers of
    an array by other code than the rest, and add up columns in an order that depends on the array's size.
    """
    return keras.config.backend() == "tensorflow" and not jit_compile


def cast_as_stock(numbers: Any) -> np.ndarray:
    """Settings as the stock layers and optimizers round them: an array, or a list of numbers one by one.

    On TensorFlow Keras's `cast` takes a Python number through float32, in a float64 model too.
    """
    if isinstance(numbers, list):
        return np.array([cast_as_stock(number) for number in numbers])
    return ops.convert_to_numpy(ops.cast(numbers, keras.config.floatx()))


def sum_rows(x: Any, exact: bool) -> Any:
    """Sums over the middle axis: (K, n, units) becomes (K, 1, units)."""
    if not exact:
        return ops.sum(x, axis=1, keepdims=True)
    # A product of matrices adds in an order that depends on one matrix's shape alone.
    return ops.matmul(ops.ones((1, 1, ops.shape(x)[1]), x.dtype), x)


def add_bias(x: Any, bias: Any, exact: bool) -> Any:
    """(K, batch, units) plus (K, 1, units), whose gradient is a `sum_rows`."""
    if not exact:
        return ops.add(x, bias)
    return ops.add(x, ops.matmul(ops.ones((1, ops.shape(x)[1], 1), x.dtype), bias))


def root(x: Any) -> Any:
    """A square root that TensorFlow does not turn a division by into a product with an inverse root.

    A root is rounded alike everywhere, an inverse root by its place.
    """
    return ops.maximum(ops.sqrt(x), ops.zeros((), x.dtype))


def activate(name: str, x: Any, exact: bool) -> Any:
    """Keras's activation of that name, number by number."""
    function = keras.activations.get(name)
    if not exact or name not in _ROUNDED_BY_PLACE:
        return function(x)
    return in_full_registers(lambda flat: function(flat[0]), [ops.reshape(x, (-1,))], ops.shape(x))


def in_full_registers(function: Callable[[list[Any]], Any], arrays: list[Any], shape: Any) -> Any:
    """A function of rows, with zeros behind the last row so that none is computed by other code.

    Args:
        function: Of arrays of n rows each, giving n rows.
        arrays: Arrays with the same number of rows.
        shape: What the result is reshaped to.
    """
    rows = ops.shape(arrays[0])[0]
    if isinstance(rows, int) and rows % LANES == 0:
        return ops.reshape(function(arrays), shape)
    filled = [_fill(array, rows) for array in arrays]
    return ops.reshape(function(filled)[:rows], shape)


def _fill(array: Any, rows: Any) -> Any:
    zeros = ops.zeros((LANES, *array.shape[1:]), array.dtype)
    return ops.concatenate([array, zeros])[: (rows + LANES - 1) // LANES * LANES]


def output_activation(name: str, logits: Any, hides_logits: bool, exact: bool) -> Any:
    """The activation at the end of the network, (K, batch, units).

    Args:
        name: linear, relu, softmax or sigmoid.
        logits: What it is given.
        hides_logits: Whether the loss must take the outputs as they are.
        exact: See `keeps_order`.
    """
    if name in ("linear", "relu"):
        return keras.activations.get(name)(logits)
    function, rows = keras.activations.get(name), ops.reshape(logits, (-1, logits.shape[-1]))
    if exact:
        outputs = in_full_registers(lambda filled: function(filled[0]), [rows], ops.shape(logits))
    else:
        outputs = ops.reshape(function(logits), ops.shape(logits))
    if keras.config.backend() == "tensorflow" and not hides_logits:
        outputs._keras_logits = logits
    return outputs


def swap_axes(outputs: Any) -> Any:
    """(K, batch, units) to (batch, K, units) or back, with the logits TensorFlow remembers."""
    swapped = ops.swapaxes(outputs, 0, 1)
    if hasattr(outputs, "_keras_logits"):
        swapped._keras_logits = ops.swapaxes(outputs._keras_logits, 0, 1)
    return swapped


def rows_of(outputs: Any) -> list[Any]:
    """(K, batch, units) as (K * batch, units); with the logits, where TensorFlow has them."""
    arrays = [outputs, *([outputs._keras_logits] if hasattr(outputs, "_keras_logits") else [])]
    return [ops.reshape(array, (-1, outputs.shape[-1])) for array in arrays]


def logits_again(rows: list[Any]) -> Any:
    """Put together again what `rows_of` took apart."""
    outputs, *logits = rows
    if logits:
        outputs = ops.reshape(outputs, ops.shape(outputs))
        outputs._keras_logits = logits[0]
    return outputs
