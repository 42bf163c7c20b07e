"""Writing the sum of two numbers, character by character."""

from typing import Any

import keras
import numpy as np

from whyfit.models import AdditionRNNConfig, build_addition_rnn, exact_match

from ..config import Run
from ..data import additions
from ..data.config import AdditionsConfig
from ..data.splits import Data, Split
from .task import Table, Task

SHOWN = 10
"""Validation questions that are shown while the network learns."""


class AdditionTask(Task):
    """`accuracy` counts characters, `exact_match` whole answers."""

    shown = ("loss", "val_loss", "val_exact_match")
    output_layer = "answer"

    def __init__(self, run: Run, data: Data) -> None:
        assert isinstance(run.model, AdditionRNNConfig)
        assert isinstance(run.data, AdditionsConfig)
        self.data = data
        self._model, self._config, self._seed = run.model, run.data, run.seed

    def build_model(self) -> keras.Model:
        """The encoder and decoder of the workshop."""
        return build_addition_rnn(
            self._model,
            question_length=self._config.question_length,
            answer_length=self._config.answer_length,
            characters=len(self.data.class_names),
            seed=self._seed,
        )

    def loss(self) -> str:
        """Cross-entropy a character."""
        return "sparse_categorical_crossentropy"

    def metrics(self) -> list[Any]:
        """Characters and whole answers right."""
        return ["accuracy", exact_match]

    def show(self, model: keras.Model) -> list[tuple[str, str, str]]:
        """Question, truth and answer of the first validation questions."""
        return self._answers(model, self.data.validation.head(SHOWN))

    def table(self, model: keras.Model, split: Split, most: int) -> Table:
        """Questions with truth and answer, the wrong ones first."""
        answers = sorted(self._answers(model, split), key=lambda row: row[1] == row[2])
        rows = [[*row, row[1] == row[2]] for row in answers[:most]]
        return {"columns": ["question", "truth", "answer", "right"], "data": rows}

    @property
    def example(self) -> Any:
        """Codes of one question."""
        return self.data.train.x[:1].astype("int32")

    @property
    def metadata(self) -> dict[str, Any]:
        """How codes and characters belong together."""
        orders = {"reverse": self._config.reverse, "reverse_answers": self._config.reverse_answers}
        return {"alphabet": additions.ALPHABET, "digits": self._config.digits, **orders}

    def _answers(self, model: keras.Model, split: Split) -> list[tuple[str, str, str]]:
        return list(
            zip(
                additions.decode_questions(split.x, self._config),
                additions.decode_answers(split.y, self._config),
                additions.decode_answers(write_answers(model, split.x), self._config),
                strict=True,
            )
        )


def write_answers(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """The most probable character codes, (n, answer length), without compiling anything."""
    return keras.ops.convert_to_numpy(model(x, training=False)).argmax(axis=-1)
