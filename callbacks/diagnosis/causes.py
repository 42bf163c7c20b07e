"""Which finding is the root of the others."""

from .case import CHANCE, Case
from .finding import HEALTHY, NAMES, UNDETERMINED, Finding
from .rules import RULES

_NOT_LEARNING = ("stagnating", "bad_labels", "underfitting", "overfitting")
_UNITS = ("identical_units", "dead_units", "saturated_units")
_FLOW = ("vanishing_gradients", "frozen")

EXPLAINS: dict[str, tuple[str, ...]] = {
    # Numbers that go in explain all that comes of them.
    "wrong_output_or_loss": tuple(name for name in NAMES if name != "wrong_output_or_loss"),
    "unscaled_inputs": (
        "non_finite",
        "exploding_gradients",
        *_UNITS[1:],
        *_FLOW,
        "oscillating",
        *_NOT_LEARNING,
        "unscaled_targets",
    ),
    "unscaled_targets": (
        "non_finite",
        "exploding_gradients",
        *_UNITS[1:],
        *_FLOW,
        "oscillating",
        *_NOT_LEARNING,
    ),
    # Growth ends in NaN, or in units that are driven out of reach.
    "exploding_gradients": ("non_finite", *_UNITS[1:], *_FLOW, "oscillating", *_NOT_LEARNING),
    "non_finite": (*_UNITS[1:], *_FLOW, "oscillating", *_NOT_LEARNING),
    # Equal weights of zero look dead, and others add up instead of cancelling; dead units pass no gradient.
    "identical_units": (
        "exploding_gradients",
        "non_finite",
        "dead_units",
        "saturated_units",
        *_FLOW,
        "oscillating",
        *_NOT_LEARNING,
    ),
    "frozen": _NOT_LEARNING,
    "dead_units": (*_FLOW, "oscillating", *_NOT_LEARNING),
    "saturated_units": (*_FLOW, "oscillating", *_NOT_LEARNING),
    "oscillating": ("vanishing_gradients", *_NOT_LEARNING),
    "vanishing_gradients": _NOT_LEARNING,
    "stagnating": ("bad_labels", "underfitting", "overfitting"),
    "bad_labels": ("underfitting", "overfitting"),
    "underfitting": ("overfitting",),
}
"""A finding, and what is expected to be seen when it is the cause."""


def findings_of(case: Case) -> list[Finding]:
    """What is wrong, the root first, then by severity."""
    if not case.epochs or not case.layers:
        return []
    found = [finding for finding in (rule(case) for rule in RULES) if finding is not None]
    root = root_of(found)
    order = ("critical", "serious", "minor")
    return sorted(
        found, key=lambda one: (one.name != root, order.index(one.severity), NAMES.index(one.name))
    )  # fmt: skip


def root_of(found: list[Finding]) -> str | None:
    """The finding that none of the others explains; where there are several, the first of the names."""
    names = [finding.name for finding in found]
    roots = [
        name for name in names if not any(name in EXPLAINS.get(other, ()) for other in names if other != name)
    ]
    return min(roots or names, key=NAMES.index) if names else None


def diagnosis_of(case: Case, found: list[Finding]) -> str:
    """The root cause, "healthy", or "undetermined" before there is enough to say."""
    root = root_of(found)
    if root is not None:
        return root
    if not case.epochs:
        return UNDETERMINED
    if case.learned or (case.improving and case.reached > CHANCE) or case.reached > 2 * CHANCE:
        return HEALTHY
    return UNDETERMINED
