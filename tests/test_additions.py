"""The questions: distinct, disjoint, drawn as said, and read again as written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from whyfit.experiments.data import additions
from whyfit.experiments.data.config import AdditionsConfig
from whyfit.experiments.data.splits import load

configs = st.builds(
    AdditionsConfig,
    digits=st.integers(2, 5),
    train=st.integers(1, 3_000),
    validation=st.integers(1, 500),
    test=st.integers(1, 500),
    draw=st.sampled_from(["length-first", "uniform"]),
    reverse=st.booleans(),
    reverse_answers=st.booleans(),
)


@settings(max_examples=40, deadline=None)
@given(config=configs, seed=st.integers(0, 2**31))
def test_splits_are_distinct_disjoint_and_right(config: AdditionsConfig, seed: int) -> None:
    data = load(config, seed)
    seen: set[tuple[int, ...]] = set()
    for split, size in zip((data.train, data.validation, data.test), config.sizes, strict=True):
        assert split.x.shape == (size, config.question_length)
        assert split.y.shape == (size, config.answer_length)
        questions = additions.decode_questions(split.x, config)
        answers = additions.decode_answers(split.y, config)
        for question, answer in zip(questions, answers, strict=True):
            a, b = map(int, question.split("+"))
            assert str(a + b) == answer
            pair = (min(a, b), max(a, b))
            assert pair not in seen
            seen.add(pair)


def test_all_there_are_can_be_had() -> None:
    data = load(AdditionsConfig(digits=1), 0)
    assert len(data.train) + len(data.validation) + len(data.test) == 55
    assert AdditionsConfig(digits=2).sizes == (4_000, 500, 500)
    assert AdditionsConfig().sizes == (45_000, 5_000, 5_000)


def test_asking_for_more_than_exist_says_how_many_there_are() -> None:
    with pytest.raises(ValueError, match=r"at most 5,050 .* got 5000 \+ 500 \+ 500"):
        AdditionsConfig(digits=2, train=5_000)


def test_same_seed_same_data_other_seed_other_data() -> None:
    config = AdditionsConfig(train=500, validation=50, test=50)
    assert load(config, 3).digest == load(config, 3).digest
    assert load(config, 3).digest != load(config, 4).digest


@pytest.mark.parametrize("draw", ["length-first", "uniform"])
def test_numbers_are_drawn_by_the_rule(draw: str) -> None:
    config = AdditionsConfig(draw=draw)  # type: ignore[arg-type]
    numbers = additions._draw_numbers(config, np.random.default_rng(0), 30_000)
    lengths = np.bincount([len(str(number)) for number in numbers.ravel()])[1:]
    # Length first: a number below 10 comes from each of the lengths' draws.
    shares = {"uniform": [0.01, 0.09, 0.9], "length-first": [1.11 / 3, 0.99 / 3, 0.9 / 3]}[draw]
    assert stats.chisquare(lengths, np.array(shares) * lengths.sum()).pvalue > 1e-4


def test_reversed_questions_are_the_same_questions_backwards() -> None:
    plain = load(AdditionsConfig(reverse=False, train=100, validation=10, test=10), 0)
    turned = load(AdditionsConfig(reverse=True, train=100, validation=10, test=10), 0)
    assert np.array_equal(plain.train.x[:, ::-1], turned.train.x)


@pytest.mark.parametrize("text", ["46+49", " 46 + 49 ", "0+0", "999+999"])
def test_a_question_is_read(text: str) -> None:
    assert "+".join(map(str, additions.read_question(text, 3))) == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "46", "46+", "a+1", "1+2+3", "1000+1", "-1+2", "007+1", "1.5+2", "٣+1"])
def test_a_question_that_cannot_be_read_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(ValueError, match="two whole numbers of at most 3 digits"):
        additions.read_question(text, 3)
