"""Variants of a dense network, trained as one: seeds, strengths, rates."""

from dataclasses import replace
from itertools import accumulate
from typing import Any

import keras
import numpy as np

from whyfit.models import Population, ShuffledBatches, Variant, split_variants
from whyfit.models.population.structure import Structure

from ..checkpoint import Snapshot, in_units
from ..config import Run
from ..data.splits import Data, Split
from ..errors import UserError
from .dense import DenseTask
from .task import Judged, Table


def runs_in_memory(run: Run, data: Data) -> list[Run]:
    """The run; or, where its population would not fit into memory, runs of its parts, one after another.

    Raises:
        UserError: Not even two variants fit.
    """
    if not run.is_population or run.only:
        return [run]
    config = run.model_of({})
    shape, classes = data.train.x.shape[1:], data.classes
    try:
        parts = split_variants(
            [Variant(config)] * len(run.variants),
            input_shape=shape,
            classes=classes,
            batch_size=run.batch_size,
        )
    except ValueError as error:
        raise UserError(f"--model.units is too large for this machine: {error}") from None
    if len(parts) == 1:
        return [run]
    ends = [*accumulate(len(part) for part in parts)]
    places = [tuple(range(end - len(part), end)) for part, end in zip(parts, ends, strict=True)]
    names = [f"{run.name}-part{number}" if run.name else "" for number in range(1, len(parts) + 1)]
    return [replace(run, only=only, name=name) for only, name in zip(places, names, strict=True)]


class PopulationTask(DenseTask):
    """Every combination of swept values with every seed is a variant; the best one is kept as the model.

    All variants have the same data and the same split, which derive from the run's own seed; initial weights,
    dropout masks and the order of examples are each variant's own.
    """

    def __init__(self, run: Run, data: Data) -> None:
        super().__init__(run, data)
        self.settings = [run.variants[place] for place in run.only or range(len(run.variants))]
        self._run = run

    @property
    def variants(self) -> list[Variant]:
        """The settings as variants of a population."""
        return [self._variant(**setting) for setting in self.settings]

    @property
    def structure(self) -> Structure | None:
        """What the step is compiled for; None: what these variants need."""
        return None

    def build_model(self) -> Population:
        """All variants as one model."""
        return Population(
            self.variants,
            input_shape=self.data.train.x.shape[1:],
            task=self.data.task,
            classes=self.data.classes,
            mean=self.data.mean,
            variance=self.data.variance,
            structure=self.structure,
        )

    def batches(self, batch_size: int, seed: int) -> ShuffledBatches:
        """Batches in each variant's own order; one order where all have one seed."""
        seeds = [int(setting["seed"]) for setting in self.settings]
        order = seeds[0] if len(set(seeds)) == 1 else seeds
        return ShuffledBatches(self.data.train.x, self.data.train.y, batch_size, order)

    def compile(self, model: keras.Model, optimizer: keras.Optimizer, **execution: Any) -> None:
        """The population brings its loss and metrics."""
        model.compile(optimizer, **execution)

    def judge(self, model: keras.Model, snapshot: Snapshot, test: Split | None) -> Judged:
        """Each variant with its best weights; means and the table of all, and the best one's model."""
        epochs, ended = (keras.ops.convert_to_numpy(one) for one in (model.best_epoch, model.ended_epoch))
        rows = [dict(setting) for setting in self.settings]
        validation = {name: series for name, series in snapshot.history.items() if name.startswith("val/")}
        for place, row in enumerate(rows):
            best = max(1, int(epochs[place]))
            values = {name: series[best - 1][place] for name, series in validation.items()}
            row |= {f"best/{name}": value for name, value in values.items()} | {"best/epoch": best}
            row["trained/epochs"] = int(ended[place]) or snapshot.epochs
            if test is not None:
                row |= self._scores(model.variant(place, best=True), test)
        losses = np.array([row["best/val/loss"] for row in rows])
        winner = int(np.nanargmin(losses)) if np.isfinite(losses).any() else 0
        kept = model.variant(winner, best=True)
        columns = list(rows[0])
        table: Table = {"columns": columns, "data": [[row[name] for name in columns] for row in rows]}
        means = {name: float(np.mean([row[name] for row in rows])) for name in columns if "/" in name}
        return Judged(kept, means, {"variants.json": table}, rows)

    def _variant(self, seed: float, **swept: float) -> Variant:
        rate = self._own_rate(swept.get("learning_rate"))
        return Variant(self._run.model_of(swept), seed=int(seed), learning_rate=rate)

    def _own_rate(self, rate: float | None) -> float | None:
        """A variant's rate as a population takes it: a factor where a schedule gives the rate."""
        optimizer = self._run.optimizer
        return rate / optimizer.learning_rate if rate and optimizer.is_scheduled else rate

    def _scores(self, model: keras.Model, test: Split) -> dict[str, float]:
        """Loss and metrics on the test data, without compiling anything."""
        outputs = [
            keras.ops.convert_to_numpy(model(test.x[place : place + 1_000], training=False))
            for place in range(0, len(test), 1_000)
        ]
        measures = [keras.metrics.MeanMetricWrapper(self.loss().call, name="loss"), *self.metrics()]
        for measure in measures:
            measure.update_state(test.y, np.concatenate(outputs))
        scores = {f"test/{measure.name}": float(measure.result()) for measure in measures}
        scores["test/loss"] += float(sum(model.losses))  # penalties are in every loss
        return in_units(scores, self.units)
