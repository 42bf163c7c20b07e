"""From numbers over seeds to `holds`, `does not hold` or `inconclusive`, by a rule declared beforehand.

A claim says what is measured, on which side of a margin it must lie, and why less would not matter. Its
interval is the exact one of the median over seeds (order statistics; Conover, "Practical Nonparametric
Statistics", 3.2), whatever the distribution, so that a claim that is false at its margin is found to hold in
at most 2.5 % of cases; shares have Clopper and Pearson's (Biometrika 26, 1934), fewer than six seeds
Student's, which assumes a normal distribution. Every claim is judged a second time where its cause has been
removed: the negative control.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import stats

HOLDS, DENIED, OPEN, SHOWN = "holds", "does not hold", "inconclusive", "shown"
LEVEL = 0.95
FALSE_RATE = (1 - LEVEL) / 2
"""Largest share of claims, false at their margins, that are found to hold."""
CONTROL = "control"
_FEWEST = 6  # seeds from which on order statistics reach the level


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval.

    Attributes:
        value: Median, share or mean over seeds.
        low, high: Ends of the interval.
        seeds: How many values it rests on.
        method: What the value is: "median", "share" or "mean".
    """

    value: float
    low: float
    high: float
    seeds: int
    method: str


@dataclass(frozen=True)
class Verdict:
    """What came of a claim.

    Attributes:
        key: The claim's key.
        claim: What was claimed.
        outcome: "holds", "does not hold", "inconclusive" or "shown".
        found: The numbers in a line.
        value, low, high: The statistic and its interval; of a fact the largest error; NaN where shown.
        seeds: Values it rests on; 0 where there is no chance in it.
        seeds_needed: Where it is inconclusive, how many would about decide it; None: no number would.
        control: What came of it without its cause.
        margin: What the interval was held against; of a fact its tolerance; NaN where shown.
        side: Where the interval must lie, "above", "below" or "within" the margin; empty of a fact.
        unit: Of the statistic and the margin.
    """

    key: str
    claim: str
    outcome: str
    found: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    seeds: int = 0
    seeds_needed: int | None = None
    control: str = ""
    margin: float = math.nan
    side: str = ""
    unit: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, which JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Claim:
    """A statement about a number over seeds, which the number can deny.

    Args:
        key: Short name; `measured[key]` has its values, (seeds,), and `measured[key + "/control"]` those with
            the cause removed.
        text: What is claimed, in a line.
        statistic: What is measured, and how seeds are paired.
        unit: Of the statistic, such as "points", "%" or "times".
        margin: In that unit; a difference within it would make no difference to anybody.
        reason: Why that is the margin.
        side: Where the whole interval must lie: "above" the margin, "below" it, or "within" it of 0.
        share: The values are true or false, and the statistic is the share of true ones, in per cent.

    Example:
        >>> faster = Claim("faster", "Momentum is faster", "plain by momentum", "times", 1.1, "10 % pays")
        >>> faster.judge({"faster": np.full(16, 2.0), "faster/control": np.ones(16)}).outcome
        'holds'
    """

    key: str
    text: str
    statistic: str
    unit: str
    margin: float
    reason: str
    side: Literal["above", "below", "within"] = "above"
    share: bool = False

    @property
    def rule(self) -> str:
        """What must be seen, in words."""
        side = {"above": "above", "below": "below", "within": "within"}[self.side]
        around = " of 0" if self.side == "within" else ""
        return f"{self.statistic}: {side} {self.margin:g} {self.unit}{around} ({self.reason})"

    def judge(self, measured: Mapping[str, Any]) -> Verdict:
        """What the numbers say.

        Args:
            measured: Values by name.

        Raises:
            ValueError: Values are missing or NaN.
        """
        found, control = (self._interval(measured, key) for key in (self.key, f"{self.key}/{CONTROL}"))
        outcome, without = self._side(found), self._side(control)
        note = f"without the cause: {without}, {self._numbers(control)}"
        if outcome == HOLDS == without:
            outcome, note = OPEN, f"{note}: something else does it"
        return Verdict(
            self.key,
            self.text,
            outcome,
            self._numbers(found),
            found.value,
            found.low,
            found.high,
            found.seeds,
            self._seeds_needed(found) if outcome == OPEN else None,
            note,
            self.margin,
            self.side,
            self.unit,
        )

    def _interval(self, measured: Mapping[str, Any], key: str) -> Interval:
        values = np.asarray(measured[key], "float64").ravel()
        if np.isnan(values).any():
            raise ValueError(f"measured[{key!r}] must be numbers, got NaN in {values}")
        return share_interval(values) if self.share else interval(values)

    def _side(self, found: Interval) -> str:
        low, high, margin = found.low, found.high, self.margin
        match self.side:
            case "above":
                return HOLDS if low > margin else DENIED if high < margin else OPEN
            case "below":
                return HOLDS if high < margin else DENIED if low > margin else OPEN
        if -margin < low and high < margin:
            return HOLDS
        return DENIED if low > margin or high < -margin else OPEN

    def _numbers(self, found: Interval) -> str:
        what = f"{found.seeds} seeds" if found.method != "mean" else f"{found.seeds} seeds, mean"
        return f"{found.value:.3g} {self.unit} ({found.low:.3g} to {found.high:.3g}; {what})"

    def _seeds_needed(self, found: Interval) -> int | None:
        """Widths of intervals fall with the root of the number of seeds."""
        edges = (self.margin, -self.margin) if self.side == "within" else (self.margin,)
        distance = min(abs(found.value - edge) for edge in edges)
        width = max(found.high - found.value, found.value - found.low)
        if not distance or not math.isfinite(width / distance):
            return None
        return max(found.seeds + 1, math.ceil(found.seeds * (width / distance) ** 2))


@dataclass(frozen=True)
class Fact:
    """A statement without chance: the largest error of it stays below a tolerance.

    Args:
        key: Short name; `measured[key]` has the errors, and `measured[key + "/control"]` those of what the
            statement excludes, the largest of which must be above the tolerance.
        text: What is claimed, in a line.
        statistic: What the error is of.
        tolerance: Largest error allowed.
        reason: Why that much.
    """

    key: str
    text: str
    statistic: str
    tolerance: float
    reason: str

    @property
    def rule(self) -> str:
        """What must be seen, in words."""
        return f"{self.statistic}: at most {self.tolerance:g} ({self.reason})"

    def judge(self, measured: Mapping[str, Any]) -> Verdict:
        """What the numbers say; NaN is an error beyond all tolerance."""
        error, control = (
            float(np.max(np.nan_to_num(np.abs(np.asarray(measured[key], "float64")), nan=np.inf)))
            for key in (self.key, f"{self.key}/{CONTROL}")
        )
        outcome = HOLDS if error <= self.tolerance else DENIED
        note = f"without the cause: {HOLDS if control <= self.tolerance else DENIED}, error {control:.3g}"
        if outcome == HOLDS and control <= self.tolerance:
            outcome, note = OPEN, f"{note}: the check tells nothing apart"
        found = f"largest error {error:.3g}"
        return Verdict(self.key, self.text, outcome, found, error, control=note, margin=self.tolerance)


@dataclass(frozen=True)
class Picture:
    """Something to be seen, which no number judges."""

    key: str
    text: str

    @property
    def rule(self) -> str:
        """What must be seen, in words."""
        return "to be seen in the picture"

    def judge(self, measured: Mapping[str, Any]) -> Verdict:
        """It is shown."""
        return Verdict(self.key, self.text, SHOWN, "see the picture")


Statement = Claim | Fact | Picture


@dataclass(frozen=True)
class Tally:
    """How many statements were judged, and how many false ones that leads to expect."""

    judged: int = 0
    by_chance: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """One line."""
        many = {HOLDS: "hold", DENIED: "do not hold", OPEN: "are inconclusive", SHOWN: "are shown"}
        counts = ", ".join(f"{count} {many[outcome]}" for outcome, count in self.outcomes.items() if count)
        expected = self.by_chance * FALSE_RATE
        return (
            f"{self.judged} statements: {counts}. {self.by_chance} of them rest on seeds; were all of these "
            f"false at their margins, {expected:.1f} would be found to hold by chance."
        )


def tally(verdicts: list[Verdict]) -> Tally:
    """Count verdicts."""
    outcomes = {name: sum(one.outcome == name for one in verdicts) for name in (HOLDS, DENIED, OPEN, SHOWN)}
    return Tally(len(verdicts), sum(one.seeds > 0 for one in verdicts), outcomes)


def interval(values: Any) -> Interval:
    """The median over seeds with its exact 95 % interval; of fewer than six the mean with Student's.

    Args:
        values: One a seed, two at least; infinite ones may be among them.
    """
    values = np.sort(np.asarray(values, "float64"))
    seeds = len(values)
    if seeds < 2:
        raise ValueError(f"values must be at least 2, got {seeds}")
    if seeds < _FEWEST:
        mean = float(values.mean())
        half = float(stats.t.ppf(1 - FALSE_RATE, seeds - 1) * stats.sem(values))
        return Interval(mean, mean - half, mean + half, seeds, "mean")
    beyond = int(stats.binom.ppf(FALSE_RATE, seeds, 0.5))
    if stats.binom.cdf(beyond, seeds, 0.5) > FALSE_RATE:
        beyond -= 1
    middle = values[[(seeds - 1) // 2, seeds // 2]]
    median = float(middle[0] if middle[0] == middle[1] else middle.mean())
    return Interval(median, float(values[beyond]), float(values[seeds - 1 - beyond]), seeds, "median")


def share_interval(values: Any) -> Interval:
    """The share of true values in per cent, with Clopper and Pearson's exact 95 % interval."""
    true = np.asarray(values, "float64") > 0
    found = stats.binomtest(int(true.sum()), len(true)).proportion_ci(LEVEL, method="exact")
    return Interval(100 * float(true.mean()), 100 * found.low, 100 * found.high, len(true), "share")
