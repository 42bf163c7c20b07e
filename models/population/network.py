"""The row of stacked layers: K times what `build_mlp` builds."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .._backend import output_activation
from ..config import Variant
from . import layers as stacked
from .random import derive_key
from .structure import Structure, dropout_rates, hidden_names
from .weights import initial_kernels

_LEARNED = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")


class StackedNetwork(keras.Layer):
    """K networks as one row of layers.

    Args:
        variants: What the variants are.
        structure: Which parts they have.
        stock: The first one as `build_mlp` builds it, which gives shapes, input scaling and output.

    Attributes:
        step: Training steps done, int32.
        dense: The dense layers, from input to output.
    """

    def __init__(self, variants: Sequence[Variant], structure: Structure, stock: keras.Model) -> None:
        super().__init__(name="network")
        self.structure = structure
        self.step = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="step"
        )
        end = [layer.activation.__name__ for layer in stock.layers if layer.name == "output_activation"]
        self.output_activation = end[0] if end else "linear"
        self._hides_logits = any(layer.name == "output_as_it_is" for layer in stock.layers)
        self._build_row(variants, stock)
        self.dense = [layer for layer in self._row if isinstance(layer, stacked.StackedDense)]
        self.built = True
        self.set_values(variants)

    def set_values(self, variants: Sequence[Variant]) -> None:
        """Begin as `build_mlp` begins: initial weights, rates and random streams of each variant."""
        self.step.assign(0)
        for layer in self.dense:
            layer.kernel.assign(initial_kernels(variants, layer.name, layer.kernel))
        for _, name, weight in self.learned():
            if name != "kernel":
                ones = name in ("gamma", "moving_variance")
                weight.assign(np.full(weight.shape, float(ones)))
        for layer in self._row:
            if isinstance(layer, stacked.StackedDropout):
                place = layer.name.removesuffix("_dropout")
                rates = [dropout_rates(variant)[place] for variant in variants]
                layer.set_rates(
                    np.array(rates),
                    np.array([derive_key(variant.seed, "dropout", place) for variant in variants]),
                )

    def learned(self) -> list[tuple[str, str, Any]]:
        """Names of layer and weight, and the weight, of all that a stock model has too."""
        layers = [layer for layer in self._row if not isinstance(layer, stacked.StackedDropout)]
        found = [(layer.name, name, getattr(layer, name, None)) for layer in layers for name in _LEARNED]
        return [entry for entry in found if entry[2] is not None]

    def call(self, x: Any, active: Any, training: bool = False, exact: bool = False) -> Any:
        """Raw examples, flat, to outputs.

        Args:
            x: (1, batch, inputs), the same for all, or (K, batch, inputs).
            active: Which variants still train, (K, 1, 1).
            training: Drop, and normalize by the batch.
            exact: See `keeps_order` in `_backend`.

        Returns:
            (K, batch, outputs).
        """
        x = self._scaling(x)
        for layer in self._row:
            if isinstance(layer, stacked.StackedDropout):
                dropped = layer.name.removesuffix("_dropout") in self.structure.dropped
                x = layer(x, step=self.step) if training and dropped else x
            elif isinstance(layer, stacked.StackedBatchNormalization):
                x = layer(x, active=active, training=training, exact=exact)
            else:
                x = layer(x, exact=exact)
        if training:
            self.step.assign(ops.add(self.step, 1))
        return output_activation(self.output_activation, x, self._hides_logits, exact)

    def _build_row(self, variants: Sequence[Variant], stock: keras.Model) -> None:
        config, count = variants[0].config, len(variants)
        place = self.structure.normalization
        with_one = np.array([variant.config.batch_normalization != "none" for variant in variants])
        everywhere = np.ones(count, "bool")
        scaling = stock.get_layer("input_scaling")
        self._scaling = stacked.StackedScaling(scaling.scale, scaling.offset, count)
        row: list[Any] = [stacked.StackedDropout("input_dropout", count)]
        for name, units in zip(hidden_names(variants[0]), config.widths, strict=True):
            shape = (count, stock.get_layer(name).kernel.shape[0], units)
            dense = stacked.StackedDense(name, shape, ~with_one if place == "before" else everywhere)
            activation = stacked.StackedActivation(f"{name}_activation", config.activation)
            middle = [activation]
            if place != "none":
                normalized = stacked.StackedBatchNormalization(f"{name}_batch_normalization", with_one, units)
                middle.insert(0 if place == "before" else 1, normalized)
            row += [dense, *middle, stacked.StackedDropout(f"{name}_dropout", count)]
        shape = (count, *stock.get_layer("output").kernel.shape)
        self._row = [*row, stacked.StackedDense("output", shape, everywhere)]
