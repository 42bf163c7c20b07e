"""The gradient monitor against gradients taken by hand, and a training with it against one without."""

import importlib
import json
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from whyfit.callbacks import GradientMonitor, _backend
from whyfit.callbacks.monitoring.history import PER_EPOCH, PER_LAYER
from whyfit.callbacks.monitoring.structure import decode, encode

from .monitor_cases import (
    BACKEND,
    BATCH,
    ON_TENSORFLOW,
    check_against_hand,
    check_same_training,
    data,
    fit,
    mlp,
)


def test_it_measures_what_gradients_by_hand_say() -> None:
    check_against_hand(mlp, *data())


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_training_is_the_same_with_it(compiled: bool) -> None:
    if BACKEND == "torch" and compiled:
        pytest.skip("torch.compile takes minutes")
    x, y = data()
    monitor = check_same_training(
        lambda: mlp(jit_compile=compiled), x, y, exact=not compiled, validation_data=(x, y)
    )
    assert monitor.layers == ["hidden", "output"]
    for name in PER_LAYER:
        assert monitor.history[name].shape == (2, 2), name
    for name in PER_EPOCH:
        assert monitor.history[name].shape == (2,), name
    assert not monitor.not_measured


def test_the_probe_agrees_with_numpy() -> None:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((6,))
    hidden = layers.Dense(8, name="hidden", kernel_regularizer=keras.regularizers.L2(0.01))(inputs)
    tanh = layers.Dense(
        4, "tanh", name="tanh", kernel_initializer=keras.initializers.RandomNormal(stddev=2.0)
    )
    out = layers.Dense(3, name="output")(layers.Dropout(0.5)(tanh(layers.ReLU()(hidden))))
    model = keras.Model(inputs, out)
    model.layers[1].bias.assign([0.0, 0.0, -9.0, -9.0, 0.0, 0.0, 0.0, 0.0])  # two units die
    model.compile(keras.optimizers.SGD(1e-2), "mse", jit_compile=False)
    x, y = data()
    monitor = GradientMonitor(probe=(x[:30], y[:30]))
    fit(model, monitor, x, y)
    values = [np.array(ops.convert_to_numpy(one)) for one in model.weights]
    h = np.maximum(x[:30] @ values[0] + values[1], 0)
    t = np.tanh(h @ values[2] + values[3])
    o = t @ values[4] + values[5]
    last = {name: array[-1] for name, array in monitor.history.items()}
    np.testing.assert_allclose(last["dead_units"], [0.25, 0, 0])
    assert np.isnan(last["saturated_share"][[0, 2]]).all()
    np.testing.assert_allclose(last["saturated_share"][1], np.mean(np.abs(t) > 0.9747), atol=0.01)
    np.testing.assert_allclose(last["saturated_units"][1], np.mean((np.abs(t) > 0.9747).all(axis=0)))
    np.testing.assert_allclose(last["activation_mean"], [h.mean(), t.mean(), o.mean()], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last["activation_spread"], [h.std(), t.std(), o.std()], rtol=1e-4)
    expected = [np.linalg.norm(a[:, :, None] - a[:, None, :], axis=0).max() for a in (h, t, o)]
    np.testing.assert_allclose(last["unit_distance"], expected, rtol=1e-4)
    np.testing.assert_allclose(last["input_max"], [x[:30].max(), h.max(), t.max()], rtol=1e-5)
    np.testing.assert_allclose(last["input_spread"], [x[:30].std(), h.std(), t.std()], rtol=1e-4)
    np.testing.assert_allclose(last["task_loss"], np.square(o - y[:30]).mean(), rtol=1e-4)
    np.testing.assert_allclose(last["penalty_loss"], 0.01 * np.square(values[0]).sum(), rtol=1e-4)
    np.testing.assert_allclose(last["output_max"], o.max(), rtol=1e-4)


def test_the_first_gradient_that_is_not_finite_is_named() -> None:
    x, y = data()
    x[3 * BATCH] = np.inf
    model, monitor = mlp(), GradientMonitor(sample_every=1)
    fit(model, monitor, x, y)
    assert monitor.first_non_finite is not None
    assert (monitor.first_non_finite["epoch"], monitor.first_non_finite["step"]) == (1, 4)
    assert "hidden" in monitor.first_non_finite["layers"]
    assert monitor.history["weight_non_finite"][-1, 0] > 0
    assert monitor.history["gradient_non_finite"][0, 0] > 0
    assert np.isnan(monitor.history["dead_units"][-1]).all()
    assert [text.get_text() for text in monitor.plot().legends[0].texts] == ["NaN or infinite"]


@pytest.mark.parametrize(
    "where",
    [
        "on_epoch_end",
        pytest.param("on_train_batch_end", marks=pytest.mark.slow),
        pytest.param("in the data", marks=pytest.mark.slow),
    ],
)
def test_an_exception_leaves_nothing_behind(where: str) -> None:
    class Breaks(keras.callbacks.Callback):
        pass

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken on purpose")

    def batches() -> Iterator[Any]:
        yield x[:BATCH], y[:BATCH]
        fail()

    x, y = data()
    model, plain, monitor = mlp(), mlp(), GradientMonitor()
    breaks = Breaks()
    if where != "in the data":
        setattr(breaks, where, fail)
    with pytest.raises(Exception, match="broken on purpose"):
        if where == "in the data":
            model.fit(batches(), callbacks=[monitor], shuffle=False, verbose=0)
        else:
            fit(model, monitor, x, y, callbacks=[breaks])
    assert not {"apply", "stateless_apply"} & set(vars(model.optimizer))
    rows = len(next(iter(monitor.history.values()), []))
    for one, two in zip(model.weights, plain.weights, strict=True):
        one.assign(two)
    model.compile(
        keras.optimizers.Adam(0.01), "mse", jit_compile=BACKEND == "jax"
    ) if where == "in the data" else None
    fit(model, None, x, y, epochs=1)
    assert len(next(iter(monitor.history.values()), [])) == rows
    again = GradientMonitor()
    fit(model, again, x, y, epochs=1)
    assert again.history["gradient_norm"].shape == (1, 2)


def test_structures_survive_being_taken_apart() -> None:
    value = {"a": (np.arange(3), None), "b": [np.ones(2)]}
    note, arrays = encode(value)
    again = decode(json.loads(json.dumps(note)), arrays)
    assert keras.tree.map_structure(lambda one, two: one is two or np.array_equal(one, two), value, again)


def test_two_monitors_at_a_time_are_refused() -> None:
    with pytest.raises(ValueError, match="another GradientMonitor"):
        fit(mlp(), GradientMonitor(), *data(), callbacks=[GradientMonitor()])


@ON_TENSORFLOW
def test_a_distribution_strategy_is_refused_with_the_reason() -> None:
    tf = importlib.import_module("tensorflow")
    with tf.distribute.OneDeviceStrategy("cpu:0").scope():
        model = mlp()
    with pytest.raises(ValueError, match="strategy"):
        fit(model, GradientMonitor(), *data())


def test_the_figure_names_its_axes_and_series_are_plain_numbers_by_layer() -> None:
    monitor = GradientMonitor()
    assert monitor.series() == {}
    with pytest.raises(ValueError, match="at least one epoch"):
        monitor.plot()
    fit(mlp(), monitor, *data())
    figure = monitor.plot()
    titles = [axes.get_title(loc="left") for axes in figure.axes[:3]]
    assert titles == ["gradient norm", "update / weight (usual: near 0.001)", "dead units, share"]
    assert figure.axes[2].get_xlabel() == "epoch"
    series = monitor.series()
    assert series["gradient_norm/hidden"] == monitor.history["gradient_norm"][-1, 0]
    assert {"loss", "penalty_loss", "dead_units/hidden"} <= series.keys()
    assert all(type(value) is float and not np.isnan(value) for value in series.values())


def test_keras_is_underneath_what_the_monitor_takes_it_for() -> None:
    """Breaks where Keras changes what `_backend` relies on."""
    model = mlp()
    model.make_train_function()
    first = model.train_function
    model.make_train_function()
    assert model.train_function is first
    model.make_train_function(force=True)
    assert model.train_function is not first
    model.optimizer.build(model.trainable_variables)
    assert [id(one) for one in model.optimizer._trainable_variables] == [
        id(one) for one in model.trainable_variables
    ]
    keys = [model.optimizer._var_key(one) for one in model.trainable_variables]
    assert len(set(keys)) == len(keys)
    seen: list[str] = []
    with _backend.capturing(model.layers, lambda layer, inputs, outputs: seen.append(layer.name)):
        model(np.zeros((1, 6), "float32"))
    assert seen == ["hidden", "output"]
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    scaled.build(model.trainable_variables)
    assert any(one is scaled.dynamic_scale for one in scaled.variables)
    assert set(_backend.optimizers_of(model)) == {model.optimizer}


class Pair(keras.Model):
    """Two variants of a layer, whose gradients have them for their first axis."""

    variants = 2

    def __init__(self) -> None:
        super().__init__()
        initializer = keras.initializers.RandomNormal(seed=1)
        self.kernel = self.add_weight(shape=(2, 6, 3), initializer=initializer, name="kernel")
        self.built = True

    def call(self, x: Any) -> Any:
        return ops.swapaxes(ops.matmul(ops.expand_dims(x, 0), self.kernel), 0, 1)


def test_variants_of_a_population_have_rows_of_their_own() -> None:
    x, y = data()
    y = np.stack([y, 2 * y], axis=1)
    model, monitor = Pair(), GradientMonitor(sample_every=2)
    model.compile("sgd", "mse", jit_compile=False)
    first = ops.convert_to_numpy(model.kernel).copy()
    fit(model, monitor, x, y, epochs=1)
    gradients = []
    kernel = first.astype("float64")
    for begin in range(0, len(x), BATCH):
        a, b = x[begin : begin + BATCH], y[begin : begin + BATCH]
        error = np.einsum("bi,kio->bko", a, kernel) - b
        gradients.append(2 * np.einsum("bi,bko->kio", a, error) / error.size)
        kernel = kernel - 0.01 * gradients[-1]
    norms = np.sqrt(np.square(gradients).sum(axis=(2, 3)))
    row = {name: array[0] for name, array in monitor.history.items()}
    assert row["gradient_norm"].shape == (2, 1)
    np.testing.assert_allclose(row["gradient_norm"][:, 0], norms.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(row["gradient_norm_max"][:, 0], norms.max(axis=0), rtol=1e-4)
    np.testing.assert_allclose(
        row["weight_norm"][:, 0], np.sqrt(np.square(kernel).sum(axis=(1, 2))), rtol=1e-4
    )
    np.testing.assert_allclose(
        row["distance"][:, 0], np.sqrt(np.square(kernel - first).sum(axis=(1, 2))), rtol=1e-3
    )
    ratio = norms[0] * 0.01 / np.sqrt(np.square(first).sum(axis=(1, 2)))
    np.testing.assert_allclose(monitor.early["update_ratio"][0, :, 0], ratio, rtol=1e-3)
    assert len(monitor.plot(variant=1).axes) >= 3
