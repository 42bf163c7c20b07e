"""The network of the sequence workshop: "46+49" in, "95" out.

Source: "Learning to execute", Zaremba and Sutskever 2014 (arXiv 1410.4615), section 3, and the
addition example of Keras, which the workshop used. `AdditionRNNConfig()` has its 205,324 parameters.
"""

from typing import Any

import keras
from keras import layers, ops

from .config import AdditionRNNConfig
from .seeds import derive_seed


def build_addition_rnn(
    config: AdditionRNNConfig, *, question_length: int, answer_length: int, characters: int, seed: int = 0
) -> keras.Model:
    """Encoder RNN, the code repeated once an answer's character, decoder RNN, softmax a character.

    Args:
        config: Cell, units, layers and regularization.
        question_length: Characters of a padded question, T.
        answer_length: Characters of a padded answer, A.
        characters: Size of the alphabet, C.
        seed: Initial weights and dropout masks derive from it.

    Returns:
        An uncompiled functional model of stock layers. It takes the questions' character codes,
        integers of shape (batch, T) in [0, C), and gives probabilities of shape (batch, A, C).

    Example:
        >>> model = build_addition_rnn(AdditionRNNConfig(), question_length=7, answer_length=4, characters=12)
        >>> model.count_params()
        205324
    """
    recurrent = getattr(layers, config.cell)

    def rnn(name: str, return_sequences: bool) -> keras.Layer:
        return recurrent(
            config.units,
            return_sequences=return_sequences,
            kernel_initializer=keras.initializers.GlorotUniform(derive_seed(seed, "init", name, "kernel")),
            recurrent_initializer=keras.initializers.Orthogonal(
                seed=derive_seed(seed, "init", name, "recurrent_kernel")
            ),
            kernel_regularizer=_regularizer(config),
            recurrent_regularizer=_regularizer(config),
            dropout=config.dropout,
            recurrent_dropout=config.recurrent_dropout,
            seed=derive_seed(seed, "dropout", name),
            unroll=config.unroll,
            name=name,
        )

    question = keras.Input((question_length,), dtype="int32", name="question")
    code = layers.CategoryEncoding(characters, output_mode="one_hot", name="one_hot")(question)
    code = rnn("encoder", return_sequences=False)(code)
    sequence = layers.RepeatVector(answer_length, name="repeat")(code)
    for number in range(1, config.layers + 1):
        sequence = rnn(f"decoder_{number}", return_sequences=True)(sequence)
    answer = layers.Dense(
        characters,
        activation="softmax",
        kernel_initializer=keras.initializers.GlorotUniform(derive_seed(seed, "init", "answer", "kernel")),
        kernel_regularizer=_regularizer(config),
        name="answer",
    )(sequence)
    return keras.Model(question, answer, name="addition_rnn")


def exact_match(y_true: Any, y_pred: Any) -> Any:
    """1 where every character of the answer is right, else 0.

    Args:
        y_true: Character codes, (batch, A).
        y_pred: Probabilities a character, (batch, A, C).

    Returns:
        Booleans of shape (batch,), which Keras averages into a share of whole answers right.
    """
    written = ops.cast(ops.argmax(y_pred, axis=-1), "int32")
    return ops.all(ops.equal(written, ops.cast(y_true, "int32")), axis=-1)


def _regularizer(config: AdditionRNNConfig) -> keras.Regularizer | None:
    if config.l1 == 0 and config.l2 == 0:
        return None
    # Keras's L2 has no half in it; the lessons' lambda does.
    return keras.regularizers.L1L2(config.l1, config.l2 / 2)
