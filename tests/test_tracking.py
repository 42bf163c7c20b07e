"""What MLflow has of a run, read back through its own client, and a server that comes and goes."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from whyfit.experiments import state, train
from whyfit.experiments.run_folder import RunFolder
from whyfit.experiments.tracking.delivery import deliver, is_delivered
from whyfit.experiments.tracking.store import client, default_uri
from whyfit.experiments.tracking.tracker import Tracker

from .conftest import SMALL, quiet_port
from .test_train import record, small, wait_for_epoch

Call = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., "subprocess.Popen[str]"]


def test_a_run_keeps_everything(runs: Path, tmp_path: Path) -> None:
    [result] = train(small(name="kept", epochs=3, seed=7))
    assert result.delivered
    store = client(default_uri())
    run = store.get_run(result.run_id)
    assert (run.info.run_name, run.info.status) == ("kept", "FINISHED")
    assert run.data.params["seed"] == "7"
    assert run.data.params["model.units"] == "12"
    assert run.data.params["optimizer.name"] == "Adam"
    assert len(run.data.params) >= 30
    for name in ("train/loss", "val/loss", "train/accuracy", "val/exact_match"):
        history = store.get_metric_history(result.run_id, name)
        assert [point.step for point in history] == [1, 2, 3]
        assert [point.value for point in history] == result.history[name]
    for name, value in result.metrics.items():
        assert run.data.metrics[name] == value
    tags = run.data.tags
    assert re.fullmatch("[0-9a-f]{40}|unknown", tags["mlflow.source.git.commit"])
    assert tags["whyfit.git.dirty"] in ("true", "false", "unknown")
    assert tags["whyfit.device"].startswith(("cpu", "gpu"))
    assert tags["version.keras"]
    [dataset] = run.inputs.dataset_inputs
    assert dataset.dataset.name == "additions-2-digits"
    assert len(dataset.dataset.digest) == 32
    files = {file.path for file in store.list_artifacts(result.run_id)}
    assert {"learning_curves.png", "answers.json", "model"} <= files
    answers = mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/answers.json")
    assert answers["columns"] == ["question", "truth", "answer", "right"]
    assert len(answers["data"]) == 40
    right = sum(row[3] for row in answers["data"]) / 40
    assert right == pytest.approx(result.metrics["test/exact_match"])
    model = mlflow.pyfunc.load_model(f"{run.info.artifact_uri}/model")
    questions = np.zeros((3, 5), "int32")
    assert model.predict(questions).shape == (3, 3, 12)
    assert model.metadata.metadata["alphabet"] == " +0123456789"
    assert not (runs / "state" / "kept" / "files").exists()


def test_a_run_that_goes_on_keeps_its_id_and_repeats_no_point(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from .test_train import interrupted

    run = small(name="night", epochs=4)
    interrupted(monkeypatch, run, 2, RuntimeError("no\nmemory"))
    store = client(default_uri())
    [before] = store.search_runs(["1"])
    assert before.info.status == "FAILED"
    assert before.data.tags["whyfit.status_reason"] == "RuntimeError: no memory"
    (runs / "state" / "night" / "checkpoint").unlink()  # even when the work itself is lost
    [result] = train(run)
    [after] = store.search_runs(["1"])
    assert after.info.run_id == before.info.run_id == result.run_id
    assert after.info.status == "FINISHED"
    assert [point.step for point in store.get_metric_history(result.run_id, "val/loss")] == [1, 2, 3, 4]


@pytest.mark.slow
def test_the_dead_are_marked_by_the_next_command(start: Start, whyfit: Call, runs: Path) -> None:
    process = start("train", "addition", *SMALL, "--epochs", "5000", "--name", "night")
    wait_for_epoch(process, 2)
    process.kill()
    process.wait()
    assert record(runs, "night")["status"] == "RUNNING"
    assert whyfit("sync").returncode == 0
    assert record(runs, "night")["status"] == "KILLED"
    [run] = client(default_uri()).search_runs(["1"])
    assert run.info.status == "KILLED"
    assert f"process {process.pid} died" in run.data.tags["whyfit.status_reason"]


class Server:
    """An MLflow server on a port of its own that can be stopped and started again."""

    def __init__(self, folder: Path, database: Path) -> None:
        self.port = quiet_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.database = database
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = [
            "--backend-store-uri",
            f"sqlite:///{self.database}",
            "--host",
            "127.0.0.1",
            "--workers",
            "1",
        ]
        arguments += ["--port", str(self.port), "--artifacts-destination", str(self.folder / "artifacts")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *arguments],
            env=os.environ
            | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while True:
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                assert self.process.poll() is None
                time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, 9)
            self.process.wait()
            self.process = None


@pytest.fixture
def server(runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, runs / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    yield server
    server.stop()


@pytest.mark.slow
def test_a_server_that_comes_and_goes_loses_nothing(server: Server, whyfit: Call, runs: Path) -> None:
    """Down at the beginning, up in the middle, killed, up again: every point arrives once, in order."""
    folder, tracker = begun(runs, "away")
    for step in range(1, 6):
        tracker.log_epoch(step, {"val/loss": 1 / step})
    with pytest.raises(mlflow.exceptions.MlflowException):
        deliver(folder)
    server.start()
    deliver(folder)
    assert is_delivered(folder)
    server.stop()
    for step in range(6, 11):
        tracker.log_epoch(step, {"val/loss": 1 / step})
    tracker.release()
    folder.update(status="FINISHED")
    refused = whyfit("sync")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"whyfit: the tracking server must answer at {server.uri}")
    server.start()
    assert "away: delivered" in whyfit("sync").stdout
    run_id = json.loads(folder.delivered.read_text())["run_id"]
    points = MlflowClient(server.uri).get_metric_history(run_id, "val/loss")
    assert [(point.step, point.value) for point in points] == [(step, 1 / step) for step in range(1, 11)]


@pytest.mark.slow
def test_training_does_not_wait_for_a_server_that_is_down(server: Server, whyfit: Call, runs: Path) -> None:
    done = whyfit("train", "addition", *SMALL, "--epochs", "2", "--name", "alone")
    assert done.returncode == 0
    assert "MLflow has not got everything yet" in done.stdout
    server.start()
    assert "alone: delivered" in whyfit("sync").stdout
    [run] = MlflowClient(server.uri).search_runs(["1"])
    assert run.info.status == "FINISHED"
    assert {"learning_curves.png", "model"} <= {
        file.path for file in MlflowClient(server.uri).list_artifacts(run.info.run_id)
    }


def begun(runs: Path, name: str) -> tuple[RunFolder, Tracker]:
    """A run that MLflow is to be told of."""
    folder = RunFolder(runs / "state" / name)
    folder.path.mkdir(parents=True)
    tracker = Tracker(folder)
    tracker.create("e")
    return folder, tracker


def test_a_request_whose_answer_was_lost_is_the_same_when_sent_again(runs: Path) -> None:
    folder, tracker = begun(runs, "twice")
    tracker.log_epoch(1, {"a": 1.0, "b": float("nan")})
    tracker.release()
    deliver(folder)
    place = json.loads(folder.delivered.read_text())
    state.write_json(folder.delivered, {"offset": 0, "run_id": None, "key": place["key"]})
    deliver(folder)
    store = client(default_uri())
    [run] = store.search_runs(["1"])
    assert run.info.run_id == place["run_id"]
    assert len(store.get_metric_history(run.info.run_id, "a")) == 1


@pytest.mark.slow
def test_runs_are_compared_side_by_side(whyfit: Call, runs: Path) -> None:
    train(small(name="one", epochs=1))
    train(small(name="two", epochs=2))
    done = whyfit("compare", "one", "two", env=os.environ | {"COLUMNS": "80"})
    assert done.returncode == 0
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.strip()}
    assert rows["epochs"] == ["1", "2"]
    assert "seed" not in rows
    assert len(rows["test/exact_match"]) == 2
    assert max(map(len, done.stdout.splitlines())) <= 80
