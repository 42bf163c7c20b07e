"""MLflow's pages, served on this machine alone."""

import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from whyfit.experiments import train

from .conftest import quiet_port
from .test_train import small

Start = Callable[..., "subprocess.Popen[str]"]


def test_the_ui_serves_the_runs_on_a_port_that_is_free(start: Start, runs: Path) -> None:
    train(small(name="seen", epochs=1))
    with socket.socket() as taken:
        port = quiet_port()
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = start("ui", "--port", str(port))
        assert process.stdout is not None
        said = re.match(
            r"MLflow at (http://127\.0\.0\.1:(\d+))  \(port (\d+) is taken\)", process.stdout.readline()
        )
        assert said is not None
        assert int(said[3]) == port != int(said[2])
        body = search(said[1])
        assert '"seen"' in body
        assert "test/exact_match" in body


def search(uri: str) -> str:
    """What the server answers when asked for all runs, once it is up."""
    request = urllib.request.Request(
        f"{uri}/api/2.0/mlflow/runs/search",
        data=b'{"experiment_ids": ["1"]}',
        headers={"Content-Type": "application/json"},
    )
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read().decode()  # type: ignore[no-any-return]
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.1)
