"""What every task has to say for itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras

from ..data.splits import Data, Split

Table = dict[str, list]
"""Columns and rows, as MLflow shows them: `{"columns": [...], "data": [[...], ...]}`."""


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
