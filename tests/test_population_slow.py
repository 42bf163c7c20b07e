"""Populations over every activation, regularizer and optimizer, on both backends, and their memory."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from .population_cases import (
    TENSORFLOW,
    XLA,
    assert_equal_alone,
    fit,
    float64,
    population,
    same_masks,
    variant,
)

__all__ = ["float64", "same_masks"]
pytestmark = pytest.mark.slow
optimizers = keras.optimizers

CONFIGS: dict[str, dict[str, Any]] = {
    "L1": {"l1": 1e-2},
    "L2": {"l2": 2e-2},
    "L1 and L2": {"l1": 1e-2, "l2": 2e-2},
    "dropout": {"dropout": (0.5, 0.2), "input_dropout": 0.1},
    "normalized before": {"batch_normalization": "before"},
    "normalized after": {"batch_normalization": "after", "dropout": (0.3,)},
    "max-norm": {"max_norm": 0.5},
    "orthogonal": {"initializer": "orthogonal", "initializer_scale": 2.0},
    "probabilities": {"head": "probabilities"},
    **{
        name: {"activation": name}
        for name in ("sigmoid", "tanh", "softsign", "softplus", "elu", "leaky_relu", "linear")
    },
}
OPTIMIZERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "SGD": (optimizers.SGD, {"learning_rate": 0.1}),
    "momentum": (optimizers.SGD, {"learning_rate": 0.05, "momentum": 0.9}),
    "Nesterov": (partial(optimizers.SGD, nesterov=True), {"learning_rate": 0.05, "momentum": 0.9}),
    "Adam": (optimizers.Adam, {"learning_rate": 1e-2}),
    "AdamW": (optimizers.AdamW, {"learning_rate": 1e-2, "weight_decay": 0.05}),
    "Nadam": (optimizers.Nadam, {"learning_rate": 1e-2}),
    "RMSprop": (optimizers.RMSprop, {"learning_rate": 1e-2}),
    "RMSprop with momentum": (optimizers.RMSprop, {"learning_rate": 1e-2, "momentum": 0.5}),
    "Adagrad": (optimizers.Adagrad, {"learning_rate": 0.1}),
    "clipped": (optimizers.SGD, {"learning_rate": 0.5, "clipnorm": 0.05}),
}
EAGER = {"run_eagerly": TENSORFLOW, "jit_compile": XLA}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_part_is_what_it_is_alone(name: str, float64: None, same_masks: None) -> None:
    task = "regression" if list(CONFIGS).index(name) % 3 == 0 else "classification"
    pair = [variant(seed, learning_rate=0.01 * (seed + 1), **CONFIGS[name]) for seed in range(2)]
    assert_equal_alone(pair, optimizers.Adam, task, **EAGER)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_steps_as_it_does_alone(name: str, float64: None, same_masks: None) -> None:
    make, settings = OPTIMIZERS[name]
    settings = dict(settings)
    rate = settings.pop("learning_rate")
    pair = [variant(seed, l2=1e-3, learning_rate=rate / (seed + 1), **settings) for seed in range(2)]
    assert_equal_alone(pair, make, "binary", **EAGER)


def test_compiled_by_xla_it_is_what_it_is_alone(float64: None, same_masks: None) -> None:
    pair = [variant(seed, l2=1e-2, learning_rate=0.01, batch_normalization="before") for seed in range(3)]
    assert_equal_alone(pair, optimizers.Adam, jit_compile=True)


def test_in_float32_results_lie_within_the_spread_of_seeds() -> None:
    """64 seeds as one population, and 64 others: the same distribution of final accuracies."""
    finals = []
    for first in (0, 64):
        variants = [variant(seed, units=(8,), learning_rate=0.01) for seed in range(first, first + 64)]
        together = population(variants)
        together.compile(optimizers.Adam(), jit_compile=True)
        history = fit(together, [one.seed for one in variants], epochs=5)
        finals.append(history["val_loss"][-1])
    from scipy import stats

    assert stats.ks_2samp(*finals).pvalue > 1e-3
    assert np.std(finals[0]) > 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its memory from /proc")
def test_memory_grows_linearly_with_the_variants() -> None:
    # not getrusage: its largest of a child begins at what the parent held when it forked
    code = """
import sys
import keras, numpy as np
from whyfit.models import MLPConfig, Population, ShuffledBatches, Variant
count = int(sys.argv[1])
variants = [Variant(MLPConfig(units=(512,)), seed=seed) for seed in range(count)]
population = Population(variants, input_shape=(784,), task="classification", classes=10)
population.compile(keras.optimizers.Adam(), jit_compile=True)
x = np.zeros((256, 784), "float32")
batches = ShuffledBatches(x, np.zeros(256, "int32"), 128, list(range(count)))
population.fit(batches.dataset, epochs=2, shuffle=False, verbose=0, callbacks=[batches])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1])
"""
    # One arena, and large blocks given back at once: what glibc keeps of them is as much as is looked for.
    quiet = os.environ | {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
    peaks = []
    for count in (60, 120, 180):
        command = [sys.executable, "-c", code, str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=quiet)
        peaks.append(int(done.stdout.split()[-1]))
    first, second = peaks[1] - peaks[0], peaks[2] - peaks[1]
    assert 0 < second < 1.3 * first


@pytest.mark.skipif(not TENSORFLOW, reason="it is JAX that is started from here")
def test_all_this_holds_on_jax() -> None:
    pytest.importorskip("jax")
    files = [
        str(Path(__file__).with_name(name)) for name in ("test_population.py", "test_population_slow.py")
    ]
    command = [sys.executable, "-m", "pytest", *files, "-p", "no:cacheprovider", "-k", "not memory"]
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-3000:]
