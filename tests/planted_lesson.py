"""Some claims, true and false ones, of networks so small that a lesson of them takes a moment.

make lesson NAME=planted-lesson    Z1, about 10 s on 2 cores
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from whyfit.experiments.config import OptimizerConfig, Run
from whyfit.experiments.data.config import PointsConfig
from whyfit.experiments.recipes import mlp
from whyfit.experiments.verdict import Claim
from whyfit.models.config import MLPConfig

TEST_CURVES = True
RATES = {"still": 1e-7, "learns": 3e-2, "learns too": 2e-2}

CLAIMS = (
    Claim("learning", "a rate of 0.03 learns", "accuracy minus that of 1e-7", "points", 5.0, "seen"),
    Claim("standing", "a rate of 1e-7 is better", "accuracy minus that of 0.03", "points", 5.0, "seen"),
    Claim("rates", "0.02 is better than 0.03", "accuracy minus that of 0.03", "points", 5.0, "seen"),
)


def variants(full: bool) -> dict[str, Run]:
    """Three learning rates; where it is long, another width."""
    found = {name: _run(rate) for name, rate in RATES.items()}
    return found | ({"wide": _run(3e-2, 16)} if full else {})


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Differences of accuracy, seed by seed."""
    accuracy = {name: 100 * one.scores["test/accuracy"] for name, one in trained.items()}
    nothing = np.zeros(len(accuracy["still"]))
    return {
        "learning": accuracy["learns"] - accuracy["still"],
        "learning/control": nothing,
        "standing": accuracy["still"] - accuracy["learns"],
        "standing/control": nothing,
        "rates": accuracy["learns too"] - accuracy["learns"],
        "rates/control": nothing,
        "losses": trained["learns"].history["val/loss"],
        "test curve": trained["learns"].history["test/accuracy"],
        "last on test": trained["learns"].scores["last/test/accuracy"],
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Losses."""
    figure = Figure()
    figure.add_subplot().plot(measured["losses"])
    return figure


def frames(measured: Mapping[str, Any]) -> list[tuple[str, Figure]]:
    """Losses up to an epoch."""
    return [(f"epoch {epoch}", draw({"losses": measured["losses"][:epoch]})) for epoch in (1, 12)]


def _run(rate: float, units: int = 8) -> Run:
    return mlp(
        model=MLPConfig(units=(units,)),
        data=PointsConfig("circles", train=200, validation=100, test=200),
        seeds=8,
        epochs=12,
        batch_size=20,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )
