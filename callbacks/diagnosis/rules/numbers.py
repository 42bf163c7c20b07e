"""Numbers that are none, and numbers on the way there."""

from typing import Any

import numpy as np

from ..case import Case
from ..finding import Finding

GROWN = 30.0
"""Growth of gradients or weights within a training that no learning needs, given that they have become steep
as
well: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", clip at half to ten
times the usual norm. Weights of networks that learn grow by less than ten."""
PROPORTIONAL = ("SGD", "")
"""Optimizers whose steps are as long as the gradient."""
AVALANCHE = 10.0
"""Training loss by that of the best constant. A new network whose outputs have the size of the labels stays
below two or three (Glorot and Bengio 2010); He et al. 2015 keep that size through any depth."""
RUNS_AWAY = 2.0
"""Growth of the training loss, from the first epoch to the last, below which it lies on a plateau."""
STEEP = 100.0
"""Norm of the gradient times the usual norm of the weights by the loss of the best constant: by how many
times the loss would change were the weights changed by their usual size. In networks begun well it is of the
order of the number of layers; it does not depend on width, dtype, or the loss's scale."""


def non_finite(case: Case) -> Finding | None:
    """A gradient, a weight, the loss or the examples hold NaN or infinity, and it came into the training.

    Steps that loss scaling leaves out are none: that is how it finds its scale (Micikevicius et al. 2018,
    "Mixed precision training", 3.2).
    """
    where = _where(case)
    if not where:
        return None
    place, since, rows = where[0]
    parts = [text for text, _, _ in where]
    first = case.m.first_non_finite
    told = (
        f"; the first gradient that was none stood at step {first['step']} of epoch {first['epoch']}"
        if first
        else ""
    )
    del place
    return Finding(
        "non_finite", case.names(rows), since, "critical", f"not finite: {', '.join(parts)}{told}"
    )  # fmt: skip


def _where(case: Case) -> list[tuple[str, int, list[int]]]:
    """(what, since which epoch, rows) of all that is not finite, the cause first; empty where nothing came
    of it."""
    found: list[tuple[str, int, list[int]]] = []
    first = case.m.first_non_finite
    if first is not None:
        rows = [row for row, name in enumerate(case.layers) if name in first["layers"]]
        found.append((f"gradients of {_layers(rows)}", first["epoch"], rows))
    weights = np.nan_to_num(case.table("weight_non_finite"))
    if (weights > 0).any():
        rows = list(np.flatnonzero(weights[-1] > 0))
        found.append((f"weights of {_layers(rows)}", _first(weights.max(axis=1) > 0), rows))
    for name, what in (("train/loss", "the training loss"), ("loss", "the loss of the probe")):
        given = name in case.m.history and "loss" not in case.m.not_measured
        bad = ~np.isfinite(case.series(name)) if given else np.zeros(0, bool)
        if bad.any() and not (name == "loss" and not _measured(case)):
            found.append((what, _first(bad), []))
    unseen = case.series("val/loss")
    if (
        "val/loss" in case.m.history
        and not np.isfinite(unseen).all()
        and np.isfinite(unseen).any() | (not found)
    ):
        found.append(("the validation loss", _first(~np.isfinite(unseen)), []))
    if not found:
        return []
    source = data_source(case)
    return [(source, 1, found[0][2]), *found] if source else found


def _layers(rows: list[int]) -> str:
    return f"{len(rows)} layer{'s' * (len(rows) != 1)}"


def _measured(case: Case) -> bool:
    """Whether the probe's loss is one that was ever measured, and not a table's gap."""
    return bool(np.isfinite(case.series("loss")).any()) or bool(np.isnan(case.series("train/loss")).any())


def data_source(case: Case) -> str:
    """Which of the examples looked at hold what is not finite; empty where none do."""
    shares = {"the inputs": (case.facts.get("inputs") or {}).get("non_finite", 0.0)}
    shares["the labels"] = (case.facts.get("labels") or {}).get("non_finite", 0.0)
    return " and ".join(f"{name} ({share:.2%} of their numbers)" for name, share in shares.items() if share)


def exploding_gradients(case: Case) -> Finding | None:
    """Gradients or weights grow without bound, or begin so large that the first steps destroy the network.

    It need not last: a few steps of the first epoch can leave units dead and the gradient zero. Whatever of
    it the network recovers from is none.
    """
    broken = bool(_where(case))
    if data_source(case) or not (broken or case.stuck):
        return None
    if not broken and case.saturated_from_start:
        return None  # weights too large, but units at their flat ends let no gradient through
    signs = [sign for sign in (_steep(case), _grown(case, broken), _avalanche(case)) if sign]
    if not signs:
        return None
    evidence = "; ".join(text for text, _, _ in signs)
    rows = next((rows for _, rows, _ in signs if rows), [])
    return Finding(
        "exploding_gradients", case.names(rows), min(since for _, _, since in signs), "critical", evidence
    )


Sign = tuple[str, list[int], int]


def _steep(case: Case) -> Sign | None:
    """The first gradient is already too large, and it is not the penalty's."""
    if len(case.penalty) and case.penalty[0] > 0.5 * case.series("loss")[0]:
        return None
    g = case.at_start("gradient_norm")
    w = np.array([float(one or 1) for one in case.per_layer("units")]) ** 0.5
    scale = case.baseline[0] if len(case.baseline) else np.nan
    known = case.facts.get("baseline_loss")
    if known is None or not np.isfinite(scale) or scale <= 0:
        return None
    with np.errstate(all="ignore"):
        steep = g * w / scale
    limit = STEEP * max(len(case.kernels), 1) ** 0.5
    rows = [row for row in case.kernels if steep[row] > limit]
    if not rows:
        return None
    worst = max(rows, key=lambda row: steep[row])
    text = (
        f"at the first step the gradient of {case.layers[worst]} has norm {g[worst]:.3g}: weights changed by "
        f"a hundredth of their usual size change the loss by {steep[worst] / 100:.3g} times a "
        f"constant prediction's"
    )
    return text, rows, 1


def _grown(case: Case, broken: bool) -> Sign | None:
    """Gradients of the network, or weights of a layer, have grown by orders of magnitude.

    Steps of Adam and its kind are of the same length whatever the gradient, so that growth alone tells
    nothing.
    """
    if not broken and case.facts.get("optimizer") not in PROPORTIONAL:
        return None
    peak = np.nan_to_num(case.table("gradient_norm_peak"))[:, case.kernels]
    start = np.nan_to_num(case.at_start("gradient_norm"))[case.kernels]
    if not peak.size:
        return None
    # Of the largest layer: where gradients had vanished, they grow as the network begins to learn.
    grown = np.nan_to_num(peak.max(axis=1) / (start.max() or np.nan))
    usual = np.array([float(one or 1) for one in case.per_layer("units")])[case.kernels] ** 0.5
    known = case.facts.get("baseline_loss")
    steep = (peak * usual).max(axis=1) / (known if known and known > 0 else np.nan)
    limit = STEEP * len(case.kernels) ** 0.5
    high = (grown > GROWN) & (np.nan_to_num(steep, nan=np.inf) > limit)
    if high.any():
        epoch = int(np.argmax(np.where(high, grown, 0.0)))
        rows = [case.kernels[int(one)] for one in np.flatnonzero(peak[epoch] > GROWN * start.max())]
        text = f"the gradient of {case.layers[rows[0]]} grew {grown[epoch]:.3g} times by epoch {epoch + 1}"
        return text, rows, _first(high)
    by_weight = np.nan_to_num(case.table("weight_norm") / case.usual_norms, posinf=0.0)[:, case.kernels]
    # Where the first steps, of a gradient of the right size, replace the weights, it is the rate.
    if by_weight[-1].max() > GROWN and (broken or not case.hasty[case.kernels].any()):
        rows = [case.kernels[int(one)] for one in np.flatnonzero(by_weight[-1] > GROWN)]
        text = f"the weights of {case.layers[rows[0]]} grew {by_weight[-1].max():.3g} times"
        return text, rows, _first(by_weight.max(axis=1) > GROWN)
    return None


def _avalanche(case: Case) -> Sign | None:
    """The loss is far above what a constant would have, and stays there or goes on to infinity."""
    known = case.facts.get("baseline_loss")
    if known is None or not known > 0:
        return None
    loss = case.train_loss / known
    high = np.where(np.isfinite(loss), loss, 0.0) > AVALANCHE
    # What comes down again has jumped, and not run away; nor has what stays where long steps have thrown it.
    if not high.any() or (np.isfinite(loss[-1]) and not (high[-1] and loss[-1] >= loss[0])):
        return None
    if np.isfinite(loss[-1]) and case.overshoots and loss[-1] < RUNS_AWAY * loss[0]:
        return None
    worst = float(np.nanmax(np.where(np.isfinite(loss), loss, np.nan)))
    return f"the training loss reached {worst:.3g} times that of a constant prediction", [], _first(high)


def _first(flags: Any) -> int:
    """Epoch of the first that holds, from 1."""
    return int(np.argmax(np.asarray(flags))) + 1
