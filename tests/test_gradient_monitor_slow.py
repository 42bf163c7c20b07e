"""The gradient monitor in what a training may be: interrupted, scaled, sparse, several in a row."""

import json
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from whyfit.callbacks import GradientMonitor

from .monitor_cases import BACKEND, ON_TENSORFLOW, check_against_hand, check_same_training, data, fit, mlp

pytestmark = pytest.mark.slow


@ON_TENSORFLOW
def test_a_model_that_its_first_step_builds_is_the_same_with_it() -> None:
    def build() -> keras.Model:
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Dense(5, "relu"), layers.Dropout(0.3), layers.Dense(3)])
        model.compile("adam", "mse", metrics=["mae"])
        return model

    x, y = data(examples=50)  # the last batch is smaller
    monitor = check_same_training(build, x, y)
    assert np.isfinite(monitor.history["distance"]).all()
    plain, watched = build(), build()
    fit(plain, None, x, y)
    fit(watched, GradientMonitor(), x, y)
    assert plain.get_build_config() == watched.get_build_config()


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch has no steps_per_execution")
def test_steps_per_execution_hide_no_step() -> None:
    x, y = data(examples=56)
    check_against_hand(lambda: mlp(steps_per_execution=4), x, y)
    check_same_training(lambda: mlp(steps_per_execution=4), x, y, exact=BACKEND == "tensorflow")


def test_sparse_shared_frozen_and_unused_layers() -> None:
    def build() -> keras.Model:
        keras.utils.set_random_seed(3)
        words = keras.Input((4,), dtype="int32")
        embedded = layers.Embedding(20, 3, name="embedding")(words)
        twice = layers.Dense(3, "tanh", name="shared")
        out = layers.Flatten()(twice(twice(embedded)))
        frozen = layers.Dense(4, name="frozen")
        frozen.trainable = False
        model = keras.Model(words, layers.Dense(3, name="output")(frozen(out)))
        model.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=BACKEND == "jax")
        return model

    # The same word several times in a batch: its rows add up before they are squared.
    words = np.random.default_rng(0).integers(0, 6, (48, 4))
    y = data()[1]
    check_against_hand(build, words, y)
    monitor = check_same_training(build, words, y)
    assert monitor.layers == ["embedding", "shared", "frozen", "output"]
    assert monitor.trainable == [True, True, False, True]
    frozen = 2
    assert np.isnan(monitor.history["gradient_norm"][:, frozen]).all()
    assert (monitor.history["distance"][:, frozen] == 0).all()
    assert (monitor.history["weight_norm"][:, frozen] > 0).all()
    zeros = monitor.history["gradient_zeros"][0, 0]
    assert zeros >= 14 / 20  # words that never occur


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_a_trainable_layer_without_a_gradient_has_norm_zero() -> None:
    @keras.saving.register_keras_serializable("test")
    class Unused(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = layers.Dense(3, name="used"), layers.Dense(3, name="unused")

        def build(self, shape: Any) -> None:
            self.used.build(shape)
            self.unused.build(shape)
            self.built = True

        def call(self, x: Any) -> Any:
            return self.used(x)

    model, monitor = Unused(), GradientMonitor()
    model.compile("sgd", "mse", jit_compile=False)
    fit(model, monitor, *data())
    assert monitor.layers == ["used", "unused"]
    assert (monitor.history["gradient_norm"][:, 1] == 0).all()
    assert (monitor.history["gradient_zeros"][:, 1] == 1).all()
    assert (monitor.history["gradient_norm"][:, 0] > 0).all()


def test_identical_units_have_distance_zero() -> None:
    model = mlp()
    model.layers[0].kernel.assign(np.full((6, 5), 0.3))
    monitor = GradientMonitor()
    fit(model, monitor, *data(), epochs=1)
    # Different weights above them make them differ after a step; not at a rate of 0.
    model = mlp(optimizer=keras.optimizers.SGD(0.0))
    model.layers[0].kernel.assign(np.full((6, 5), 0.3))
    still = GradientMonitor()
    fit(model, still, *data(), epochs=1)
    assert still.history["unit_distance"][0, 0] == 0
    assert monitor.history["unit_distance"][0, 0] > 0


def test_norms_that_float32_squares_lose_are_measured() -> None:
    model = mlp(loss=lambda y, p: ops.mean(ops.square(y - p), axis=-1) * 1e-25)
    monitor = GradientMonitor()
    fit(model, monitor, *data(), epochs=1)
    found = monitor.history["gradient_norm"][0]
    assert (found > 1e-27).all() and (found < 1e-23).all()


@pytest.mark.skipif(BACKEND == "torch", reason="Keras's loss scaling reads a tensor's truth there")
def test_a_scaled_loss_gives_the_unscaled_gradients() -> None:
    def build(scale: float | None) -> keras.Model:
        optimizer = keras.optimizers.SGD(1e-4)
        scaled = (
            optimizer
            if scale is None
            else keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale)
        )
        return mlp(optimizer=scaled, loss=lambda y, p: 100 * ops.mean(ops.square(y - p), axis=-1))

    plain, scaled, overflowing = GradientMonitor(), GradientMonitor(), GradientMonitor()
    for monitor, scale in ((plain, None), (scaled, 1024.0), (overflowing, 2.0**126)):
        fit(build(scale), monitor, *data())
    for name in ("gradient_norm", "gradient_norm_max", "update_ratio"):
        np.testing.assert_allclose(scaled.history[name], plain.history[name], rtol=1e-4)
    assert overflowing.history["skipped_steps"][0] > 0
    assert overflowing.first_non_finite is None
    assert np.isfinite(overflowing.history["gradient_norm"][-1]).all()
    constant = GradientMonitor()
    optimizer = keras.optimizers.SGD(1e-4, loss_scale_factor=1024.0)
    fit(
        mlp(optimizer=optimizer, loss=lambda y, p: 100 * ops.mean(ops.square(y - p), axis=-1)),
        constant,
        *data(),
    )
    np.testing.assert_allclose(constant.history["gradient_norm"], plain.history["gradient_norm"], rtol=1e-4)


def test_model_and_optimizer_are_left_as_they_were(tmp_path: Any) -> None:
    model = mlp()
    before = set(vars(model.optimizer)), set(vars(model)), [set(vars(layer)) for layer in model.layers]
    x, y = data()
    saver = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras"))
    fit(model, GradientMonitor(), x, y, callbacks=[saver])
    assert set(vars(model.optimizer)) >= before[0]
    hooks = {"apply", "stateless_apply", "call", "train_step"}
    for thing in (model, model.optimizer, *model.layers):
        assert not hooks & set(vars(thing))
    plain = mlp()
    fit(plain, None, x, y)
    assert len(model.optimizer.variables) == len(plain.optimizer.variables)
    saved = keras.saving.load_model(tmp_path / "2.keras")
    assert len(saved.optimizer.variables) == len(plain.optimizer.variables)
    assert model.get_config() == plain.get_config()
    assert type(model.train_function) is type(plain.train_function)


def test_fits_in_a_row_go_on_and_another_model_begins_anew() -> None:
    x, y = data()
    model, monitor = mlp(), GradientMonitor()
    fit(model, monitor, x, y, epochs=1)
    fit(model, None, x, y, epochs=1)
    fit(model, monitor, x, y, epochs=2)
    assert monitor.history["gradient_norm"].shape == (3, 2)
    longer, once = mlp(), GradientMonitor()
    fit(longer, once, x, y, epochs=4)
    for name in ("gradient_norm", "distance", "weight_norm", "loss"):
        kept = once.history[name][[0, 2, 3]]
        np.testing.assert_allclose(monitor.history[name], kept, rtol=1e-5, err_msg=name)
    fit(mlp(), monitor, x, y, epochs=1)
    assert monitor.history["gradient_norm"].shape == (1, 2)


def test_its_state_survives_json_and_goes_on_the_same() -> None:
    x, y = data()
    whole, first, second = (
        GradientMonitor(histograms=True),
        GradientMonitor(histograms=True),
        GradientMonitor(histograms=True),
    )
    fit(mlp(), whole, x, y, epochs=3)
    model = mlp()
    fit(model, first, x, y, epochs=1)
    note, arrays = first.get_state()
    resumed = mlp()
    resumed.optimizer.build(resumed.trainable_variables)
    for mine, its in zip(
        (*resumed.variables, *resumed.optimizer.variables),
        (*model.variables, *model.optimizer.variables),
        strict=True,
    ):
        mine.assign(ops.convert_to_numpy(its))
    second.set_state(json.loads(json.dumps(note)), arrays)
    fit(resumed, second, x, y, epochs=3, initial_epoch=1)
    assert list(second.history) == list(whole.history)
    for name, array in whole.history.items():
        np.testing.assert_allclose(second.history[name], array, rtol=1e-5, atol=1e-7, err_msg=name)
    np.testing.assert_array_equal(second.early["step"], whole.early["step"])
    assert second.series() == pytest.approx(whole.series(), rel=1e-4)
    with pytest.raises(ValueError, match="layers must be those"):
        other = GradientMonitor()
        other.set_state(note, arrays)
        keras.utils.set_random_seed(0)
        stranger = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
        stranger.compile("sgd", "mse")
        fit(stranger, other, x, y)


def test_histograms_count_every_entry() -> None:
    monitor = GradientMonitor(histograms=True)
    fit(mlp(), monitor, *data(), epochs=1)
    entries = np.array([6 * 5 + 5, 5 * 3 + 3])
    assert monitor.history["weight_histogram"].shape == (1, 2, len(monitor.histogram_edges))
    zeros = monitor.history["weight_zeros"][0] * entries
    np.testing.assert_allclose(monitor.history["weight_histogram"][0].sum(axis=-1) + zeros, entries)
