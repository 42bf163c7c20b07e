"""The gradient monitor on every kind of model that `fit` trains, and on the other backends."""

import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from whyfit.callbacks import GradientMonitor

from .monitor_cases import (
    BACKEND,
    ON_TENSORFLOW,
    check_against_hand,
    check_same_training,
    data,
    fit,
    mlp,
)

pytestmark = pytest.mark.slow
EXACT = BACKEND != "jax"
"""On JAX every step is compiled by XLA, where a further output may change how sums are taken."""
FOLDED = ("batch_normalization",)
"""Where TensorFlow folds the rate into the factors of a gradient (of gamma) that nobody else reads: on some
processors the optimizer's momentum then differs in its last digit, 1.3e-7 of it."""
Kind = tuple[Callable[[], Any], tuple[int, ...], str]
COMPILED = BACKEND == "jax"


class Residual(keras.layers.Layer):
    """Somebody's own layer, made of others."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units
        self.first = layers.Dense(units, "relu", name="first")
        self.second = layers.Dense(units, name="second")
        self.attention = layers.MultiHeadAttention(2, 4, name="attention")
        self.norm = layers.LayerNormalization(name="norm")

    def build(self, shape: Any) -> None:
        self.attention.build(shape, shape)
        self.norm.build(shape)
        self.first.build(shape)
        self.second.build((*shape[:-1], self.units))
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

    def call(self, x: Any) -> Any:
        x = x + self.attention(x, x)
        return x + self.gain * self.second(self.first(self.norm(x)))


class Sampling(keras.layers.Layer):
    """Draws at random in evaluation too, and adds a loss."""

    def __init__(self) -> None:
        super().__init__(name="sampling")
        self.seed = keras.random.SeedGenerator(4)
        self.dense = layers.Dense(5, name="mean")

    def build(self, shape: Any) -> None:
        self.dense.build(shape)

    def call(self, x: Any) -> Any:
        mean = self.dense(x)
        self.add_loss(1e-3 * ops.mean(ops.square(mean)))
        return mean + 0.1 * keras.random.normal(ops.shape(mean), seed=self.seed)


class Subclassed(keras.Model):
    """Calls its activation as a function, in a step that builds it."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [layers.Dense(7, name=f"hidden_{place}") for place in range(2)]
        self.head = layers.Dense(3, name="head")

    def call(self, x: Any) -> Any:
        for layer in self.hidden:
            x = ops.relu(layer(x))
        return self.head(x)


def stack(*row: Any) -> Callable[[tuple[int, ...]], keras.Model]:
    return lambda shape: keras.Sequential([keras.Input(shape), *row, layers.Dense(3, name="output")])


def nested(shape: tuple[int, ...]) -> keras.Model:
    inner = keras.Sequential([keras.Input(shape), layers.Dense(5, "tanh", name="dense")], name="encoder")
    other = keras.Sequential([keras.Input((5,)), layers.Dense(5, "tanh", name="dense")], name="decoder")
    x = keras.Input(shape)
    return keras.Model(x, layers.Dense(3, name="output")(other(inner(x))))


KINDS: dict[str, tuple[Callable[[], Any], tuple[int, ...], list[str] | None]] = {
    "deep": (lambda: stack(*[layers.Dense(6, "sigmoid", name=f"hidden_{n}") for n in range(12)]), (6,), None),
    "lstm": (lambda: stack(layers.LSTM(4, name="lstm")), (5, 3), ["lstm", "output"]),
    "unrolled": (lambda: stack(layers.GRU(4, unroll=True, name="gru")), (5, 3), ["gru", "output"]),
    "bidirectional": (
        lambda: stack(layers.Bidirectional(layers.SimpleRNN(3), name="both")),
        (5, 3),
        ["both", "output"],
    ),
    "convolution": (
        lambda: stack(
            layers.Conv2D(4, 3, activation="relu", name="conv"), layers.MaxPooling2D(), layers.Flatten()
        ),
        (8, 8, 2),
        ["conv", "output"],
    ),
    "separable": (
        lambda: stack(layers.DepthwiseConv1D(3, name="depth"), layers.GlobalAveragePooling1D()),
        (8, 3),
        ["depth", "output"],
    ),
    "batch_normalization": (
        lambda: stack(
            # A bias in front of the mean that is taken off has a gradient of rounding alone.
            layers.Dense(5, use_bias=False, name="dense"),
            layers.BatchNormalization(name="bn"),
            layers.Activation("relu"),
        ),
        (6,),
        ["dense", "bn", "output"],
    ),
    "attention": (
        lambda: stack(Residual(4, name="block"), layers.GlobalAveragePooling1D()),
        (5, 4),
        ["block", "first", "second", "attention", "norm", "output"],
    ),
    "nested": (lambda: nested, (6,), ["encoder/dense", "decoder/dense", "output"]),
    "penalties": (
        lambda: stack(
            layers.Dense(
                5,
                "relu",
                kernel_regularizer=keras.regularizers.L1L2(1e-3, 1e-3),
                activity_regularizer="l2",
                name="dense",
            )
        ),
        (6,),
        ["dense", "output"],
    ),
    "constraint": (
        lambda: stack(layers.Dense(5, kernel_constraint=keras.constraints.MaxNorm(0.5), name="dense")),
        (6,),
        None,
    ),
    "subclassed": (lambda: lambda shape: Subclassed(), (6,), ["hidden_0", "hidden_1", "head"]),
}


def builder(kind: str, **compiling: Any) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        keras.utils.set_random_seed(3)
        make, shape, _ = KINDS[kind]
        model = make()(shape)
        if kind == "subclassed":
            model(np.zeros((1, *shape), "float32"))
        # SGD: rounding in a gradient near 0 would turn Adam's step round.
        defaults = {
            "optimizer": keras.optimizers.SGD(0.05, momentum=0.5),
            "loss": "mse",
            "jit_compile": COMPILED,
        }
        model.compile(**defaults | compiling)
        return model

    return build


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_right_on_every_kind_of_model(kind: str) -> None:
    build, (_, shape, names) = builder(kind), KINDS[kind]
    x, y = data(shape)
    check_against_hand(build, x, y)
    exact = EXACT and kind not in FOLDED
    monitor = check_same_training(build, x, y, exact=exact, validation_data=(x, y))
    assert names is None or monitor.layers == names
    assert not monitor.not_measured
    assert np.isfinite(monitor.history["activation_spread"]).all() or kind == "attention"
    assert np.isfinite(monitor.history["loss"]).all()


@pytest.mark.skipif(BACKEND == "torch", reason="torch.compile takes minutes")
@pytest.mark.parametrize("kind", ["deep", "unrolled", "convolution", "batch_normalization", "attention"])
def test_xla_changes_nothing_beyond_rounding(kind: str) -> None:
    x, y = data(KINDS[kind][1])
    check_against_hand(builder(kind, jit_compile=True), x, y)
    check_same_training(builder(kind, jit_compile=True), x, y, exact=False)


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "weight_decay": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "clipping": lambda: keras.optimizers.SGD(0.1, clipnorm=0.01),
    "global_clipping": lambda: keras.optimizers.SGD(0.1, global_clipnorm=0.01),
    "averages": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2),
    "schedule": lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)),
    "muon": lambda: keras.optimizers.Muon(0.01, exclude_layers=["output"]),
    "lion": lambda: keras.optimizers.Lion(0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.001, centered=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_is_right_with_every_option_of_the_optimizer(name: str) -> None:
    def build() -> keras.Model:
        return mlp(optimizer=OPTIMIZERS[name]())

    x, y = data()
    if name == "averages":  # which fit puts into the weights at its end
        check_same_training(build, x, y, exact=EXACT)
        return
    check_against_hand(build, x, y)
    check_same_training(build, x, y, exact=EXACT)


def test_accumulated_updates_are_seen_where_they_happen() -> None:
    optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=3)
    monitor = GradientMonitor()
    fit(mlp(optimizer=optimizer), monitor, *data())
    assert (monitor.history["update_ratio"] > 0).all()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_other_precisions(policy: str) -> None:
    if policy == "mixed_float16" and BACKEND == "torch":
        pytest.skip("Keras's loss scaling reads a tensor's truth there")

    def build() -> keras.Model:
        keras.utils.set_random_seed(3)
        row = [
            layers.Dense(5, "relu", dtype=policy, name="hidden"),
            layers.Dense(3, dtype=policy, name="output"),
        ]
        model = keras.Sequential([keras.Input((6,)), *row])
        optimizer: Any = keras.optimizers.SGD(0.01)
        if policy == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=256.0)
        model.set_weights(mlp().get_weights())  # float64 draws others from the same seed
        model.compile(optimizer, "mse", jit_compile=COMPILED)
        return model

    x, y = data()
    if policy == "float64" and BACKEND == "jax":
        pytest.skip("JAX computes in float32 unless told otherwise")
    monitor = check_same_training(build, x, y, exact=EXACT)
    plain = GradientMonitor()
    fit(mlp(optimizer=keras.optimizers.SGD(0.01)), plain, x, y)
    np.testing.assert_allclose(monitor.history["gradient_norm"], plain.history["gradient_norm"], rtol=0.05)


def test_class_and_sample_weights_are_inside_the_gradients() -> None:
    x, y = data()
    weights = np.linspace(0.1, 3, len(x)).astype("float32")
    check_against_hand(mlp, x, y, weights=weights)
    labels = (np.arange(len(x)) % 3).astype("int32")

    def build() -> keras.Model:
        return mlp(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    monitor = check_same_training(build, x, labels, exact=EXACT, class_weight={0: 1.0, 1: 5.0, 2: 0.1})
    unweighted = check_same_training(build, x, labels, exact=EXACT)
    assert not np.allclose(monitor.history["gradient_norm"], unweighted.history["gradient_norm"], rtol=0.01)


def sources(x: np.ndarray, y: np.ndarray, endless: bool) -> dict[str, Callable[[], Any]]:
    class Own(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 6

        def __getitem__(self, place: int) -> Any:
            return x[8 * place : 8 * place + 8], y[8 * place : 8 * place + 8]

    def generator() -> Iterator[Any]:
        while True:
            for place in range(0, 48, 8):
                yield x[place : place + 8], y[place : place + 8]

    def dataset() -> Any:
        tf = importlib.import_module("tensorflow")
        batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(20, seed=1).batch(8)
        return batches.repeat() if endless else batches

    return {"generator": generator, "py_dataset": Own, "dataset": dataset}


@pytest.mark.parametrize("source", ["generator", "py_dataset", "dataset"])
@pytest.mark.parametrize("steps", [None, 4])
def test_every_source_of_data_gives_its_batches_once(source: str, steps: int | None) -> None:
    if source == "generator" and steps is None:
        pytest.skip("an endless generator wants steps_per_epoch")
    if source == "py_dataset" and steps:
        pytest.skip("it has a length of its own")
    make = sources(*data(), endless=steps is not None)[source]
    histories = []
    for monitor in (None, GradientMonitor(probe_size=20)):
        keras.utils.set_random_seed(5)
        model = mlp()
        model.fit(
            make(),
            epochs=3,
            steps_per_epoch=steps,
            verbose=0,
            shuffle=False,
            callbacks=[monitor] if monitor else None,
        )
        histories.append((model.history.history["loss"], model.get_weights()))
        if monitor:
            assert monitor.history["gradient_norm"].shape == (3, 2)
            assert not monitor.not_measured
    check = np.testing.assert_array_equal if EXACT else np.testing.assert_allclose
    check(histories[0][0], histories[1][0])
    for one, two in zip(histories[0][1], histories[1][1], strict=True):
        check(one, two)


def test_several_inputs_and_outputs() -> None:
    def build() -> keras.Model:
        keras.utils.set_random_seed(3)
        one, two = keras.Input((6,), name="one"), keras.Input((2,), name="two")
        joined = layers.Concatenate()(
            [layers.Dense(4, "relu", name="left")(one), layers.Dense(4, name="right")(two)]
        )
        outputs = {"a": layers.Dense(3, name="a")(joined), "b": layers.Dense(1, name="b")(joined)}
        model = keras.Model({"one": one, "two": two}, outputs)
        model.compile(
            "adam", {"a": "mse", "b": "mae"}, loss_weights={"a": 1.0, "b": 0.5}, jit_compile=COMPILED
        )
        return model

    x, y = data()
    inputs, targets = {"one": x, "two": x[:, :2]}, {"a": y, "b": y[:, :1]}
    monitor = check_same_training(build, inputs, targets, exact=EXACT, validation_data=(inputs, targets))
    assert monitor.layers == ["left", "right", "a", "b"]
    assert np.isfinite(monitor.history["task_loss"]).all()


def test_random_draws_in_evaluation_do_not_disturb_the_training() -> None:
    def build() -> keras.Model:
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [keras.Input((6,)), Sampling(), layers.Dropout(0.4, seed=1), layers.Dense(3)]
        )
        model.compile("adam", "mse", jit_compile=COMPILED)
        return model

    x, y = data()
    monitor = check_same_training(build, x, y, exact=EXACT, validation_data=(x, y))
    assert (monitor.history["penalty_loss"] > 0).all()


def test_a_function_that_is_no_layer_shows_in_what_the_next_layer_gets() -> None:
    model, monitor = builder("subclassed")(), GradientMonitor()
    model.hidden[0].bias.assign(np.full(7, -50.0))
    fit(model, monitor, *data())
    assert (monitor.history["dead_units"][:, 0] == 1).all()


@ON_TENSORFLOW
@pytest.mark.parametrize("eagerly", [False, True])
def test_a_step_of_the_models_own_with_two_optimizers(eagerly: bool) -> None:
    tf = importlib.import_module("tensorflow")

    class Duel(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = layers.Dense(6, name="one"), layers.Dense(3, name="two")
            self.second = keras.optimizers.Adam(0.01)

        def build(self, shape: Any) -> None:
            self.one.build(shape)
            self.two.build(shape)

        def call(self, x: Any) -> Any:
            return self.two(self.one(x))

        def train_step(self, batch: Any) -> Any:
            x, y = batch
            with tf.GradientTape(persistent=True) as tape:
                loss = ops.mean(ops.square(y - self(x, training=True)))
            one, two = self.one.trainable_variables, self.two.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, one), one, strict=True))
            self.second.apply(tape.gradient(loss, two), two)
            return {"loss": loss}

    def build() -> keras.Model:
        keras.utils.set_random_seed(3)
        model = Duel()
        model.build((None, 6))
        model.compile("sgd", run_eagerly=eagerly)
        return model

    monitor = check_same_training(build, *data())
    assert (monitor.history["gradient_norm"] > 0).all()
    assert (monitor.history["update_ratio"] > 0).all()
    assert monitor.history["distance"].min() > 0


@ON_TENSORFLOW
def test_several_optimizers_by_layer() -> None:
    def build() -> keras.Model:
        chosen = (
            keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.01))
            if hasattr(keras.optimizers, "OptimizerMap")
            else None
        )
        if chosen is None:
            pytest.skip("this Keras has no MultiOptimizer")
        chosen["output/.*"] = keras.optimizers.Adam(0.01)
        return mlp(optimizer=keras.optimizers.MultiOptimizer(chosen))

    check_same_training(build, *data())


@ON_TENSORFLOW
def test_a_step_that_passes_no_optimizer_says_what_is_not_measured() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(3, name="dense")

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def train_step(self, batch: Any) -> Any:
            self.dense.kernel.assign_add(ops.ones_like(self.dense.kernel))
            return {"loss": ops.zeros(())}

    model, monitor = Own(), GradientMonitor()
    model(data()[0])
    model.compile("sgd")
    fit(model, monitor, *data())
    assert "optimizer" in monitor.not_measured["gradients"]
    assert (monitor.history["distance"][-1] > 0).all()


@pytest.mark.skipif(BACKEND == "torch", reason="populations run on TensorFlow and JAX")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_population_is_watched_variant_by_variant(compiled: bool) -> None:
    models = importlib.import_module("whyfit.models")
    if BACKEND == "jax" and not compiled:
        pytest.skip("takes long")
    config = models.MLPConfig(units=(8,))
    variants = [
        models.Variant(config, seed=seed, learning_rate=rate) for seed in (0, 1) for rate in (1e-3, 1e-2)
    ]
    x = data((2,))[0]
    y = (x[:, 0] > 0).astype("int32")

    def build() -> Any:
        population = models.Population(variants, input_shape=(2,), task="classification")
        population.compile(keras.optimizers.Adam(), jit_compile=compiled)
        return population

    monitor = check_same_training(build, x, y, exact=not compiled)
    assert monitor.layers == ["hidden_1", "output"]
    assert monitor.history["gradient_norm"].shape == (2, 4, 2)
    assert monitor.history["loss"].shape == (2, 4)
    single = GradientMonitor()
    alone = models.build_mlp(config, input_shape=(2,), task="classification", seed=1)
    alone.compile(
        keras.optimizers.Adam(1e-2), models.build_loss(config, "classification"), jit_compile=compiled
    )
    fit(alone, single, x, y)
    for name in ("gradient_norm", "weight_norm", "loss", "dead_units", "update_ratio"):
        one = monitor.history[name][:, 3]
        np.testing.assert_allclose(one, single.history[name], rtol=1e-3, err_msg=name)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="it is these backends that are started from here")
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_all_this_holds_on_the_other_backends(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    names = ["test_gradient_monitor.py", "test_early_stopping.py"]
    files = [str(Path(__file__).with_name(name)) for name in names]
    command = [sys.executable, "-m", "pytest", *files, "-p", "no:cacheprovider"]
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1500)
    assert done.returncode == 0, done.stdout[-3000:]
