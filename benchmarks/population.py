"""What a population costs: pairs of trainings, alternated, so that what else the machine does cancels.

    python benchmarks/population.py [--rounds 7] [--case small] [--jit True] [--steps-per-execution 32]

Each row is a ratio of times, smallest, median and largest over the rounds. Both ways train compiled models
from arrays in memory by `fit`, in the variants' own orders, with XLA and several steps an execution.
"""

import argparse
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
    PopulationBatches,
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
    "small": Case(64, 1, MLPConfig(units=(32, 32)), (2,), 2, 4096, 32, 5, "64 cost at most 2 times one"),
    "images": Case(
        8, 8, MLPConfig(units=(256,)), (28, 28), 10, 6400, 128, 2, "8 take at most 0.4 of 8 alone"
    ),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--jit", default="auto", choices=("auto", "True", "False"))
    parser.add_argument("--steps-per-execution", type=int, default=32)
    parser.add_argument("--common-order", action="store_true", help="one order for all variants")
    arguments = parser.parse_args()
    options = {
        "jit_compile": {"auto": "auto", "True": True, "False": False}[arguments.jit],
        "steps_per_execution": arguments.steps_per_execution,
    }
    print("case    what                           ratio: min  median  max   stock s  population s")
    for name in arguments.case or CASES:
        measure(name, CASES[name], arguments.rounds, options, arguments.common_order)


def measure(name: str, case: Case, rounds: int, options: dict, common: bool) -> None:
    """Alternate the two ways and print their ratio, without compiling and with it."""
    stock, whole = build_stock(case, options), build_population(case, options, common)
    cold = timed(stock) / case.singles, timed(whole)
    pairs = []
    for number in range(rounds):
        ways = (stock, whole) if number % 2 else (whole, stock)
        seconds = {way: timed(way) for way in ways}
        pairs.append((seconds[stock], seconds[whole]))
    ratios = sorted(population / single for single, population in pairs)
    middles = [statistics.median(column) for column in zip(*pairs, strict=True)]
    print(
        f"{name:7} {case.goal:30} {ratios[0]:11.2f} {statistics.median(ratios):7.2f} {ratios[-1]:5.2f}"
        f" {middles[0]:8.2f} {middles[1]:9.2f}   first epochs with compiling: "
        f"{cold[0]:.1f} s a stock model, {cold[1]:.1f} s the population",
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
        models.append((model, PopulationBatches(x, y, case.batch_size, seed)))

    def train() -> None:
        for model, batches in models:
            fit(model, batches, case.epochs)

    return train


def build_population(case: Case, options: dict, common: bool) -> Callable[[], None]:
    """Train all variants as one."""
    x, y = examples(case)
    variants = [Variant(case.config, seed=seed) for seed in range(case.variants)]
    population = Population(
        variants, input_shape=case.input_shape, task="classification", classes=case.classes
    )
    population.compile(keras.optimizers.Adam(), **options)
    batches = PopulationBatches(x, y, case.batch_size, 0 if common else list(range(case.variants)))
    return lambda: fit(population, batches, case.epochs)


def fit(model: keras.Model, batches: PopulationBatches, epochs: int) -> None:
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
