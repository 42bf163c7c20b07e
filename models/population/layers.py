"""Layers of K networks at once: every weight has K for its first axis, every activation is (K, batch, units).

Each computes for variant k what the stock layer of the same name in `build_mlp` computes, and nothing passes
between variants. `exact` asks for sums that give the same bits whatever K is (see `_backend`).
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from .._backend import activate, add_bias, cast_as_stock, in_full_registers, sum_rows
from .random import random_numbers


class StackedLayer(keras.Layer):
    """Base: weights that are given their values, one slice a variant.

    Args:
        name: The stock layer's name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.built = True

    def add_values(self, name: str, values: Any, trainable: bool = False, dtype: str | None = None) -> Any:
        """A weight of the shape of `values`, whose first axis is K."""
        values = np.asarray(values)
        weight = self.add_weight(
            shape=values.shape, initializer="zeros", dtype=dtype, trainable=trainable, name=name
        )
        weight.assign(values)
        return weight


class StackedScaling(StackedLayer):
    """Input scaling as one multiplication and one addition, after flattening.

    Args:
        scale, offset: A number, or an array of the shape of one example.
        variants: K.
    """

    def __init__(self, scale: Any, offset: Any, variants: int) -> None:
        super().__init__("input_scaling")
        # One a variant, alike: then XLA cannot turn K products into one, whose rounding would depend on K.
        self.scale, self.offset = (
            self.add_values(name, np.tile(np.reshape(value, (1, 1, -1)), (variants, 1, 1)))
            for name, value in (("scale", cast_as_stock(scale)), ("offset", cast_as_stock(offset)))
        )

    def call(self, x: Any) -> Any:
        """Raw examples, (1, batch, inputs) or (K, batch, inputs), to scaled ones, (K, batch, inputs)."""
        return ops.add(ops.multiply(ops.cast(x, self.compute_dtype), self.scale), self.offset)


class StackedDense(StackedLayer):
    """K dense layers.

    Args:
        shape: (K, inputs, units).
        biased: Which variants have a bias, K booleans; none at all makes no weight.
    """

    def __init__(self, name: str, shape: tuple[int, int, int], biased: np.ndarray) -> None:
        super().__init__(name)
        self.kernel = self.add_values("kernel", np.zeros(shape), trainable=True)
        self.bias = self.biased = None
        if biased.any():
            self.bias = self.add_values("bias", np.zeros((shape[0], 1, shape[2])), trainable=True)
            self.biased = choice(self, "biased", biased)

    def call(self, x: Any, exact: bool = False) -> Any:
        """(K, batch, inputs) to (K, batch, units)."""
        outputs = ops.matmul(x, self.kernel)
        if self.bias is None:
            return outputs
        bias = self.bias if self.biased is None else ops.where(self.biased.value, self.bias.value, 0)
        return add_bias(outputs, bias, exact)


class StackedBatchNormalization(StackedLayer):
    """K batch normalizations with the constants of Keras's own; variants without one pass as they are.

    Args:
        normalized: Which variants have one, K booleans.
        units: Units of the layer.
    """

    momentum, epsilon = 0.99, 1e-3

    def __init__(self, name: str, normalized: np.ndarray, units: int) -> None:
        super().__init__(name)
        zeros = np.zeros((len(normalized), 1, units))
        self.gamma = self.add_values("gamma", zeros + 1, trainable=True)
        self.beta = self.add_values("beta", zeros, trainable=True)
        self.moving_mean = self.add_values("moving_mean", zeros)
        self.moving_variance = self.add_values("moving_variance", zeros + 1)
        self.normalized = choice(self, "normalized", normalized)

    def call(self, x: Any, active: Any, training: bool = False, exact: bool = False) -> Any:
        """(K, batch, units) to the same.

        Args:
            x: What to normalize.
            active: Which variants still train, (K, 1, 1): the statistics of the others stay.
            training: Use the batch's statistics, and let the moving ones follow them.
            exact: See the module.
        """
        chosen = None if self.normalized is None else self.normalized.value
        # Where a variant has none, its numbers must not reach a root or a quotient: 0 * inf is not 0.
        inputs = x if chosen is None else ops.where(chosen, x, 0)
        if training:
            mean, variance = _moments(inputs, exact)
            self._follow(self.moving_mean, mean, active)
            self._follow(self.moving_variance, variance, active)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        factor = ops.multiply(_inverse_root(ops.add(variance, self.epsilon), exact), self.gamma)
        shift = ops.subtract(self.beta, ops.multiply(mean, factor))
        outputs = _scale_and_shift(inputs, factor, shift, exact)
        return outputs if chosen is None else ops.where(chosen, outputs, x)

    def _follow(self, moving: Any, value: Any, active: Any) -> None:
        followed = moving * self.momentum + value * (1.0 - self.momentum)
        moving.assign(ops.where(active, followed, moving.value))


class StackedDropout(StackedLayer):
    """K dropouts of different rates; a rate of 0 leaves a variant's numbers as they are.

    The mask of variant k in step t is a function of its key and of t alone.

    Args:
        variants: K.
    """

    def __init__(self, name: str, variants: int) -> None:
        super().__init__(name)
        places = np.zeros((variants, 1, 1))
        self.keys = self.add_values("keys", np.zeros((variants, 2)), dtype="int32")
        self.threshold = self.add_values("threshold", places, dtype="int32")
        self.scale = self.add_values("scale", places)

    def set_rates(self, rates: np.ndarray, keys: np.ndarray) -> None:
        """Give every variant its rate and its stream.

        Args:
            rates: Shares dropped, K numbers in [0, 1).
            keys: Keys of the streams, (K, 2) integers in [0, 2**31).
        """
        rates = np.reshape(np.asarray(rates, "float64"), (-1, 1, 1))
        # The nearest of 2**31 steps.
        self.threshold.assign(np.round(rates * 2**31).clip(max=2**31 - 1).astype("int32"))
        self.scale.assign(1 / (1 - rates))
        self.keys.assign(keys)

    def call(self, x: Any, step: Any) -> Any:
        """(K, batch, units) to the same, in training; `step` is an int32 scalar."""
        kept = ops.greater_equal(self.numbers(step, ops.shape(x)), self.threshold)
        return ops.where(kept, ops.multiply(x, self.scale), ops.zeros((), x.dtype))

    def numbers(self, step: Any, shape: Any) -> Any:
        """Uniform integers of 31 bits for activations of `shape`, (K, batch, units)."""
        numbers = random_numbers(self.keys, step, shape[1] * shape[2])
        return ops.reshape(numbers, (-1, shape[1], shape[2]))


class StackedActivation(StackedLayer):
    """An activation of hidden units.

    Args:
        activation: Its name in `keras.activations`.
    """

    def __init__(self, name: str, activation: str) -> None:
        super().__init__(name)
        self.activation = activation

    def call(self, x: Any, exact: bool = False) -> Any:
        """(K, batch, units) to the same."""
        return activate(self.activation, x, exact)


def choice(layer: StackedLayer, name: str, chosen: np.ndarray) -> Any:
    """A weight of K booleans, (K, 1, 1), or None where all are true and there is nothing to choose."""
    return None if chosen.all() else layer.add_values(name, chosen.reshape(-1, 1, 1), dtype="bool")


def _moments(x: Any, exact: bool) -> tuple[Any, Any]:
    count = ops.cast(ops.shape(x)[1], x.dtype)
    mean = ops.divide(sum_rows(x, exact), count)
    distance = _scale_and_shift(x, ops.ones_like(mean), ops.negative(mean), exact)
    return mean, ops.divide(sum_rows(ops.square(distance), exact), count)


def _inverse_root(x: Any, exact: bool) -> Any:
    if not exact:
        return ops.rsqrt(x)
    return in_full_registers(lambda flat: ops.rsqrt(flat[0]), [ops.reshape(x, (-1,))], ops.shape(x))


def _scale_and_shift(x: Any, factor: Any, shift: Any, exact: bool) -> Any:
    """x * factor + shift, whose gradients in factor and shift are sums over the batch."""
    if exact:
        ones = ops.ones((1, ops.shape(x)[1], 1), x.dtype)
        factor, shift = ops.matmul(ones, factor), ops.matmul(ones, shift)
    return ops.add(ops.multiply(x, factor), shift)
