"""A linear model learns a sum of two inputs and cannot learn their product; it is stable, and so is a stack.

    make lesson NAME=linear-cannot-multiply    A2, about 25 s on 2 cores

Two inputs from -1 to 1; the outcome is their sum or their product, with noise of 0.1. A linear model, two
linear layers of 16 units under another one, and two layers of 16 ReLUs learn both, each at its own best
learning rate, chosen on validation. Asked is the share of the test outcome's variance that they explain.
Noise leaves 98.5 % of the sum's and 91.7 % of the product's variance to be explained at all.

That a stack of linear layers is one linear layer is shown on trained stacks: three answers of a linear model
give all others. So is stability: nowhere and in no direction does its answer change by more than the length
of its slope times the change of the input, while a ReLU network's slope differs from place to place.

Seen: of the product a linear model explains -0.1 % and a stack of them no more, ReLUs 91.1 %, all but the
noise; of the sum a linear model explains 0.07 points more than ReLUs. Stacks are one layer to 2e-6, and no
answer of a linear model outruns its slope by more than 2e-6; ReLUs that learned the same sum do by up to
61 %.
"""

from collections.abc import Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import STYLE
from ..recipes import mlp
from ..verdict import Claim, Fact

RATES = (3e-3, 3e-2)
TASKS = {"sum": "additive", "product": "multiplicative"}
NETWORKS: dict[str, dict[str, Any]] = {
    "linear": {"layers": 0},
    "linear stack": {"units": (16, 16), "activation": "linear"},
    "ReLU": {"units": (16, 16), "activation": "relu"},
}
OF_VARIANCE = "test variance explained"

CLAIMS = (
    Claim(
        "product",
        "a linear model explains nothing of a product",
        f"{OF_VARIANCE} of the product by a linear model; control: by ReLUs",
        "%",
        5.0,
        "of use to nobody",
        side="below",
    ),
    Claim(
        "sum",
        "of a sum it explains as much as a ReLU network",
        f"{OF_VARIANCE} by ReLUs minus that by a linear model, seed by seed; control: of the product",
        "points",
        1.0,
        "less than the noise leaves open",
        side="below",
    ),
    Claim(
        "stack",
        "a stack of linear layers explains no more of a product than one",
        f"{OF_VARIANCE} by a stack minus that by a linear model, seed by seed; control: by ReLUs",
        "points",
        5.0,
        "of use to nobody",
        side="below",
    ),
    Fact(
        "one layer",
        "a stack of linear layers is one linear layer",
        "answers minus what three of them make of all others, as share of their spread; control: ReLUs",
        1e-4,
        "rounding of float32",
    ),
    Fact(
        "stable",
        "no small change of the input changes a linear model's answer by more than its slope times as much",
        "by how much a change exceeds that, as share of it, at 1,000 points; control: ReLUs on the same sum",
        1e-3,
        "rounding of float32",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every network on every task at every rate."""
    return {
        f"{network} {task} {rate:g}": _run(task, network, rate)
        for task in TASKS
        for network in NETWORKS
        for rate in RATES
        if (network, task) != ("linear stack", "sum")
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Variance explained, and how answers change with inputs."""
    best: dict[str, Any] = {}
    for name, one in trained.items():
        key = name.rpartition(" ")[0]
        best[key] = min(best.get(key, one), one, key=lambda one: one.val_loss)
    r2 = {name: 100 * one.scores["test/r2"] for name, one in best.items()}
    return {
        "product": r2["linear product"],
        "product/control": r2["ReLU product"],
        "sum": r2["ReLU sum"] - r2["linear sum"],
        "sum/control": r2["ReLU product"] - r2["linear product"],
        "stack": r2["linear stack product"] - r2["linear product"],
        "stack/control": r2["ReLU product"] - r2["linear product"],
        "one layer": _each(_bend, best["linear stack product"]),
        "one layer/control": _each(_bend, best["ReLU product"]),
        "stable": _each(_excess, best["linear sum"]),
        "stable/control": _each(_excess, best["ReLU sum"]),
        **{
            f"surface {name}": _surface(one.model(0, best=True))
            for name, one in best.items()
            if "stack" not in name
        },
        **{f"r2 {name}": values for name, values in r2.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """What was asked for and what each network answers, over the plane of the two inputs."""
    grid = _grid(60).reshape(60, 60, 2)
    truth = {"sum": grid.sum(axis=2), "product": grid.prod(axis=2)}
    with mpl.rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(5, 3.9), layout="constrained")
        axes = figure.subplots(2, 3, sharex=True, sharey=True)
        for row, task in zip(axes, TASKS, strict=True):
            deviation = np.sqrt((truth[task] ** 2).mean())
            shown = {"asked for": truth[task] / deviation}
            shown |= {name: measured[f"surface {name} {task}"] for name in ("linear", "ReLU")}
            for panel, (name, values) in zip(row, shown.items(), strict=True):
                image = panel.imshow(
                    values, extent=(-1, 1, -1, 1), origin="lower", cmap="RdBu", vmin=-3, vmax=3
                )
                explained = np.median(measured.get(f"r2 {name} {task}", np.nan))
                note = "" if name == "asked for" else f"\n{max(explained, 0):.0f} % explained"
                panel.set_title(f"{task}, {name}{note}", fontsize=9)
                panel.set_xticks([-1, 0, 1])
                panel.set_yticks([-1, 0, 1])
        figure.supxlabel("input $x_1$", fontsize=11)
        figure.supylabel("input $x_2$", fontsize=11)
        figure.colorbar(image, ax=axes, label="outcome, deviations", shrink=0.8)
    return figure


def _run(task: str, network: str, rate: float) -> Run:
    name: Any = TASKS[task]
    return mlp(
        model=MLPConfig(**NETWORKS[network]),
        data=PointsConfig(name, train=1_000, outcome="number"),
        seeds=16,
        epochs=15,
        batch_size=40,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _each(measure: Any, one: Any) -> list[float]:
    """A number for each of four seeds' networks."""
    return [measure(one.model(place, best=True), one.data.test.x) for place in range(min(4, one.seeds))]


def _answers(model: keras.Model, x: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(np.asarray(x, "float32"), training=False))[:, 0]


def _line(model: keras.Model) -> tuple[float, np.ndarray]:
    """Offset and slope, from the answers at (0, 0), (1, 0) and (0, 1)."""
    offset, first, second = _answers(model, [[0, 0], [1, 0], [0, 1]]).astype("float64")
    return offset, np.array([first - offset, second - offset])


def _bend(model: keras.Model, x: np.ndarray) -> float:
    """How far answers lie from the plane through three of them, largest, by the spread of answers."""
    offset, slope = _line(model)
    answers = _answers(model, x)
    return float(np.abs(answers - offset - x @ slope).max() / answers.std())


def _excess(model: keras.Model, x: np.ndarray) -> float:
    """Largest change of an answer for a change of the input by 0.1 in any direction, against the slope's."""
    slope = np.linalg.norm(_line(model)[1])
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    steps = 0.1 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    moved = _answers(model, (x[:, None] + steps).reshape(-1, 2)).reshape(len(x), -1)
    return float(max(0.0, np.abs(moved - _answers(model, x)[:, None]).max() / 0.1 / slope - 1))


def _grid(count: int) -> np.ndarray:
    line = np.linspace(-1, 1, count)
    return np.stack(np.meshgrid(line, line), axis=2).reshape(-1, 2)


def _surface(model: keras.Model) -> np.ndarray:
    return _answers(model, _grid(60)).reshape(60, 60)
