"""What a program is, and how it is trained under the monitor."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import keras
import numpy as np

from whyfit.callbacks import GradientMonitor
from whyfit.callbacks.diagnosis import Measurements

from .data import spoil

Options = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """A training that somebody could have written.

    Attributes:
        name: Unique.
        family: The architecture and the data; families are tuned on or held out whole.
        label: What is wrong, or "healthy".
        network, data: Of the rooms beside this.
        options: Of network, data and training.
        fault: Options that make what is wrong; without them the program trains.
        held_out: Empty: rules were tuned on it; "second": they were looked at again after its first score;
        "fresh":
            nothing was tuned on it.
    """

    name: str
    family: str
    label: str
    network: Callable[..., keras.Model]
    data: Callable[..., tuple[np.ndarray, np.ndarray]]
    options: Options = field(default_factory=dict)
    fault: Options = field(default_factory=dict)
    held_out: str = ""

    def file(self, seed: int, faulty: bool) -> str:
        """Name of what is kept of a run; programs that are the same without their faults share it."""
        if faulty or self.label == "healthy":
            return f"{self.name}+{seed}"
        options = {name: _said(value) for name, value in sorted(self.options.items()) if value is not None}
        key = repr((self.network.__name__, self.data.__name__, options))
        return f"cured-{hashlib.sha256(key.encode()).hexdigest()[:12]}+{seed}"


def _said(value: Any) -> str:
    if isinstance(value, partial):
        return f"{value.func.__name__}{[_said(one) for one in value.args]}{value.keywords}"
    return value.__name__ if callable(value) else repr(value)


def prepare(program: Program, seed: int, faulty: bool) -> tuple[keras.Model, tuple, tuple, Options]:
    """A compiled model, (x, y) to train on, (x, y) to validate with, and the options."""
    options = {**program.options, **(program.fault if faulty else {})}
    keras.utils.set_random_seed(seed)
    x, y = options.get("data", program.data)(seed, **options.get("data_options", {}))
    first = keras.tree.flatten(x)[0]
    cut = int(0.75 * len(first))
    train = min(options.get("examples", 800), cut)
    x, y = _spoiled(x, y, options, seed, train)
    outputs, last = options["outputs"], options.get("last")
    model = program.network(first.shape[1:], outputs, last, options)
    if options.get("adapt"):
        model.get_layer("normalization").adapt(x[:train])
    model.compile(
        _optimizer(options),
        options["loss"](),
        metrics=options.get("metrics", []),
        jit_compile=False,
        steps_per_execution=options.get("steps_per_execution", 1),
    )
    return model, _cut((x, y), slice(train)), _cut((x, y), slice(cut, None)), options


def _cut(examples: Any, which: slice) -> Any:
    return keras.tree.map_structure(lambda part: part[which], examples)


class Trainer:
    """Trains one program from one seed after another; what is compiled for the first serves all.

    Compiling takes most of such a small training's time. Weights, optimizer and random streams begin as those
    of a new model of the seed.
    """

    def __init__(self, program: Program, faulty: bool) -> None:
        self._program, self._faulty = program, faulty
        self._model: keras.Model | None = None
        self._monitor = GradientMonitor()
        self._optimizer: list[np.ndarray] = []

    def train(self, seed: int) -> Measurements:
        """Train and watch."""
        model, training, validation, options = prepare(self._program, seed, self._faulty)
        model(_cut(training[0], slice(2)))
        if self._model is None:
            self._model = model
            model.optimizer.build(model.trainable_variables)
            self._optimizer = [np.array(one) for one in model.optimizer.variables]
        else:
            self._begin_anew(model)
        self._fit(training, validation, options)
        return self._monitor.measurements

    def _begin_anew(self, new: keras.Model) -> None:
        assert self._model is not None
        for mine, fresh in zip(self._model.variables, new.variables, strict=True):
            mine.assign(fresh)
        for variable, value in zip(self._model.optimizer.variables, self._optimizer, strict=True):
            variable.assign(value)
        monitor = self._monitor
        watch, probe = monitor._watch, monitor._probe
        monitor._reset()
        monitor._watch, monitor._seen = watch, self._model
        monitor._begin()
        monitor._probe = probe and _Again(probe, monitor)

    def _fit(self, training: tuple, validation: tuple, options: Options) -> None:
        model, batch = self._model, options.get("batch", 32)
        assert model is not None
        if options.get("warm"):
            model.fit(*training, epochs=options["warm"], batch_size=batch, verbose=0)
        model.fit(
            *training,
            validation_data=validation if options.get("validate", True) else None,
            epochs=options.get("epochs", 10),
            batch_size=batch,
            class_weight=options.get("class_weight"),
            verbose=0,
            callbacks=[self._monitor],
        )


class _Again:
    """A probe that is compiled already, with the batch of another training."""

    def __init__(self, probe: Any, monitor: GradientMonitor) -> None:
        self._probe = probe._probe if isinstance(probe, _Again) else probe
        self._monitor, self._given = monitor, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._probe, name)

    def measure(self) -> dict[str, np.ndarray]:
        """As the probe."""
        if not self._given:
            self._given = True
            batch = self._monitor._probe_batch
            self._probe._batch = keras.tree.map_structure(
                lambda leaf: None if leaf is None else keras.ops.convert_to_tensor(leaf), batch
            )
        return self._probe.measure()


def _optimizer(options: Options) -> keras.optimizers.Optimizer:
    kind = getattr(keras.optimizers, options.get("optimizer", "Adam"))
    settings = {
        name: options[name]
        for name in ("momentum", "nesterov", "clipnorm", "clipvalue", "weight_decay", "use_ema")
        if name in options
    }
    rate = options.get("rate", 1e-3)
    return kind(rate() if callable(rate) else rate, **settings)


def _spoiled(x: Any, y: Any, options: Options, seed: int, train: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed + 7)
    if "x_scale" in options or "x_shift" in options:
        x = (x * np.asarray(options.get("x_scale", 1.0)) + options.get("x_shift", 0.0)).astype("float32")
    if options.get("x_bad"):
        x = spoil(x, *options["x_bad"], seed, train)
    if options.get("labels") == "shuffled":
        y = y[rng.permutation(len(y))]
    if options.get("labels") == "random":
        y = rng.integers(0, y.max() + 1, y.shape)
    if options.get("labels") == "turned":
        x = np.roll(x, 1, axis=0)
    if options.get("label_noise"):
        wrong = rng.uniform(size=len(y)) < options["label_noise"]
        y = np.where(wrong, rng.integers(0, y.max() + 1, len(y)), y)
    if options.get("noise"):
        y = (y + options["noise"] * rng.normal(size=y.shape)).astype("float32")
    if options.get("one_hot"):
        y = np.eye(options["one_hot"], dtype="float32")[y]
    if "y_scale" in options or "y_shift" in options:
        y = (y * options.get("y_scale", 1.0) + options.get("y_shift", 0.0)).astype("float32")
    if options.get("y_bad"):
        y = spoil(y, *options["y_bad"], seed, train)
    return x, y
