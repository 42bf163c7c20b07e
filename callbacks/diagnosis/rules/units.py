"""Units that do nothing, all the same, or nothing but their extremes."""

import numpy as np

from ..case import Case
from ..finding import Finding

MOST_DEAD = 0.9
"""Share of a layer that is 0 for every example of the probe. Half of it, as is often taken, is what sparse
networks have that learn (Glorot et al. 2011, "Deep sparse rectifier neural networks": 50 to 80 % zeros)."""
MANY_DEAD = 0.6
"""The same where no gradient arrives below, either."""
MOST_SATURATED = 0.5
"""Share of a layer's outputs where the derivative is below a twentieth of its largest: more than half of the
paths of the gradient are closed (Glorot and Bengio 2010, 3)."""
WELL = 0.9
"""Skill at which nothing is lacking."""
SAME = 1e-5
"""Largest distance between units by their size: float32 keeps seven digits, and equal units differ by
rounding."""
_RECTIFIERS = ("relu", "relu6")


def dead_units(case: Case) -> Finding | None:
    """A layer of rectifiers gives zero whatever comes in, so that nothing passes and no gradient comes back.

    Source: Lu et al. 2019, "Dying ReLU and initialization", 2. Where the signal was lost from the first step
    on, units die of it later, and it is vanishing that is to be named; where long steps have thrown them out,
    the rate.
    """
    if not case.stuck or case.vanishes_at_start:
        return None
    dead = np.nan_to_num(case.table("dead_units"))
    began_alive = np.nan_to_num(case.at_start("gradient_norm")) > 0
    killed = began_alive & bool(case.kernels and case.hasty[case.kernels].any())  # by the first steps
    own = [row for row in case.hidden if not case.thrown(row) and not killed[row]]
    rows = [row for row in own if dead[-1, row] >= MOST_DEAD]
    if not rows:
        silent = np.nan_to_num(case.last("gradient_norm_max"), nan=1.0) == 0
        rows = [row for row in own if dead[-1, row] >= MANY_DEAD and silent[row]]
    if not rows:
        return None
    since = int(np.argmax(dead[:, rows].max(axis=1) >= MANY_DEAD)) + 1
    worst = max(rows, key=lambda row: dead[-1, row])
    evidence = (
        f"{dead[-1, worst]:.0%} of the units of {case.layers[worst]} are 0 for every example of the probe; "
        f"the network is at {case.reached:.2f} of what it could learn"
    )
    return Finding("dead_units", case.names(rows), since, "critical", evidence)


def saturated_units(case: Case) -> Finding | None:
    """A hidden layer's units sit at the flat ends of their function.

    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural
    networks", 3. Where long steps have thrown them there, it is the rate that is to be named.
    """
    share = np.nan_to_num(case.table("saturated_share"))
    if case.reached >= WELL or (case.epochs < 2 and not case.stuck):
        return None
    rows = case.saturated_from_start
    if case.stuck:
        rows = [row for row in case.hidden if share[:, row].min() >= MOST_SATURATED and not case.thrown(row)]
    if not rows:
        return None
    worst = max(rows, key=lambda row: share[-1, row])
    evidence = (
        f"{share[-1, worst]:.0%} of the outputs of {case.layers[worst]} ({case.activation(worst)}) "
        f"lie where its "
        f"derivative is below a twentieth of its largest, {share[0, worst]:.0%} after the first epoch"
    )
    return Finding("saturated_units", case.names(rows), 1, "critical", evidence)


def identical_units(case: Case) -> Finding | None:
    """All units of a layer began with the same weights, and compute the same still.

    Equal units get equal gradients, so that they never part (Goodfellow et al. 2016, "Deep Learning", 8.4).
    Where the layer above tells them apart, as with a branch that begins at zero, they do, and it is none.
    """
    began = case.per_layer("start_identical")
    distance, size = case.table("unit_distance"), case.table("activation_spread")
    mean = np.abs(case.table("activation_mean"))
    rows = []
    for row in case.hidden:
        if not began[row] or not case.per_layer("units")[row] or case.per_layer("units")[row] < 2:
            continue
        apart = distance[-1, row] / max(size[-1, row] + mean[-1, row], 1e-30)
        if apart <= SAME * 64:  # the distance is over the examples of the probe, about 64 of them
            rows.append(row)
    if not rows:
        return None
    evidence = (
        f"all {case.per_layer('units')[rows[0]]} units of {case.layers[rows[0]]} began with equal "
        f"weights and are "
        f"{distance[-1, rows[0]]:.2g} apart after {case.epochs} epochs"
    )
    return Finding("identical_units", case.names(rows), 1, "critical", evidence)
