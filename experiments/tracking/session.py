"""A training from its beginning to its end, as MLflow and the run's record are told of it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from .. import state
from .._backend import device
from ..checkpoint import Checkpoint
from ..config import Run
from ..data.splits import Data
from ..run_folder import FAILED, FINISHED, KILLED, RUNNING, RunFolder, config_dict
from .tracker import Tracker

PATIENCE = 5.0
"""Seconds without progress after which a run's end no longer waits for a server."""


@contextmanager
def tracked(run: Run, data: Data, folder: RunFolder) -> Iterator[Tracker]:
    """Track what happens inside: begun, and ended as FINISHED, KILLED by an interrupt, or FAILED."""
    config = config_dict(run)
    folder.update(config=config, status=RUNNING, reason="", pid=os.getpid())
    tracker = Tracker(folder)
    tracker.begin(config, data, device())
    try:
        yield tracker
    except KeyboardInterrupt as stop:
        _end(folder, tracker, KILLED, f"interrupted by {stop.args[0] if stop.args else 'Ctrl-C'}")
    except BaseException as error:
        _end(folder, tracker, FAILED, f"{type(error).__name__}: {' '.join(str(error).split())}"[:500])
        raise
    else:
        _end(folder, tracker, FINISHED, "all epochs done")


class TrackEpochs(keras.callbacks.Callback):
    """Logs each epoch's metrics from the checkpoint's snapshot."""

    def __init__(self, tracker: Tracker, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._tracker = tracker
        self._checkpoint = checkpoint

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Log the epoch that the checkpoint has just taken."""
        self._tracker.log_epoch(epoch + 1, self._checkpoint.snapshot.row(epoch + 1))


def _end(folder: RunFolder, tracker: Tracker, status: str, reason: str) -> None:
    tracker.close(status, reason)
    folder.update(status=status, reason=reason)
    delivered = tracker.wait(PATIENCE)
    if status == FINISHED:
        state.discard(folder.checkpoint)
    if status == FINISHED and delivered:
        shutil.rmtree(folder.files)
