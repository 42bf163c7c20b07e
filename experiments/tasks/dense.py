"""Classes and numbers from pictures and rows, by a dense network."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from whyfit.models import MLPConfig, build_loss, build_metrics, build_mlp

from ..config import Run
from ..data.splits import Data, Split
from .task import Table, Task


class DenseTask(Task):
    """Classification, binary classification and regression.

    A regression is fitted to targets of mean 0 and deviation 1; its metrics and the kept model's
    answers are in the target's own units, its loss is not.
    """

    def __init__(self, run: Run, data: Data) -> None:
        assert isinstance(run.model, MLPConfig)
        self._model, self._seed = run.model, run.seed
        self._raw = data
        self._regression = data.task == "regression"
        self.data = _with_scaled_targets(data) if self._regression else data
        self.units = {"mean_absolute_error": data.target_deviation} if self._regression else {}
        self.shown = ("loss", "val_loss", "val_r2" if self._regression else "val_accuracy")

    def build_model(self) -> keras.Model:
        """Input scaling by the training data, hidden layers, head."""
        return build_mlp(
            self._model,
            input_shape=self.data.train.x.shape[1:],
            task=self.data.task,
            classes=self.data.classes,
            mean=self.data.mean,
            variance=self.data.variance,
            seed=self._seed,
        )

    def loss(self) -> keras.Loss:
        """Cross-entropy or squared error."""
        return build_loss(self._model, self.data.task)

    def metrics(self) -> list[Any]:
        """Accuracy, or absolute error and r2."""
        return build_metrics(self._model, self.data.task)

    def export(self, model: keras.Model) -> keras.Model:
        """Probabilities of the classes, or numbers in the target's own units."""
        if self._regression:
            last: keras.Layer = keras.layers.Rescaling(
                self._raw.target_deviation, self._raw.target_mean, name="target_units"
            )
        elif self._model.head == "auto":
            kind = "softmax" if self.data.task == "classification" else "sigmoid"
            last = keras.layers.Activation(kind, name="probabilities")
        else:
            return model
        return keras.Model(model.input, last(model.output), name=model.name)

    def table(self, model: keras.Model, split: Split, most: int) -> Table:
        """Test examples by place with truth and answer, the worst first."""
        answers = np.concatenate(
            [self._answer(model, split.x[i : i + 1_000]) for i in range(0, len(split), 1_000)]
        )
        if self._regression:
            truth = split.y * self._raw.target_deviation + self._raw.target_mean
            worst = np.argsort(-np.abs(answers[:, 0] - truth), kind="stable")[:most]
            rows = [[int(i), float(truth[i]), float(answers[i, 0])] for i in worst]
            return {"columns": ["example", "truth", "answer"], "data": rows}
        probabilities = answers if self.data.task == "classification" else np.hstack([1 - answers, answers])
        of_truth = probabilities[np.arange(len(split)), split.y]
        worst, names = np.argsort(of_truth, kind="stable")[:most], self.data.class_names
        written = probabilities.argmax(axis=1)
        rows = [[int(i), names[split.y[i]], names[written[i]], float(of_truth[i])] for i in worst]
        return {"columns": ["example", "truth", "answer", "probability of truth"], "data": rows}

    @property
    def metadata(self) -> dict[str, Any]:
        """Classes, and how new rows or pictures are read."""
        return {
            "task": self.data.task,
            "class_names": list(self.data.class_names),
            "reader": self.data.reader,
        }

    def _answer(self, model: keras.Model, x: np.ndarray) -> np.ndarray:
        return keras.ops.convert_to_numpy(self.export(model)(x, training=False))


def _with_scaled_targets(data: Data) -> Data:
    def scaled(split: Split) -> Split:
        y = (split.y - data.target_mean) / (data.target_deviation or 1.0)
        return Split(split.x, y.astype("float32"))

    return replace(data, train=scaled(data.train), validation=scaled(data.validation), test=scaled(data.test))
