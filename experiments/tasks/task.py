"""What every task has to say for itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import keras

from whyfit.models import ShuffledBatches, ordered_batches

from ..checkpoint import Snapshot, in_units
from ..data.splits import Data, Split

Table = dict[str, list]
"""Columns and rows, as MLflow shows them: `{"columns": [...], "data": [[...], ...]}`."""


ANSWERS_KEPT = 200


@dataclass(frozen=True)
class Judged:
    """What a training came to.

    Attributes:
        model: The model to keep.
        metrics: Final figures by name.
        tables: Tables to keep, by file name.
        variants: Of a population, each variant's setting and final figures.
    """

    model: keras.Model
    metrics: dict[str, float]
    tables: dict[str, Table] = field(default_factory=dict)
    variants: list[dict[str, float]] = field(default_factory=list)


class Task(ABC):
    """One kind of answer: how its model is built, judged, shown and kept.

    Attributes:
        data: What the model is fitted to; targets are scaled here where they need it.
        units: By metric name, what a value is multiplied by to be in the user's own units.
        shown: The metrics of an epoch's line, by Keras's names.
        output_layer: Name of the layer that gives the answer.
    """

    data: Data
    units: Mapping[str, float] = MappingProxyType({})
    shown: tuple[str, ...] = ("loss", "val_loss")
    output_layer: str = "output"

    @abstractmethod
    def build_model(self) -> keras.Model:
        """The network, its initial weights derived from the run's seed."""

    @abstractmethod
    def loss(self) -> Any:
        """What `compile` takes as the loss."""

    @abstractmethod
    def metrics(self) -> list[Any]:
        """What `compile` takes as metrics."""

    def batches(self, batch_size: int, seed: int) -> Any:
        """Training batches in an order of their own every epoch."""
        return ShuffledBatches(self.data.train.x, self.data.train.y, batch_size, seed)

    def compile(self, model: keras.Model, optimizer: keras.Optimizer, **execution: Any) -> None:
        """Make the model ready for `fit`."""
        model.compile(optimizer, loss=self.loss(), metrics=self.metrics(), **execution)

    @property
    def metric_names(self) -> list[str]:
        """Keras's names of all that an epoch's logs hold."""
        names = ["loss"] + [
            metric if isinstance(metric, str) else getattr(metric, "name", None) or metric.__name__
            for metric in self.metrics()
        ]
        return [*names, *(f"val_{name}" for name in names)]

    def judge(self, model: keras.Model, snapshot: Snapshot, test: Split | None) -> "Judged":
        """The model with its best epoch's weights, judged on the test data if there are any."""
        metrics: dict[str, float] = {}
        if snapshot.best_epoch:
            model.set_weights(snapshot.best_weights)
            row = snapshot.row(snapshot.best_epoch)
            metrics = {f"best/{name}": value for name, value in row.items() if name.startswith("val/")}
            metrics["best/epoch"] = snapshot.best_epoch
        if test is None:
            return Judged(model, metrics)
        scores = model.evaluate(ordered_batches(test.x, test.y), verbose=0, return_dict=True)
        metrics |= in_units({f"test/{name}": float(value) for name, value in scores.items()}, self.units)
        return Judged(model, metrics, {"answers.json": self.table(model, test, ANSWERS_KEPT)})

    @abstractmethod
    def table(self, model: keras.Model, split: Split, most: int) -> Table:
        """Examples with the model's answers, the worst first."""

    def show(self, model: keras.Model) -> list[tuple[str, str, str]]:
        """Question, truth and answer of a few validation examples; none where they would say nothing."""
        return []

    def export(self, model: keras.Model) -> keras.Model:
        """The model as it is kept: it takes raw examples and answers as a user reads it."""
        return model

    @property
    def example(self) -> Any:
        """Input of the kind the kept model takes, from which its signature is read."""
        return self.data.train.x[:1]

    @property
    def metadata(self) -> dict[str, Any]:
        """What a reader of the kept model's answers needs."""
        return {}
