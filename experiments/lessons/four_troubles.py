"""Deep networks train slowly, overfit, and want data: the monitor tells which of it is the trouble.

    make lesson NAME=four-troubles    C5, about 45 s on 2 cores

A network of six layers of 64 ReLUs, 26,000 parameters, learns 600 digits. Each of the troubles is made in two
ways that have little in common. It stagnates at a rate a ten-thousandth of the right one, or at a
hundred-thousandth. It overfits on 60 digits, or on 150 points of two noisy circles. It underfits under a
penalty far too strong; so does, without a hidden layer, a line between two circles. Healthy are those with
the right rate and nothing else, or a weak penalty. The gradient monitor sees what it sees of any run, and
knows nothing of what was done. Per name the share of networks that get it is counted, and as the control that
among the healthy ones, whose trouble was left out; of healthy, among all that have one.

Where it turns: troubles have degrees, and are not always one. Dropout of nine in ten, tried first to make it
underfit, multiplies what it keeps by ten in each of six layers, and the monitor called it exploding.

Seen: all that stagnated, underfitted, or were healthy were called so, and all that learned 60 digits by
heart; of those on 150 points one in 16 was, and 15 were called healthy. These do overfit (77 % right in
training, 67 % in validation, whose loss has risen by a quarter), by less than what the monitor takes for
trouble, a quarter of all there is to learn; where classes overlap, there is not more to lose. So overfitting
is told where it is gross, and the claim does not hold for it.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import STYLE, TRAIN, VALIDATION
from ..recipes import mlp
from ..verdict import Claim

RATE, STEPS, BATCH = 2e-3, 320, 30
DIGITS, FEW = PointsConfig("digits", train=600), PointsConfig("digits", train=60)
NOISY = PointsConfig("circles", train=150, noise=0.35)
CIRCLES = PointsConfig("circles", train=600)
# By the name it deserves and how it was made: learning rate, data, and what of the network is another.
MADE: dict[tuple[str, str], tuple[float, PointsConfig, dict[str, Any]]] = {
    ("healthy", "nothing"): (RATE, DIGITS, {}),
    ("healthy", "L2 1e-4"): (RATE, DIGITS, {"l2": 1e-4}),
    ("stagnating", "rate / 10,000"): (RATE / 1e4, DIGITS, {}),
    ("stagnating", "rate / 100,000"): (RATE / 1e5, DIGITS, {}),
    ("overfitting", "60 digits"): (RATE, FEW, {}),
    ("overfitting", "150 points"): (RATE, NOISY, {}),
    ("underfitting", "L2 0.3"): (RATE, DIGITS, {"l2": 0.3}),
    ("underfitting", "one line"): (RATE, CIRCLES, {"layers": 0}),
}
NAMES = tuple(dict.fromkeys(name for name, _ in MADE))
REASON = "four in five, so that who believes it is seldom led astray"

CLAIMS = tuple(
    Claim(
        name,
        f"the monitor calls {name} what is made so",
        f"share of networks made {name} that are called so; control: {control}",
        "%",
        80.0,
        REASON,
        share=True,
    )
    for name, control in (
        ("stagnating", "the healthy ones"),
        ("overfitting", "the healthy ones"),
        ("underfitting", "the healthy ones"),
        ("healthy", "all that have a trouble"),
    )
)


def variants(full: bool) -> dict[str, Run]:
    """Each trouble in two ways, and healthy ones."""
    return {f"{name}, {how}": _run(*made) for (name, how), made in MADE.items()}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Which networks are called what, and the curves of one way a name."""
    named = {pair: np.array(trained[", ".join(pair)].diagnosis) for pair in MADE}
    called = {name: _of(named, name) for name in NAMES}
    troubled = np.concatenate([called[name] for name in NAMES if name != "healthy"])
    first = {name: trained[", ".join(next(pair for pair in MADE if pair[0] == name))] for name in NAMES}
    return {
        **{name: values == name for name, values in called.items()},
        **{f"{name}/control": called["healthy"] == name for name in NAMES},
        "healthy/control": troubled == "healthy",
        **{f"called {name}, {how}": values for (name, how), values in named.items()},
        **{f"apart {', '.join(pair)}": _apart(trained[", ".join(pair)]) for pair in MADE},
        **{f"train {name}": 100 * one.history["train/accuracy"] for name, one in first.items()},
        **{f"val {name}": 100 * one.history["val/accuracy"] for name, one in first.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Curves of each trouble, and what each was called."""
    with mpl.rc_context(STYLE | {"font.size": 9}):
        figure = Figure(figsize=(5, 6.4), layout="constrained")
        parts: Any = figure.subfigures(2, height_ratios=(1.15, 1))
        upper, lower = parts
        for axes, name in zip(upper.subplots(2, 2, sharey=True).flat, NAMES, strict=True):
            for split, colour, label in (("train", TRAIN, "training"), ("val", VALIDATION, "validation")):
                low, middle, high = np.quantile(measured[f"{split} {name}"], (0.25, 0.5, 0.75), axis=1)
                epochs = np.arange(1, len(middle) + 1)
                axes.plot(epochs, middle, color=colour, label=label)
                axes.fill_between(epochs, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.set(title=name, ylim=(0, 103), ylabel="accuracy, %", xlabel="epoch")
        upper.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
        _table(lower.subplots(), {key: values for key, values in measured.items() if "called " in key})
    return figure


def _run(rate: float, data: PointsConfig, options: dict[str, Any]) -> Run:
    return mlp(
        model=MLPConfig(**{"layers": 6, "units": (64,), "initializer": "he_normal", **options}),
        data=data,
        seeds=16,
        epochs=STEPS // (data.sizes[0] // BATCH),
        batch_size=BATCH,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _of(named: dict[tuple[str, str], np.ndarray], name: str) -> np.ndarray:
    return np.concatenate([values for pair, values in named.items() if pair[0] == name])


def _apart(one: Any) -> np.ndarray:
    """By how many points the last epoch's accuracy is better on training than on validation examples."""
    return 100 * (one.history["train/accuracy"][-1] - one.history["val/accuracy"][-1])


def _table(axes: Any, called: dict[str, np.ndarray]) -> None:
    """How many of each way got which name."""
    others = sorted({str(one) for values in called.values() for one in values} - set(NAMES))
    columns = [*NAMES, *others]
    counts = np.array([[np.sum(values == name) for name in columns] for values in called.values()])
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=1.6 * counts.max(), aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            axes.text(column, row, str(count), ha="center", va="center")
    axes.set_xticks(range(len(columns)), [name.replace("_", "\n") for name in columns], rotation=30)
    axes.set_yticks(range(len(called)), [key.removeprefix("called ") for key in called])
    axes.set_xlabel("called, of 16 each")
    axes.grid(False)
