"""The end of a training: judged, and everything worth keeping kept."""

import json
import shutil

import keras

from . import state
from .checkpoint import Snapshot
from .data.splits import Split
from .figures import learning_curves, save_figure
from .run_folder import RunFolder
from .tasks.task import Table, Task
from .tracking.model import save_model
from .tracking.tracker import Tracker


def conclude(
    task: Task,
    model: keras.Model,
    snapshot: Snapshot,
    folder: RunFolder,
    tracker: Tracker,
    test: Split | None,
) -> None:
    """Judge the model with its best weights, and keep it with figure, answers and metrics.

    Args:
        task: What the network is asked to do.
        model: The trained model; it may have the best epoch's weights afterwards.
        snapshot: The state after the last whole epoch.
        folder: The run's folder, whose record gets history and metrics.
        tracker: Where everything is logged.
        test: The test data, looked at here and nowhere else; None for a run that was interrupted.
    """
    if snapshot.epochs == 0:
        return
    judged = task.judge(model, snapshot, test)
    metrics = judged.metrics | {"time/training": sum(snapshot.history["time/epoch"])}
    _keep_tables(judged.tables, folder, tracker)
    _keep_model(task, judged.model, folder, tracker)
    figure = learning_curves(snapshot.history, snapshot.best_epoch, folder.name)
    save_figure(figure, folder.files / "learning_curves.png")
    tracker.log_file(folder.files / "learning_curves.png")
    tracker.log_metrics(metrics, snapshot.epochs)
    folder.update(history=snapshot.history, metrics=metrics, variants=judged.variants)


def _keep_model(task: Task, model: keras.Model, folder: RunFolder, tracker: Tracker) -> None:
    path = folder.files / "model"
    shutil.rmtree(path, ignore_errors=True)
    save_model(task.export(model), path, task.example, task.metadata)
    tracker.log_file(path, "model")
    tracker.log_tags({"whyfit.model": model.name})


def _keep_tables(tables: dict[str, Table], folder: RunFolder, tracker: Tracker) -> None:
    for name, table in tables.items():
        state.write(folder.files / name, json.dumps(table).encode())
        tracker.log_file(folder.files / name)
    shown = [{"path": name, "type": "table"} for name in tables]
    tracker.log_tags({"mlflow.loggedArtifacts": json.dumps(shown)})
