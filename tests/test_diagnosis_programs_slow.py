"""Each name on real trainings: a program with one fault gets it, and a near miss, which trains, does not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.datasets import load_diabetes, load_digits

from whyfit.callbacks import GradientMonitor
from whyfit.callbacks.diagnosis import NAMES

pytestmark = pytest.mark.slow
SPARSE = keras.losses.SparseCategoricalCrossentropy


@dataclass
class Program:
    """A model, data and how it is fitted."""

    model: keras.Model
    x: np.ndarray
    y: np.ndarray
    validation: tuple[np.ndarray, np.ndarray]
    optimizer: Any = field(default_factory=lambda: keras.optimizers.Adam(2e-3))
    loss: Any = field(default_factory=lambda: SPARSE(from_logits=True))
    epochs: int = 15
    batch_size: int = 32

    def diagnosis(self) -> str:
        """Fit, watched; what the monitor names."""
        monitor = GradientMonitor(verbose=False)
        self.model.compile(
            self.optimizer, self.loss, metrics=["accuracy"] if self.y.dtype.kind == "i" else []
        )
        self.model.fit(
            self.x,
            self.y,
            validation_data=self.validation,
            epochs=self.epochs,
            batch_size=self.batch_size,
            verbose=0,
            callbacks=[monitor],
        )
        print(monitor.report())
        return monitor.diagnosis


def dense(*rows: layers.Layer, outputs: int = 10, activation: str | None = None, **last: Any) -> keras.Model:
    return keras.Sequential([*rows, layers.Dense(outputs, activation, **last)])


def hidden(count: int = 2, units: int = 64, activation: str = "relu", **options: Any) -> list[layers.Layer]:
    return [layers.Dense(units, activation, **options) for _ in range(count)]


def digits(model: keras.Model, **changes: Any) -> Program:
    """Handwritten digits, 8 x 8, standardized."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = ((x - 4.9) / 6.0)[order].astype("float32"), y[order].astype("int32")
    data = {"x": x[:1400], "y": y[:1400], "validation": (x[1400:], y[1400:])}
    return Program(model, **data | changes)


def diabetes(model: keras.Model, scale: float, **changes: Any) -> Program:
    """A number from ten of a patient's: progression of diabetes, standardized and then scaled."""
    x, y = load_diabetes(return_X_y=True)
    x, y = (x * 21).astype("float32"), ((y - y.mean()) / y.std() * scale).astype("float32")
    data = {"x": x[:350], "y": y[:350], "validation": (x[350:], y[350:])}
    return Program(model, **data | {"loss": "mse", "epochs": 15} | changes)


def with_nan(program: Program) -> Program:
    program.x = program.x.copy()
    program.x[700, 20] = np.nan
    return program


def relabelled(program: Program, share: float) -> Program:
    """Some of the labels drawn anew, of validation, too."""
    rng = np.random.default_rng(1)
    for y in (program.y, program.validation[1]):
        wrong = rng.random(len(y)) < share
        y[wrong] = rng.permutation(y)[wrong]
    return program


def cut_off() -> keras.Model:
    """A layer that is to learn, behind which the gradient is stopped."""
    inputs = keras.Input((64,))
    features = layers.Dense(64, "relu")(inputs)
    outputs = layers.Dense(10)(layers.Dense(64, "relu")(layers.Lambda(keras.ops.stop_gradient)(features)))
    return keras.Model(inputs, outputs)


def kept() -> keras.Model:
    """A layer of random features that is meant to stay."""
    return dense(layers.Dense(256, "relu", trainable=False), *hidden(1))


def scheduled(rate: float) -> Any:
    steps = 20 * 43
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))


def big(scale: float) -> dict[str, Any]:
    return {"kernel_initializer": keras.initializers.VarianceScaling(scale)}


PROGRAMS: dict[str, tuple[Callable[[], Program], Callable[[], Program]]] = {
    "non_finite": (
        lambda: with_nan(digits(dense(*hidden()))),
        lambda: digits(dense(*hidden()), optimizer=keras.optimizers.Adam(2e-2), epochs=10),
    ),
    "exploding_gradients": (
        lambda: digits(dense(*hidden(14, 32, **big(18.0))), optimizer=keras.optimizers.SGD(1e-2)),
        lambda: digits(dense(*hidden(6, 64, **big(2.0))), optimizer=keras.optimizers.SGD(1e-2)),
    ),
    "vanishing_gradients": (
        lambda: digits(dense(*hidden(14, 32, "sigmoid")), optimizer=keras.optimizers.SGD(5e-2)),
        lambda: digits(dense(*hidden(3, 64, "sigmoid")), epochs=30),
    ),
    "dead_units": (
        lambda: digits(dense(*hidden(2, bias_initializer=keras.initializers.Constant(-12.0)))),
        lambda: digits(
            dense(
                *hidden(2, 256, bias_initializer=keras.initializers.Constant(-0.5)),
                layers.ActivityRegularization(l1=1e-5),
            )
        ),
    ),
    "saturated_units": (
        lambda: digits(dense(*hidden(3, 64, "tanh", **big(2_000.0)))),
        lambda: digits(dense(*hidden(3, 64, "tanh"))),
    ),
    "identical_units": (
        lambda: digits(dense(*hidden(2, kernel_initializer=keras.initializers.Constant(0.05)))),
        lambda: digits(dense(*hidden(2, kernel_initializer=keras.initializers.RandomNormal(stddev=0.02)))),
    ),
    "stagnating": (
        lambda: digits(dense(*hidden()), optimizer=keras.optimizers.SGD(1e-6)),
        lambda: digits(dense(*hidden()), optimizer=scheduled(3e-3), epochs=25),
    ),
    "oscillating": (
        lambda: digits(dense(*hidden(1)), optimizer=keras.optimizers.Adam(2.0)),
        lambda: digits(dense(*hidden(1)), optimizer=keras.optimizers.Adam(1e-2), batch_size=8, epochs=12),
    ),
    "overfitting": (
        lambda: relabelled(digits(dense(*hidden(2, 512)), epochs=40), 0.4),
        lambda: digits(dense(*hidden(2, 512)), epochs=20),
    ),
    "underfitting": (
        lambda: digits(dense(*hidden(1, 2, "tanh")), epochs=40),
        lambda: digits(dense(), epochs=40),
    ),
    "frozen": (lambda: digits(cut_off()), lambda: digits(kept())),
    "unscaled_inputs": (
        lambda: _raw(digits(dense(*hidden()), optimizer=keras.optimizers.SGD(1e-2)), 300.0, 4_000.0),
        lambda: _raw(digits(dense(*hidden())), 6.0, 4.9),
    ),
    "unscaled_targets": (
        lambda: diabetes(dense(*hidden(), outputs=1), 1e5),
        lambda: diabetes(dense(*hidden(1, 16), outputs=1), 3.0),
    ),
    "wrong_output_or_loss": (
        lambda: diabetes(dense(*hidden(), outputs=1, activation="relu"), 1.0),
        lambda: digits(dense(*hidden(), activation="softmax"), loss=SPARSE(from_logits=False)),
    ),
    "bad_labels": (
        lambda: relabelled(digits(dense(*hidden()), epochs=25), 1.0),
        lambda: relabelled(digits(dense(layers.Dropout(0.3), *hidden(1, 32), layers.Dropout(0.5))), 0.1),
    ),
}


def _raw(program: Program, scale: float, shift: float) -> Program:
    x, y = program.validation
    program.x, program.validation = program.x * scale + shift, (x * scale + shift, y)
    return program


def test_every_name_has_its_programs() -> None:
    assert set(PROGRAMS) == set(NAMES)


@pytest.mark.filterwarnings(
    "ignore:Gradients do not exist for variables:UserWarning"
)  # Keras's, of a frozen one
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_with_a_fault_gets_its_name(name: str) -> None:
    keras.utils.set_random_seed(0)
    assert PROGRAMS[name][0]().diagnosis() == name


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_near_miss_is_healthy(name: str) -> None:
    keras.utils.set_random_seed(0)
    assert PROGRAMS[name][1]().diagnosis() == "healthy"
