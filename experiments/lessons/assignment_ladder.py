"""From the logistic classifier to a deep network with decay, every rung reads more letters.

    make lesson NAME=assignment-ladder    D10, about 100 s on 2 cores

The rungs on the letters A to J: the logistic classifier, with L2; a hidden layer of 64 ReLUs, with L2, with
dropout; the same on three batches of pictures, which it learns by heart, with dropout; three layers,
regularized, with a rate that decays. Every rung has its own best rate and strength, chosen by validation
accuracy, and is judged on fonts of its own. Seeds share the pictures; weights and order are each seed's
own.

FULL=1 climbs the ladder on notMNIST, MNIST and Fashion-MNIST, three seeds each, where their files lie in
$KERAS_HOME (or ~/.keras): a folder `mnist`, `fashion-mnist` or `notmnist` of idx files there or in its
`datasets`. On MNIST it also trains 2 x 800 ReLUs, and 3 x 1,024 with dropout, without and with max-norm, two
seeds each, beside the published errors of 1.60, 1.25 and 1.06 % (Srivastava et al., JMLR 15, 2014, table 2).
What is not there is left out.

Seen: logistic 78.2 % (78.5 with L2), a hidden layer 86.0, three layers with decay 87.0: the hidden layer is
what counts (7.4 points more, 7.1 to 7.9). L2 brings the network nothing (0.0 points, -0.3 to 0.4; the weakest
strength was chosen), dropout costs 1.2 (-2.9 to 0.2): with 2,000 pictures and 8 epochs 64 units do not
overfit so that it pays. Three batches are learnt by heart (32 points between training and validation); what
dropout does there is open (0.7, -2.7 to 2.8), as is whether the top rung is a point above the next (1.1
points, 0.3 to 3.2). All chose a rate of 0.003, of 0.001 and 0.003 as of 0.003 and 0.01.

Seen with FULL=1 (48 min beside other lessons, 256 units, three seeds): on all three published sets the order
is the same, logistic, one hidden layer, three with decay: 87.3, 90.0 and 91.5 % on notMNIST, 91.9, 97.4 and
98.3 % on MNIST, 83.5, 87.4 and 88.6 % on Fashion-MNIST, after eight epochs. L2 and dropout bring one layer
nothing there either. Of the published 1.60, 1.25 and 1.06 % wrong on MNIST there were 1.47, 1.42 and 1.44
(two seeds): dropout gained 0.05 points where 0.35 are published, and max-norm nothing. They had 20 epochs of
55,000 pictures, about seven minutes a network on one core.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import DataConfig, GlyphsConfig, ImagesConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

LETTERS = GlyphsConfig(train=2_000, validation=1_000, test=1_000)
FEW = GlyphsConfig(train=192, validation=1_000, test=1_000)
BATCH = 64
# By rung: its layers, and the settings it chooses from.
RUNGS: dict[str, tuple[int, tuple[dict[str, Any], ...]]] = {
    "logistic": (0, ({},)),
    "logistic, L2": (0, ({"l2": 1e-3}, {"l2": 1e-2}, {"l2": 1e-1})),
    "network": (1, ({},)),
    "network, L2": (1, ({"l2": 1e-3}, {"l2": 1e-2})),
    "network, dropout": (1, ({"dropout": (0.5,)},)),
    "deep, decay": (3, ({"dropout": (0.2,)}, {"l2": 1e-3})),
}
RATES, DECAYING = (3e-3, 1e-2), (3e-3,)
CONTROLS: dict[str, tuple[int, tuple[dict[str, Any], ...]]] = {"network, weak L2": (1, ({"l2": 1e-7},))}
HEART: dict[str, dict[str, Any]] = {
    "few": {},
    "few, dropout": {"dropout": (0.5,)},
    "few, weak dropout": {"dropout": (1e-3,)},
}
PUBLISHED = {"2 x 800": 1.60, "3 x 1,024, dropout": 1.25, "3 x 1,024, dropout, max-norm": 1.06}

POINT = "10 of 1,000 letters"
CLAIMS = (
    Claim(
        "hidden",
        "a hidden layer of ReLUs reads more than the logistic classifier",
        "test accuracy, network minus classifier, each at its best; control: classifiers, L2 minus none",
        "points",
        3.0,
        "what a reader would notice: 30 of 1,000 letters",
    ),
    Claim(
        "L2",
        "L2 helps the network",
        "test accuracy with L2 minus without, seed by seed; control: an L2 too weak to matter",
        "points",
        1.0,
        POINT,
    ),
    Claim(
        "dropout",
        "dropout helps the network",
        "test accuracy with dropout minus without, seed by seed; control: L2 too weak to matter",
        "points",
        1.0,
        POINT,
    ),
    Claim(
        "by heart",
        "three batches of pictures are learnt by heart",
        "accuracy in training minus validation, seed by seed; control: all 2,000 pictures",
        "points",
        25.0,
        "one letter in four: what is learnt there is of no use elsewhere",
    ),
    Claim(
        "dropout on few",
        "dropout makes up for some of that",
        "test accuracy on few batches with dropout minus without, seed by seed; control: a dropout of 0.1 %",
        "points",
        1.0,
        POINT,
    ),
    Claim(
        "top",
        "the deep network with decay stands highest",
        "test accuracy minus that of the best rung below, seed by seed; control: that rung, the next seed",
        "points",
        1.0,
        POINT,
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Every rung with all its settings; where it is long, on published pictures, too."""
    named = _ladder(LETTERS, RUNGS | CONTROLS)
    named |= {name: _run(FEW, 1, RATES[-1], epochs=40, **setting) for name, setting in HEART.items()}
    return named | (_published() if full else {})


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies in per cent of every rung at its best."""
    best = {rung: _best(trained, "", rung) for rung in RUNGS | CONTROLS}
    at = {rung: _test(trained[name]) for rung, name in best.items()}
    at |= {name: _test(trained[name]) for name in HEART}
    shallow = {rung: values for rung, values in at.items() if rung in RUNGS and rung != "deep, decay"}
    below = shallow[max(shallow, key=lambda rung: _validation(trained[best[rung]]))]
    linear = max(("logistic", "logistic, L2"), key=lambda rung: _validation(trained[best[rung]]))
    hidden = max(("network", "network, L2"), key=lambda rung: _validation(trained[best[rung]]))
    return {
        "hidden": at[hidden] - at[linear],
        "hidden/control": at["logistic, L2"] - at["logistic"],
        "L2": at["network, L2"] - at["network"],
        "L2/control": at["network, weak L2"] - at["network"],
        "dropout": at["network, dropout"] - at["network"],
        "dropout/control": at["network, weak L2"] - at["network"],
        "by heart": _gap(trained["few"]),
        "by heart/control": _gap(trained[best["network"]]),
        "dropout on few": at["few, dropout"] - at["few"],
        "dropout on few/control": at["few, weak dropout"] - at["few"],
        "top": at["deep, decay"] - below,
        "top/control": below - np.roll(below, 1),
        "chosen": [f"{rung}: {name}" for rung, name in best.items()],
        **{f"accuracy {rung}": values for rung, values in at.items()},
        **_elsewhere(trained),
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """Test accuracy rung by rung, on every set of pictures there is."""
    sets = [""] + [name.removeprefix("on ") for name in measured if name.startswith("on ")]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 4.2 if len(sets) == 1 else 2.2 * len(sets)), layout="constrained")
        for axes, name in zip(figure.subplots(len(sets), squeeze=False).flat, sets, strict=True):
            rungs = [*RUNGS, "few", "few, dropout"] if not name else list(RUNGS)
            key = name or "accuracy"
            axes.boxplot(
                [measured[f"{key} {rung}"] for rung in rungs],
                vert=False,
                tick_labels=rungs,
                medianprops={"color": COLOURS[1]},
            )
            axes.invert_yaxis()
            axes.set_xlabel(f"test accuracy on {name or 'letters of unseen fonts'}, %")
            if name == "mnist":
                axes.set_xlabel(f"{axes.get_xlabel()}{_errors(measured)}", fontsize=9, loc="right")
    return figure


def _errors(measured: Mapping[str, Any]) -> str:
    """Of the dropout paper's networks, a line each: test errors here and published."""
    lines = [""]
    for name, published in PUBLISHED.items():
        if (key := f"error {name}") in measured:
            lines.append(f"{name}: {np.mean(measured[key]):.2f} % wrong, published {published:.2f}")
    return "\n".join(lines)


def _ladder(data: DataConfig, rungs: Mapping[str, Any], start: str = "", **changes: Any) -> dict[str, Run]:
    return {
        f"{start}{rung}, {place}, rate {rate:g}": _run(data, layers, rate, **setting, **changes)
        for rung, (layers, settings) in rungs.items()
        for place, setting in enumerate(settings)
        for rate in _rates(layers)
    }


def _run(
    data: DataConfig, layers: int, rate: float, *, epochs: int = 8, seeds: int = 16, **setting: Any
) -> Run:
    return mlp(
        model=MLPConfig(layers=layers, units=(setting.pop("units", 64),), **setting),
        data=data,
        seeds=seeds,
        epochs=epochs,
        batch_size=BATCH if isinstance(data, GlyphsConfig) else 2 * BATCH,
        optimizer=OptimizerConfig("Adam", learning_rate=rate, decay="cosine" if layers > 1 else "none"),
    )


def _published() -> dict[str, Run]:
    """The ladder on every set whose files are there, and the networks of the dropout paper on MNIST."""
    found: dict[str, Run] = {}
    for name in ("notmnist", "mnist", "fashion-mnist"):
        if path := _copy(name):
            data = ImagesConfig(name, path, drop_duplicates=name == "notmnist")
            found |= _ladder(data, RUNGS, f"{name} ", seeds=3, epochs=8, units=256)
    if path := _copy("mnist"):
        data = ImagesConfig("mnist", path, validation=5_000)
        found["paper 2 x 800"] = _run(data, 2, 1e-3, epochs=10, seeds=2, units=800)
        dropout = {"input_dropout": 0.2, "dropout": (0.5,)}
        for name, more in (("dropout", {}), ("dropout, max-norm", {"max_norm": 2.0})):
            found[f"paper 3 x 1,024, {name}"] = _run(
                data, 3, 1e-3, epochs=20, seeds=2, units=1024, **dropout, **more
            )
    return found


def _copy(name: str) -> str:
    """Where somebody's copy of the pictures lies; empty: nowhere."""
    root = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    places = (root / name, root / "datasets" / name, root / "datasets" / f"{name}.npz")
    return next((str(place) for place in places if place.exists()), "")


def _elsewhere(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracies on the published pictures, rung by rung, and errors of the paper's networks."""
    found: dict[str, Any] = {}
    for name in ("notmnist", "mnist", "fashion-mnist"):
        if any(variant.startswith(f"{name} ") for variant in trained):
            found[f"on {name}"] = True
            found |= {f"{name} {rung}": _test(trained[_best(trained, f"{name} ", rung)]) for rung in RUNGS}
    for name in PUBLISHED:
        if (key := f"paper {name}") in trained:
            found[f"error {name}"] = 100 - _test(trained[key])
    return found


def _best(trained: Mapping[str, Any], start: str, rung: str) -> str:
    """The rung's setting and rate with the highest validation accuracy."""
    layers, settings = (RUNGS | CONTROLS)[rung]
    places = range(len(settings))
    names = [f"{start}{rung}, {place}, rate {rate:g}" for place in places for rate in _rates(layers)]
    return max(names, key=lambda name: _validation(trained[name]))


def _rates(layers: int) -> tuple[float, ...]:
    return DECAYING if layers > 1 else RATES


def _validation(one: Any) -> float:
    return float(np.median(one.history["val/accuracy"][-1]))


def _test(one: Any) -> np.ndarray:
    return 100 * one.scores["last/test/accuracy"]


def _gap(one: Any) -> np.ndarray:
    """Accuracy of training minus that of validation after the last epoch, in points."""
    return 100 * (one.history["train/accuracy"][-1] - one.history["val/accuracy"][-1])
