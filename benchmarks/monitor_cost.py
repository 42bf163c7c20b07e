"""What the gradient monitor costs: trainings in alternation, so that what else the machine does cancels.

    python -m benchmarks.monitor_cost [--rounds 9] [--case mlp] [--way monitor]

Each case is a recipe of the project, trained as the project trains it. Each row is a way to know the
gradients; its figures are times of an epoch, divided by those of the epoch without any that stands beside it:
median over the rounds with its 95 % interval (order statistics), of the clock's seconds and of the
processor's. The processor's are those of all threads of this process, which other work on the machine hardly
changes. Compiling is not in them, all else that an epoch has is.

    monitor       GradientMonitor() with everything default
    recomputed    the gradients a second time within the step, for a norm a variable
    histograms    keras.callbacks.TensorBoard(histogram_freq=1): of the weights, once an epoch; of no gradient
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from whyfit.callbacks import GradientMonitor
from whyfit.experiments import recipes
from whyfit.experiments._backend import execution
from whyfit.experiments.config import Run
from whyfit.experiments.data.splits import load
from whyfit.experiments.optimizer import build_optimizer
from whyfit.experiments.tasks import task_of
from whyfit.experiments.verdict import interval

CASES: dict[str, tuple[str, Callable[[], Run]]] = {
    "mlp": ("small MLP, one hidden layer", recipes.mlp),
    "deep": ("deep MLP, 4 x 512 with normalization and dropout", recipes.mlp_deep),
    "layers": ("deep MLP, 20 x 64", recipes.vanishing),
    "addition": ("addition RNN, LSTM 128, XLA", recipes.addition),
    "population": ("population, 8 seeds of the small MLP", lambda: recipes.mlp(seeds=8)),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=1, help="epochs in a row, of which one is a fit")
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--way", choices=WAYS, action="append")
    arguments = parser.parse_args()
    print("| training | way | steps an epoch | ms a step without | clock | processor |")
    print("|---|---|---|---|---|---|")
    for case in arguments.case or CASES:
        measure(case, arguments.way or list(WAYS), arguments.rounds, arguments.epochs)


def measure(case: str, ways: list[str], rounds: int, epochs: int) -> None:
    """Alternate the ways with none, and print a row for each."""
    title, recipe = CASES[case]
    trainings = {way: Training(recipe(), way) for way in ("none", *ways)}
    for training in trainings.values():
        training.seconds(2)  # compiles, and is through the first epoch, which is looked at more closely
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    without: list[float] = []
    for number in range(rounds):
        for way in ways:
            first, second = ("none", way) if number % 2 else (way, "none")
            pair = {one: trainings[one].seconds(epochs) for one in (first, second)}
            clock, processor = (mine / bare for mine, bare in zip(pair[way], pair["none"], strict=True))
            times[way].append((clock, processor))
            without.append(pair["none"][0] / epochs)
    steps = trainings["none"].steps
    for way, ratios in times.items():
        figures = " | ".join(shown(column) for column in zip(*ratios, strict=True))
        step = 1000 * statistics.median(without) / steps
        print(f"| {title} | {way} | {steps} | {step:.2f} | {figures} |", flush=True)


def shown(ratios: tuple[float, ...]) -> str:
    """Median and its interval."""
    found = interval(ratios)
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


class Training:
    """A recipe's model, compiled, with a way to know its gradients."""

    def __init__(self, run: Run, way: str) -> None:
        task = task_of(run, load(run.data, run.seed))
        self._batches = task.batches(run.batch_size, run.seed)
        self.steps = self._batches.steps
        self._model = task.build_model()
        optimizer = build_optimizer(run.optimizer, self.steps, 1000, task.output_layer)
        task.compile(self._model, optimizer, **execution(run.jit_compile, run.steps_per_execution))
        self._callbacks = WAYS[way](self._model) if way in WAYS else []

    def seconds(self, epochs: int) -> tuple[float, float]:
        """Train on; returns what it took, by the clock and of the processor."""
        began = time.perf_counter(), time.process_time()
        callbacks = [self._batches, *self._callbacks]
        self._model.fit(self._batches.dataset, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
        return time.perf_counter() - began[0], time.process_time() - began[1]


def watch(model: keras.Model) -> list[keras.callbacks.Callback]:
    """The monitor."""
    return [GradientMonitor()]


def recompute(model: keras.Model) -> list[keras.callbacks.Callback]:
    """Take the gradients once more in the step, without a callback's way through Python."""
    step, norms = model.train_step, tf.Variable(tf.zeros(len(model.trainable_variables)))

    def train_step(data: Any) -> Any:
        x, y = data
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        norms.assign(tf.stack([tf.norm(one) for one in gradients]))
        return step(data)

    vars(model)["train_step"] = train_step
    return []


def draw_histograms(model: keras.Model) -> list[keras.callbacks.Callback]:
    """TensorBoard's, of the weights."""
    return [keras.callbacks.TensorBoard(tempfile.mkdtemp(), histogram_freq=1)]


WAYS: dict[str, Callable[[keras.Model], list[keras.callbacks.Callback]]] = {
    "monitor": watch,
    "recomputed": recompute,
    "histograms": draw_histograms,
}


if __name__ == "__main__":
    main()
