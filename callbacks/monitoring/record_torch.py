"""The step's record on PyTorch, where a step is plain Python."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .measure import look
from .record import Record, next_run

END = (StopIteration,)


class TorchRecord(Record):
    """Written as the step goes; Python decides which steps are looked at closely."""

    def allocate(self) -> None:
        """Make the rings."""
        device = self._value(self.variables[0]).device if self.variables else None
        settings = self.settings
        self._count = self._next = self._origin = self._looks = 0
        self._left = settings.run - 2
        self._log = torch.zeros((settings.capacity, *self.row_shape), device=device)
        self._close = torch.zeros((settings.looks, settings.quantities, *self.row_shape), device=device)
        self._close_steps = np.full(settings.looks, -1)
        self._before = [self._value(variable).detach().clone() for variable in self.variables]

    def plan(self, step: int, origin: int) -> None:
        """Look closely at `step`; `origin`: from where looks thin out, far below 0 where they do not."""
        self._next, self._origin, self._left = step, origin, self.settings.run - 2

    def take_weights(self) -> None:
        """Take the weights."""
        with torch.no_grad():
            for kept, variable in zip(self._before, self.variables, strict=True):
                kept.copy_(self._value(variable))

    def arrays(self) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """Steps so far, the ring of rows, and the steps and the ring of close looks."""
        return self._count, self._log.cpu().numpy(), self._close_steps, self._close.cpu().numpy()

    def step(self, gradients: list[Any], variables: list[Any], scale: Any, apply: Callable) -> None:
        """Stands for `optimizer.apply`: record, apply, look closely where it is time."""
        if not self.ready:
            self.set_up(variables)
        places = [self.places[self.key(variable)] for variable in variables]
        due = self._count >= self._next and len(places) == len(self.variables)
        scale = None if scale is None else torch.as_tensor(scale).detach().clone()
        with torch.no_grad():
            # Before they are squared, since a scaled loss brings gradients near float32's end.
            unscaled = (
                gradients if scale is None else [None if one is None else one / scale for one in gradients]
            )
            self._log[self._count % self.settings.capacity] = self._row(unscaled, places)
            if due:
                # Optimizers may change gradients in place.
                kept = [None if one is None else one.detach().clone() for one in unscaled]
        apply()
        if due:
            with torch.no_grad():
                dense: list[Any] = [None] * len(self.variables)
                for place, gradient in zip(places, kept, strict=True):
                    dense[place] = gradient if gradient is None else gradient.to_dense()
                self._take(dense)
        self._count += 1

    def _row(self, gradients: list[Any], places: list[int]) -> Any:
        given = [(place, one) for place, one in zip(places, gradients, strict=True) if one is not None]
        row = torch.zeros(self.row_shape, device=self._log.device)
        missing = [place for place in range(len(self.variables)) if place not in places]
        row[missing] = -1.0
        if not given:
            return row
        found = [place for place, _ in given]
        tensors = [one.to_dense() if one.is_sparse else one for _, one in given]
        if self.settings.variants:
            sums = [torch.sum(torch.square(one.flatten(1).float()), dim=1) for one in tensors]
            row[found] = torch.stack(sums)
        else:
            row[found] = torch.square(torch.stack(torch._foreach_norm(tensors)).float())
        return row

    def _take(self, gradients: list[Any]) -> None:
        settings = self.settings
        weights = [self._value(variable).detach() for variable in self.variables]
        place = self._looks % settings.looks
        self._close[place] = look(gradients, self._before, weights, settings.variants, settings.histograms)
        self._close_steps[place] = self._count
        self._looks += 1
        self.take_weights()
        if self._left > 0:
            self._left, self._next = self._left - 1, self._count + 1
        else:
            self._next, self._left = next_run(self._count, self._origin, settings, min, max)

    @staticmethod
    def _value(variable: Any) -> Any:
        return getattr(variable, "value", variable)


def iterate(iterator: Any, batches: list[Any]) -> Any:
    """The batches of a step, which are a list."""
    return iterator


def spec_of(iterator: Any, batch: Any) -> Any:
    """What has the shapes and types of a batch."""
    return batch


def compile_state(function: Callable, variables: list[Any]) -> Callable:
    """A function that reads variables and changes neither them nor the random stream."""

    def call(*arguments: Any) -> Any:
        with torch.no_grad(), torch.random.fork_rng():
            return function(*arguments)

    return call
