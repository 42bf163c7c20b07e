"""From a recipe to its results: read this first.

recipe -> data -> model -> optimizer -> callbacks -> fit -> tracking -> [Result]
"""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import NoReturn

import keras

from whyfit.callbacks import ShowAnswers, ShowProgress

from ._backend import execution
from .batches import ordered_batches
from .checkpoint import Checkpoint
from .conclude import conclude
from .config import Run
from .data.splits import Data, load
from .errors import UserError
from .optimizer import build_optimizer
from .result import Result, results_of
from .run_folder import FINISHED, RunFolder, open_run
from .tasks import task_of
from .tracking.session import TrackEpochs, tracked


def train(run: Run) -> list[Result]:
    """Train what `run` describes, tracked, and go on with it where it was begun before.

    Args:
        run: A recipe's configuration.

    Returns:
        One result for each variant; a plain run is one.

    Raises:
        UserError: The name is in use or belongs to a run of another configuration, or Keras was
            imported with another backend.

    Example:
        >>> [result] = train(recipes.addition(seed=3))
        >>> result.metrics["test/exact_match"] > 0.99
        True
    """
    _check_backend(run)
    data = load(run.data, run.seed)
    for note in data.notes:
        print(note)
    with open_run(run) as folder:
        if folder.record.get("status") != FINISHED:
            _train(run, data, folder)
        return results_of(folder)


def _train(run: Run, data: Data, folder: RunFolder) -> None:
    task = task_of(run, data)
    batches = task.batches(run.batch_size, run.seed)
    model = task.build_model()
    optimizer = build_optimizer(run.optimizer, batches.steps, run.epochs, task.output_layer)
    task.compile(model, optimizer, **execution(run.jit_compile, run.steps_per_execution))
    checkpoint = Checkpoint(folder.checkpoint, task.units)
    with tracked(run, data, folder) as tracker, interruptible():
        progress = ShowProgress(list(task.shown))
        answers = ShowAnswers(task.show, run.show_every)
        watching = [checkpoint, TrackEpochs(tracker, checkpoint), progress, answers]
        try:
            with closing(progress), closing(checkpoint):
                model.fit(
                    batches.dataset,
                    validation_data=ordered_batches(task.data.validation),
                    initial_epoch=checkpoint.restore(model),
                    epochs=run.epochs,
                    shuffle=False,  # the batches shuffle themselves
                    verbose=0,
                    callbacks=[batches, *task.callbacks(), *watching],
                )
        except KeyboardInterrupt:
            conclude(task, model, checkpoint.snapshot, folder, tracker, test=None)
            raise
        conclude(task, model, checkpoint.snapshot, folder, tracker, test=task.data.test)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM stop the training as Ctrl-C does: after the current step, with nothing lost."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(signal.Signals(number).name)

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread, where signals do not arrive
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_backend(run: Run) -> None:
    imported = keras.config.backend()
    if run.backend != imported:
        raise UserError(
            f"--backend must be the one Keras was imported with, {imported!r}, got {run.backend!r} "
            f"(set KERAS_BACKEND={run.backend} before the import)"
        )
