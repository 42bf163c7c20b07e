"""Questions to a tracked network: it is the network that answers, and what it cannot read is refused."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import keras
import pytest

from whyfit.experiments import train
from whyfit.experiments.config import OptimizerConfig
from whyfit.experiments.data.config import AdditionsConfig
from whyfit.experiments.tracking.runs import download_model, find
from whyfit.models.config import AdditionRNNConfig

from .test_train import small

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def asked(runs: Path) -> str:
    """A network that has learned one-digit sums by heart, and one that has learned nothing."""
    train(small(name="ignorant", epochs=1))
    [result] = train(
        small(
            name="learned",
            epochs=250,
            batch_size=11,
            data=AdditionsConfig(digits=1, reverse_answers=True),
            optimizer=OptimizerConfig("Adam", learning_rate=1e-2),
            model=AdditionRNNConfig(units=32, unroll=False),
        )
    )
    assert result.history["train/exact_match"][-1] > 0.95
    return result.name


def test_ask(asked: str, whyfit: Call) -> None:
    questions = [f"{a}+{b}" for a in range(10) for b in range(10)]
    done = whyfit("ask", *questions)
    assert done.returncode == 0
    answers = done.stdout.splitlines()
    right = [eval(question) == int(answer) for question, answer in zip(questions, answers, strict=True)]
    assert sum(right) > 70
    assert f"answered by run {asked}, {find(asked).id}" in done.stderr
    assert whyfit("ask", input="\n".join(questions)).stdout.splitlines() == answers

    two_digits = whyfit("ask", "10+1")  # one run can read it, though a worse one
    assert "answered by run ignorant" in two_digits.stderr
    for question, digits in (("a+1", 1), ("123+1", 2)):
        refused = whyfit("ask", question)
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"whyfit: a question must be two whole numbers of at most {digits} digit")
        assert refused.stdout == ""

    [weights] = Path(download_model(find(asked))).rglob("*.keras")
    model = keras.saving.load_model(weights)
    model.set_weights([-weight for weight in model.get_weights()])
    model.save(weights)
    damaged = whyfit("ask", *questions).stdout.splitlines()
    assert sum(str(eval(question)) == answer for question, answer in zip(questions, damaged, strict=True)) < 30
