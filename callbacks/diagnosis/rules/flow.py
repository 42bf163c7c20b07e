"""Gradients that do not arrive."""

import numpy as np

from ..case import GOOD, VANISHED, Case
from ..finding import Finding
from .steps import STILL

FORGOTTEN = 1e-6
"""Effect of a sequence's first quarter on the outputs by that of its last: what float32 leaves of a
difference. A network that finds nothing to learn in a sequence forgets as well, yet less."""
FADED = 1e-3
"""The same where nearest neighbours or ridge regression show that there is something to learn, and it has
not."""
GONE = 1e-6
"""As `VANISHED`, where the last layers still learn what they can by themselves: three orders below it, which
no length of training makes up for."""
UNDERFLOW = 1e-12
"""Below it by the largest layer, zero can be what float32 makes of a gradient that shrinks from layer to
layer."""


def frozen(case: Case) -> Finding | None:
    """A layer that is to learn never gets a gradient, though a layer behind it does.

    Something between them has no derivative, or a derivative of zero: a stop_gradient, a rounding, a cast to
    whole numbers, an argmax. Layers with `trainable=False` are none, nor are those below a layer that is
    dead, or whose gradient has become too small for float32.
    """
    norms = case.table("gradient_norm_max")
    if np.isnan(norms).all() or case.m.first_non_finite is not None:
        return None
    largest = np.array([np.nan if np.isnan(column).all() else np.nanmax(column) for column in norms.T])
    rows = [row for row in range(len(case.layers)) if case.m.trainable[row] and largest[row] == 0]
    alive = [row for row in range(len(case.layers)) if largest[row] > 0]
    if not rows or not alive:
        return None
    dead = np.nan_to_num(case.table("dead_units"))
    zeros = np.nan_to_num(case.table("weight_zeros"))
    after = [row for row in alive if row > min(rows)]
    if not after:
        return None
    boundary = after[0]
    saturated = np.nan_to_num(case.table("saturated_share"))
    stopped = (dead.max(axis=0) >= 1) | (zeros[0] >= 0.99) | (saturated.max(axis=0) >= 0.99)
    blocked = [row for row in range(min(rows), len(case.layers)) if stopped[row] and row in case.hidden]
    if blocked or largest[boundary] < UNDERFLOW * max(largest[alive]):
        return None
    evidence = (
        f"the gradient of {case.layers[rows[-1]]} was exactly 0 at every step, while that of "
        f"{case.layers[boundary]} reached {largest[boundary]:.3g}"
    )
    return Finding("frozen", case.names(rows), 1, "serious" if case.learned else "critical", evidence)


def vanishing_gradients(case: Case) -> Finding | None:
    """The gradient shrinks on its way to the first layers, or to the first steps of a sequence.

    Sources: Hochreiter 1991; Bengio et al. 1994, "Learning long-term dependencies with gradient descent is
    difficult"; Glorot and Bengio 2010.
    """
    if case.learned or case.crushed or (not case.stuck and case.epochs < 4):
        return None
    if not case.stuck:
        return _through_layers(case, GONE)
    return _through_layers(case, VANISHED) or _through_time(case)


def _through_layers(case: Case, limit: float) -> Finding | None:
    rms = case.rms_gradient
    kernels = [row for row in case.kernels if np.isfinite(rms[:, row]).any()]
    if len(kernels) < 3:
        return None
    table = np.nan_to_num(rms[:, kernels])
    largest = table.max(axis=1)
    ratio = table / np.where(largest > 0, largest, np.nan)[:, None]
    early = ratio[:, : max(1, len(kernels) // 2)].min(axis=1)
    small = np.nan_to_num(early, nan=1.0) < limit
    if not small[-1] or small.mean() < 0.5:
        return None
    rows = [kernels[place] for place in range(len(kernels)) if ratio[-1, place] < limit]
    evidence = (
        f"an entry of the gradient of {case.layers[rows[0]]} is {early[-1]:.2g} times the size of one of "
        f"{case.layers[kernels[int(table[-1].argmax())]]}; the weights of {case.layers[rows[0]]} "
        f"have moved by "
        f"{case.moved[rows[0]]:.2g} of their norm, those of {case.layers[kernels[-1]]} by "
        f"{case.moved[kernels[-1]]:.2g}"
    )
    return Finding("vanishing_gradients", case.names(rows), int(np.argmax(small)) + 1, "critical", evidence)


def _through_time(case: Case) -> Finding | None:
    first, last = case.series("first_quarter_effect"), case.series("last_quarter_effect")
    if not case.epochs or not last[-1] > 0:
        return None
    ratio = first / np.where(last > 0, last, np.nan)
    goes = bool(case.kernels) and np.nan_to_num(case.moved[case.kernels]).max() > STILL
    missed = goes and (case.at_chance or case.val_reached < 0)
    small = np.nan_to_num(ratio, nan=1.0) < (FADED if missed and case.reference > GOOD else FORGOTTEN)
    if not small[-1] or small.mean() < 0.5:
        return None
    recurrent = [row for row in case.hidden if "Dense" not in str(case.per_layer("kinds")[row])]
    recurrent = [row for row in recurrent if "Embedding" not in str(case.per_layer("kinds")[row])]
    evidence = (
        f"the first quarter of a sequence changes the outputs by {ratio[-1]:.2g} of what its last "
        f"quarter does: what "
        "stands there is forgotten, and no gradient comes back from it"
    )
    return Finding(
        "vanishing_gradients", case.names(recurrent), int(np.argmax(small)) + 1, "critical", evidence
    )
