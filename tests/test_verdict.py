"""Verdicts: by the rule, on noise no more often than the interval allows, and never by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyfit.experiments.verdict import DENIED, HOLDS, OPEN, Claim, Fact, interval, share_interval, tally

CLAIM = Claim("gain", "a beats b", "accuracy of a minus that of b", "points", 1.0, "less is not seen")
NOTHING = np.zeros(16)


def judged(values: object, control: object = NOTHING, **changes: object) -> str:
    claim = Claim(**vars(CLAIM) | changes)
    return claim.judge({"gain": values, "gain/control": control}).outcome


@pytest.mark.parametrize("side", ["above", "below"])
@pytest.mark.parametrize("draw", ["normal", "exponential", "standard_cauchy"])
def test_a_claim_false_at_its_margin_rarely_holds(side: str, draw: str) -> None:
    """At most 2.5 %: with 16 seeds it is 1.1 %, and 4,000 draws tell it to 0.5."""
    rng = np.random.default_rng(0)
    middle = np.log(2) if draw == "exponential" else 0.0
    claim = Claim("k", "t", "s", "u", 0.0, "r", side=side)
    control = np.full(16, -1.0 if side == "above" else 1.0)
    outcomes = [
        claim.judge({"k": getattr(rng, draw)(size=16) - middle, "k/control": control}).outcome
        for _ in range(4_000)
    ]
    assert 0.004 < outcomes.count(HOLDS) / 4_000 < 0.025
    assert 0.004 < outcomes.count(DENIED) / 4_000 < 0.025


def test_a_false_claim_is_denied_and_a_true_one_holds() -> None:
    rng = np.random.default_rng(1)
    assert judged(rng.normal(3.0, 1.0, 16)) == HOLDS
    assert judged(rng.normal(-1.0, 1.0, 16)) == DENIED
    assert judged(rng.normal(0.5, 0.1, 16)) == DENIED  # there is a difference, but none that matters
    assert judged(rng.normal(1.0, 1.0, 16)) == OPEN
    assert judged(rng.normal(0.5, 0.1, 16), side="within", control=np.full(16, 5.0)) == HOLDS
    assert judged(rng.normal(-3.0, 0.1, 16), side="within") == DENIED


def test_what_holds_without_its_cause_is_not_shown_to_be_its_effect() -> None:
    strong = np.full(16, 5.0)
    verdict = CLAIM.judge({"gain": strong, "gain/control": strong})
    assert verdict.outcome == OPEN
    assert "something else does it" in verdict.control


def test_an_open_verdict_says_how_many_seeds_would_decide() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(1.4, 1.0, 16)
    verdict = CLAIM.judge({"gain": values, "gain/control": NOTHING})
    assert verdict.outcome == OPEN
    assert verdict.seeds_needed is not None
    assert verdict.seeds_needed > 16
    more = rng.normal(1.4, 1.0, 40 * 16)
    assert judged(more) == HOLDS


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="must be numbers, got NaN"):
        judged([1.0, np.nan, 2.0])
    with pytest.raises(KeyError):
        CLAIM.judge({"gain": NOTHING})  # a claim without a control


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=60))
def test_the_interval_of_the_median_holds_95_per_cent(values: list[float]) -> None:
    """Against SciPy's quantile test, which is exact, too."""
    from scipy import stats

    found = interval(values)
    assert found.low <= found.value <= found.high
    exact = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    assert (found.low, found.high) == (exact.low, exact.high)


def test_shares_have_clopper_and_pearsons_interval() -> None:
    found = share_interval([True] * 4 + [False] * 12)
    assert (found.value, round(found.low, 1), round(found.high, 1)) == (25.0, 7.3, 52.4)  # their table
    assert share_interval([False] * 16).high == pytest.approx(100 * (1 - 0.025 ** (1 / 16)))


def test_a_fact_is_its_largest_error() -> None:
    fact = Fact("same", "two ways agree", "relative difference", 1e-6, "rounding")
    assert fact.judge({"same": [1e-9, -2e-7], "same/control": [0.1]}).outcome == HOLDS
    assert fact.judge({"same": [1e-9, -2e-5], "same/control": [0.1]}).outcome == DENIED
    assert fact.judge({"same": [np.nan], "same/control": [0.1]}).outcome == DENIED
    assert fact.judge({"same": [1e-9], "same/control": [1e-9]}).outcome == OPEN  # it tells nothing apart


def test_the_tally_counts_what_rests_on_chance() -> None:
    fact = Fact("same", "t", "s", 1e-6, "r")
    verdicts = [
        CLAIM.judge({"gain": np.full(16, 5.0), "gain/control": NOTHING}),
        fact.judge({"same": 0.0, "same/control": 1.0}),
    ]
    found = tally(verdicts)
    assert (found.judged, found.by_chance, found.outcomes[HOLDS]) == (2, 1, 2)
    assert "0.0 would be found" in found.text
