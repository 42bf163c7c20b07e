"""What is learned, and whether it holds for other examples."""

import numpy as np

from ..case import CHANCE, GOOD, Case
from ..finding import Finding

APART = 0.25
"""Skill on training examples by which validation falls short: a quarter of all that could be learned."""
APART_AND_RISEN, RISEN = 0.2, 1.5
"""A fifth suffices where the validation loss has risen by half above its lowest: it is not only that there is
less to be had for others, but that they lose (Prechelt 1998, generalization loss)."""
CLEARLY = 0.2
"""By how much nearest neighbours or ridge regression must do better, to say that there is more to learn."""
HELD = 0.15
"""The same where it is to be seen what holds the network back."""
ENOUGH = 10
"""Epochs from which on a pace can be told."""


def bad_labels(case: Case) -> Finding | None:
    """Nothing that is learned holds for other examples, and what it is learned from tells nothing of the
    labels.

    A network with room enough learns any labels by heart (Zhang et al. 2017, "Understanding deep learning
    requires rethinking generalization"), so the training examples decide nothing; validation must have been
    at chance from first to last.
    """
    if case.epochs < 3 or case.reference > CHANCE or not np.isfinite(case.train_loss[-1]):
        return None
    if np.isnan(case.reference) and case.reached >= GOOD:
        return None  # too few examples is more often why what is learned by heart tells nothing of others
    val = case.val_skill
    known = val[np.isfinite(val)]
    if len(known):
        half = known[len(known) // 2 :]
        if np.median(known) >= CHANCE or np.median(half) >= CHANCE:
            return None
        if not (case.stuck or case.reached > CHANCE):
            return None
        text = f"on validation examples it was never better than a constant (skill {np.median(half):.2f})"
    elif case.stuck and case.at_chance and case.reference <= CHANCE:
        text = "it is no better than a constant"
    else:
        return None
    if case.reached > CHANCE:
        text += f", while on the training examples it reaches {case.reached:.2f}"
    elif not case.reference <= CHANCE:
        return None
    if case.reference <= CHANCE:
        text += f"; neither are nearest neighbours and ridge regression (skill {case.reference:.2f})"
    return Finding("bad_labels", (), 1, "critical", text)


def overfitting(case: Case) -> Finding | None:
    """It goes on learning the training examples while it loses, or never had, what holds for others.

    A validation loss that rises a little while accuracy stays, as every classifier's does that grows sure of
    itself, is none (Guo et al. 2017, "On calibration of modern neural networks").
    """
    val = case.val_skill
    if case.epochs < 3 or not np.isfinite(val[-1]):
        return None
    gap = case.reached - case.val_reached
    if case.facts.get("perfect_loss"):  # of counts, say: each set of examples has a best loss of its own
        gap = min(gap, case.trained - case.val_reached)
    if case.reached < GOOD or _averages_lag(case):
        return None
    loss = case.series("val/loss")
    risen = np.isfinite(loss[-1]) and loss[-1] > RISEN * np.nanmin(loss) > 0
    if gap < (APART_AND_RISEN if risen else APART):
        return None
    lowest = int(np.nanargmin(case.val_loss)) if np.isfinite(case.val_loss).any() else case.epochs - 1
    text = (
        f"skill is {case.reached:.2f} on training and {case.val_reached:.2f} on validation "
        f"examples; the validation "
        f"loss was lowest in epoch {lowest + 1}, {case.val_loss[lowest]:.3g}, and is "
        f"{case.val_loss[-1]:.3g} now"
    )
    since = int(np.argmax(np.nan_to_num(case.skill - val) >= APART_AND_RISEN)) + 1
    return Finding("overfitting", (), since, "serious", text)


def _averages_lag(case: Case) -> bool:
    """Whether batch normalization's moving averages are not there yet, so that in evaluation the training
    examples come off as badly as others (Ioffe and Szegedy 2015, 3.1)."""
    if "BatchNormalization" not in case.per_layer("kinds"):
        return False
    return bool(case.evaluated - case.val_reached < APART / 2)


def underfitting(case: Case) -> Finding | None:
    """It has come to rest far from what can be learned, on the training examples themselves, or crawls there.

    A network that something visibly holds back need not have come to rest, if as many epochs again, at the
    pace of the last ones, would leave it short of what is reached without a network.
    """
    if case.epochs < 4 or not np.isfinite(case.reached):
        return None
    reasons = hampered(case)
    more = case.reference > case.reached + CLEARLY
    crawls = bool(reasons) and case.epochs >= ENOUGH and case.reference > ahead(case) + HELD
    if not (case.stuck and (more or case.at_chance or reasons)) and not crawls:
        return None
    where = "has come to rest at" if case.stuck else "rises slowly, after all epochs to"
    text = f"skill on the training examples {where} {case.reached:.2f} (1 is perfect, 0 a constant)"
    text += "".join(f"; {reason}" for reason in reasons)
    if more:
        text += f"; nearest neighbours or ridge regression reach {case.reference:.2f}"
    return Finding("underfitting", (), max(1, case.epochs // 2), "serious", text)


def ahead(case: Case) -> float:
    """Skill after as many epochs again, where each third brings the same share of the one before it."""
    now, before = max(case.gain, 0.0), case.gain_before
    share = min(1.0, now / before) if before > 0 else 1.0
    return case.reached + now * (share + share**2 + share**3)


def hampered(case: Case) -> list[str]:
    """What keeps a network from learning more."""
    found = [case.held_by_penalty] if case.held_by_penalty else []
    if (case.facts.get("dropout") or 0) >= 0.7:
        found.append(f"dropout leaves out {case.facts['dropout']:.0%} of the units")
    narrow = [row for row in case.hidden if (case.per_layer("units")[row] or 99) <= 2]
    if narrow:
        units = case.per_layer("units")[narrow[0]]
        found.append(f"{case.layers[narrow[0]]} has {units} unit{'s' * (units > 1)} only")
    if case.kernels and not case.hidden:
        found.append("the network is linear")
    return found
