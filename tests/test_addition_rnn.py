"""The network of the workshop: shapes, parameters, regularization, randomness."""

import keras
import numpy as np
import pytest

from whyfit.models import AdditionRNNConfig, build_addition_rnn, exact_match

SHAPE = {"question_length": 7, "answer_length": 4, "characters": 12}
CODES = np.random.default_rng(0).integers(0, 12, (5, 7)).astype("int32")


@pytest.mark.parametrize("cell", ["SimpleRNN", "GRU", "LSTM"])
@pytest.mark.parametrize("layers", [1, 3])
def test_every_cell_and_depth_gives_probabilities(cell: str, layers: int) -> None:
    config = AdditionRNNConfig(cell=cell, layers=layers, units=6, dropout=0.1, recurrent_dropout=0.1)  # type: ignore[arg-type]
    model = build_addition_rnn(config, **SHAPE)
    answer = keras.ops.convert_to_numpy(model(CODES))
    assert answer.shape == (5, 4, 12)
    np.testing.assert_allclose(answer.sum(-1), 1, rtol=1e-5)
    assert [layer.name for layer in model.layers if "decoder" in layer.name] == [
        f"decoder_{number}" for number in range(1, layers + 1)
    ]


def test_published_network_has_its_parameters() -> None:
    assert build_addition_rnn(AdditionRNNConfig(), **SHAPE).count_params() == 205_324


def test_unrolled_and_rolled_are_the_same_function() -> None:
    rolled, unrolled = (
        build_addition_rnn(AdditionRNNConfig(units=6, unroll=unroll), **SHAPE, seed=1)
        for unroll in (False, True)
    )
    np.testing.assert_allclose(rolled(CODES), unrolled(CODES), rtol=1e-5)


def test_penalty_is_the_lessons_formula() -> None:
    model = build_addition_rnn(AdditionRNNConfig(units=6, l1=0.02, l2=0.3), **SHAPE)
    kernels = [weight for weight in model.trainable_weights if "kernel" in weight.name]
    assert len(kernels) == 5
    expected = sum(0.02 * np.abs(w).sum() + 0.3 / 2 * np.square(w).sum() for w in map(np.asarray, kernels))
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_initial_weights_follow_the_seed() -> None:
    def weights(seed: int) -> list[np.ndarray]:
        return build_addition_rnn(AdditionRNNConfig(units=6), **SHAPE, seed=seed).get_weights()

    assert all(np.array_equal(a, b) for a, b in zip(weights(1), weights(1), strict=True))
    assert not np.array_equal(weights(1)[0], weights(2)[0])


def test_exact_match_wants_every_character() -> None:
    truth = np.array([[1, 2, 0], [1, 2, 0]])
    written = np.array([[1, 2, 0], [1, 2, 1]])
    assert np.asarray(exact_match(truth, np.eye(3)[written])).tolist() == [True, False]


def test_a_wrong_value_names_field_rule_and_value() -> None:
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got 1"):
        AdditionRNNConfig(dropout=1)
