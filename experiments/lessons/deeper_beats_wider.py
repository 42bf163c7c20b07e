"""Deeper beats wider for the same number of parameters.

    make lesson NAME=deeper-beats-wider    A4, about 75 s on 2 cores

One hidden layer of ReLUs against three, with exactly as many parameters, on two spirals, for four budgets;
with FULL=1 a fifth, and all trained for 60 epochs instead of 30. Each side gets its own best of two learning
rates, chosen on validation; seeds share data and order. The control takes away what depth is for: the sum of
two inputs, above 0 or not, is told by one line. Scikit-learn's handwritten digits, which one hidden layer
reads well, show where the claim turns.

Seen: deep gains 12.2, 12.0 and 5.2 points for 109, 261 and 609 parameters; 57 are too few for either. On
digits wide gains 1.3 points. Much of it is speed: after the 60 epochs of FULL=1 deep gains 8.6 points for 109
parameters (-2.9 to 19.8), but 1.5, 0.7 and 0.5 for 261, 609 and 1,509.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

RATES = (1e-2, 3e-2)
# By parameters: units of one hidden layer, and of each of three.
SPIRALS = {57: (14, 4), 109: (27, 6), 261: (65, 10), 609: (152, 16)}
LARGEST = {1_509: (377, 26)}
SUM = {261: (65, 10)}
DIGITS = {3_010: (40, 24)}
DEEP, WIDE = "deep", "wide"
STATISTIC = "test accuracy, deep minus wide, seed by seed"

CLAIMS = (
    *(
        Claim(
            f"spirals {budget}",
            f"on two spirals, {budget:,} parameters in three layers beat as many in one",
            f"{STATISTIC}, after 30 epochs, or 60 of the full book; control: on the sum",
            "points",
            2.0,
            "20 of 1,000 points; a difference seen in the regions drawn",
        )
        for budget in SPIRALS
    ),
    Claim(
        "digits",
        "on digits, 3,010 parameters in three layers beat as many in one",
        f"{STATISTIC}; control: on the sum",
        "points",
        1.0,
        "3 of 300 pictures",
    ),
    Claim(
        "sum",
        "where one line is enough, depth makes no difference",
        f"{STATISTIC}; control: 109 parameters on two spirals",
        "points",
        1.0,
        "10 of 1,000 points",
        side="within",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Deep and wide at every rate, for every budget and task."""
    tasks = {
        "spirals": (
            SPIRALS | (LARGEST if full else {}),
            PointsConfig("spirals", 1_000, 500),
            60 if full else 30,
        ),
        "sum": (SUM, PointsConfig("additive", 1_000, 500), 15),
        "digits": (DIGITS, PointsConfig("digits"), 15),
    }
    named = {}
    for task, (budgets, data, epochs) in tasks.items():
        for budget, (wide, deep) in budgets.items():
            for rate in RATES:
                key = f"{task} {budget} {rate:g}"
                named[f"{key} {DEEP}"] = _run(data, epochs, rate, 3, deep)
                named[f"{key} {WIDE}"] = _run(data, epochs, rate, 1, wide)
    return named


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent at each side's best rate, and two regions."""
    best: dict[str, Any] = {}
    for name, one in trained.items():
        task, budget, _, kind = name.split(" ", 3)
        key = f"{task} {budget} {kind}"
        best[key] = min(best.get(key, one), one, key=lambda one: one.val_loss)
    accuracy = {key: 100 * one.scores["test/accuracy"] for key, one in best.items()}
    cases = [name.removesuffix(f" {DEEP}") for name in accuracy if name.endswith(DEEP)]
    gains = {case: accuracy[f"{case} {DEEP}"] - accuracy[f"{case} {WIDE}"] for case in cases}
    found = {case: gain for case, gain in gains.items() if case.startswith("spirals")}
    found["digits"] = gains["digits 3010"]
    found |= {f"{key}/control": gains["sum 261"] for key in found}
    found |= {"sum": gains["sum 261"], "sum/control": gains["spirals 109"]}
    for kind in (WIDE, DEEP):
        found[f"region {kind}"] = _region(best[f"spirals 261 {kind}"])
    rates = {f"rate {key}": one.run.optimizer.learning_rate for key, one in best.items()}
    return found | rates | {f"accuracy {key}": values for key, values in accuracy.items()}


def draw(measured: Mapping[str, Any]) -> Figure:
    """Accuracy over the budget, and what a wide and a deep network make of the plane."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 5.6), layout="constrained")
        parts: Any = figure.subfigures(2, height_ratios=(1.25, 1))
        upper, lower = parts
        axes = upper.subplots()
        budgets = [budget for budget in SPIRALS | LARGEST if f"spirals {budget}" in measured]
        for (kind, label), colour in zip(
            ((WIDE, "one hidden layer"), (DEEP, "three hidden layers")), COLOURS, strict=False
        ):
            values = np.array([measured[f"accuracy spirals {budget} {kind}"] for budget in budgets])
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1)
            axes.semilogx(budgets, middle, "o-", color=colour, label=label)
            axes.fill_between(budgets, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.set_xticks(budgets, [f"{budget:,}" for budget in budgets])
        axes.minorticks_off()
        axes.set_xlabel("parameters")
        axes.set_ylabel("test accuracy, %")
        axes.legend(loc="lower right")
        for panel, kind in zip(lower.subplots(1, 2), (WIDE, DEEP), strict=True):
            panel.imshow(
                measured[f"region {kind}"], extent=(-5, 5, -5, 5), origin="lower", cmap="RdBu", vmin=0, vmax=1
            )
            panel.set_title(f"{kind}, 261 parameters", fontsize=10)
            panel.grid(visible=False)
            panel.set_xlabel("$x_1$")
        lower.axes[0].set_ylabel("$x_2$")
    return figure


def _run(data: PointsConfig, epochs: int, rate: float, layers: int, units: int) -> Run:
    return mlp(
        model=MLPConfig(layers=layers, units=(units,)),
        data=data,
        seeds=16,
        epochs=epochs,
        batch_size=50,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _region(one: Any) -> np.ndarray:
    """Class over the plane, by the seed whose accuracy is the median one."""
    order = np.argsort(one.scores["test/accuracy"])
    line = np.linspace(-5, 5, 120)
    plane = np.stack(np.meshgrid(line, line), axis=2).reshape(-1, 2).astype("float32")
    logits = np.array(one.model(int(order[len(order) // 2]), best=True)(plane, training=False))
    return (logits > 0).reshape(120, 120)
