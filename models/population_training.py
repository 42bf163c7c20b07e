"""What a population's `fit` is given: batches in each variant's own order, and what ends a variant."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .config import require
from .seeds import derive_seed


class PopulationBatches(keras.callbacks.Callback):
    """Batches of the same examples, for each variant in an order of its own, anew every epoch.

    A variant's order of an epoch is keyed by its seed and the epoch alone, and is the one a single run of
    that seed sees. Give it to `fit` twice: its `dataset` as the data, with `shuffle=False`, itself as a
    callback that says which epoch it is.

    Args:
        x, y: Examples and targets, kept once as constants of the pipeline.
        batch_size: Examples a batch, at most all; what does not fill the last batch is left out.
        seeds: A seed for each variant. One alone, an integer, gives all the same order, which is cheaper.

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
        self._x, self._y = tf.constant(x), tf.constant(y)
        self._epoch = 0
        self._give_order(seeds)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Keras asks for an iterator, and so for an order, after this."""
        self._epoch = epoch

    def for_seeds(self, seeds: Sequence[int] | int) -> "PopulationBatches":
        """Batches for other variants, of the same examples, which are not copied."""
        return PopulationBatches(self._x, self._y, self.batch_size, seeds)

    def order(self) -> np.ndarray:
        """Places of the epoch's examples, int64 of shape (steps, K, batch_size), or (steps, batch_size)."""
        orders = [self._order_of(seed) for seed in self._seeds]
        return orders[0] if self._common else np.stack(orders, axis=1)

    def _give_order(self, seeds: Sequence[int] | int) -> None:
        self._common = isinstance(seeds, int)
        self._seeds = [seeds] if isinstance(seeds, int) else list(seeds)
        place = (self.batch_size,) if self._common else (len(self._seeds), self.batch_size)

        def orders() -> Iterator[np.ndarray]:
            yield self.order()

        # One Python call an epoch; the batches are gathered in C++.
        signature = tf.TensorSpec((self.steps, *place), tf.int64)
        places = tf.data.Dataset.from_generator(orders, output_signature=signature).unbatch()
        batches = places.map(lambda place: (tf.gather(self._x, place), tf.gather(self._y, place)))
        self.dataset = batches.apply(tf.data.experimental.assert_cardinality(self.steps)).prefetch(4)

    def _order_of(self, seed: int) -> np.ndarray:
        rng = np.random.default_rng(derive_seed(seed, "shuffle", self._epoch))
        examples = self.steps * self.batch_size
        return rng.permutation(self._examples)[:examples].reshape(self.steps, self.batch_size)


class StopVariants(keras.callbacks.Callback):
    """Keeps each variant's best weights, and ends it when it gets no better, or is no number any more.

    Training stops when all have ended, or when so many have that the rest should be packed:

    >>> stop, epoch, done = StopVariants(patience=5, pack_below=0.5), 0, []
    >>> while True:
    ...     batches = batches.for_seeds([variant.seed for variant in population.variants])
    ...     population.fit(batches.dataset, validation_data=validation, initial_epoch=epoch, epochs=100,
    ...                    shuffle=False, callbacks=[batches, stop], verbose=0)
    ...     if not stop.wants_packing:
    ...         break
    ...     epoch = stop.epochs
    ...     done.append(population)  # where those that have ended are found
    ...     population = population.pack()

    Args:
        monitor: The metric in the logs that is to fall.
        patience: Epochs without a new lowest value after which a variant ends. None: it trains on.
        min_delta: What a value must be below the lowest one to be a new one.
        pack_below: Stop `fit` when no more than this share of the variants train, at least 2. 0: never.

    Attributes:
        epochs: Epochs done.
        wants_packing: Whether `fit` stopped so that the rest can be packed.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int | None = None,
        min_delta: float = 0.0,
        pack_below: float = 0.0,
    ) -> None:
        super().__init__()
        require("patience", "at least 1", patience, patience is None or patience >= 1)
        require("min_delta", "0 or more", min_delta, min_delta >= 0)
        require("pack_below", "in [0, 1)", pack_below, 0 <= pack_below < 1)
        self.monitor, self.patience = monitor, patience
        self.min_delta, self.pack_below = min_delta, pack_below
        self.epochs = 0
        self.wants_packing = False

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin with nothing to pack."""
        self.wants_packing = False

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keep the best, and end what has not got better."""
        population, logs = self.model, logs or {}
        require("monitor", f"one of {', '.join(logs)}", self.monitor, self.monitor in logs)
        self.epochs = epoch + 1
        losses, active = np.asarray(logs[self.monitor]), population.is_active()
        better = active & (losses < keras.ops.convert_to_numpy(population.best_loss) - self.min_delta)
        population.keep_best(better, losses, self.epochs)
        waited = self.epochs - keras.ops.convert_to_numpy(population.best_epoch)
        ended = active & ~np.isfinite(losses)
        if self.patience is not None:
            ended |= active & (waited >= self.patience)
        if ended.any():
            population.end(ended, self.epochs)
        self._stop_when_few(population)

    def _stop_when_few(self, population: Any) -> None:
        count, training = len(population.variants), int(population.is_active().sum())
        few = max(2, self.pack_below * count)
        self.wants_packing = bool(self.pack_below and 0 < training <= few < count)
        if training == 0 or self.wants_packing:
            population.stop_training = True
