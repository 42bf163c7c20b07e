"""Steps that are too long or too short."""

import numpy as np

from ..case import Case
from ..finding import Finding

STILL = 0.05
"""Distance from the start by the usual norm of the weights, of the layer that went furthest. Networks that
learn move by a tenth and more; even very wide ones, whose hidden layers hardly move (Jacot et al. 2018), move
in the last."""
SHORT_STEP, NO_STEP = 1e-4, 1e-5
"""Update-to-weight ratio ten times below the usual 1e-3 (Karpathy, CS231n, "Babysitting the learning
process"), and a
hundred times: a thousand such steps move the weights by a hundredth."""
SETTLED, SO_SO = 0.9, 0.75
"""Skill from which on what is left is noise near the end; and skill that steps which replace the weights
have cost."""
LONG_STEP = 0.02
"""Update-to-weight ratio twenty times above it: fifty steps replace the weights."""
SWING = 0.05
"""Change of the loss from an epoch to the next, by the loss of the best constant, that is no noise of a mean
over an epoch."""


def stagnating(case: Case) -> Finding | None:
    """The weights hardly move, though there is a gradient and much to learn: a rate too small, or lost
    gradients."""
    if case.learned or case.epochs < 3 or not case.kernels or case.warming_up:
        return None
    moved = case.moved[case.kernels]
    ratios = case.table("update_ratio")[:, case.kernels]
    if not np.isfinite(moved).any():
        return None
    furthest = float(np.nanmax(moved))
    fastest = np.array([np.nan if np.isnan(row).all() else np.nanmax(row) for row in ratios])
    slow = np.nan_to_num(fastest, nan=1.0) < NO_STEP
    still = furthest < STILL and np.nan_to_num(fastest[-1], nan=1.0) < SHORT_STEP
    if not still and not (case.stuck and slow[-1] and slow[len(slow) // 2 :].all()):
        return None
    rate = case.series("learning_rate")[-1]
    since = int(np.argmax(slow)) + 1 if slow.any() else 1
    evidence = (
        f"no layer has moved by more than {furthest:.2g} of its norm in {case.epochs} epochs; the "
        f"last updates are "
        f"{fastest[-1]:.2g} of the weights, at a rate of {rate:.3g}"
    )
    return Finding("stagnating", (), since, "critical", evidence)


def oscillating(case: Case) -> Finding | None:
    """Steps are so long that the loss jumps about instead of falling: the rate is too large for the batch.

    Where the first steps have replaced the weights at once, the loss may lie still afterwards, all units dead
    or saturated. Noise around a loss that is already low is none.
    """
    if case.epochs < 3 or not case.kernels or case.reached >= SETTLED or not np.isfinite(case.last_loss):
        return None
    # By the usual norm of the weights: those that a penalty has drawn to nothing are not thrown about.
    held = np.minimum(np.nan_to_num(case.table("weight_norm") / case.usual_norms, nan=1.0), 1.0)
    ratios = (case.table("update_ratio") * held)[:, case.kernels]
    largest = np.array([np.nan if np.isnan(row).all() else np.nanmax(row) for row in ratios])
    moved = float(np.nanmax(case.moved[case.kernels])) if np.isfinite(case.moved[case.kernels]).any() else 0.0
    loss = case.train_loss / case.baseline
    half = loss[len(loss) // 2 :]
    change = np.diff(half[np.isfinite(half)])
    swing = float(np.median(np.abs(change))) if len(change) else 0.0
    turns = float(np.mean(change[1:] * change[:-1] < 0)) if len(change) > 1 else 0.0
    long_steps = float(np.nanmedian(largest)) > LONG_STEP
    if case.stuck:
        above = float(np.nanmedian(half)) > 1.0
        found = case.overshoots or (long_steps and (swing > SWING or above))
    else:
        jumps = (case.overshoots or long_steps) and swing > 2 * SWING and turns > 1 / 3
        falling = len(change) > 0 and bool((change < 0).all()) and float(change.sum()) < -SWING
        found = jumps or (case.overshoots and case.reached < SO_SO and not falling)
    if not found:
        return None
    evidence = (
        f"a step changes the weights by {np.nanmedian(largest):.2g} of their size and has carried "
        f"them {moved:.2g} "
        f"times their norm away, while the training loss goes up and down by {swing:.2g} of a "
        f"constant prediction's "
        f"and stands at {loss[-1]:.3g} of it; rate {case.series('learning_rate')[-1]:.3g}, "
        f"batch {case.facts.get('batch_size') or 'unknown'}"
    )
    return Finding("oscillating", (), 1, "critical" if case.at_chance else "serious", evidence)
