"""What the steps of a training leave behind for the callback, the same for every backend.

At every step a row with each variable's sum of squares of the gradient goes into a ring. At some steps a
close look (`measure.look`) goes into a second ring. The first steps are looked at at growing distances. A
close look at the step before gives the weights that a step began with, so looks come in runs.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from .measure import EDGES, QUANTITIES

FAR = -(2**40)
"""An origin so far back that looks keep their distance."""


@dataclass(frozen=True)
class Settings:
    """What a record is made for.

    Attributes:
        variants: Variants of a population, 0 without.
        compiled: Whether XLA compiles the step.
        histograms: Whether close looks count magnitudes.
        stride: Steps between two runs of close looks.
        run: Looks of a run, at least 2, the first of which only takes the weights; more where only every so
            many steps change them.
        capacity: Rows of the ring.
        looks: Close looks in their ring.
    """

    variants: int
    compiled: bool
    histograms: bool
    stride: int
    run: int
    capacity: int
    looks: int = 64

    @property
    def quantities(self) -> int:
        """Numbers of a close look."""
        return len(QUANTITIES) + (len(EDGES) if self.histograms else 0)


@dataclass(frozen=True)
class Readout:
    """What has been recorded since the last reading.

    Attributes:
        first: Number of the step of the first row, from 0.
        squares: (steps, variables) or (steps, variables, variants), float64: sums of squares of gradients,
            -1 where the step did not touch a variable.
        look_steps: Steps of the close looks, ascending.
        looks: (looks, quantities, variables[, variants]), float64; what was moved is NaN where the step
            before was not looked at.
    """

    first: int
    squares: np.ndarray
    look_steps: np.ndarray
    looks: np.ndarray


class Record(ABC):
    """The rings of one optimizer.

    Attributes:
        variables: What the optimizer changes, a column each.
        start: Their values before the first step, NumPy arrays.
        places: Column of a variable by its key.
        ready: Whether the variables are known.
        factor: What the ring's numbers are to be multiplied by.
    """

    factor = 1.0

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ready = False
        self.variables: list[Any] = []
        self.start: list[np.ndarray] = []
        self.places: dict[Any, int] = {}
        self.key: Callable[[Any], Any] = id
        self._read = 0
        self._last_look = self._newest = -1
        self._thin_out = True

    @abstractmethod
    def allocate(self) -> None:
        """Make the rings."""

    @abstractmethod
    def plan(self, step: int, origin: int) -> None:
        """Look closely at `step`, and then at distances that grow from `origin` on."""

    @abstractmethod
    def take_weights(self) -> None:
        """Take the weights as those that the next step begins with."""

    @abstractmethod
    def arrays(self) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """Steps so far, the ring of rows, and the steps and the ring of close looks."""

    @property
    def row_shape(self) -> tuple[int, ...]:
        """(variables,) or (variables, variants)."""
        return (len(self.variables), *([self.settings.variants] if self.settings.variants else []))

    def set_up(self, variables: list[Any]) -> None:
        """Take the optimizer's variables, before their first step."""
        self.variables = list(variables)
        self.places = {self.key(variable): place for place, variable in enumerate(self.variables)}
        self.start = [_value(variable) for variable in self.variables]
        self.allocate()
        self.start.clear()
        if not self._thin_out:
            self.plan(0, FAR)
        self.ready = True

    def begin_epoch(self, *, thin_out: bool) -> None:
        """Look at the epoch's first step, and then on; `thin_out`: at growing distances from here on.

        The weights are taken here, since between two epochs others may change them.
        """
        self._thin_out = thin_out
        if self.ready:
            self.plan(self._read, self._read if thin_out else FAR)
            self.take_weights()
            self._last_look = self._read - 1

    def read(self) -> Readout | None:
        """All since the last reading, or None where nothing was recorded."""
        if not self.ready:
            return None
        count, rows, steps, looks = self.arrays()
        first = max(self._read, count - self.settings.capacity)
        squares = rows[np.arange(first, count) % self.settings.capacity].astype("float64")
        self._read = count
        chosen = np.flatnonzero(steps > max(self._last_look, self._newest))
        chosen = chosen[np.argsort(steps[chosen], kind="stable")]
        steps, looks = steps[chosen], looks[chosen].astype("float64")
        before = np.concatenate([[self._last_look], steps[:-1]]) if len(steps) else steps
        looks[steps != before + 1, QUANTITIES.index("moved")] = np.nan
        if len(steps):
            self._last_look = self._newest = int(steps[-1])
        return Readout(first, np.where(squares < 0, -1.0, squares * self.factor), steps, looks)


def _value(variable: Any) -> np.ndarray:
    """A variable's value; NaN where it has none yet, while TensorFlow traces the step that makes it."""
    value = np.array(keras.ops.convert_to_numpy(variable))
    return value if value.shape == tuple(variable.shape) else np.full(variable.shape, np.nan, "float32")


def next_run(
    step: Any, origin: Any, settings: Settings, minimum: Callable, maximum: Callable
) -> tuple[Any, Any]:
    """When the next run of looks begins, and how many looks follow its first one.

    A run ends with the step that is to be seen whole: twice as far from the origin, at most a stride on.

    Args:
        step: The last step of a run.
        origin: From where looks thin out.
        settings: Of the record.
        minimum, maximum: Of two numbers, in what the numbers are.
    """
    target = step + minimum(step - origin + 1, settings.stride)
    begin = maximum(step + 1, target - (settings.run - 1))
    return begin, target - begin
