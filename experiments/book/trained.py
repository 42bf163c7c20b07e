"""What one variant of a lesson came to over its seeds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import keras
import numpy as np

from ..config import Run
from ..data.config import DataConfig
from ..data.splits import Data, load

Answers = list[list[str]]
"""Question, truth and answer of some questions."""


@dataclass(frozen=True)
class Trained:
    """What one variant of a lesson came to over its seeds.

    Attributes:
        run: What it was.
        data: What it was trained on.
        history: By metric, `train/loss` or `val/accuracy`, where wanted `test/accuracy`; (epochs, seeds).
        scores: By figure: `test/accuracy`, `best/val/loss` and `best/epoch` with the best epoch's weights,
            `last/test/accuracy` with the last one's; (seeds,).
        monitor: `GradientMonitor.history`; (epochs, seeds, layers) or (epochs, seeds).
        early: `GradientMonitor.early`, the first steps; (steps, seeds, layers).
        layers: Names of the layers.
        diagnosis: The monitor's, one a seed.
        diagnosed: What it said of a seed, by place, after some epochs: `diagnosed(3, 5)`.
        model: A seed's network as a stock Keras model, by place: `model(3)`, or `model(3, best=True)`.
        answers: Of an addition network, the first seed's by epoch: questions, truth and answer. They are not
            watched: they have no monitor, early, layers and diagnosis.
    """

    run: Run
    data: Data
    history: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]
    monitor: dict[str, np.ndarray]
    early: dict[str, np.ndarray]
    layers: list[str]
    diagnosis: list[str]
    diagnosed: Callable[[int, int], str]
    model: Callable[..., keras.Model]
    answers: list[Answers] = field(default_factory=list)

    @property
    def seeds(self) -> int:
        """How many."""
        return self.run.seeds

    @property
    def val_loss(self) -> float:
        """What settings are chosen by: the median over seeds of the best epochs' validation losses."""
        return float(np.median(self.scores["best/val/loss"]))

    @property
    def last_val_accuracy(self) -> float:
        """What settings are chosen by that are judged with their last weights, or whose losses have penalties
        in them: the mean over seeds and the last five epochs."""
        return float(self.history["val/accuracy"][-5:].mean())


@lru_cache(maxsize=4)
def data_of(config: DataConfig, seed: int) -> Data:
    """A lesson's variants mostly share their data."""
    return load(config, seed)


def epochs_until(there: np.ndarray) -> np.ndarray:
    """The first epoch, from 1, in which it is so; one more than there are where it never is.

    Args:
        there: Whether it is so; (epochs, seeds).
    """
    return np.where(there.any(axis=0), there.argmax(axis=0) + 1, len(there) + 1)
