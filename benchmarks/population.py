"""What a population costs: pairs of trainings, alternated, so that what else the machine does cancels.

    [KERAS_BACKEND=jax] python benchmarks/population.py [--rounds 5] [--case small]

Each row is a ratio of times, smallest, median and largest over the rounds: K variants as one against stock
models one after another. "tuned": these too with XLA, several steps an execution and our pipeline. "as it
comes": `compile` and `fit(x, y)` with Keras's defaults. "with" compiling: from building the models on.
"""

import argparse
import functools
import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from whyfit.models import (
    MLPConfig,
    Population,
    ShuffledBatches,
    Variant,
    build_loss,
    build_metrics,
    build_mlp,
)


@dataclass(frozen=True)
class Case:
    """A problem and how each way is best run."""

    variants: int
    singles: int
    """Stock models trained for one pair."""
    config: MLPConfig
    input_shape: tuple[int, ...]
    classes: int
    examples: int
    batch_size: int
    epochs: int
    goal: str


CASES = {
    "small": Case(64, 1, MLPConfig(units=(32, 32)), (2,), 2, 4096, 32, 10, "64 cost at most 2 times one"),
    "images": Case(
        8, 8, MLPConfig(units=(256,)), (28, 28), 10, 6400, 128, 5, "8 take at most 0.4 of 8 alone"
    ),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--steps-per-execution", type=int, default=32)
    arguments = parser.parse_args()
    tuned = {"jit_compile": True, "steps_per_execution": arguments.steps_per_execution}
    print("case    against          compiling    ratio: min  median   max    stock s  population s")
    for name in arguments.case or CASES:
        for against, options in (("tuned", tuned), ("as it comes", {})):
            measure(name, CASES[name], arguments.rounds, against, options, tuned)


def measure(name: str, case: Case, rounds: int, against: str, options: dict, tuned: dict) -> None:
    """Alternate the two ways and print their ratio: from building on, and again without compiling."""
    pairs: dict[str, list[tuple[float, float]]] = {"with": [], "without": []}
    ways = {
        "stock": functools.partial(build_stock, case, options),
        "population": functools.partial(build_population, case, tuned),
    }
    for number in range(rounds):
        order = list(ways) if number % 2 else list(ways)[::-1]
        trained, seconds = {}, {}
        for way in order:
            begin = time.perf_counter()
            trained[way] = ways[way]()
            seconds[way] = time.perf_counter() - begin + timed(trained[way])
        pairs["with"].append((seconds["stock"], seconds["population"]))
        again = {way: timed(trained[way]) for way in order}
        pairs["without"].append((again["stock"], again["population"]))
        keras.utils.clear_session()
    for compiling, found in pairs.items():
        ratios = sorted(population / single for single, population in found)
        middles = [statistics.median(column) for column in zip(*found, strict=True)]
        print(
            f"{name:7} {against:16} {compiling:12} {ratios[0]:10.2f} {statistics.median(ratios):7.2f}"
            f" {ratios[-1]:5.2f} {middles[0]:10.2f} {middles[1]:13.2f}",
            flush=True,
        )


def build_stock(case: Case, options: dict) -> Callable[[], None]:
    """Train stock models one after another."""
    x, y = examples(case)
    models = []
    for seed in range(case.singles):
        model = build_mlp(
            case.config, input_shape=case.input_shape, task="classification", classes=case.classes, seed=seed
        )
        loss, metrics = (
            build_loss(case.config, "classification"),
            build_metrics(case.config, "classification"),
        )
        model.compile(keras.optimizers.Adam(), loss=loss, metrics=metrics, **options)
        models.append((model, ShuffledBatches(x, y, case.batch_size, seed)))

    def train() -> None:
        for model, batches in models:
            if options:
                fit(model, batches, case.epochs)
            else:
                model.fit(x, y, batch_size=case.batch_size, epochs=case.epochs, verbose=0)

    return train


def build_population(case: Case, options: dict) -> Callable[[], None]:
    """Train all variants as one."""
    x, y = examples(case)
    variants = [Variant(case.config, seed=seed) for seed in range(case.variants)]
    population = Population(
        variants, input_shape=case.input_shape, task="classification", classes=case.classes
    )
    population.compile(keras.optimizers.Adam(), **options)
    batches = ShuffledBatches(x, y, case.batch_size, list(range(case.variants)))
    return lambda: fit(population, batches, case.epochs)


def fit(model: keras.Model, batches: ShuffledBatches, epochs: int) -> None:
    """Train for some epochs."""
    model.fit(batches.dataset, epochs=epochs, shuffle=False, callbacks=[batches], verbose=0)


def examples(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs, bytes for images, and classes."""
    rng = np.random.default_rng(0)
    shape = (case.examples, *case.input_shape)
    x = rng.normal(size=shape).astype("float32")
    if len(case.input_shape) == 2:
        x = rng.integers(0, 256, size=shape).astype("uint8")
    return x, rng.integers(0, case.classes, size=case.examples).astype("int32")


def timed(run: Callable[[], None]) -> float:
    """Seconds."""
    gc.collect()
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
