"""What the tests of populations share: small problems, and single stock models trained on the same masks."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from whyfit.models import (
    MLPConfig,
    Population,
    ShuffledBatches,
    Variant,
    build_loss,
    build_metrics,
    build_mlp,
)
from whyfit.models.population.random import derive_key, random_numbers

TENSORFLOW = keras.config.backend() == "tensorflow"
XLA = not TENSORFLOW
"""Whether the quick tests compile: on TensorFlow that takes longer than they do, on JAX it does not."""
BATCH = 8
RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 5))
HELD_OUT = RNG.normal(size=(13, 5))


def targets(task: str, x: np.ndarray) -> np.ndarray:
    """What is to be learned: three classes, two, or a number."""
    if task == "regression":
        return x.sum(axis=1)
    sums = x.sum(axis=1)
    classes = (sums > 0).astype("int32") + (sums > 2) if task == "classification" else sums > 0
    return np.asarray(classes, "int32")


@pytest.fixture
def float64() -> Iterator[None]:
    """Double precision, in which what is equal in theory is equal to many digits."""
    for dtype in ("float64", "float32"):
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        if dtype == "float64":
            yield


@pytest.fixture
def same_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stock dropout layers draw the masks of the population's variant `layer.variant_seed`."""

    def call(layer: Any, inputs: Any, training: bool = False) -> Any:
        if not training or layer.rate == 0:
            return inputs
        step = ops.cast(layer.seed_generator.next()[1], "int32")
        key = np.array([derive_key(layer.variant_seed, "dropout", layer.name.removesuffix("_dropout"))])
        numbers = random_numbers(key, step, ops.shape(inputs)[0] * ops.shape(inputs)[1])
        kept = ops.reshape(numbers, ops.shape(inputs)) >= round(layer.rate * 2**31)
        return ops.where(kept, inputs * (1 / (1 - layer.rate)), 0)

    monkeypatch.setattr(keras.layers.Dropout, "call", call)


def variant(seed: int = 0, units: tuple[int, ...] = (6, 7), **fields: Any) -> Variant:
    """A variant; fields of `Variant` go to it, all others to its config."""
    own = {name: fields.pop(name) for name in list(fields) if name in Variant.__dataclass_fields__}
    return Variant(MLPConfig(units=units, **fields), seed=seed, **own)


def population(variants: Sequence[Variant], task: str = "classification", **options: Any) -> Population:
    """A population for the small problem."""
    return Population(
        variants, input_shape=(5,), task=task, classes=3, mean=np.arange(5) / 9, variance=2.0, **options
    )


def fit(model: Any, seeds: Any, task: str = "classification", epochs: int = 1, **options: Any) -> dict:
    """Train for 20 steps an epoch, each variant in its own order; returns the history as arrays."""
    dtype = keras.config.floatx()
    batches = ShuffledBatches(X.astype(dtype), targets(task, X), BATCH, seeds)
    callbacks = [batches, *options.pop("callbacks", [])]
    held_out = HELD_OUT.astype(dtype), targets(task, HELD_OUT)
    history = model.fit(
        batches.dataset,
        validation_data=held_out,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
        **options,
    )
    return {name: np.array(values) for name, values in history.history.items()}


def seeds_of(variants: Sequence[Variant]) -> list[int]:
    """Their seeds."""
    return [variant.seed for variant in variants]


def train_alone(
    variant: Variant, task: str, make: Callable[..., keras.Optimizer], **options: Any
) -> tuple[keras.Model, dict]:
    """One variant as the stock model, with a stock optimizer."""
    model = build_mlp(
        variant.config,
        input_shape=(5,),
        task=task,
        classes=3,
        mean=np.arange(5) / 9,
        variance=2.0,
        seed=variant.seed,
    )
    for layer in model.layers:
        layer.variant_seed = variant.seed
    settings = {
        name: getattr(variant, name) for name in ("learning_rate", "momentum", "weight_decay", "clipnorm")
    }
    optimizer = make(**{name: value for name, value in settings.items() if value is not None})
    loss, metrics = build_loss(variant.config, task), build_metrics(variant.config, task)
    model.compile(optimizer, loss=loss, metrics=metrics, **options)
    return model, fit(model, variant.seed, task)


def assert_equal_alone(
    variants: Sequence[Variant],
    make: Callable[..., keras.Optimizer],
    task: str = "classification",
    rtol: float = 1e-6,
    **options: Any,
) -> None:
    """Every weight, statistic and metric of each variant is what it is when it is trained alone."""
    together = population(variants, task)
    together.compile(make(), **options)
    history = fit(together, seeds_of(variants), task)
    for place, one in enumerate(variants):
        alone, expected = train_alone(one, task, make, **options)
        for name, values in expected.items():
            np.testing.assert_allclose(
                history[name][:, place], values, rtol, 0 if TENSORFLOW else 1e-6, err_msg=f"{place} {name}"
            )
        for weight, other in zip(trained(alone), trained(together.variant(place)), strict=True):
            # On JAX the stock batch normalization computes in float32 whatever the model does.
            rounded = one.config.batch_normalization != "none" and not TENSORFLOW
            close = (1e-3, 1e-5) if rounded else (rtol, 1e-9)
            np.testing.assert_allclose(other[1], weight[1], *close, err_msg=f"{place} {weight[0]}")


def trained(model: keras.Model) -> list[tuple[str, np.ndarray]]:
    """Weights and statistics by name, without the state of random generators."""
    return [(weight.path, ops.convert_to_numpy(weight)) for weight in model.weights]


def state(model: Any) -> list[np.ndarray]:
    """All variables of a compiled population, as a checkpoint takes them."""
    return [ops.convert_to_numpy(variable) for variable in [*model.variables, *model.optimizer.variables]]
