"""Where MLflow's data are, and the client to reach them."""

import logging
import os
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..run_folder import runs_root
from ..state import Lock

if TYPE_CHECKING:
    from mlflow import MlflowClient

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Has MLflow's pages show an experiment's runs and charts, not its pages for language models."""


def default_uri() -> str:
    """$MLFLOW_TRACKING_URI, or the SQLite file under the folder of runs."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{runs_root() / 'mlflow.db'}"


def database_file(uri: str) -> Path | None:
    """The file behind an `sqlite:` address; None for a server."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


@cache
def client(uri: str) -> "MlflowClient":
    """A client of the store at `uri`; an embedded database is created by one process alone."""
    # An outage is waited out by the journal's delivery, so a request need not do it.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        from mlflow import MlflowClient

    mlflow.set_tracking_uri(uri)  # or parts of MLflow make a database where the command runs
    database = database_file(uri)
    if database is None or database.exists():
        return _checked(MlflowClient(uri))
    database.parent.mkdir(parents=True, exist_ok=True)
    with Lock(database.with_name(f"{database.name}.lock"), wait=True):
        return _checked(MlflowClient(uri))


def experiment_id(uri: str, name: str) -> str:
    """The id of the MLflow experiment `name`, made where it is new."""
    from mlflow.exceptions import MlflowException

    store = client(uri)
    if found := store.get_experiment_by_name(name):
        return found.experiment_id
    database = database_file(uri)
    artifacts = (database.parent / "artifacts" / name).as_uri() if database else None
    try:
        return store.create_experiment(name, artifact_location=artifacts, tags=KIND)
    except MlflowException:
        if found := store.get_experiment_by_name(name):  # another process was quicker
            return found.experiment_id
        raise


def _checked(store: "MlflowClient") -> "MlflowClient":
    store.search_experiments(max_results=1)  # creates the tables where there are none
    return store
