"""The step's record on JAX: arrays that travel with the training state through the compiled step."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from .measure import look
from .record import Record, Settings, next_run

END = (StopIteration,)


class JaxRecord(Record):
    """Handed to the step as a further part of its state, and taken back after it.

    Attributes:
        state: The arrays between two steps; within a step, its tracers.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.state: dict[str, Any] = {}

    def allocate(self) -> None:
        """Make the rings."""
        settings = self.settings
        # Each array is one buffer of its own, since the step gives all of them away.
        self.state = {
            "count": jnp.zeros((), "int32"),
            "next": jnp.zeros((), "int32"),
            "left": jnp.array(settings.run - 2, "int32"),
            "origin": jnp.zeros((), "int32"),
            "looks": jnp.zeros((), "int32"),
            "log": jnp.zeros((settings.capacity, *self.row_shape)),
            "close": jnp.zeros((settings.looks, settings.quantities, *self.row_shape)),
            "close_steps": jnp.full((settings.looks,), -1, "int32"),
            "before": [jnp.array(start) for start in self.start],
        }

    def plan(self, step: int, origin: int) -> None:
        """Look closely at `step`; `origin`: from where looks thin out, far below 0 where they do not."""
        self.state["next"] = jnp.array(step, "int32")
        self.state["left"] = jnp.array(self.settings.run - 2, "int32")
        self.state["origin"] = jnp.array(max(origin, -(2**30)), "int32")

    def take_weights(self) -> None:
        """Take the weights; copies, since the step gives its arrays away."""
        self.state["before"] = [jnp.array(variable.value, copy=True) for variable in self.variables]

    def arrays(self) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """Steps so far, the ring of rows, and the steps and the ring of close looks."""
        state = self.state
        log, steps, close = (np.asarray(state[name]) for name in ("log", "close_steps", "close"))
        return int(state["count"]), log, steps, close

    def step(self, gradients: list[Any], weights: list[Any], scale: Any) -> None:
        """Record a step.

        Args:
            gradients: One for each variable.
            weights: After the step.
            scale: What the loss was multiplied by, or None.
        """
        state, settings = dict(self.state), self.settings
        if scale is not None:
            gradients = [one if one is None else one.astype("float32") / scale for one in gradients]
        shape = self.row_shape[1:]
        row = jnp.stack([jnp.zeros(shape) if one is None else self._sum(one) for one in gradients])
        state["log"] = state["log"].at[state["count"] % settings.capacity].set(row)
        close = {name: state[name] for name in ("next", "left", "looks", "close", "close_steps", "before")}
        given = [one for one in gradients if one is not None]
        missing = [one is None for one in gradients]

        def take(close: dict[str, Any], given: list[Any], weights: list[Any]) -> dict[str, Any]:
            rest = iter(given)
            dense = [None if gone else next(rest) for gone in missing]
            return self._take(close, dense, weights, state["count"], state["origin"])

        due = state["count"] >= state["next"]
        close = jax.lax.cond(due, take, lambda close, *_: close, close, given, weights)
        self.state = state | close | {"count": state["count"] + 1}

    def _take(
        self, close: dict[str, Any], gradients: list[Any], weights: list[Any], count: Any, origin: Any
    ) -> dict[str, Any]:
        settings = self.settings
        numbers = look(gradients, close["before"], weights, settings.variants, settings.histograms)
        place, left = close["looks"] % settings.looks, close["left"]
        begin, more = next_run(count, origin, settings, jnp.minimum, jnp.maximum)
        return {
            "next": jnp.where(left > 0, count + 1, begin),
            "left": jnp.where(left > 0, left - 1, more),
            "looks": close["looks"] + 1,
            "close": close["close"].at[place].set(numbers),
            "close_steps": close["close_steps"].at[place].set(count),
            "before": list(weights),
        }

    def _sum(self, gradient: Any) -> Any:
        square = jnp.square(gradient.astype("float32"))
        if self.settings.variants:
            return jnp.sum(square, axis=tuple(range(1, square.ndim)))
        # Over the first axis XLA adds whole registers; over all at once, number by number.
        return jnp.sum(jnp.sum(square, axis=0)) if square.ndim else square


def iterate(iterator: Any, batches: list[Any]) -> Any:
    """An iterator over batches that were taken from another."""
    return iter(batches)


def spec_of(iterator: Any, batch: Any) -> Any:
    """What has the shapes and types of a batch."""
    return batch


def compile_state(function: Callable, variables: list[Any]) -> Callable:
    """Compile a function that reads variables and changes none."""

    @jax.jit
    def with_values(values: list[Any], *arguments: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*arguments)

    return lambda *arguments: with_values([variable.value for variable in variables], *arguments)
