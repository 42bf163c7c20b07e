"""What the tests share: a folder of runs of their own, and the command line as a user calls it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from whyfit.experiments.commands.ui import free_port
from whyfit.experiments.tracking.store import client

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A network and data so small that an epoch takes a moment, compiled without XLA.
SMALL = [
    *("--data.digits", "1", "--data.train", "40", "--data.validation", "8", "--data.test", "7"),
    *("--model.cell", "SimpleRNN", "--model.units", "8", "--optimizer.name", "Adam"),
    *("--batch-size", "8", "--jit-compile", "False", "--steps-per-execution", "2", "--show-every", "0"),
]


def heed_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def quiet_port() -> int:
    """A free port below those that outgoing connections are given: asking there before a server is up
    cannot connect a socket to itself."""
    return free_port(15_000 + os.getpid() % 15_000)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs that does not exist yet, which this process and its children use."""
    folder = tmp_path / "mlruns"
    monkeypatch.setenv("WHYFIT_MLRUNS", str(folder))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of MLflow's, whose tables take seconds to make."""
    path = tmp_path_factory.mktemp("database") / "mlflow.db"
    client(f"sqlite:///{path}")
    return path


@pytest.fixture
def runs(nowhere: Path, database: Path) -> Path:
    """A folder of runs with no run in it."""
    nowhere.mkdir()
    shutil.copy(database, nowhere)
    return nowhere


@pytest.fixture
def whyfit() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `whyfit ...` to its end."""

    def call(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "whyfit.experiments", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload,no-any-return]

    return call


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium without a screen."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not (path := shutil.which("chromium")):
        pytest.skip("Debian's chromium is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of all verdicts of a made-up book."""
    from . import report_cases

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHYFIT_MLRUNS", str(tmp_path_factory.mktemp("mlruns")))
        return report_cases.write().read_text()


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `whyfit ...` or another program and go on; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def call(
        *arguments: str, program: str = "whyfit.experiments", **options: object
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", program, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=heed_interrupts,
            **options,  # type: ignore[call-overload]
        )
        started.append(process)
        return process

    yield call
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its children too, such as a server's workers
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
