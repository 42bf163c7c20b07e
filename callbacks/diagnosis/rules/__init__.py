"""Rules, a function each, from a case to a finding or None, by what they look at.

Shares and ratios are used throughout, so that a rule means the same at any depth, width, scale of the loss
and number of classes.
"""

from collections.abc import Callable

from ..case import Case
from ..finding import Finding
from . import flow, learning, numbers, scales, steps, units

RULES: tuple[Callable[[Case], Finding | None], ...] = (
    numbers.non_finite,
    numbers.exploding_gradients,
    scales.wrong_output_or_loss,
    scales.unscaled_inputs,
    scales.unscaled_targets,
    flow.frozen,
    units.identical_units,
    units.dead_units,
    units.saturated_units,
    flow.vanishing_gradients,
    steps.oscillating,
    steps.stagnating,
    learning.bad_labels,
    learning.underfitting,
    learning.overfitting,
)
