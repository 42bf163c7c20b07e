"""A training from its beginning to its end, as MLflow and the run's record are told of it."""

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras

from whyfit.callbacks import GradientMonitor

from .. import state
from .._backend import device
from ..checkpoint import Checkpoint
from ..data.splits import Data
from ..run_folder import FAILED, FINISHED, KILLED, RUNNING, RunFolder
from .tracker import Tracker

MONITORED = ("gradient_norm", "update_ratio", "dead_units")
"""Series of the gradient monitor that are tracked, one for each layer."""
PATIENCE = 5.0
"""Seconds without progress after which a run's end no longer waits for a server."""


@contextmanager
def tracked(
    config: dict[str, Any], data: Sequence[Data], folder: RunFolder, experiment: str = ""
) -> Iterator[Tracker]:
    """Track what happens inside: begun, and ended as FINISHED, KILLED by an interrupt, or FAILED."""
    folder.update(config=config, status=RUNNING, reason="", pid=os.getpid())
    tracker = Tracker(folder)
    tracker.begin(config, data, device(), experiment)
    try:
        yield tracker
    except KeyboardInterrupt as stop:
        _end(folder, tracker, KILLED, f"interrupted by {stop.args[0] if stop.args else 'Ctrl-C'}")
    except BaseException as error:
        _end(folder, tracker, FAILED, f"{type(error).__name__}: {' '.join(str(error).split())}"[:500])
        raise
    else:
        _end(folder, tracker, FINISHED, tracker.finished_by)


class TrackEpochs(keras.callbacks.Callback):
    """Logs each epoch's metrics from the checkpoint's snapshot, and what the monitor saw of the gradients."""

    def __init__(self, tracker: Tracker, checkpoint: Checkpoint, monitor: GradientMonitor) -> None:
        super().__init__()
        self._tracker = tracker
        self._checkpoint = checkpoint
        self._monitor = monitor

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Log the epoch that the checkpoint has just taken."""
        row = self._checkpoint.snapshot.row(epoch + 1)
        self._tracker.log_epoch(epoch + 1, row | _of_gradients(self._monitor))


def _of_gradients(monitor: GradientMonitor) -> dict[str, float]:
    """The newest epoch's series, of those that are tracked; no chart has a place for what is not finite."""
    found = monitor.series().items()
    return {
        name: value for name, value in found if name.partition("/")[0] in MONITORED and math.isfinite(value)
    }


def _end(folder: RunFolder, tracker: Tracker, status: str, reason: str) -> None:
    tracker.close(status, reason)
    folder.update(status=status, reason=reason)
    delivered = tracker.wait(PATIENCE)
    if status == FINISHED:
        state.discard(folder.checkpoint)
    if status == FINISHED and delivered:
        shutil.rmtree(folder.files)
