"""What a run is, as frozen dataclasses. Imports neither Keras nor MLflow, so that it is quick to read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal

from tyro.conf import Suppress

from whyfit.callbacks.config import EarlyStoppingConfig, GradientMonitorConfig
from whyfit.models.config import AdditionRNNConfig, MLPConfig, require

from .data.config import AdditionsConfig, DataConfig

ModelConfig = AdditionRNNConfig | MLPConfig


@dataclass(frozen=True)
class OptimizerConfig:
    """One of Keras's optimizers and the way of its learning rate."""

    name: Literal["SGD", "Adam", "AdamW", "Nadam", "RMSprop", "Adagrad", "Muon"] = "Adam"
    """Class in keras.optimizers. Muon takes Adam's step for biases and for the output layer."""
    learning_rate: float = 1e-3
    """Learning rate, the highest one where a schedule changes it."""
    warmup_epochs: float = 0.0
    """Epochs over which the rate rises from 0."""
    decay: Literal["none", "cosine"] = "none"
    """What follows the warm-up: the same rate, or a cosine down to 0 at the last step."""
    momentum: float = 0.0
    """Momentum of SGD and RMSprop, in [0, 1)."""
    nesterov: bool = False
    """Nesterov's form of SGD's momentum."""
    weight_decay: float | None = None
    """Decoupled weight decay. None: the optimizer's own default."""
    clipnorm: float | None = None
    """Largest norm of a variable's gradient. None: no clipping."""

    def __post_init__(self) -> None:
        require("learning_rate", "above 0", self.learning_rate, 0 < self.learning_rate < float("inf"))
        require("warmup_epochs", "0 or more", self.warmup_epochs, 0 <= self.warmup_epochs < float("inf"))
        require("momentum", "in [0, 1)", self.momentum, 0 <= self.momentum < 1)
        decay, clip = self.weight_decay, self.clipnorm
        require("weight_decay", "0 or more", decay, decay is None or 0 <= decay < float("inf"))
        require("clipnorm", "above 0", clip, clip is None or 0 < clip < float("inf"))

    @property
    def is_scheduled(self) -> bool:
        """Whether the learning rate changes by itself."""
        return bool(self.warmup_epochs) or self.decay != "none"


@dataclass(frozen=True)
class SweepConfig:
    """Values to be tried, every one with every other and with every seed; empty: what the recipe says."""

    l1: tuple[float, ...] = ()
    """L1 strengths."""
    l2: tuple[float, ...] = ()
    """L2 strengths lambda."""
    dropout: tuple[float, ...] = ()
    """Dropout rates of all hidden layers."""
    learning_rate: tuple[float, ...] = ()
    """Learning rates."""
    initializer_scale: tuple[float, ...] = ()
    """What initial kernels are multiplied by."""

    @property
    def settings(self) -> list[dict[str, float]]:
        """Every combination, by field; one that is empty where there is nothing to try."""
        tried = {name: values for name, values in vars(self).items() if values}
        return [dict(zip(tried, values, strict=True)) for values in product(*tried.values())]


def _never() -> EarlyStoppingConfig:
    """All epochs are trained."""
    return EarlyStoppingConfig(criterion=None)


@dataclass(frozen=True)
class Run:
    """Everything that decides what a run does."""

    recipe: Suppress[str]
    """Name of the recipe it began from."""
    name: str = ""
    """Name of the run. A new one starts it, a known one goes on with it. Empty: a new name is made."""
    seed: int = 0
    """All randomness derives from it: data, split, initial weights, order of examples, dropout."""
    epochs: int = 10
    """Passes over the training examples."""
    batch_size: int = 128
    """Examples a step. A last, smaller batch is left out; the order changes every epoch."""
    seeds: int = 1
    """Dense networks that differ in their seed alone, from `seed` on, trained as one population."""
    sweep: SweepConfig = field(default_factory=SweepConfig)
    only: tuple[int, ...] = ()
    """Of the variants that seeds and sweep make, those to train, by place from 0. Empty: all."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    model: ModelConfig = field(default_factory=AdditionRNNConfig)
    data: DataConfig = field(default_factory=AdditionsConfig)
    early_stopping: EarlyStoppingConfig = field(default_factory=_never)
    gradient_monitor: GradientMonitorConfig = field(default_factory=GradientMonitorConfig)
    jit_compile: bool = True
    """Compile the step with XLA. PyTorch never does."""
    steps_per_execution: int = 16
    """Steps that run in one call of the compiled function. PyTorch always takes one."""
    show_every: int = 2
    """Epochs between two showings of ten validation questions. 0: never."""
    backend: str = field(default_factory=lambda: os.environ.get("KERAS_BACKEND", "tensorflow"))
    """What Keras computes with: tensorflow, jax or torch. By default what $KERAS_BACKEND says."""

    def __post_init__(self) -> None:
        require("seed", "0 or more", self.seed, self.seed >= 0)
        require("epochs", "at least 1", self.epochs, self.epochs >= 1)
        require("batch_size", "at least 1", self.batch_size, self.batch_size >= 1)
        require("steps_per_execution", "at least 1", self.steps_per_execution, self.steps_per_execution >= 1)
        require("show_every", "0 or more", self.show_every, self.show_every >= 0)
        require("seeds", "at least 1", self.seeds, self.seeds >= 1)
        self._check_sweep()
        rule = f"places below {len(self.variants)}, at least 2, each once"
        places = set(self.only)
        usable = len(places) == len(self.only) != 1 and places <= set(range(len(self.variants)))
        require("only", rule, self.only, usable)
        additions, recurrent = (
            isinstance(self.data, AdditionsConfig),
            isinstance(self.model, AdditionRNNConfig),
        )
        fitting = "additions for an addition network" if recurrent else "another source for a dense network"
        require("data", fitting, self.data.source, additions == recurrent)
        backends = ("tensorflow", "jax", "torch")
        require("backend", f"one of {', '.join(backends)}", self.backend, self.backend in backends)
        rule = "letters, digits, '.', '_' and '-', 80 at most, and not start with '.' or '-'"
        usable = all(c.isascii() and (c.isalnum() or c in "._-") for c in self.name)
        require("name", rule, self.name, usable and self.name[:1] not in (".", "-") and len(self.name) <= 80)

    @property
    def is_population(self) -> bool:
        """Whether several variants are to be trained as one."""
        return len(self.variants) > 1

    @property
    def suits_populations(self) -> bool:
        """Whether its networks can be trained as one: dense ones, on TensorFlow or JAX."""
        plain = isinstance(self.model, MLPConfig) and self.optimizer.name != "Muon"
        return plain and self.backend != "torch"

    @property
    def variants(self) -> list[dict[str, float]]:
        """Every combination of swept values with every seed, by field."""
        seeds = range(self.seed, self.seed + self.seeds)
        return [{"seed": seed, **setting} for setting in self.sweep.settings for seed in seeds]

    def _check_sweep(self) -> None:
        """Raise for a value that the model or the optimizer refuses."""
        for setting in self.sweep.settings:
            if isinstance(self.model, MLPConfig):
                self.model_of(setting)
            replace(self.optimizer, learning_rate=setting.get("learning_rate", self.optimizer.learning_rate))

    def model_of(self, setting: dict[str, float]) -> MLPConfig:
        """The dense network with a sweep's values in place of its own."""
        assert isinstance(self.model, MLPConfig)
        values: dict[str, Any] = {name: value for name, value in setting.items() if name != "learning_rate"}
        if "dropout" in values:
            values["dropout"] = (values["dropout"],)
        return replace(self.model, **values)


def flatten(fields: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Fields of fields by names with a dot: `("model.units", (128,))`."""
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
