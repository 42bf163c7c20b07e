"""Asks MLflow about runs: by name, the best, side by side."""

from dataclasses import dataclass
from typing import Any

from ..errors import UserError
from .store import client, database_file, default_uri


@dataclass(frozen=True)
class TrackedRun:
    """One run as MLflow knows it."""

    id: str
    name: str
    status: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]


def search(filter_string: str = "", order_by: tuple[str, ...] = ()) -> list[TrackedRun]:
    """Runs of this project in the store, newest first unless ordered otherwise."""
    uri = default_uri()
    database = database_file(uri)
    if database is not None and not database.exists():
        return []
    store = client(uri)
    experiments = [experiment.experiment_id for experiment in store.search_experiments()]
    runs: list[Any] = []
    token = None
    while True:
        page = store.search_runs(experiments, filter_string, order_by=list(order_by), page_token=token)
        runs += page
        token = page.token
        if not token:
            break
    return [_tracked(run) for run in runs if "whyfit.name" in run.data.tags]


def find(reference: str) -> TrackedRun:
    """The run of this name or id; the beginning of an id is enough.

    Raises:
        UserError: There is none, or more than one.
    """
    runs = search()
    found = [run for run in runs if run.name == reference]
    found = found or [run for run in runs if len(reference) >= 4 and run.id.startswith(reference)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(run.name for run in runs[:8]) or "none yet"
    rule = "the name or id of one tracked run"
    raise UserError(f"RUN must be {rule}, got {reference!r} ({len(found)} match; newest: {known})")


def addition_runs() -> list[TrackedRun]:
    """Tested runs with an addition network, the highest test exact match first."""
    order = ("metrics.`test/exact_match` DESC", "metrics.`best/val/loss` ASC")
    runs = search("tags.`whyfit.model` = 'addition_rnn'", order)
    return [run for run in runs if "test/exact_match" in run.metrics]


def download_model(run: TrackedRun) -> str:
    """The folder with the run's model."""
    import mlflow.artifacts

    try:
        return mlflow.artifacts.download_artifacts(
            run_id=run.id, artifact_path="model", tracking_uri=default_uri()
        )
    except Exception as error:
        raise UserError(f"the model of run {run.name!r} must be readable, got {error}") from error


def _tracked(run: Any) -> TrackedRun:
    data = run.data
    name = data.tags["whyfit.name"]
    return TrackedRun(
        run.info.run_id, name, run.info.status, dict(data.params), dict(data.metrics), dict(data.tags)
    )
