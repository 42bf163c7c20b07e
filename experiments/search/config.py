"""How a search goes about it, as a frozen dataclass. Imports neither Keras nor keras-tuner."""

from dataclasses import dataclass
from typing import Literal

from whyfit.models.config import require

JOURNAL = "trials.jsonl"
"""The file in a search's folder that holds all its steps."""


@dataclass(frozen=True)
class SearchConfig:
    """Which settings are tried, and how."""

    tuner: Literal["random", "bayesian", "hyperband", "grid"] = "random"
    """What decides on the next settings: keras-tuner's oracle of this name."""
    trials: int | None = None
    """Settings to try. None: 48, or of a grid all of it."""
    space: tuple[str, ...] = ()
    """Hyperparameters to vary, such as: l2 dropout units, or with a range of one's own: l2=1e-5:1e-2. Empty:
    l1 l2 dropout."""
    at_once: int | None = None
    """Settings trained as one population. None: 64 where networks are small, 16 where they are large, at most
    8 where the tuner learns from every result."""
    end_early: bool = True
    """End the worst third of the trials after a third of their epochs. Hyperband has its own way."""
    retrain: int = 5
    """Seeds on which the best setting, and the same without regularization, are trained anew and tested."""
    workers: int = 1
    """Processes on this machine. Populations fill it alone; networks trained one by one may not."""
    build: str = ""
    """FILE.py:FUNCTION with your own `build(hp)` for keras-tuner; its trials are trained one at a time."""

    def __post_init__(self) -> None:
        for field in ("trials", "at_once"):
            value = getattr(self, field)
            require(field, "at least 1", value, value is None or value >= 1)
        require("retrain", "at least 1", self.retrain, self.retrain >= 1)
        require("workers", "in 1 to 64", self.workers, 1 <= self.workers <= 64)
        parts = self.build.rpartition(":")
        whole = not self.build or (parts[0].endswith(".py") and parts[2].isidentifier())
        require("build", "of the form FILE.py:FUNCTION", self.build, whole)
