"""Brings a run's journal to MLflow: in order, each record once, as often as it takes."""

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .. import state
from ..run_folder import KILLED, RUNNING, RunFolder, all_runs
from .store import client, experiment_id

METRICS_A_REQUEST = 1_000  # MLflow's limit
LONGEST_WAIT = 30.0  # seconds between two tries


class Delivery:
    """A thread that delivers what a run's journal holds, while the run goes on."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._wake = threading.Event()
        self._finishing = False
        self._moved = threading.Condition()
        self._records = 0
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the journal."""
        self._wake.set()

    def finish(self, patience: float) -> None:
        """Wait until all is delivered, or until nothing has moved for `patience` seconds."""
        self._finishing = True
        self._wake.set()
        with self._moved:
            while self._thread.is_alive():
                before = self._records
                self._moved.wait(patience)
                if self._records == before:
                    return

    def _run(self) -> None:
        wait = 1.0
        while True:
            self._wake.wait()
            self._wake.clear()
            finishing = self._finishing
            try:
                deliver(self._folder, self._progress)
                wait = 1.0
                if finishing:
                    break
            except Exception:  # whatever a server does must not reach the training
                self._wake.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
                self._wake.set()
        with self._moved:
            self._moved.notify_all()

    def _progress(self) -> None:
        with self._moved:
            self._records += 1
            self._moved.notify_all()


def deliver(folder: RunFolder, progress: Callable[[], None] = lambda: None) -> None:
    """Deliver what the journal holds beyond what was delivered, or raise what MLflow raised.

    The place reached is written down after each request. One whose answer was lost is sent again,
    which MLflow takes as the same: runs are found again by their key, points by their time.
    """
    place = state.read_json(folder.delivered) or {"offset": 0, "run_id": None, "key": uuid.uuid4().hex}
    if place["offset"] == 0:
        state.write_json(folder.delivered, place)
    uri = folder.record["tracking_uri"]
    for records, offset in _requests(folder, place["offset"]):
        run_id = _send(uri, records, folder, place)
        place |= {"offset": offset, "run_id": run_id}
        state.write_json(folder.delivered, place)
        progress()


def is_delivered(folder: RunFolder) -> bool:
    """Whether the journal holds nothing that MLflow has not got."""
    place = state.read_json(folder.delivered)
    offset = place["offset"] if place else 0
    return next(state.read_journal(folder.journal, offset), None) is None


def run_id(folder: RunFolder) -> str | None:
    """The run's id in MLflow, once it has one."""
    place = state.read_json(folder.delivered)
    return place["run_id"] if place else None


def bury_the_dead() -> None:
    """Mark runs whose process has died without a word as KILLED, in their record and in MLflow."""
    for folder in all_runs():
        if folder.record.get("status") != RUNNING:
            continue
        try:
            with folder.lock:
                _bury(folder)
                with suppress(Exception):  # a server that is away hears of it from `sync`
                    deliver(folder)
        except state.InUse:
            continue


def _bury(folder: RunFolder) -> None:
    reason = f"process {folder.record.get('pid')} died; go on with: --name {folder.name}"
    folder.update(status=KILLED, reason=reason)
    journal = state.Journal(folder.journal)
    journal.append({"kind": "tags", "time": 0, "tags": {"whyfit.status_reason": reason}})
    journal.append({"kind": "status", "time": 0, "status": KILLED})
    journal.close()


def _requests(folder: RunFolder, offset: int) -> Any:
    """Records that go out together, each with the offset behind them: one, or metrics up to the limit."""
    batch: list[dict[str, Any]] = []
    for record, end in state.read_journal(folder.journal, offset):
        points = sum(len(other["metrics"]) for other in batch)
        together = record["kind"] == "metrics" and points + len(record["metrics"]) <= METRICS_A_REQUEST
        if batch and not together:
            yield batch, offset
            batch = []
        batch.append(record)
        offset = end
        if record["kind"] != "metrics":
            yield batch, offset
            batch = []
    if batch:
        yield batch, offset


def _send(uri: str, records: list[dict[str, Any]], folder: RunFolder, place: dict[str, Any]) -> str:
    from mlflow.entities import Dataset, DatasetInput, Metric, Param, RunTag

    store, record, run_id = client(uri), records[0], place["run_id"]
    match record["kind"]:
        case "create":
            return run_id or _create(uri, record, place["key"])
        case "status" if record["status"] == RUNNING:
            store.update_run(run_id, status=RUNNING)
        case "status":
            store.set_terminated(run_id, record["status"], record["time"] or None)
        case "params":
            store.log_batch(run_id, params=[Param(*item) for item in record["params"].items()])
        case "tags":
            store.log_batch(run_id, tags=[RunTag(*item) for item in record["tags"].items()])
        case "dataset":
            dataset = Dataset(record["name"], record["digest"], "code", "{}", profile=record["profile"])
            store.log_inputs(run_id, [DatasetInput(dataset)])
        case "metrics":
            points = [
                Metric(name, value, record["time"], record["step"])
                for record in records
                for name, value in record["metrics"].items()
            ]
            store.log_batch(run_id, metrics=points)
        case "trial":
            _send_trial(uri, record, place["key"], run_id)
        case "artifact":
            path = folder.path / record["path"]
            log = store.log_artifacts if path.is_dir() else store.log_artifact
            log(run_id, str(path), record["folder"] or None)
    return run_id


def _create(uri: str, record: dict[str, Any], key: str) -> str:
    return _find_or_make(uri, record, key, {"whyfit.name": record["name"]}, record["time"])


def _find_or_make(uri: str, record: dict[str, Any], key: str, tags: dict[str, str], began: int) -> str:
    store, experiment = client(uri), experiment_id(uri, record["experiment"])
    known = store.search_runs([experiment], f"tags.`whyfit.key` = '{key}'", max_results=1)
    if known:
        return known[0].info.run_id
    tags = {"whyfit.key": key} | tags
    run = store.create_run(experiment, start_time=began, tags=tags, run_name=record["name"])
    return run.info.run_id


def _send_trial(uri: str, record: dict[str, Any], key: str, parent: str) -> None:
    """A trial of a search, as a run nested under it: all of it at once."""
    from mlflow.entities import Metric, Param, RunTag

    began, ended = (round(1000 * record[name]) for name in ("began", "ended"))
    tags = {"mlflow.parentRunId": parent, "whyfit.trial": str(record["number"])}
    run_id = _find_or_make(uri, record, f"{key}-{record['number']}", tags, began)
    # What is logged first is what MLflow's pages choose first.
    points = [Metric(name, value, ended, record["epoch"]) for name, value in record["metrics"].items()]
    points += [
        Metric(name, value, ended, step)
        for name, values in record["history"].items()
        for step, value in enumerate(values, record["first"])
    ]
    store = client(uri)
    params = [Param(*item) for item in record["params"].items()]
    store.log_batch(run_id, params=params, tags=[RunTag(*item) for item in record["tags"].items()])
    for start in range(0, len(points), METRICS_A_REQUEST):
        store.log_batch(run_id, metrics=points[start : start + METRICS_A_REQUEST])
    store.set_terminated(run_id, record["status"], ended)
