"""Training on the other backends, where they are installed."""

import importlib.util
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import SMALL
from .test_train import record, timeless

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_run_goes_its_whole_way(backend: str, whyfit: Call, runs: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    fields = [*SMALL, "--epochs", "3", "--backend", backend, "--model.dropout", "0.2"]
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    for name in ("one", "two"):
        done = whyfit("train", "addition", *fields, "--name", name, env=environment)
        assert done.returncode == 0, done.stderr
    one, two = record(runs, "one"), record(runs, "two")
    assert one["status"] == "FINISHED"
    assert timeless(one["history"]) == timeless(two["history"])  # type: ignore[arg-type]
    assert "answered by run" in whyfit("ask", "1+2", env=environment).stderr
