"""The trials of a leg as one task: a population of settings."""

from dataclasses import replace
from typing import Any

import keras

from whyfit.models import Population, Variant
from whyfit.models.population.structure import Structure, read_structure

from ..config import Run
from ..data.splits import Data
from ..spaces import Dimension, apply
from ..tasks.population import PopulationTask
from .legs import Entry

COMPILED_FROM = 200
"""Steps of a trial from where on XLA's own time, about five seconds for each size of a population, pays."""


class TrialsTask(PopulationTask):
    """Trials as one population; the step is compiled for the whole space, so that it serves all trials.

    Args:
        run: What is searched.
        data: Its data.
        entries: Trials of one shape; two at least.
        space: What is varied.
    """

    def __init__(
        self, run: Run, data: Data, entries: tuple[Entry, ...], space: tuple[Dimension, ...]
    ) -> None:
        super().__init__(run, data)
        self.settings: list[dict[str, Any]] = [{"seed": seed, **settings} for _, settings, seed in entries]
        self._space = space

    def compile(self, model: keras.Model, optimizer: keras.Optimizer, **execution: Any) -> None:
        """With XLA where a population is fastest so, whatever is best for one network alone."""
        steps = self._run.epochs * len(self.data.train) // self._run.batch_size
        model.compile(optimizer, **execution | {"jit_compile": "auto" if steps >= COMPILED_FROM else False})

    def scores(self, model: Population, place: int) -> dict[str, float]:
        """One trial's scores on the test data with its best weights."""
        return self._scores(model.variant(place, best=True), self.data.test)

    @property
    def structure(self) -> Structure:
        """What the step needs for any trial of the space, so that all trials get the same step."""
        setting = dict(self.settings[0])
        full = setting | {one.name: one.high for one in self._space if not one.choices}
        widths = {name: setting[name] for name in ("units", "layers") if name in setting}
        return read_structure([*self.variants, self._variant(**full | widths)])

    def _variant(self, seed: float, **settings: Any) -> Variant:
        run = apply(self._run, settings)
        rate = self._own_rate(run.optimizer.learning_rate)
        return Variant(run.model, seed=int(seed), learning_rate=rate)


def single_run(run: Run, entry: Entry) -> Run:
    """A trial as a run of its own."""
    _, settings, seed = entry
    return replace(apply(run, settings), seed=seed)
