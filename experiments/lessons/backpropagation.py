"""Backpropagation gives the gradient by the chain rule.

    make lesson NAME=backpropagation    A5, about 25 s on 2 cores

That it gives the gradient: for every activation, loss, penalty and layer that the suite builds, the addition
network's cells among them, automatic derivatives are compared with numerical ones: a weight is moved up and
down by 1e-6, in float64. That it is the chain rule: ten lines below write it out, and give TensorFlow's
numbers. The control leaves one factor of the chain out, the activations' derivatives.

Seen: the largest error of 18 kinds of network is 5e-9, that of the chain rule by hand 3e-16; without the
activations' derivatives they are 0.7 and 1.3. Moving a weight by 1e-5 is about the best in float64, by 1e-2
in float32, which comes no nearer than 5e-5: checks that look for mistakes want float64.

Needs TensorFlow, whose gradient is asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from whyfit.models import AdditionRNNConfig, build_addition_rnn, build_loss, build_mlp
from whyfit.models.config import MLPConfig

from ..figures import COLOURS, STYLE
from ..verdict import Fact

ACTIVATIONS = ("sigmoid", "tanh", "hard_tanh", "softsign", "relu", "leaky_relu", "softplus", "elu", "linear")
STEPS = tuple(10.0**-power for power in range(1, 13))
WEIGHTS_LOOKED_AT = 60
Case = tuple[keras.Model, Callable[[], tf.Tensor]]

CLAIMS = (
    Fact(
        "gradient",
        "automatic derivatives are the numerical ones, for every layer type used",
        "distance of the two as share of the gradient's length; control: activations that pass all back",
        1e-6,
        "what rounding leaves of a difference over 2e-6 in float64",
    ),
    Fact(
        "chain",
        "the chain rule written out by hand gives the same gradient",
        "distance of the two as share of the gradient's length; control: without activations' derivatives",
        1e-10,
        "rounding of float64",
    ),
)


def measure(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Errors of derivatives, by kind of network and by step."""
    with _computing_in("float64"):
        errors = {name: _error(*case) for name, case in _cases().items()}
        by_step = [_error(*_two_layers("tanh"), step=step) for step in STEPS]
        found = {
            "gradient": list(errors.values()),
            "gradient/control": [_error(*_two_layers("tanh"), passes_all_back=True)],
            "chain": [_by_hand(activations_count=True)],
            "chain/control": [_by_hand(activations_count=False)],
        }
    with _computing_in("float32"):
        rounded = [_error(*_two_layers("tanh"), step=step) for step in STEPS]
    return found | {"kinds": list(errors), "float64": by_step, "float32": rounded}


def draw(measured: Mapping[str, Any]) -> Figure:
    """Errors by kind of network, and by how far a weight is moved."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 6.5), layout="constrained")
        upper, lower = figure.subplots(2, height_ratios=(1.5, 1))
        upper.plot(measured["gradient"], measured["kinds"], "o", color=COLOURS[0])
        upper.axvline(1e-6, color="0.4", linestyle="--", linewidth=1.5)
        upper.set_xscale("log")
        upper.set_xlim(1e-12, 1e-5)
        upper.set_xlabel("automatic against numerical; dashed: allowed")
        upper.tick_params(axis="y", labelsize=8)
        for name, colour in (("float32", COLOURS[1]), ("float64", COLOURS[0])):
            lower.loglog(STEPS, measured[name], "o-", color=colour, label=name)
        lower.set_xlabel("how far a weight is moved")
        lower.set_ylabel("error, as share")
        lower.legend(loc="lower left")
    return figure


@contextmanager
def _computing_in(dtype: str) -> Iterator[None]:
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def _cases() -> dict[str, Case]:
    """Every kind of network that the suite builds, small."""
    one: dict[str, Any] = {"units": (5,), "activation": "tanh"}
    cases = {name: _two_layers(name) for name in ACTIVATIONS}
    cases |= {name: _dense(MLPConfig(**one), name) for name in ("binary", "regression")}
    cases["L1 and L2"] = _dense(MLPConfig(**one, l1=0.01, l2=0.1))
    cases["dropout"] = _dense(MLPConfig(**one, dropout=(0.4,), input_dropout=0.2))
    for place in ("before", "after"):
        cases[f"normalized {place}"] = _dense(MLPConfig(**one, batch_normalization=place))
    return cases | {cell: _recurrent(cell) for cell in ("SimpleRNN", "GRU", "LSTM")}


def _two_layers(activation: Any) -> Case:
    return _dense(MLPConfig(units=(5, 4), activation=activation))


def _dense(config: MLPConfig, task: str = "classification") -> Case:
    """A network and its loss on twelve examples."""
    x, y = _examples(task)
    model, loss = build_mlp(config, input_shape=(6,), task=task), build_loss(config, task)
    return model, lambda: _loss(model, x, y, loss)


def _examples(task: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 6))
    return x, rng.standard_normal((12, 1)) if task == "regression" else rng.integers(0, 2, (12, 1))


def _recurrent(cell: Any) -> Case:
    """The addition network, small, and its loss on eight questions."""
    config = AdditionRNNConfig(cell=cell, units=3, l2=0.1, dropout=0.2, recurrent_dropout=0.2)
    model = build_addition_rnn(config, question_length=3, answer_length=2, characters=4)
    rng = np.random.default_rng(0)
    questions, answers = rng.integers(0, 4, (8, 3)), rng.integers(0, 4, (8, 2))
    loss = keras.losses.SparseCategoricalCrossentropy()
    return model, lambda: _loss(model, questions, answers, loss)


def _loss(model: keras.Model, x: np.ndarray, y: np.ndarray, loss: keras.Loss) -> tf.Tensor:
    """Training loss with penalties, with the same units dropped in every call."""
    for variable in model.variables:
        if variable.path.endswith("seed_generator_state"):
            variable.assign([0, 7])
    return loss(y, model(x, training=True)) + sum(model.losses)


def _gradient(model: keras.Model, loss: Callable[[], tf.Tensor]) -> np.ndarray:
    """By all weights, flat."""
    with tf.GradientTape() as tape:
        value = loss()
    parts = tape.gradient(value, [weight.value for weight in model.trainable_weights])
    return np.concatenate([np.ravel(part) for part in parts])


def _error(
    model: keras.Model, loss: Callable[[], tf.Tensor], step: float = 1e-6, passes_all_back: bool = False
) -> float:
    """Distance of automatic and numerical derivatives by some weights, as share of their length."""
    flat = np.concatenate([weight.numpy().ravel() for weight in model.trainable_weights])
    places = np.random.default_rng(0).permutation(flat.size)[:WEIGHTS_LOOKED_AT]
    evaluate = tf.function(loss, autograph=False)
    numerical = np.zeros(len(places))
    for number, place in enumerate(places):
        for sign in (1, -1):
            _give(model, flat + sign * step * (np.arange(flat.size) == place))
            numerical[number] += sign * float(evaluate()) / (2 * step)
    _give(model, flat)
    if passes_all_back:
        for layer in model.layers:
            if isinstance(layer, keras.layers.Activation):
                layer.activation = lambda z: z + tf.stop_gradient(tf.tanh(z) - z)
    return _distance(numerical, _gradient(model, loss)[places])


def _give(model: keras.Model, flat: np.ndarray) -> None:
    weights = model.trainable_weights
    ends = np.cumsum([int(np.prod(weight.shape)) for weight in weights])
    for weight, part in zip(weights, np.split(flat, ends[:-1]), strict=True):
        weight.assign(part.reshape(weight.shape))


def _by_hand(activations_count: bool) -> float:
    """Distance of TensorFlow's gradient and of the chain rule's, where tanh' is 1 - tanh^2."""
    model, loss = _dense(MLPConfig(units=(5, 4), activation="tanh"), "regression")
    x, y = _examples("regression")
    dense = [layer.get_weights() for layer in model.layers if layer.trainable_weights]
    outputs = [x]
    for kernel, bias in dense[:-1]:
        outputs.append(np.tanh(outputs[-1] @ kernel + bias))
    answers = outputs[-1] @ dense[-1][0] + dense[-1][1]
    error = 2 * (answers - y) / len(y)  # the squared error's derivative by the answers
    parts: list[np.ndarray] = []
    for (kernel, _), below in zip(reversed(dense), reversed(outputs), strict=True):
        parts = [np.ravel(below.T @ error), error.sum(axis=0), *parts]
        error = (error @ kernel.T) * (1 - activations_count * below**2)  # reused by all layers below
    return _distance(np.concatenate(parts), _gradient(model, loss))


def _distance(found: np.ndarray, automatic: np.ndarray) -> float:
    return float(np.linalg.norm(found - automatic) / np.linalg.norm(automatic))
