"""What says when a population should be packed."""

import keras

from ..config import require


class StopToPack(keras.callbacks.Callback):
    """Stops `fit` when so many variants have ended that the rest should be packed, or all have.

    What ends them, such as `EarlyStopping`, stands before it in the list of callbacks:

    >>> stopping, stop, epoch, done = EarlyStopping(patience=5), StopToPack(0.5), 0, []
    >>> while True:
    ...     batches = batches.for_seeds([variant.seed for variant in population.variants])
    ...     population.fit(batches.dataset, validation_data=validation, initial_epoch=epoch, epochs=100,
    ...                    shuffle=False, callbacks=[batches, stopping, stop], verbose=0)
    ...     if not stop.wants_packing:
    ...         break
    ...     epoch = stop.epochs
    ...     done.append(population)  # where those that have ended are found
    ...     population = population.pack()

    Args:
        share: Stop when no more than this share of the variants train, at least 2; in (0, 1).

    Attributes:
        epochs: Epochs done.
        wants_packing: Whether `fit` stopped so that the rest can be packed.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        require("share", "in (0, 1)", share, 0 < share < 1)
        self.share, self.epochs, self.wants_packing = share, 0, False

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin with nothing to pack."""
        self.wants_packing = False

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Count those that train."""
        count, training = len(self.model.variants), int(self.model.is_active().sum())
        few = max(2, self.share * count)
        self.epochs, self.wants_packing = epoch + 1, 0 < training <= few < count
        if training == 0 or self.wants_packing:
            self.model.stop_training = True
