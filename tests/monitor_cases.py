"""What the tests of the gradient monitor share: a small network, its training with a monitor, and by hand."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from whyfit.callbacks import GradientMonitor
from whyfit.callbacks.monitoring.history import PER_LAYER
from whyfit.callbacks.monitoring.layers import read_layers

BACKEND = keras.config.backend()
ON_TENSORFLOW = pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's own")
BATCH = 8
Step = tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]
"""Gradients of a step, weights before it and after it."""


def data(
    shape: tuple[int, ...] = (6,), outputs: int = 3, examples: int = 48
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(examples, *shape)).astype("float32")
    return x, rng.normal(size=(examples, outputs)).astype("float32")


def mlp(**options: Any) -> keras.Model:
    """Two layers, compiled; the same weights at every call."""
    keras.utils.set_random_seed(3)
    row = [
        keras.Input((6,), name="input"),
        layers.Dense(5, "relu", name="hidden"),
        layers.Dense(3, name="output"),
    ]
    model = keras.Sequential(row, name="mlp")
    defaults = {"optimizer": keras.optimizers.Adam(0.01), "loss": "mse", "jit_compile": BACKEND == "jax"}
    model.compile(**defaults | options)
    return model


def fit(
    model: keras.Model, monitor: GradientMonitor | None, x: Any, y: Any, epochs: int = 2, **options: Any
) -> Any:
    """Fit in the order of the examples, with a monitor or without."""
    keras.utils.set_random_seed(5)
    defaults = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    callbacks = [monitor, *options.pop("callbacks", [])] if monitor else options.pop("callbacks", None)
    return model.fit(x, y, epochs=epochs, callbacks=callbacks, **defaults | options)


def gradients_by_hand(model: keras.Model, x: Any, y: Any, weights: Any = None) -> list[Any]:
    """Of the loss on a batch, one for each trainable variable or None, as each backend itself takes them."""
    x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
    variables = model.trainable_variables
    if BACKEND == "tensorflow":
        tf = importlib.import_module("tensorflow")
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True), sample_weight=weights)
        found = tape.gradient(loss, variables)
    elif BACKEND == "jax":
        jax = importlib.import_module("jax")

        def loss_of(values: list[Any]) -> Any:
            mapping = list(zip(variables, values, strict=True))
            with keras.StatelessScope(mapping) as scope:
                loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True), sample_weight=weights)
            changed = [scope.get_current_value(one) for one in model.non_trainable_variables]
            return loss, changed

        values = [one.value for one in variables]
        found, changed = jax.grad(loss_of, has_aux=True)(values)
        for variable, value in zip(model.non_trainable_variables, changed, strict=True):
            if value is not None:
                variable.assign(value)
    else:
        model.zero_grad()
        model.compute_loss(x=x, y=y, y_pred=model(x, training=True), sample_weight=weights).backward()
        found = [one.value.grad for one in variables]
    return list(found)


def dense(gradients: list[Any], variables: list[Any]) -> list[np.ndarray]:
    """Sparse gradients with all their rows, missing ones as zeros."""
    zeros = [np.zeros(variable.shape, "float32") for variable in variables]
    if BACKEND == "tensorflow":
        tf = importlib.import_module("tensorflow")
        gradients = [None if one is None else tf.convert_to_tensor(one) for one in gradients]
    # Copies: optimizers may write into what they are given.
    pairs = zip(gradients, zeros, strict=True)
    return [zero if one is None else np.array(ops.convert_to_numpy(one)) for one, zero in pairs]


def train_by_hand(
    model: keras.Model, x: Any, y: Any, epochs: int = 2, weights: Any = None
) -> list[list[Step]]:
    """What `fit` does, with what a monitor is to see: a list of steps an epoch."""

    def steps() -> Iterator[Step]:
        for begin in range(0, len(x), BATCH):
            part = slice(begin, begin + BATCH)
            weight = None if weights is None else ops.convert_to_tensor(weights[part])
            gradients = gradients_by_hand(model, x[part], y[part], weight)
            before = [np.array(ops.convert_to_numpy(one)) for one in model.trainable_variables]
            seen = dense(gradients, model.trainable_variables)
            model.optimizer.apply(gradients, model.trainable_variables)
            yield seen, before, [np.array(ops.convert_to_numpy(one)) for one in model.trainable_variables]

    return [list(steps()) for _ in range(epochs)]


def norm(parts: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(np.square(part.astype("float64")).sum() for part in parts)))


def by_layer(model: keras.Model, arrays: list[np.ndarray]) -> list[list[np.ndarray]]:
    """Arrays of the trainable variables, those of each layer."""
    places = {id(variable): place for place, variable in enumerate(model.trainable_variables)}
    rows = [layer for layer in read_layers(model) if layer.trainable]
    return [[arrays[places[id(variable)]] for variable in row.variables] for row in rows]


def check_against_hand(
    build: Callable[[], keras.Model], x: Any, y: Any, weights: Any = None, **options: Any
) -> None:
    """Fit with a monitor, train the same by hand, and compare all that the steps say."""
    watched, other = build(), build()
    monitor = GradientMonitor(sample_every=2)
    if weights is not None:
        options["sample_weight"] = weights
    fit(watched, monitor, x, y, **options)
    keras.utils.set_random_seed(5)
    epochs = train_by_hand(other, x, y, weights=weights)
    trained = [place for place, trainable in enumerate(monitor.trainable) if trainable]
    found = {name: array[:, trained] for name, array in monitor.history.items() if name in PER_LAYER}
    first = [np.array(value) for value in epochs[0][0][1]]
    for epoch, steps in enumerate(epochs):
        norms = np.array([[norm(part) for part in by_layer(other, gradients)] for gradients, _, _ in steps])
        close = {"rtol": 2e-4, "atol": 1e-7}
        np.testing.assert_allclose(found["gradient_norm"][epoch], norms.mean(axis=0), **close)
        np.testing.assert_allclose(found["gradient_norm_max"][epoch], norms.max(axis=0), **close)
        np.testing.assert_allclose(found["gradient_norm_last"][epoch], norms[-1], **close)
        after = steps[-1][2]
        np.testing.assert_allclose(
            found["weight_norm"][epoch], [norm(part) for part in by_layer(other, after)], **close
        )
        moved = [a - b for a, b in zip(after, first, strict=True)]
        expected = [norm(part) for part in by_layer(other, moved)]
        np.testing.assert_allclose(found["distance"][epoch], expected, rtol=1e-3, atol=1e-6)
    for row, step in enumerate(monitor.early["step"].astype(int)):
        gradients, before, after = epochs[0][step - 1]
        moved = [a - b for a, b in zip(after, before, strict=True)]
        parts = [by_layer(other, one) for one in (gradients, before, moved)]
        expected = [norm(part) for part in parts[0]]
        np.testing.assert_allclose(
            monitor.early["gradient_norm"][row, trained], expected, rtol=2e-4, atol=1e-7
        )
        weights_before = np.array([norm(part) for part in parts[1]])
        ratio = np.array([norm(part) for part in parts[2]]) / weights_before
        known = weights_before > 0
        np.testing.assert_allclose(
            monitor.early["update_ratio"][row, trained][known], ratio[known], rtol=2e-3, atol=1e-6
        )
        zeros = [sum((one == 0).sum() for one in part) / sum(one.size for one in part) for part in parts[0]]
        np.testing.assert_allclose(monitor.early["gradient_zeros"][row, trained], zeros, atol=0.02)


def check_same_training(
    build: Callable[[], keras.Model], x: Any, y: Any, exact: bool = True, **options: Any
) -> GradientMonitor:
    """A fit with a monitor and one without give the same losses, weights and optimizer."""
    plain, watched, monitor = build(), build(), GradientMonitor()
    histories = [
        fit(model, one, x, y, **options).history for model, one in ((plain, None), (watched, monitor))
    ]
    assert histories[0].keys() == histories[1].keys()
    pairs = [(histories[0][name], histories[1][name]) for name in histories[0]]
    pairs += [(one, two) for one, two in zip(plain.get_weights(), watched.get_weights(), strict=True)]
    mine, theirs = (model.optimizer.variables if model.optimizer else [] for model in (plain, watched))
    pairs += [
        (ops.convert_to_numpy(one), ops.convert_to_numpy(two)) for one, two in zip(mine, theirs, strict=True)
    ]
    for one, two in pairs:
        if exact:
            np.testing.assert_array_equal(one, two)
        else:
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
    for name, array in monitor.history.items():
        assert len(array) == options.get("epochs", 2), name
    return monitor
