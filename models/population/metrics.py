"""Loss and metrics of each variant: Keras metrics whose results have shape (K,)."""

from typing import Any

import keras
from keras import ops


class VariantMean(keras.Metric):
    """Mean over examples, one a variant.

    Args:
        name: Name in the logs.
        variants: K.
    """

    def __init__(self, name: str, variants: int) -> None:
        super().__init__(name=name)
        self.total = self.add_variable((variants,), initializer="zeros", name="total")
        self.count = self.add_variable((), initializer="zeros", name="count")

    def update_state(self, means: Any, examples: Any) -> None:
        """Take in the means of a batch.

        Args:
            means: Of shape (K,).
            examples: Examples they are the means of.
        """
        examples = ops.cast(examples, self.dtype)
        self.total.assign(ops.add(self.total, ops.multiply(ops.cast(means, self.dtype), examples)))
        self.count.assign(ops.add(self.count, examples))

    def result(self) -> Any:
        """Means so far, (K,)."""
        return ops.divide_no_nan(self.total, self.count)


class VariantR2(keras.Metric):
    """Share of the targets' variance that is explained, one a variant, as `keras.metrics.R2Score`.

    Args:
        name: Name in the logs.
        variants: K.
    """

    def __init__(self, name: str, variants: int) -> None:
        super().__init__(name=name)
        self.total, self.squares, self.residual = (
            self.add_variable((variants,), initializer="zeros", name=what)
            for what in ("total", "squares", "residual")
        )
        self.count = self.add_variable((), initializer="zeros", name="count")

    def update_state(self, targets: Any, outputs: Any) -> None:
        """Take in a batch.

        Args:
            targets: Of shape (K, batch).
            outputs: Of shape (K, batch).
        """
        residual = ops.square(ops.subtract(targets, outputs))
        sums = [(self.total, targets), (self.squares, ops.square(targets)), (self.residual, residual)]
        for variable, values in sums:
            variable.assign(ops.add(variable, ops.sum(values, axis=1)))
        self.count.assign(ops.add(self.count, ops.cast(ops.shape(targets)[1], self.dtype)))

    def result(self) -> Any:
        """1 - residual / variance, (K,); 0 where the targets do not vary."""
        mean = ops.divide_no_nan(self.total, self.count)
        variance = ops.subtract(self.squares, ops.multiply(self.total, mean))
        score = ops.subtract(1.0, ops.divide(self.residual, variance))
        return ops.where(ops.isinf(score), ops.zeros_like(score), score)


def build_metrics(task: str, variants: int) -> list[keras.Metric]:
    """New metrics by the names of the stock model's.

    Args:
        task: "classification", "binary" or "regression".
        variants: K.
    """
    if task == "regression":
        return [VariantMean("mean_absolute_error", variants), VariantR2("r2", variants)]
    return [VariantMean("accuracy", variants)]


def update_metrics(metrics: list[keras.Metric], task: str, targets: Any, outputs: Any, turn: float) -> None:
    """Take a batch into the metrics of `build_metrics`.

    Args:
        metrics: What `build_metrics` gave.
        task: The same task.
        targets: Classes or numbers, (K, batch).
        outputs: (K, batch, units).
        turn: Where a binary answer turns from 0 to 1.
    """
    examples = ops.shape(targets)[1]
    if task == "regression":
        answers = outputs[..., 0]
        targets = ops.cast(targets, answers.dtype)
        metrics[0].update_state(ops.mean(ops.abs(ops.subtract(targets, answers)), axis=1), examples)
        metrics[1].update_state(targets, answers)
        return
    answers = ops.argmax(outputs, axis=-1) if task == "classification" else ops.greater(outputs[..., 0], turn)
    right = ops.equal(ops.cast(answers, "int32"), ops.cast(targets, "int32"))
    metrics[0].update_state(ops.mean(ops.cast(right, keras.config.floatx()), axis=1), examples)
