"""Batches of examples in memory: in an order of their own every epoch, and as they are."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .config import require
from .seeds import derive_seed


class ShuffledBatches(keras.callbacks.Callback):
    """Batches of examples, shuffled anew every epoch; for a population in an order of each variant's own.

    The order of an epoch is keyed by a seed and the epoch alone: it does not depend on how the epoch was
    reached, so that a run that goes on sees what it would have seen, and a variant sees what a run of its
    own would. (With a seed set, `fit(shuffle=True)` on arrays repeats one order.) Give it to `fit` twice:
    its `dataset` as the data, with `shuffle=False`, itself as a callback that says which epoch it is.

    Args:
        x, y: Examples and targets, kept once as constants of the pipeline.
        batch_size: Examples a batch, at most all; what does not fill the last batch waits for another order.
        seeds: One seed, an integer; or a list with a seed for each variant of a population.

    Attributes:
        steps: Batches an epoch.
        dataset: x of shape (K, batch, ...) and y of (K, batch); with one order (batch, ...) and (batch,).
    """

    def __init__(self, x: Any, y: Any, batch_size: int, seeds: Sequence[int] | int) -> None:
        super().__init__()
        require("batch_size", "at least 1", batch_size, batch_size >= 1)
        require("y", f"of the length of x, {len(x)}", len(y), len(x) == len(y))
        self._examples = len(x)
        self.batch_size = min(batch_size, len(x))
        self.steps = len(x) // self.batch_size
        with tf.device("CPU:0"):  # where pipelines run
            self._x, self._y = tf.constant(x), tf.constant(y)
        self._epoch = 0
        self._common = isinstance(seeds, int)
        self._seeds = [seeds] if isinstance(seeds, int) else list(seeds)
        self.dataset = self._dataset()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Keras asks for an iterator after this."""
        self._epoch = epoch
        self._places.assign(self.order())

    def for_seeds(self, seeds: Sequence[int] | int) -> "ShuffledBatches":
        """Batches for other variants, of the same examples, which are not copied."""
        return ShuffledBatches(self._x, self._y, self.batch_size, seeds)

    def order(self) -> np.ndarray:
        """Places of the epoch's examples, int32 of shape (steps, K, batch_size), or (steps, batch_size)."""
        orders = [self._order_of(seed) for seed in self._seeds]
        return orders[0] if self._common else np.stack(orders, axis=1)

    def _dataset(self) -> tf.data.Dataset:
        # A variable: a pipeline that has run a Python generator leaves XLA's steps on a CPU half as fast.
        with tf.device("CPU:0"):
            self._places = tf.Variable(self.order())

        def batch(step: Any) -> tuple[Any, Any]:
            places = self._places[step]
            return tf.gather(self._x, places), tf.gather(self._y, places)

        return tf.data.Dataset.range(self.steps).map(batch).prefetch(4)

    def _order_of(self, seed: int) -> np.ndarray:
        rng = np.random.default_rng(derive_seed(seed, "shuffle", self._epoch))
        examples = self.steps * self.batch_size
        order = rng.permutation(self._examples)[:examples].astype("int32")
        return order.reshape(self.steps, self.batch_size)


def ordered_batches(x: Any, y: Any, batch_size: int = 1_000) -> tf.data.Dataset:
    """All examples in their own order, for evaluation."""
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(min(batch_size, len(x)))
