"""Momentum speeds training and helps to leave poor minima.

    make lesson NAME=momentum    B3, about 40 s on 2 cores

Three grounds. A narrow valley (a quadratic a hundred times as steep across as along), where theory says how
much of the distance a step leaves (Polyak 1964) and the numbers are held against it. Bumpy surfaces: a bowl
with cosines laid over it, another for each seed; 200 starts go down with momentum 0.9 and without,
each at the rate of 12 that brings other 200 starts lowest, and what counts is how high above the lowest point
they end. A network of three layers of 32 ReLUs that reads digits, in large batches (399) and in small ones
(32), with and without momentum 0.9, each at its best rate of five by validation loss; what counts is how soon
momentum is at the training loss that plain SGD has in the end.

Where it turns: in small batches the gradient's noise, not the valley, limits the rate, and momentum 0.9 is
about a ten times larger rate, which plain SGD can have as well.

Seen: on the bumpy surfaces momentum ends 0.35 bumps lower, at 0.98 above the lowest point where plain steps
end at 1.38: both mostly stay in a poor minimum. In large batches momentum takes 1/1.14 of the time, which is
smoother rather than sooner. In small batches both curves lie on each other, momentum at a tenth of plain
SGD's rate: that it speeds training does not hold there.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from whyfit.models.config import MLPConfig

from ..config import OptimizerConfig, Run
from ..data.config import PointsConfig
from ..figures import COLOURS, STYLE
from ..recipes import mlp
from ..verdict import Claim, Fact

MOMENTUM = 0.9
EPOCHS = {"large": 25, "small": 8}
BATCH = {"large": 399, "small": 32}
RATES = {0.0: (0.05, 0.1, 0.2, 0.4, 0.8), MOMENTUM: (0.005, 0.01, 0.02, 0.04, 0.08)}
CONDITION = 100.0
SURFACES, STARTS, STEPS, BUMP = 16, 200, 300, 1.0
SURFACE_RATES = np.geomspace(1e-3, 2, 12)

CLAIMS = (
    Fact(
        "valley",
        "in a valley plain steps leave (k - 1) / (k + 1) of the way, momentum the same of root k",
        "share that is left a step at the best rate, measured against theory",
        0.005,
        "what the 500 steps have not yet forgotten of their start",
    ),
    Claim(
        "minima",
        "on a bumpy surface momentum ends lower",
        "mean height above the lowest point, plain minus momentum, surface by surface",
        "bump heights",
        0.1,
        "a tenth of a bump",
    ),
    Claim(
        "large batches",
        "momentum speeds a network up in large batches",
        "epochs in all by epochs until momentum has plain SGD's last training loss, seed by seed",
        "times",
        1.2,
        "a fifth of the time is worth a second state of the size of the weights",
    ),
    Claim(
        "small batches",
        "momentum speeds a network up in small batches",
        "epochs in all by epochs until momentum has plain SGD's last training loss, seed by seed",
        "times",
        1.2,
        "as above",
    ),
)


def variants(full: bool) -> dict[str, Run]:
    """Both batch sizes, with and without momentum, at five rates each."""
    return {
        f"{batch}, {momentum}, {rate}": mlp(
            model=MLPConfig(units=(32, 32, 32), initializer="he_normal"),
            data=PointsConfig("digits"),
            seeds=16,
            epochs=EPOCHS[batch],
            batch_size=BATCH[batch],
            optimizer=OptimizerConfig("SGD", learning_rate=rate, momentum=momentum),
        )
        for batch in BATCH
        for momentum, rates in RATES.items()
        for rate in rates
    }


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """What a step leaves in the valley, heights on the surfaces, epochs of the networks."""
    root = np.sqrt(CONDITION)
    plain, heavy = (CONDITION - 1) / (CONDITION + 1), (root - 1) / (root + 1)
    left = [_left(2 / (CONDITION + 1), 0.0), _left(4 / (root + 1) ** 2, heavy**2)]
    surfaces = [_descend(seed) for seed in range(SURFACES)]
    heights = {name: np.array([one[name] for one in surfaces]) for name in ("plain", "momentum", "again")}
    measured: dict[str, Any] = {
        "valley": np.array(left) / [plain, heavy] - 1,
        "valley/control": left[1] / plain - 1,
        "minima": heights["plain"] - heights["momentum"],
        "minima/control": heights["plain"] - heights["again"],
        **{f"height {name}": values for name, values in heights.items()},
        "path plain": surfaces[0]["path plain"],
        f"path momentum {MOMENTUM}": surfaces[0]["path momentum"],
    }
    for batch in BATCH:
        curves = {}
        for momentum, rates in RATES.items():
            runs = [trained[f"{batch}, {momentum}, {rate}"].history for rate in rates]
            last = [np.median(run["val/loss"][-3:]) for run in runs]
            curves[momentum] = runs[int(np.nanargmin(last))]["train/loss"]
            measured[f"rate {batch} {momentum}"] = rates[int(np.nanargmin(last))]
            measured[f"loss {batch} {momentum}"] = curves[momentum]
        aim = curves[0.0][-1]
        measured[f"{batch} batches"] = _speed(curves[MOMENTUM], aim)
        measured[f"{batch} batches/control"] = _speed(np.roll(curves[0.0], 1, axis=1), aim)
    return measured


def draw(measured: Mapping[str, Any]) -> Figure:
    """Paths and ends on a surface, and the networks' losses."""
    names = {0.0: "plain", MOMENTUM: f"momentum {MOMENTUM}"}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 5.8), layout="constrained")
        grid = np.linspace(-5, 5, 200)
        surface = _Surface(0)
        heights = surface.height(np.stack(np.meshgrid(grid, grid), axis=-1))
        for place, (momentum, colour) in enumerate(zip(names, COLOURS, strict=False), start=1):
            axes = figure.add_subplot(2, 2, place)
            axes.contourf(grid, grid, heights, 20, cmap="Greys", alpha=0.6)
            for path in np.swapaxes(measured[f"path {names[momentum]}"], 0, 1)[:4]:
                axes.plot(*path.T, "-", color=colour, linewidth=1)
            axes.plot(*measured[f"path {names[momentum]}"][-1].T, "o", color=colour, markersize=3)
            axes.plot(*surface.lowest, "*", color=COLOURS[2], markersize=13, markeredgecolor="white")
            axes.set(title=names[momentum], xlabel="weight 1", ylabel="weight 2", aspect="equal")
            axes.set(xlim=(-5, 5), ylim=(-5, 5))
            axes.grid(False)
        for place, batch in enumerate(BATCH, start=3):
            axes = figure.add_subplot(2, 2, place)
            for (momentum, name), colour in zip(names.items(), COLOURS, strict=False):
                curves = measured[f"loss {batch} {momentum}"]
                low, middle, high = np.percentile(curves, (25, 50, 75), axis=1)
                epochs = np.arange(1, len(curves) + 1)
                axes.plot(epochs, middle, color=colour, label=name)
                axes.fill_between(epochs, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.set(title=f"digits, batches of {BATCH[batch]}", xlabel="epoch", yscale="log")
            axes.title.set_fontsize(10)
        figure.axes[2].set_ylabel("training loss")
        figure.axes[2].legend(fontsize=8)
    return figure


def _speed(losses: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """Epochs in all by those until the aim; below 1 where it is not reached."""
    there = losses <= aim
    return len(losses) / np.where(there.any(axis=0), there.argmax(axis=0) + 1, len(losses) + 1)


def _left(rate: float, momentum: float) -> float:
    """Share of the distance that a step leaves, over steps 250 to 500 in the valley."""
    w, change, sizes = np.ones(2), np.zeros(2), []
    for _ in range(2):
        for _ in range(250):
            change = momentum * change - rate * np.array([1.0, CONDITION]) * w
            w = w + change
        sizes.append(np.linalg.norm(w))
    return float((sizes[1] / sizes[0]) ** (1 / 250))


class _Surface:
    """A bowl of curvature 0.2 with three cosines over it, of directions and phases of a seed's own."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        angle, size = rng.uniform(0, np.pi, 3), rng.uniform(2, 4, 3)
        self.waves = np.stack([size * np.cos(angle), size * np.sin(angle)])
        self.phases = rng.uniform(0, 2 * np.pi, 3)
        grid = np.linspace(-5, 5, 401)
        points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
        self.lowest = points[np.argmin(self.height(points))]

    def height(self, points: np.ndarray) -> np.ndarray:
        bumps = np.cos(points @ self.waves + self.phases).sum(axis=-1)
        return 0.1 * (points**2).sum(axis=-1) + BUMP / 2 * bumps

    def path(self, points: np.ndarray, rate: float, momentum: float) -> np.ndarray:
        """Where all starts are after each step."""
        change, places = np.zeros_like(points), [points]
        for _ in range(STEPS):
            slope = 0.2 * points - BUMP / 2 * np.sin(points @ self.waves + self.phases) @ self.waves.T
            change = momentum * change - rate * slope
            points = np.clip(points + change, -1e6, 1e6)  # what diverges is high enough there
            places.append(points)
        return np.array(places)


def _descend(seed: int) -> dict[str, Any]:
    """Heights above the lowest point at each side's best rate, and the paths."""
    surface, rng = _Surface(seed), np.random.default_rng([seed, 1])
    tuning, judged, again = rng.uniform(-5, 5, (3, STARTS, 2))
    found: dict[str, Any] = {}
    floor = surface.height(surface.lowest)
    for name, momentum in (("plain", 0.0), ("momentum", MOMENTUM)):
        ends = [surface.height(surface.path(tuning, rate, momentum)[-1]).mean() for rate in SURFACE_RATES]
        rate = SURFACE_RATES[int(np.argmin(ends))]
        path = surface.path(judged, rate, momentum)
        found |= {name: float(surface.height(path[-1]).mean() - floor), f"path {name}": path}
        if name == "plain":
            found["again"] = float(surface.height(surface.path(again, rate, momentum)[-1]).mean() - floor)
    return found
