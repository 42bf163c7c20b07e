"""Weights between K stock models and a stack of them."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ..config import Variant
from ..mlp import _initializer
from ..seeds import derive_seed


def initial_kernels(variants: Sequence[Variant], name: str, kernel: Any) -> np.ndarray:
    """The kernels that `build_mlp` begins with.

    Args:
        variants: K of them.
        name: The layer's name.
        kernel: The variable they are for, (K, inputs, units).

    Returns:
        (K, inputs, units).
    """
    kernels = []
    for variant in variants:
        initializer = _initializer(variant.config, derive_seed(variant.seed, "init", name, "kernel"))
        kernels.append(ops.convert_to_numpy(initializer(tuple(kernel.shape[1:]), dtype=kernel.dtype)))
    return np.stack(kernels)


def give_weights(model: keras.Model, stacks: dict[tuple[str, str], Any], place: int) -> None:
    """Put one variant's weights into its stock model.

    Args:
        model: What `build_mlp` builds for the variant.
        stacks: Stacked weights, (K, n, m), by the names of the layer and of the weight.
        place: Where the variant stands.
    """
    for layer in model.layers:
        for weight in layer.weights:
            if (layer.name, weight.name) in stacks:
                weight.assign(ops.reshape(stacks[layer.name, weight.name][place], weight.shape))


def take(source: Any, target: Any, places: Sequence[int]) -> None:
    """Put the slices at `places` of one variable into another; what has no axis is common to all."""
    value = ops.convert_to_numpy(source)
    target.assign(value[list(places)] if value.ndim else value)
