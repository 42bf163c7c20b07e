"""The monitor's figure: norms by layer over epochs, update-to-weight ratios, dead units."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

STYLE = {
    "figure.dpi": 120,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
NOT_FINITE, NOT_MEASURED = "#D55E00", "#DDDDDD"
MAPS = {
    "gradient_norm": "gradient norm",
    # Near it ratios are said to be healthy (Karpathy, CS231n, "Babysitting the learning process").
    "update_ratio": "update / weight (usual: near 0.001)",
    "dead_units": "dead units, share",
}


def draw(arrays: dict[str, np.ndarray], layers: list[str], variant: int | None) -> Figure:
    """One figure of three maps, layers from input at the bottom to output at the top, over epochs.

    Args:
        arrays: The monitor's history.
        layers: Their names.
        variant: Of a population; None: the mean over variants.

    Raises:
        ValueError: There is no epoch yet.
    """
    if not arrays or not layers:
        raise ValueError("history must have at least one epoch to be drawn, got 0")
    epochs = len(next(iter(arrays.values())))
    broken = np.zeros((epochs, len(layers)), "bool")
    for name in ("gradient_non_finite", "weight_non_finite"):
        with np.errstate(invalid="ignore"):
            broken |= _table(arrays, name, epochs, len(layers), variant) > 0
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3 * min(2.4, 1.1 + 0.13 * len(layers)) + 0.5), layout="constrained")
        axes = figure.subplots(3, 1, sharex=True)
        marks = [
            _map(figure, one, _table(arrays, name, epochs, len(layers), variant), broken, title)
            for one, (name, title) in zip(axes, MAPS.items(), strict=True)
        ]
        _name_axes(axes, layers)
        _explain(figure, np.any(marks, axis=0))
    return figure


def _map(figure: Figure, axes: Any, table: np.ndarray, broken: np.ndarray, title: str) -> tuple[bool, bool]:
    """Draw a map; returns whether there is something in it that is not finite, and that was not measured."""
    shares = title == MAPS["dead_units"]
    if shares:  # the probe says nothing of any layer of a network that holds NaN
        broken = np.asarray(broken.any(axis=1, keepdims=True))
    broken = np.isinf(table) | (np.isnan(table) & broken)
    known = np.isfinite(table) & (shares | (table > 0))
    norm: Any = Normalize(0, 1) if shares else _log_norm(table[known])
    values = np.ma.array(np.where(broken, 10 * norm.vmax, table), mask=~known & ~broken)
    epochs, rows = table.shape
    picture = axes.imshow(
        values.T,
        aspect="auto",
        origin="lower",
        extent=(0.5, epochs + 0.5, -0.5, rows - 0.5),
        cmap=mpl.colormaps["cividis"].with_extremes(bad=NOT_MEASURED, over=NOT_FINITE),
        norm=norm,
        interpolation="nearest",
    )
    axes.set_title(title, loc="left", fontsize=11)
    bar = figure.colorbar(picture, ax=axes, pad=0.02)
    if not shares:
        ticks = _ticks(norm.vmin, norm.vmax)
        bar.set_ticks(ticks, labels=[_written(tick) for tick in ticks], minor=False)
        bar.minorticks_off()
    bar.ax.set_visible(bool(known.any()))
    return bool(broken.any()), bool((~known & ~broken).any())


def _name_axes(axes: Any, layers: list[str]) -> None:
    step = max(1, -(-len(layers) // 8))
    for one in axes:
        places = range(0, len(layers), step)
        one.set_yticks(places, [_short(layers[place]) for place in places], fontsize=9)
    axes[1].set_ylabel("layer, input at the bottom" if len(layers) > 3 else "layer")
    axes[2].set_xlabel("epoch")
    axes[2].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def _explain(figure: Figure, marks: np.ndarray) -> None:
    """Say what the colours outside the scales are, where they occur."""
    meanings = ((NOT_FINITE, "NaN or infinite"), (NOT_MEASURED, "0, or not measured"))
    handles = [
        Patch(color=colour, label=text)
        for (colour, text), there in zip(meanings, marks, strict=True)
        if there
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9)


def _log_norm(values: np.ndarray) -> LogNorm:
    if not len(values):
        return LogNorm(1e-3, 1.0)
    low, high = float(values.min()), float(values.max())
    return LogNorm(low / 1.5, high * 1.5) if high < 10 * low else LogNorm(low, high)


def _ticks(low: float, high: float) -> list[float]:
    """At most five round numbers of a logarithmic axis."""
    decades = np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
    if len(decades) >= 3:
        return [float(10.0**exponent) for exponent in decades[:: -(-len(decades) // 5)]]
    first = int(np.floor(np.log10(low)))
    round_ones = [digit * 10.0**exponent for exponent in range(first, first + 4) for digit in (1, 2, 5)]
    return [one for one in round_ones if low <= one <= high]


def _written(tick: float) -> str:
    return f"{tick:g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def _table(
    arrays: dict[str, np.ndarray], name: str, epochs: int, layers: int, variant: int | None
) -> np.ndarray:
    table = arrays.get(name)
    if table is None:
        return np.full((epochs, layers), np.nan)
    if table.ndim == 2:
        return table
    if variant is not None:
        return table[:, variant]
    known = ~np.isnan(table)
    total = np.where(known, table, 0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"…{name[-17:]}"
