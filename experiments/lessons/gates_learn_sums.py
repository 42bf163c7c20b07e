"""Sums are learnt from fewer epochs by gated cells, from reversed questions, by deeper decoders.

    make lesson NAME=gates-learn-sums    E3, about 90 s on 2 cores

SimpleRNN, GRU and LSTM of 32 units read questions of two digits, forwards and backwards; the LSTM also with
two decoder layers, and from a quarter of the questions with as many steps. Each has the better of two
rates, by validation. It is judged by whole answers right of unseen questions after equally many steps.
Equal width is not equal size: a GRU has three times, an LSTM four times a SimpleRNN's weights, so a
SimpleRNN of twice the width, as large as the LSTM, runs beside. Seeds share the questions; weights and
order are each seed's own.

FULL=1 trains the published table: 2, 3, 4 and 5 digits by an LSTM of 128, backwards, with the published
numbers of questions and the recipe `addition`'s optimizer, two seeds each, and counts epochs until 99 % of
the characters.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models.config import AdditionRNNConfig

from ..config import OptimizerConfig, Run
from ..data.config import AdditionsConfig
from ..figures import COLOURS, STYLE
from ..recipes import addition
from ..verdict import Claim

RATES = (1e-2, 3e-2)
EPOCHS, SEEDS = 10, 8
QUESTIONS, FEWER = 4_000, 1_000
BACKWARDS, FORWARDS = "backwards", "forwards"
# By name: the network, and how its questions are written.
NETWORKS: dict[str, tuple[AdditionRNNConfig, str]] = {
    f"{cell} {order}": (AdditionRNNConfig(cell, units=32), order)
    for cell in ("SimpleRNN", "GRU", "LSTM")
    for order in (BACKWARDS, FORWARDS)
}
NETWORKS["SimpleRNN, as large as the LSTM"] = (AdditionRNNConfig("SimpleRNN", units=67), BACKWARDS)
NETWORKS["LSTM, two decoder layers"] = (AdditionRNNConfig("LSTM", units=32, layers=2), BACKWARDS)
BEST = "LSTM backwards"
FEW = "LSTM, 1,000 questions"
# By digits: questions to train on and epochs here; questions, validation among them, and epochs as published.
TABLE = {2: (4_500, 14, 5_000, 55), 3: (45_000, 8, 50_000, 100), 4: (360_000, 3, 400_000, 20)}
TABLE |= {5: (500_000, 3, 550_000, 30)}

MARGIN = 5.0
REASON = "one answer in twenty"
ROLLED = "control: against itself, the next seed"
CLAIMS = (
    Claim(
        "gates",
        "gated cells learn sums sooner than a SimpleRNN of the same width",
        "whole answers right on test, LSTM minus SimpleRNN, seed by seed; control: GRU, gated too",
        "points",
        MARGIN,
        REASON,
    ),
    Claim(
        "size",
        "than a SimpleRNN of the same size, too",
        f"whole answers right on test, LSTM minus SimpleRNN twice as wide, seed by seed; {ROLLED}",
        "points",
        MARGIN,
        REASON,
    ),
    Claim(
        "reversed",
        "questions written backwards are learnt sooner by the LSTM",
        f"whole answers right on test, backwards minus forwards, seed by seed; {ROLLED}",
        "points",
        MARGIN,
        REASON,
    ),
    Claim(
        "depth",
        "a second decoder layer learns sooner",
        f"whole answers right on test, two layers minus one, seed by seed; {ROLLED}",
        "points",
        MARGIN,
        REASON,
    ),
    Claim(
        "examples",
        "it is the number of different questions that counts, not the number of steps",
        "whole answers right on test, 4,000 questions minus 1,000 with as many steps, seed by seed; "
        f"{ROLLED}",
        "points",
        MARGIN,
        REASON,
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every network at both rates; where it is long, the published table."""
    named = {
        f"{name}, rate {rate:g}": _run(model, rate, AdditionsConfig(2, QUESTIONS, reverse=order == BACKWARDS))
        for name, (model, order) in NETWORKS.items()
        for rate in RATES
    }
    few = AdditionsConfig(2, FEWER)
    epochs = EPOCHS * QUESTIONS // FEWER
    named |= {f"{FEW}, rate {rate:g}": _run(NETWORKS[BEST][0], rate, few, epochs) for rate in RATES}
    return named | ({f"{digits} digits": _tabled(digits) for digits in TABLE} if full else {})


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Whole answers right, in per cent, of each network at its better rate, and its curves."""
    best = {name: _best(trained, name) for name in (*NETWORKS, FEW)}
    right = {name: 100 * one.scores["test/exact_match"] for name, one in best.items()}
    at = right[BEST]
    noise = at - np.roll(at, 1)
    found = {
        "gates": at - right["SimpleRNN backwards"],
        "gates/control": at - right["GRU backwards"],
        "size": at - right["SimpleRNN, as large as the LSTM"],
        "size/control": noise,
        "reversed": at - right["LSTM forwards"],
        "reversed/control": noise,
        "depth": right["LSTM, two decoder layers"] - at,
        "depth/control": noise,
        "examples": at - right[FEW],
        "examples/control": noise,
        **{f"right {name}": values for name, values in right.items()},
        **{f"curve {name}": 100 * one.history["val/exact_match"] for name, one in best.items()},
        "rates": [f"{name}: {one.run.optimizer.learning_rate:g}" for name, one in best.items()],
    }
    for digits in TABLE:
        if one := trained.get(f"{digits} digits"):
            there = one.history["val/accuracy"] >= 0.99
            found[f"{digits} digits epochs"] = np.where(there.any(axis=0), there.argmax(axis=0) + 1.0, np.inf)
            found[f"{digits} digits right"] = 100 * one.scores["test/exact_match"]
    return found


def draw(measured: Mapping[str, Any]) -> Figure:
    """Whole answers right over epochs, and at the end; the table where it was made."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        upper, lower = figure.subplots(2)
        for name in NETWORKS:
            middle = np.median(measured[f"curve {name}"], axis=1)
            dash = "--" if FORWARDS in name else ":" if "," in name else "-"
            colour = COLOURS[("SimpleRNN", "GRU", "LSTM").index(name.split(",")[0].split()[0])]
            upper.plot(np.arange(1, len(middle) + 1), middle, dash, color=colour, label=name)
        upper.set(xlabel="epoch", ylabel="whole answers right,\nvalidation, %")
        names = [*NETWORKS, FEW]
        lower.boxplot(
            [measured[f"right {name}"] for name in names],
            vert=False,
            tick_labels=names,
            medianprops={"color": COLOURS[1]},
        )
        lower.invert_yaxis()
        lower.tick_params(axis="y", labelsize=9)
        lower.set_xlabel(f"whole answers right, test, %{_table_line(measured)}")
        figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8)
    return figure


def _table_line(measured: Mapping[str, Any]) -> str:
    """Of the table, digits with epochs here and as published."""
    lines = [
        f"{digits} digits: 99 % of characters at epoch "
        f"{' and '.join(f'{epoch:g}' for epoch in measured[f'{digits} digits epochs'])}; "
        f"published {TABLE[digits][3]}"
        for digits in TABLE
        if f"{digits} digits epochs" in measured
    ]
    return "\n".join(["", *lines])


def _run(model: AdditionRNNConfig, rate: float, data: AdditionsConfig, epochs: int = EPOCHS) -> Run:
    return addition(
        model=model,
        data=data,
        seeds=SEEDS,
        epochs=epochs,
        batch_size=64,
        optimizer=OptimizerConfig("Muon", learning_rate=rate),
    )


def _tabled(digits: int) -> Run:
    train, epochs, _, _ = TABLE[digits]
    data = AdditionsConfig(digits, train, validation=min(5_000, train // 9), test=min(5_000, 50))
    return addition(data=data, seeds=2, epochs=epochs, batch_size=64 if digits == 2 else 256)


def _best(trained: Mapping[str, Any], name: str) -> Any:
    """At the rate with the lower validation loss."""
    return min((trained[f"{name}, rate {rate:g}"] for rate in RATES), key=lambda one: one.val_loss)
