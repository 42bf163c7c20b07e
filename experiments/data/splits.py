"""What every data source gives: three splits as arrays, with names and a digest."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, Literal

import numpy as np

from .config import DataConfig

Task = Literal["sequence", "classification", "binary", "regression"]


@dataclass(frozen=True)
class Split:
    """Examples `x` and targets `y`, of equal length."""

    x: np.ndarray
    y: np.ndarray

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ValueError(f"x and y must have the same length, got {len(self.x)} and {len(self.y)}")

    def head(self, count: int) -> "Split":
        """The first examples."""
        return Split(self.x[:count], self.y[:count])

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Data:
    """Train, validation and test examples that have nothing in common.

    Attributes:
        name: The source and what tells it apart, such as `additions-3-digits`.
        train, validation, test: The splits. x is raw, as a user has it; y is int for classes (shape
            (n,), values in [0, classes)), int 0 or 1 for binary, float for regression.
        task: What kind of answer is asked for.
        class_names: What the integers in `y` stand for, in order.
        mean, variance: Of x, over the training examples only, a number or one a feature; the model
            scales its input by them.
        target_mean, target_deviation: Of y, over the training examples, for regression.
        reader: What is needed to read new rows or pictures as these were read (JSON).
        notes: What was done to the data, a line each, for people.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    task: Task
    class_names: tuple[str, ...] = ()
    mean: Any = 0.0
    variance: Any = 1.0
    target_mean: float = 0.0
    target_deviation: float = 1.0
    reader: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Classes that a network is built for; 2 where the answer is a number or yes or no."""
        return max(2, len(self.class_names))

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal characters that change when any example does."""
        digest = hashlib.blake2b(digest_size=16)
        for split in (self.train, self.validation, self.test):
            for array in (split.x, split.y):
                digest.update(f"{array.shape}{array.dtype}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def load(config: DataConfig, seed: int) -> Data:
    """Read or make the data that `config` describes; `config.source` names the module that does."""
    return import_module(f".{config.source}", __package__).load(config, seed)
