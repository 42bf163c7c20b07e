"""The end of a training: judged, and everything worth keeping kept."""

import json
import shutil

import keras
from matplotlib.figure import Figure

from whyfit.callbacks import GradientMonitor

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
    monitor: GradientMonitor,
    folder: RunFolder,
    tracker: Tracker,
    test: Split | None,
) -> None:
    """Judge the model with its best weights, and keep it with figure, answers and metrics.

    Args:
        task: What the network is asked to do.
        model: The trained model; it may have the best epoch's weights afterwards.
        snapshot: The state after the last whole epoch.
        monitor: What watched the gradients.
        folder: The run's folder, whose record gets history and metrics.
        tracker: Where everything is logged.
        test: The test data, looked at here and nowhere else; None for a run that was interrupted.
    """
    if snapshot.epochs == 0:
        return
    judged = task.judge(model, snapshot, test)
    metrics = {"trained/epochs": float(snapshot.epochs)} | judged.metrics
    metrics["time/training"] = sum(snapshot.history["time/epoch"])
    keep_tables(judged.tables, folder, tracker)
    keep_model(task, judged.model, folder, tracker)
    curves = learning_curves(snapshot.history, snapshot.best_epoch, folder.name)
    _keep_figure(curves, "learning_curves.png", folder, tracker)
    _keep_gradients(monitor, folder, tracker)
    tracker.log_metrics(metrics, snapshot.epochs)
    folder.update(history=snapshot.history, metrics=metrics, variants=judged.variants)


def _keep_gradients(monitor: GradientMonitor, folder: RunFolder, tracker: Tracker) -> None:
    if not monitor.history:
        return
    _keep_figure(monitor.plot(), "gradients.png", folder, tracker)
    _keep_diagnosis(monitor, folder, tracker)
    if first := monitor.first_non_finite:
        where = f"epoch {first['epoch']}, step {first['step']}: {', '.join(first['layers'])}"
        tracker.log_tags({"whyfit.first_non_finite_gradient": where[:500]})


def _keep_diagnosis(monitor: GradientMonitor, folder: RunFolder, tracker: Tracker) -> None:
    """The report in full in a file, the name as a tag, and what is wrong in two lines."""
    report, named = monitor.report(), monitor.diagnosis
    (folder.files / "report.txt").write_text(report + "\n")
    tracker.log_file(folder.files / "report.txt")
    names = [named] if isinstance(named, str) else named
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    many = ", ".join(f"{name} {count}" for name, count in counts.items())
    tracker.log_tags({"diagnosis": named if isinstance(named, str) else many})
    print(
        report.splitlines()[0] if isinstance(named, str) else f"Diagnosis of {len(names)} variants: {many}."
    )
    if isinstance(named, str) and monitor.findings:
        first = monitor.findings[0]
        print(f"Try: {first.advice[0]} (all of it in {folder.files / 'report.txt'})")


def _keep_figure(figure: Figure, name: str, folder: RunFolder, tracker: Tracker) -> None:
    save_figure(figure, folder.files / name)
    tracker.log_file(folder.files / name)


def keep_model(task: Task, model: keras.Model, folder: RunFolder, tracker: Tracker) -> None:
    """Keep the model with the run's artifacts, as it is used."""
    path = folder.files / "model"
    shutil.rmtree(path, ignore_errors=True)
    save_model(task.export(model), path, task.example, task.metadata)
    tracker.log_file(path, "model")
    tracker.log_tags({"whyfit.model": model.name})


def keep_tables(tables: dict[str, Table], folder: RunFolder, tracker: Tracker) -> None:
    """Keep tables with the run's artifacts, where MLflow's pages show them."""
    for name, table in tables.items():
        state.write(folder.files / name, json.dumps(table).encode())
        tracker.log_file(folder.files / name)
    shown = [{"path": name, "type": "table"} for name in tables]
    tracker.log_tags({"mlflow.loggedArtifacts": json.dumps(shown)})
