"""Stopping when validation stops improving saves most epochs and keeps the accuracy.

    make lesson NAME=early-stopping    D2, about 40 s on 2 cores

Two layers of 32 ReLUs learn whether a product is above 0 from 100 points, a quarter of them wrong by noise,
for 40 epochs. Where each rule would have stopped is read off the recorded curves afterwards, so that one
training serves all: patience, and Prechelt's GL, PQ and UP, each with the weights of the best epoch until
then. They are compared with every fixed budget, the best of which is chosen on validation over all seeds, and
so is one that nobody has who trains once. Rivals as guards are L2 and dropout at their best of three and two
strengths, trained to the end; everything at its best of two rates, by validation, judged on test. Whether
regularizing makes a network more difficult to optimize is asked of the epochs it needs to what the plain one
has at its best. Seeds share data; each has its own weights and order.

Where it turns: with a validation set too small to see the turn, and where learning by heart costs little, as
from a disc within a ring: there patience saves 50 % of the epochs (45 to 55) and keeps the accuracy no better
than training to the end does.

Seen: patience 10 keeps what the best budget has (0 points, -0.1 to 0.7) and saves 67 % of the epochs; GL
stops after 5 epochs, PQ after 15, UP after 22, with the same accuracy. Training to the end costs 0.85 points
(0.3 to 2.0), which does not decide on a point. The better of L2 and dropout, trained to the end, is where
stopping is (-0.1, -0.9 to 0.8). The best guard takes as many epochs as nothing does, L2 of strength 1 never
gets there; but the pattern is found in one or two epochs here, and the disc (1.2 times, 0.9 to 1.7) left that
open.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.callbacks.config import EarlyStoppingConfig
from whyfit.callbacks.criteria import best_of, first_stop
from whyfit.models.config import MLPConfig

from ..book.trained import epochs_until
from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

TEST_CURVES = True
EPOCHS = 40
RATES = (1e-2, 3e-2)
PLAIN, TOO_STRONG = "nothing", "L2 1"
GUARDS: dict[str, dict[str, Any]] = {
    **{f"L2 {strength:g}": {"l2": strength} for strength in (0.003, 0.01, 0.03)},
    **{f"dropout {share:g}": {"dropout": (share,)} for share in (0.2, 0.5)},
}
OPTIONS: dict[str, dict[str, Any]] = {PLAIN: {}, **GUARDS, TOO_STRONG: {"l2": 1.0}}
RULES = {
    "patience 5": EarlyStoppingConfig(patience=5),
    "patience 10": EarlyStoppingConfig(patience=10),
    "GL 5 %": EarlyStoppingConfig(criterion="GL", alpha=5.0),
    "PQ 0.75": EarlyStoppingConfig(criterion="PQ", alpha=0.75),
    "UP 3": EarlyStoppingConfig(criterion="UP", successive=3),
}
RULE = "patience 10"

CLAIMS = (
    Claim(
        "kept",
        f"{RULE} keeps the accuracy of the best budget there is",
        "test accuracy, stopped minus the best fixed budget; control: all epochs minus that",
        "points",
        1.0,
        "10 of 1,000 points",
        side="within",
    ),
    Claim(
        "gains",
        "it is better than training on to the end",
        "test accuracy, stopped minus last, seed by seed; control: with the best L2 or dropout",
        "points",
        1.0,
        "10 of 1,000 points",
    ),
    Claim(
        "saved",
        "it saves more than half of the epochs",
        f"share of {EPOCHS} epochs not trained; control: the rule looks at the training loss",
        "%",
        50.0,
        "twice as many experiments in the same time",
    ),
    Claim(
        "best guard",
        "it is still the best guard: neither L2 nor dropout is better by a point",
        "test accuracy, better of L2 and dropout minus stopped, seed by seed; control: minus not stopped",
        "points",
        1.0,
        "10 of 1,000 points",
        side="below",
    ),
    Claim(
        "not more difficult",
        "the best L2 or dropout makes the network not more difficult to optimize",
        "epochs to the plain network's best validation accuracy less a point, by the plain one's; "
        "control: L2 of strength 1",
        "times",
        1.5,
        "half as long again is what anybody would notice",
        side="below",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Nothing, and every strength of L2 and dropout, at both rates."""
    return {f"{name}, {rate:g}": _run(rate, **how) for name, how in OPTIONS.items() for rate in RATES}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent and epochs of rules, budgets and guards."""
    # A guard's validation loss has its penalty in it, accuracy tells them apart.
    plain = min((trained[f"{PLAIN}, {rate:g}"] for rate in RATES), key=lambda one: one.val_loss)
    settings = [f"{name}, {rate:g}" for name in GUARDS for rate in RATES]
    chosen = max(settings, key=lambda name: _ends_at(trained[name]))
    strong = max((trained[f"{TOO_STRONG}, {rate:g}"] for rate in RATES), key=_ends_at)
    curve = 100 * plain.history["test/accuracy"]
    stopped = {name: _stop(plain, rule) for name, rule in RULES.items()}
    stops, kept = stopped[RULE]
    budget = int(np.median(plain.history["val/loss"], axis=1).argmin())
    on_train = EarlyStoppingConfig(patience=10, monitor="loss")
    guard = 100 * trained[chosen].scores["last/test/accuracy"]
    aim = 100 * plain.history["val/accuracy"].max(axis=0) - 1
    needed = [
        epochs_until(100 * one.history["val/accuracy"] >= aim) for one in (plain, trained[chosen], strong)
    ]
    guards = {name: max((trained[f"{name}, {rate:g}"] for rate in RATES), key=_ends_at) for name in OPTIONS}
    return {
        "kept": kept - curve[budget],
        "kept/control": curve[-1] - curve[budget],
        "gains": kept - curve[-1],
        "gains/control": _stop(trained[chosen], RULES[RULE])[1] - guard,
        "saved": 100 * (1 - stops / EPOCHS),
        "saved/control": 100 * (1 - _stop(plain, on_train, "train/loss")[0] / EPOCHS),
        "best guard": guard - kept,
        "best guard/control": guard - curve[-1],
        "not more difficult": needed[1] / needed[0],
        "not more difficult/control": needed[2] / needed[0],
        "chosen": chosen,
        "budget": budget + 1,
        "budgets": curve,
        "validation": plain.history["val/loss"],
        **{f"epochs {name}": values[0] for name, values in stopped.items()},
        **{f"accuracy {name}": values[1] for name, values in stopped.items()},
        **{f"guard {name}": 100 * one.scores["last/test/accuracy"] for name, one in guards.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Accuracy over budget with where the rules stop, and the guards beside them."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        upper, lower = figure.subplots(2, height_ratios=(1, 1.1))
        low, middle, high = np.quantile(measured["budgets"], (0.25, 0.5, 0.75), axis=1)
        epochs = np.arange(1, EPOCHS + 1)
        upper.plot(epochs, middle, color=COLOURS[6], label="fixed budget")
        upper.fill_between(epochs, low, high, color=COLOURS[6], alpha=0.15, linewidth=0)
        for name, colour, mark in zip(RULES, COLOURS, "osD^v", strict=False):
            at, score = (np.median(measured[f"{what} {name}"]) for what in ("epochs", "accuracy"))
            upper.plot(at, score, mark, color=colour, markersize=8, label=name)
        upper.set(xlabel="epochs trained", ylabel="test accuracy, %", ylim=(middle[-1] - 6, high.max() + 1.5))
        upper.legend(fontsize=9, ncols=2, loc="lower center")
        named = {name: f"guard {name}" for name in (PLAIN, *GUARDS)} | {RULE: f"accuracy {RULE}"}
        values = [measured[key] for key in named.values()]
        lower.boxplot(values, vert=False, tick_labels=list(named), medianprops={"color": COLOURS[1]})
        lower.invert_yaxis()
        lower.set_xlabel("test accuracy, % (all but the last trained to the end)")
    return figure


def _run(rate: float, **how: Any) -> Run:
    return mlp(
        model=MLPConfig(units=(32, 32), **how),
        data=PointsConfig("multiplicative", train=100, validation=500, test=1_000, noise=0.3),
        seeds=16,
        epochs=EPOCHS,
        batch_size=10,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _stop(one: Any, rule: EarlyStoppingConfig, monitor: str = "val/loss") -> tuple[np.ndarray, np.ndarray]:
    """Epochs trained until a rule stops, and test accuracy at the best of them, (seeds,) each."""
    curves, train = one.history[monitor].T, one.history["train/loss"].T
    stops = [first_stop(rule, *pair) or EPOCHS for pair in zip(curves, train, strict=True)]
    best = [best_of(rule, curve[:stop]) for curve, stop in zip(curves, stops, strict=True)]
    accuracy = [one.history["test/accuracy"][epoch - 1, place] for place, epoch in enumerate(best)]
    return np.array(stops), 100 * np.array(accuracy)


def _ends_at(one: Any) -> float:
    return one.last_val_accuracy
