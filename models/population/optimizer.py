"""Keras's optimizers with settings a variant.

Keras's rules are computed number by number, so that rates of shape (K, 1, 1) on weights of shape (K, ...)
give each variant what it would get alone. What looks at a whole weight (clipping by norm, max-norm) is done
within a variant here.

Sources: Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2; Pascanu et al.
2013, "On the difficulty of training recurrent neural networks", 3.2 (clipping by norm); Srivastava et al.
2014, "Dropout", 5.1 (max-norm).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from .._backend import cast_as_stock, root, sum_rows
from ..config import Variant, require

_UNSUPPORTED = ("global_clipnorm", "use_ema", "gradient_accumulation_steps", "loss_scale_factor")


@dataclass(frozen=True)
class Settings:
    """What the variants of a population want of their optimizer, each an array of K float64 numbers.

    Attributes:
        learning_rates: Learning rates, or what a schedule is multiplied by.
        momentums: Momentums of SGD and RMSprop.
        weight_decays: Decoupled weight decays.
        clipnorms: Largest norms of a weight's gradient; infinite where there is no limit.
        max_norms: Largest norms of a hidden unit's incoming weights; infinite where there is no limit.
    """

    learning_rates: np.ndarray
    momentums: np.ndarray
    weight_decays: np.ndarray
    clipnorms: np.ndarray
    max_norms: np.ndarray

    @property
    def parts(self) -> tuple[bool, bool, bool, bool]:
        """Which of the last four any variant uses; the step is compiled with these alone."""
        uses = self.momentums > 0, self.weight_decays > 0, self.clipnorms < np.inf, self.max_norms < np.inf
        return tuple(bool(used.any()) for used in uses)  # type: ignore[return-value]


def read_settings(optimizer: keras.Optimizer, variants: Sequence[Variant]) -> Settings:
    """Each variant's settings, the optimizer's own where the variant says nothing.

    Args:
        optimizer: A stock optimizer.
        variants: The population's.

    Raises:
        ValueError: A variant sets what the optimizer does not have.
    """
    config = optimizer.get_config()
    rate = config["learning_rate"]
    own = {
        "learning_rate": 1.0 if isinstance(rate, dict) else rate,
        "momentum": config.get("momentum", 0.0),
        "weight_decay": config["weight_decay"] or 0.0,
        "clipnorm": config["clipnorm"] or np.inf,
    }
    if "momentum" not in config:
        asked = [variant.momentum for variant in variants if variant.momentum]
        require("momentum", f"left out with {type(optimizer).__name__}", asked, not asked)
    columns = []
    for name, default in own.items():
        values = [getattr(variant, name) for variant in variants]
        columns.append(np.array([default if value is None else value for value in values], "float64"))
    limits = [variant.config.max_norm or np.inf for variant in variants]
    rates, momentums, decays, norms = columns
    return Settings(rates, momentums, decays, norms, np.array(limits, "float64"))


def stack_optimizer(
    optimizer: keras.Optimizer,
    settings: Settings,
    parts: tuple[bool, bool, bool, bool],
    limited: Sequence[keras.Variable],
    exact: bool,
) -> Any:
    """An optimizer of the same rule for stacked weights.

    Args:
        optimizer: A stock SGD, Adam, AdamW, Nadam, RMSprop or Adagrad; it is only read.
        settings: What is a variant's own.
        parts: Which of `Settings.parts` the step is compiled for.
        limited: Kernels, (K, inputs, units), that max-norm holds for.
        exact: See `keeps_order` in `_backend`.

    Returns:
        A Keras optimizer for weights of shape (K, n, m). Its `learning_rate` is a factor for all variants: a
        schedule, or 1; its `rates` are the variants' own. All gradients pass its `apply`, which may be
        wrapped to look at them: a list of arrays (K, n, m), in the order of the model's trainable variables.

    Raises:
        ValueError: The rule, or an option of it, has no stacked form.
    """
    kind, config = type(optimizer), optimizer.get_config()
    names = ", ".join(base.__name__ for base in _STACKED)
    require("optimizer", f"one of {names}", kind.__name__, kind in _STACKED)
    require("centered", "False", config.get("centered"), not config.get("centered"))
    for option in _UNSUPPORTED:
        require(option, "left out", config[option], not config[option])
    if not isinstance(config["learning_rate"], dict):
        config["learning_rate"] = 1.0
    # These are the variants' own.
    config |= {"clipnorm": None, "weight_decay": 0.0}
    if "momentum" in config:
        config["momentum"] = 0.0
    stacked = _STACKED[kind].from_config(config)
    stacked.set_up(settings, parts, limited, exact)
    return stacked


class StackedOptimizer:
    """What is a variant's own, laid over a stock optimizer by `stack_optimizer`.

    Attributes:
        rates, momentum_rates, weight_decays, clipnorms, max_norms: Settings, variables of shape (K, 1, 1).
        active: Which variants still train, booleans (K, 1, 1). Nothing of the others changes.
    """

    built: bool
    rates: Any
    momentum_rates: Any
    weight_decays: Any
    clipnorms: Any
    max_norms: Any

    def set_up(
        self,
        settings: Settings,
        parts: tuple[bool, bool, bool, bool],
        limited: Sequence[keras.Variable],
        exact: bool,
    ) -> None:
        """Before `build`."""
        self._parts = parts
        self._settings, self._exact = settings, exact
        # In a list Keras would take the kernels for variables of the optimizer.
        self._limited = lambda: limited

    def build(self, variables: list[keras.Variable]) -> None:
        """Make the rule's variables, and the settings."""
        if self.built:
            return
        super().build(variables)  # type: ignore[misc]
        self.momentum_slots: list[Any] = []
        if self._parts[0]:
            self.momentum_slots = self.add_optimizer_variables(variables, "momentum")  # type: ignore[attr-defined]
        shape = (len(self._settings.learning_rates), 1, 1)
        names = ("rates", "momentum_rates", "weight_decays", "clipnorms", "max_norms")
        for name in names:
            setattr(self, name, self.add_variable(shape, name=name))  # type: ignore[attr-defined]
        self.active = self.add_variable(shape, "ones", "bool", name="active")  # type: ignore[attr-defined]
        # All begin as a constant; numbers, so that no second copy of the weights is held.
        self._starts = [np.ravel(ops.convert_to_numpy(slot))[0] for slot in self.variables]  # type: ignore[attr-defined]
        self.restart(self._settings)

    def restart(self, settings: Settings) -> None:
        """Begin anew with other settings; nothing is compiled again."""
        for variable, start in zip(self.variables, self._starts, strict=True):  # type: ignore[attr-defined]
            variable.assign(np.full(variable.shape, start))
        values = {
            "rates": settings.learning_rates,
            "momentum_rates": self._round_momentums(settings.momentums),
            "weight_decays": cast_as_stock(settings.weight_decays.tolist()),
            "clipnorms": settings.clipnorms,
            "max_norms": settings.max_norms,
        }
        for name, column in values.items():
            getattr(self, name).assign(np.reshape(column, (-1, 1, 1)))

    def apply(self, grads: list[Any], trainable_variables: list[Any] | None = None) -> None:
        """One step of all variants; the one place all gradients pass."""
        if trainable_variables is not None:
            self._check_variables_are_known(trainable_variables)  # type: ignore[attr-defined]
        super().apply(grads)  # type: ignore[misc]
        if self._parts[3]:
            for kernel in self._limited():
                self._limit_norms(kernel)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """The stock rule with rates of shape (K, 1, 1)."""
        super().update_step(gradient, variable, self._own(learning_rate, variable))  # type: ignore[misc]

    def assign(self, variable: Any, value: Any) -> None:
        """Where a variant has ended, nothing changes, whatever its value is."""
        if len(variable.shape) == 3:
            value = ops.where(self.active.value, value, variable.value)
        super().assign(variable, value)  # type: ignore[misc]

    def assign_add(self, variable: Any, value: Any) -> None:
        """As `assign`."""
        super().assign_add(variable, self._only_active(value))  # type: ignore[misc]

    def assign_sub(self, variable: Any, value: Any) -> None:
        """As `assign`."""
        super().assign_sub(variable, self._only_active(value))  # type: ignore[misc]

    def _round_momentums(self, momentums: np.ndarray) -> np.ndarray:
        return momentums

    def _only_active(self, value: Any) -> Any:
        return ops.where(self.active.value, value, ops.zeros((), value.dtype))

    def _own(self, learning_rate: Any, variable: Any) -> Any:
        return ops.multiply(ops.cast(learning_rate, variable.dtype), ops.cast(self.rates, variable.dtype))

    def _apply_weight_decay(self, variables: list[Any]) -> None:
        if not self._parts[1]:
            return
        for variable in variables:
            decay = ops.multiply(variable, ops.cast(self.weight_decays, variable.dtype))
            rates = self._own(self.learning_rate, variable)  # type: ignore[attr-defined]
            self.assign_sub(variable, ops.multiply(decay, rates))

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        if self._parts[2]:
            grads = [self._clip(gradient) for gradient in grads]
        value = self.clipvalue  # type: ignore[attr-defined]
        return [ops.clip(gradient, -value, value) for gradient in grads] if value else grads

    def _clip(self, gradient: Any) -> Any:
        squares = ops.sum(ops.square(gradient), axis=(1, 2), keepdims=True)
        norms = ops.sqrt(squares)
        limited = ops.isfinite(self.clipnorms)
        limits = ops.where(limited, self.clipnorms.value, 1)
        clipped = ops.divide(ops.multiply(gradient, limits), ops.maximum(norms, limits))
        return ops.where(limited, clipped, gradient)

    def _limit_norms(self, kernel: Any) -> None:
        norms = ops.sqrt(sum_rows(ops.square(kernel), self._exact))
        wanted = ops.minimum(norms, self.max_norms)
        limited = ops.multiply(kernel, ops.divide(wanted, ops.add(norms, keras.config.epsilon())))
        self.assign(kernel, ops.where(ops.isfinite(self.max_norms), limited, kernel.value))


class _SGD(StackedOptimizer, keras.optimizers.SGD):
    def _round_momentums(self, momentums: np.ndarray) -> np.ndarray:
        return cast_as_stock(momentums.tolist())

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if not self.momentum_slots:
            return super().update_step(gradient, variable, learning_rate)
        velocity = self.momentum_slots[self._get_variable_index(variable)]
        momentums = ops.cast(self.momentum_rates, variable.dtype)
        step = ops.multiply(gradient, self._own(learning_rate, variable))
        self.assign(velocity, ops.subtract(ops.multiply(velocity, momentums), step))
        if self.nesterov:
            return self.assign_add(variable, ops.subtract(ops.multiply(velocity, momentums), step))
        return self.assign_add(variable, ops.convert_to_tensor(velocity))


class _RMSprop(StackedOptimizer, keras.optimizers.RMSprop):
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        velocity = self._velocities[index]
        old, new = ops.multiply(self.rho, velocity), ops.multiply(1 - self.rho, ops.square(gradient))
        self.assign(velocity, ops.add(old, new))
        scaled = ops.multiply(self._own(learning_rate, variable), gradient)
        step = ops.divide(scaled, root(ops.add(velocity, self.epsilon)))
        if self.momentum_slots:
            slot = self.momentum_slots[index]
            self.assign(slot, ops.add(ops.multiply(self.momentum_rates, slot), step))
            step = ops.convert_to_tensor(slot)
        self.assign_sub(variable, step)


class _Adagrad(StackedOptimizer, keras.optimizers.Adagrad):
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        accumulator = self._accumulators[self._get_variable_index(variable)]
        self.assign_add(accumulator, ops.square(gradient))
        scaled = ops.multiply(self._own(learning_rate, variable), gradient)
        self.assign_sub(variable, ops.divide(scaled, root(ops.add(accumulator, self.epsilon))))


class _Adam(StackedOptimizer, keras.optimizers.Adam):
    pass


class _AdamW(StackedOptimizer, keras.optimizers.AdamW):
    pass


class _Nadam(StackedOptimizer, keras.optimizers.Nadam):
    pass


_STACKED: dict[type[keras.Optimizer], Any] = {
    keras.optimizers.SGD: _SGD,
    keras.optimizers.Adam: _Adam,
    keras.optimizers.AdamW: _AdamW,
    keras.optimizers.Nadam: _Nadam,
    keras.optimizers.RMSprop: _RMSprop,
    keras.optimizers.Adagrad: _Adagrad,
}
