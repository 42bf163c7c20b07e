"""What would change a verdict, and where its interval lies, from its numbers."""

import math

from ...verdict import DENIED, HOLDS, SHOWN, Verdict


def turning(one: Verdict) -> str:
    """What would have to be seen for another verdict, in a line."""
    if one.outcome == SHOWN:
        return "Nothing was measured: look, and judge for yourself."
    if math.isnan(one.margin):
        return "Not kept with this verdict."
    if not one.side:
        return _of_fact(one)
    margin, clear = amount(one.margin, one.unit), _clearance(one)
    held_against = {"above": "", "below": "", "within": "plus or minus "}[one.side] + margin
    if one.outcome in (HOLDS, DENIED):
        touched = f"It would be inconclusive if the interval reached {held_against}, {amount(clear)} away"
        return (
            f"{touched}, and would {'not hold' if one.outcome == HOLDS else 'hold'} if it lay {_beyond(one)}."
        )
    if clear > 0:
        return "It would hold if it did not hold without the cause as well."
    if one.seeds_needed is None:
        return f"No number of seeds decides it: the value lies on the margin, {margin}."
    seeds = f"About {one.seeds_needed:,} seeds in place of {one.seeds} would decide it, if the value stayed"
    return f"{seeds}: {amount(one.value, one.unit)} would come out as “{_leaning(one)}”."


def amount(value: float, unit: str = "") -> str:
    """A number as it is read, with its unit."""
    size = abs(value)
    if math.isinf(value):
        number = "∞" if value > 0 else "-∞"
    elif 1_000 <= size < 1e7:
        number = f"{value:,.0f}"
    else:
        number = f"{value:.3g}"
    return f"{number} {unit}".rstrip()


def effect(one: Verdict) -> str:
    """The statistic with its interval; of a fact the largest error."""
    if math.isnan(one.low):
        return one.found
    return f"{amount(one.value, one.unit)} ({amount(one.low)} to {amount(one.high)})"


def _of_fact(one: Verdict) -> str:
    tolerance, error = amount(one.margin), amount(one.value)
    if one.value > one.margin:
        return f"It would hold with an error of at most {tolerance}."
    if one.outcome == HOLDS:
        return f"An error above {tolerance}, where {error} was found, would deny it."
    return "It would hold if what it excludes had an error above the tolerance."


def _clearance(one: Verdict) -> float:
    """How far the interval's near end is from the margin; below 0 where the interval contains it."""
    edges = (one.margin, -one.margin) if one.side == "within" else (one.margin,)
    return min(max(one.low - edge, edge - one.high) for edge in edges)


def _beyond(one: Verdict) -> str:
    """Where the interval would have to lie for the opposite verdict."""
    if one.side == "within":
        place = "beyond" if one.outcome == HOLDS else "within"
    else:
        place = one.side if one.outcome == DENIED else {"above": "below", "below": "above"}[one.side]
    return f"wholly {place}"


def _leaning(one: Verdict) -> str:
    inside = {
        "above": one.value > one.margin,
        "below": one.value < one.margin,
        "within": abs(one.value) < one.margin,
    }
    return HOLDS if inside[one.side] else DENIED
