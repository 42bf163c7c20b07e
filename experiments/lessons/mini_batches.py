"""Mini-batches are the good bargain between one example a step and all examples a step.

    make lesson NAME=mini-batches    B1, about 50 s on 2 cores

A network of 32 ReLUs reads 1,000 digits with SGD: one example a step, 32, or all. Each has its own best rate
of three, the one that is soonest at the training loss aimed for; then all are judged by when the
validation loss gets there, in updates, in examples and in seconds. Between two epochs the loss is read off a
straight line. Seconds are updates times what an update of one stock Keras network takes here, measured apart,
in turns, as a population shares what an update costs.

Where it turns: one example a step wins per example while examples repeat each other, and all at once wins per
update; in seconds it hangs on how much a machine does at the same time, and on the aim: far down,
where noise holds small batches up, full batches catch up.

Seen: mini-batches needed 84 updates where one example a step needed 1,936, and 2,700 examples where full
batches needed 30,400. But of 1,000 examples a full batch takes only two to four times as long as one of 32,
and in seconds the two were there together (timed on a busy machine): the bargain wants more examples than
these. With an aim of 0.4, which the first epoch already reaches, mini-batches were twice as fast.
"""

import time
from collections.abc import Mapping
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models import ShuffledBatches, build_loss, build_mlp
from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

EXAMPLES = 1_000
AIM = 0.2
NETWORK = MLPConfig(units=(32,))
# Batch size: epochs, and the rates to choose from.
BATCHES: dict[int, tuple[int, tuple[float, ...]]] = {
    1: (4, (0.01, 0.03, 0.1)),
    32: (12, (0.1, 0.3, 1.0)),
    EXAMPLES: (80, (0.3, 1.0, 2.0)),
}
MINI = 32
ROUNDS, UPDATES = 5, 48

ALONE = True

CLAIMS = (
    Claim(
        "updates",
        "mini-batches need fewer updates than one example a step",
        f"updates until the validation loss is {AIM}, one example by mini-batch, seed by seed",
        "times",
        2.0,
        "half the updates is a gain worth a larger batch",
    ),
    Claim(
        "examples",
        "mini-batches need fewer examples than full batches",
        f"examples until the validation loss is {AIM}, full batch by mini-batch, seed by seed",
        "times",
        2.0,
        "half the examples is a gain worth noisy steps",
    ),
    Claim(
        "time/bargain",
        "mini-batches are there first",
        f"seconds until the validation loss is {AIM}, the faster of the others by mini-batch, seed by seed",
        "times",
        1.2,
        "a fifth is felt, and is more than timings here vary by",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every batch size with each of its rates."""
    return {
        f"{size}, rate {rate:g}": mlp(
            model=NETWORK,
            data=PointsConfig("digits", train=EXAMPLES),
            seeds=16,
            epochs=epochs,
            batch_size=size,
            optimizer=OptimizerConfig("SGD", learning_rate=rate),
        )
        for size, (epochs, rates) in BATCHES.items()
        for rate in rates
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Updates, examples and seconds to the aim, and the curves of each size's best rate."""
    seconds = _seconds_an_update(next(iter(trained.values())).data)
    measured: dict[str, Any] = {}
    updates, examples, spent = {}, {}, {}
    for size, (_, rates) in BATCHES.items():
        runs = {rate: trained[f"{size}, rate {rate:g}"].history for rate in rates}
        rate = min(rates, key=lambda rate: np.median(_epochs(runs[rate]["train/loss"])))
        epochs = _epochs(runs[rate]["val/loss"])
        examples[size] = epochs * EXAMPLES
        updates[size] = examples[size] / size
        spent[size] = updates[size] * seconds[size]
        measured |= {f"loss {size}": runs[rate]["val/loss"], f"rate {size}": rate}
        measured |= {f"updates {size}": updates[size], f"time/update {size}": seconds[size]}
    for key, values, others in (
        ("updates", updates, (1,)),
        ("examples", examples, (EXAMPLES,)),
        ("time/bargain", spent, (1, EXAMPLES)),
    ):
        measured[key] = np.min([values[size] for size in others], axis=0) / values[MINI]
        measured[f"{key}/control"] = np.roll(values[MINI], 1) / values[MINI]
    return measured


def draw(measured: Mapping[str, Any]) -> Figure:
    """Validation loss over updates, examples and seconds."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        panels = figure.subplots(3, sharey=True)
        for colour, size in zip(COLOURS, BATCHES, strict=False):
            low, middle, high = np.percentile(measured[f"loss {size}"], (25, 50, 75), axis=1)
            examples = np.arange(1, len(middle) + 1) * EXAMPLES
            updates = examples / size
            places = (updates, examples, updates * measured[f"time/update {size}"])
            label = {1: "one example", EXAMPLES: "all examples"}.get(size, f"{size} examples")
            for axes, place in zip(panels, places, strict=True):
                axes.plot(place, middle, color=colour, label=f"{label} a step")
                axes.fill_between(place, low, high, color=colour, alpha=0.2, linewidth=0)
        for axes, what in zip(panels, ("updates", "examples seen", "seconds"), strict=True):
            axes.axhline(AIM, color="0.5", linestyle="--", linewidth=1)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel(what)
        panels[1].set_ylabel("validation loss")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure


def _epochs(losses: np.ndarray) -> np.ndarray:
    """When each seed's loss first is at the aim, in epochs; infinite where it never is."""
    curves = np.concatenate([np.full((1, losses.shape[1]), np.log(10)), losses])
    found = []
    for curve in curves.T:
        there = np.flatnonzero(curve <= AIM)
        if not len(there):
            found.append(np.inf)
            continue
        after = int(there[0])
        above, below = curve[after - 1], curve[after]
        found.append(after - 1 + (above - AIM) / (above - below))
    return np.array(found)


def _seconds_an_update(data: Any) -> dict[int, float]:
    """By batch size: of `fit`, 16 updates in a call; the median of rounds in turns."""
    fits = {size: _fit(data, size) for size in BATCHES}
    for fit in fits.values():
        fit()
    taken: dict[int, list[float]] = {size: [] for size in BATCHES}
    for _ in range(ROUNDS):
        for size, fit in fits.items():
            began = time.perf_counter()
            fit()
            taken[size].append((time.perf_counter() - began) / UPDATES)
    return {size: float(np.median(values)) for size, values in taken.items()}


def _fit(data: Any, size: int) -> Any:
    model = build_mlp(
        NETWORK, input_shape=(8, 8), task="classification", classes=10, mean=data.mean, variance=data.variance
    )
    loss = build_loss(NETWORK, "classification")
    model.compile(keras.optimizers.SGD(0.01), loss=loss, steps_per_execution=16, jit_compile=False)
    batches = ShuffledBatches(data.train.x, data.train.y, size, 0).dataset.repeat()
    return lambda: model.fit(batches, steps_per_epoch=UPDATES, verbose=0, shuffle=False)
