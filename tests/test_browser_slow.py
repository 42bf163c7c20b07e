"""A search's trials in MLflow's pages, seen in a real browser."""

import re
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import quiet_port
from .test_search import CONFIG, quietly, small

pytestmark = pytest.mark.slow
Start = Callable[..., "subprocess.Popen[str]"]


def test_the_trials_stand_side_by_side(start: Start, runs: Path, browser: Any, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    quietly(small(name="night"), CONFIG)
    process = start("ui", "--port", str(quiet_port()), "--compare", "night")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    address, charts, best = (re.findall(r"http://\S+", line)[0] for line in lines)
    wait_until_up(address)
    page.goto(charts)
    page.get_by_text("night/1", exact=True).first.wait_for(timeout=120_000)
    for metric in ("val/accuracy", "val/loss", "train/loss"):  # charts further down are drawn when looked for
        page.get_by_placeholder("Search metric charts").fill(metric)
        page.get_by_text(metric, exact=True).first.wait_for(timeout=60_000)
        page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
    page.screenshot(path=tmp_path / "charts.png")
    page.goto("about:blank")
    page.goto(best)
    page.get_by_text("Parallel Coordinates Plot").first.wait_for(timeout=120_000)
    for text in ("l1", "l2", "dropout", "score", "gap"):
        assert page.get_by_text(text, exact=True).count() > 0, text
    page.screenshot(path=tmp_path / "best.png")


def wait_until_up(address: str) -> None:
    """Until the server answers."""
    while True:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
