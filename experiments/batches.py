"""Training batches in an order of their own every epoch."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from whyfit.models.seeds import derive_seed

from .data.splits import Split


class ShuffledBatches(keras.callbacks.Callback):
    """Batches of a split, shuffled anew each epoch by a generator keyed by seed and epoch alone.

    The order of epoch 7 does not depend on how epoch 7 was reached, so a run that goes on sees
    what it would have seen. (With a seed set, `fit(shuffle=True)` on arrays repeats one order.)
    It is given to `fit` twice: its `dataset` as the data, itself as a callback that says which
    epoch it is.

    Args:
        split: Examples and targets, kept as constants of the pipeline.
        batch_size: Examples a batch, at most all; what does not fill the last batch waits for another order.
        seed: The run's seed; orders derive from it as `shuffle`.
    """

    def __init__(self, split: Split, batch_size: int, seed: int) -> None:
        super().__init__()
        self.batch_size = min(batch_size, len(split))
        self.steps = len(split) // self.batch_size
        self.dataset = self._dataset(split)
        self._seed = seed
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Keras asks for an iterator, and so for an order, after this."""
        self._epoch = epoch

    def order(self) -> np.ndarray:
        """Places of the epoch's examples, int64 of shape (steps, batch_size)."""
        rng = np.random.default_rng(derive_seed(self._seed, "shuffle", self._epoch))
        examples = self.steps * self.batch_size
        return rng.permutation(self._length)[:examples].reshape(self.steps, self.batch_size)

    def _dataset(self, split: Split) -> tf.data.Dataset:
        self._length = len(split)
        x, y = tf.constant(split.x), tf.constant(split.y)
        shape = tf.TensorSpec((self.steps, self.batch_size), tf.int64)

        def orders() -> Iterator[np.ndarray]:
            yield self.order()

        # One Python call an epoch; the batches are gathered in C++.
        places = tf.data.Dataset.from_generator(orders, output_signature=shape).unbatch()
        batches = places.map(lambda place: (tf.gather(x, place), tf.gather(y, place)))
        return batches.apply(tf.data.experimental.assert_cardinality(self.steps)).prefetch(4)


def ordered_batches(split: Split, batch_size: int = 1_000) -> tf.data.Dataset:
    """All examples in their own order, for evaluation."""
    return tf.data.Dataset.from_tensor_slices((split.x, split.y)).batch(min(batch_size, len(split)))
