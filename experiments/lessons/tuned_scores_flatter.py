"""Train, validate and test are kept apart: the score that settings were chosen by flatters them.

    make lesson NAME=tuned-scores-flatter    D9, about 30 s on 2 cores

128 settings, drawn at random (learning rate, L2, dropout, size of the initial weights), train a small network
on 100 points of two moons, each with 16 seeds. Of 4,000 other points some are taken to choose by, the others
are new. A search tries n of the settings and takes the one with the best score on the points to choose by:
100 of them, or 1,000. A seed's number is the mean over 40 draws of these points, each with as many searches
as the settings allow, so that what is left is what choosing does, and not the luck of one draw.

Where it turns: with many points to choose by, or few settings to choose from, there is little luck to pick.
Choosing is right all the same; it is only its score that is not to be believed.

Seen: chosen by 100 points, the best of 128 promises 1.7 points more than it keeps (1.1 to 2.0), the best of 4
already 1.0; whether that growth is worth a point is left open (0.85, 0.61 to 1.05). Chosen by 1,000 it
promises 0.2 too much. A test set kept apart is right to 0.1 points. Choosing itself brings 3.9 points.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim

SETTINGS, SEEDS, DRAWS = 128, 16, 40
TRIED = (1, 2, 4, 8, 16, 32, 64, 128)
FEW, MANY, NEW = 100, 1_000, 1_000
"""Points to choose by, and new ones to test on, of which there are two sets."""

CLAIMS = (
    Claim(
        "flatters",
        "the best of 128 settings scores higher on what it was chosen by than on new data",
        "accuracy on the 100 points chosen by minus that on new ones; control: one setting, none chosen",
        "points",
        1.0,
        "as much as a regularizer may bring",
    ),
    Claim(
        "grows",
        "the more settings are tried, the more the score flatters",
        "that difference, best of 128 minus best of 4, seed by seed; control: chosen by 1,000 points",
        "points",
        1.0,
        "as much as a regularizer may bring",
    ),
    Claim(
        "kept apart",
        "the score on data kept apart is the one that other new data give",
        "accuracy of the best of 128 on one new set minus that on another; control: what it was chosen by",
        "points",
        0.5,
        "half of what a regularizer may bring",
        side="within",
    ),
    Claim(
        "worth it",
        "choosing by validation makes the network better all the same",
        "accuracy on new data, best of 128 minus one at random; control: chosen by wrong labels",
        "points",
        1.0,
        "as much as a regularizer may bring",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """All settings."""
    rng = np.random.default_rng(0)
    return {f"setting {place}": _drawn(rng) for place in range(SETTINGS)}


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Differences in points, by the number of settings tried and of points to choose by."""
    right = _answers(trained)
    seeds = right.shape[1]
    found = {key: np.zeros((seeds, len(TRIED))) for key in ("few", "many", "apart", "new", "wrong")}
    for seed in range(seeds):
        for key, values in _searches(right[:, seed], np.random.default_rng(seed)).items():
            found[key][seed] = 100 * values
    few, many, apart, new = (found[key] for key in ("few", "many", "apart", "new"))
    four = TRIED.index(4)
    return {
        "flatters": few[:, -1],
        "flatters/control": few[:, 0],
        "grows": few[:, -1] - few[:, four],
        "grows/control": many[:, -1] - many[:, four],
        "kept apart": apart[:, -1],
        "kept apart/control": few[:, -1],
        "worth it": new[:, -1] - new[:, 0],
        "worth it/control": found["wrong"][:, -1] - new[:, 0],
        **{f"by tried {key}": values for key, values in found.items()},
    }


def draw(measured: Mapping[str, Any]) -> Figure:
    """What the score promises too much, and what is got, over the number of settings tried."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6), layout="constrained")
        upper, lower = figure.subplots(2, sharex=True)
        new, few = measured["by tried new"], measured["by tried few"]
        shown = (
            (upper, few, COLOURS[1], f"{FEW} points to choose by"),
            (upper, measured["by tried many"], COLOURS[0], f"{MANY:,} points to choose by"),
            (upper, measured["by tried apart"], COLOURS[2], "test set kept apart"),
            (lower, new + few, COLOURS[1], f"on the {FEW} points chosen by"),
            (lower, new, COLOURS[2], "on new points"),
        )
        for axes, values, colour, label in shown:
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
            axes.plot(TRIED, middle, "o-", color=colour, label=label)
            axes.fill_between(TRIED, low, high, color=colour, alpha=0.2, linewidth=0)
        upper.set(ylabel="score promises too much,\npoints")
        lower.set(ylabel="accuracy of the best, %", xlabel="settings tried")
        lower.set_xscale("log", base=2)
        lower.set_xticks(TRIED, [str(tried) for tried in TRIED])
        for axes in (upper, lower):
            axes.legend(fontsize=9)
    return figure


def _drawn(rng: np.random.Generator) -> Run:
    """A setting at random."""
    rate, l2, scale = 10 ** rng.uniform((-3, -5, -0.7), (-1, -1, 0.3))
    return mlp(
        model=MLPConfig(units=(16,), l2=l2, dropout=(rng.uniform(0, 0.5),), initializer_scale=scale),
        data=PointsConfig("moons", train=100, validation=100, test=4_000, noise=0.3),
        seeds=SEEDS,
        epochs=20,
        batch_size=20,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
    )


def _answers(trained: Mapping[str, Any]) -> np.ndarray:
    """Which test points each network gets right at its last epoch; (settings, seeds, points)."""
    ones = list(trained.values())
    test, networks = ones[0].data.test, ones[0].model.population
    logits = [ops.convert_to_numpy(networks(x)) for x in np.array_split(test.x, len(test) // 500)]
    right = (np.concatenate(logits)[..., 0] > 0) == test.y.reshape(-1, 1).astype(bool)
    return np.stack([right[:, one.model.begin : one.model.begin + one.seeds].T for one in ones])


def _searches(right: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Means over draws and searches of one seed, by the number of settings tried.

    Args:
        right: (settings, points).
        rng: Draws points, and which settings are tried.
    """
    found: dict[str, list] = {key: [] for key in ("few", "many", "apart", "new", "wrong")}
    for _ in range(DRAWS):
        settings, points = rng.permutation(len(right)), rng.permutation(right.shape[1])
        parts = np.split(points, np.cumsum((FEW, MANY, NEW)))
        few, many, new, other = (right[settings][:, part].mean(axis=1) for part in parts)
        by_few, by_many, by_wrong = (
            [_best(scores, few.size // tried, tried) for tried in TRIED] for scores in (few, many, 1 - few)
        )
        found["few"].append([np.mean(few[best] - new[best]) for best in by_few])
        found["many"].append([np.mean(many[best] - new[best]) for best in by_many])
        found["apart"].append([np.mean(new[best] - other[best]) for best in by_few])
        found["new"].append([np.mean(new[best]) for best in by_few])
        found["wrong"].append([np.mean(new[best]) for best in by_wrong])
    return {key: np.mean(values, axis=0) for key, values in found.items()}


def _best(scores: np.ndarray, searches: int, tried: int) -> np.ndarray:
    """Places of the best of each search, which tries the next settings."""
    groups = scores[: searches * tried].reshape(searches, tried)
    return groups.argmax(axis=1) + tried * np.arange(searches)
