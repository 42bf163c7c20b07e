"""The end of a training: the best weights judged, and everything worth keeping kept."""

import json
import shutil

import keras

from . import state
from .batches import ordered_batches
from .checkpoint import Snapshot, in_units
from .data.splits import Split
from .figures import learning_curves, save_figure
from .run_folder import RunFolder
from .tasks.task import Task
from .tracking.model import save_model
from .tracking.tracker import Tracker

ANSWERS_KEPT = 200


def conclude(
    task: Task,
    model: keras.Model,
    snapshot: Snapshot,
    folder: RunFolder,
    tracker: Tracker,
    test: Split | None,
) -> None:
    """Give the model its best weights, judge it on the test data, keep model, figure and answers.

    Args:
        task: What the network is asked to do.
        model: The trained model; it has the best epoch's weights afterwards.
        snapshot: The state after the last whole epoch.
        folder: The run's folder, whose record gets history and metrics.
        tracker: Where everything is logged.
        test: The test data, looked at here and nowhere else; None for a run that was interrupted.
    """
    if snapshot.epochs == 0:
        return
    if snapshot.best_epoch:
        model.set_weights(snapshot.best_weights)
    metrics = _best(snapshot) | {"time/training": sum(snapshot.history["time/epoch"])}
    if test is not None:
        scores = model.evaluate(ordered_batches(test), verbose=0, return_dict=True)
        metrics |= in_units({f"test/{name}": float(value) for name, value in scores.items()}, task.units)
        _keep_answers(task, model, test, folder, tracker)
    _keep_model(task, model, folder, tracker)
    figure = learning_curves(snapshot.history, snapshot.best_epoch, folder.name)
    save_figure(figure, folder.files / "learning_curves.png")
    tracker.log_file(folder.files / "learning_curves.png")
    tracker.log_metrics(metrics, snapshot.epochs)
    folder.update(history=snapshot.history, metrics=metrics)


def _best(snapshot: Snapshot) -> dict[str, float]:
    if snapshot.best_epoch == 0:
        return {}
    row = snapshot.row(snapshot.best_epoch)
    validation = {f"best/{name}": value for name, value in row.items() if name.startswith("val/")}
    return validation | {"best/epoch": snapshot.best_epoch}


def _keep_model(task: Task, model: keras.Model, folder: RunFolder, tracker: Tracker) -> None:
    path = folder.files / "model"
    shutil.rmtree(path, ignore_errors=True)
    save_model(task.export(model), path, task.example, task.metadata)
    tracker.log_file(path, "model")
    tracker.log_tags({"whyfit.model": model.name})


def _keep_answers(task: Task, model: keras.Model, test: Split, folder: RunFolder, tracker: Tracker) -> None:
    table = task.table(model, test, ANSWERS_KEPT)
    state.write(folder.files / "answers.json", json.dumps(table).encode())
    tracker.log_file(folder.files / "answers.json")
    tracker.log_tags({"mlflow.loggedArtifacts": json.dumps([{"path": "answers.json", "type": "table"}])})
