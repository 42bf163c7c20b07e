"""From a recipe to its results: read this first.

recipe -> data -> model -> optimizer -> gradient monitor, early stopping -> fit -> tracking -> [Result]
"""

from contextlib import closing
from typing import Any

import keras

from whyfit.callbacks import EarlyStopping, GradientMonitor, ShowAnswers, ShowProgress
from whyfit.models import ordered_batches

from ._backend import execution
from .checkpoint import Checkpoint
from .conclude import conclude
from .config import Run
from .data.splits import Data, load
from .errors import UserError
from .interrupts import HeedInterrupts, interruptible
from .optimizer import build_optimizer
from .result import Result, results_of
from .run_folder import FINISHED, RunFolder, config_dict, open_run
from .tasks import Task, runs_in_memory, task_of
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
    check_backend(run)
    _check_population(run)
    data = load(run.data, run.seed)
    for note in data.notes:
        print(note)
    parts = runs_in_memory(run, data)
    if len(parts) > 1:
        return [result for part in parts for result in train(part)]
    with open_run(run) as folder:
        if folder.record.get("status") != FINISHED:
            _train(run, data, folder)
        return results_of(folder)


def _train(run: Run, data: Data, folder: RunFolder) -> None:
    task = task_of(run, data)
    _check_monitor(run, task.metric_names)
    model, batches = prepare(run, task)
    monitor = GradientMonitor(run.gradient_monitor)
    stopping = EarlyStopping(run.early_stopping, restore_best=False)  # the checkpoint keeps the best
    kept = {"gradient_monitor": monitor, "early_stopping": stopping}
    checkpoint = Checkpoint(folder.checkpoint, task.units, kept)
    with tracked(config_dict(run), [data], folder) as tracker, interruptible():
        progress = ShowProgress(list(task.shown))
        answers = ShowAnswers(task.show, run.show_every)
        watching = [
            monitor,
            stopping,
            checkpoint,
            TrackEpochs(tracker, checkpoint, monitor),
            progress,
            answers,
        ]
        begun = checkpoint.restore(model)
        try:
            with closing(progress), closing(checkpoint):
                fit(task, model, batches, watching, begun, begun if stopping.over else run.epochs)
        except KeyboardInterrupt:
            conclude(task, model, checkpoint.snapshot, monitor, folder, tracker, test=None)
            raise
        tracker.finished_by = stopping.summary or tracker.finished_by
        conclude(task, model, checkpoint.snapshot, monitor, folder, tracker, test=task.data.test)


def prepare(run: Run, task: Task) -> tuple[keras.Model, Any]:
    """The task's model, compiled as the run says, and its training batches."""
    batches = task.batches(run.batch_size, run.seed)
    model = task.build_model()
    optimizer = build_optimizer(run.optimizer, batches.steps, run.epochs, task.output_layer)
    task.compile(model, optimizer, **execution(run.jit_compile, run.steps_per_execution))
    return model, batches


def fit(task: Task, model: keras.Model, batches: Any, callbacks: list[Any], begun: int, epochs: int) -> None:
    """Train on from the epochs that are done: the one place where Keras's `fit` is called."""
    model.fit(
        batches.dataset,
        validation_data=ordered_batches(task.data.validation.x, task.data.validation.y),
        initial_epoch=begun,
        epochs=epochs,
        shuffle=False,  # the batches shuffle themselves
        verbose=0,
        callbacks=[batches, HeedInterrupts(), *callbacks],
    )


def _check_monitor(run: Run, known: list[str]) -> None:
    rule = run.early_stopping
    for field, name in (("monitor", rule.monitor), ("train-monitor", rule.train_monitor)):
        if rule.criterion is not None and name not in known:
            raise UserError(f"--early-stopping.{field} must be one of {', '.join(known)}, got {name!r}")


def _check_population(run: Run) -> None:
    if run.is_population and not run.suits_populations:
        rule = "1, with nothing to sweep, for an addition network, with Muon or on PyTorch"
        raise UserError(f"--seeds must be {rule}, got {run.seeds}")


def check_backend(run: Run) -> None:
    """Raise where Keras was imported with another backend."""
    imported = keras.config.backend()
    if run.backend != imported:
        raise UserError(
            f"--backend must be the one Keras was imported with, {imported!r}, got {run.backend!r} "
            f"(set KERAS_BACKEND={run.backend} before the import)"
        )
