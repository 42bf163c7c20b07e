"""What a network is asked to do: its loss, its metrics and how its answers read."""

from typing import Any

import keras
from whyfit.models import build_addition_rnn, exact_match

from .config import Run
from .data import additions
from .data.splits import Data, Split


class AdditionTask:
    """Write the sum of two numbers, character by character.

    Attributes:
        loss: Keras's name of the loss.
        metrics: Keras metrics, `accuracy` a character and `exact_match` a whole answer.
        shown: The epoch's line.
        output_layer: Name of the layer that gives the answer.
    """

    loss = "sparse_categorical_crossentropy"
    metrics = ("accuracy", exact_match)
    shown = ("loss", "val_loss", "val_exact_match")
    output_layer = "answer"

    def __init__(self, run: Run, data: Data) -> None:
        self._run = run
        self._data = data

    def build_model(self) -> keras.Model:
        """The network, its initial weights derived from the run's seed."""
        config = self._run.data
        return build_addition_rnn(
            self._run.model,
            question_length=config.question_length,
            answer_length=config.answer_length,
            characters=len(self._data.class_names),
            seed=self._run.seed,
        )

    def answers(self, model: keras.Model, split: Split) -> list[tuple[str, str, str]]:
        """Question, truth and the network's answer for every example of a split."""
        config = self._run.data
        written = write_answers(model, split.x)
        return list(
            zip(
                additions.decode_questions(split.x, config),
                additions.decode_answers(split.y, config),
                additions.decode_answers(written, config),
                strict=True,
            )
        )

    @property
    def example(self) -> Any:
        """Input of the kind the model takes, from which its signature is read."""
        return self._data.train.x[:1].astype("int32")

    @property
    def metadata(self) -> dict[str, Any]:
        """What a reader of the saved model's answers needs."""
        config = self._run.data
        orders = {"reverse": config.reverse, "reverse_answers": config.reverse_answers}
        return {"alphabet": additions.ALPHABET, "digits": config.digits, **orders}


def write_answers(model: keras.Model, x: Any) -> Any:
    """The most probable character codes, (n, answer length), without compiling anything."""
    probabilities = keras.ops.convert_to_numpy(model(x, training=False))
    return probabilities.argmax(axis=-1)
