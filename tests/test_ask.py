"""Questions to a tracked network: it is the network that answers, and what it cannot read is refused."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import keras
import pytest

from whyfit.experiments import train
from whyfit.experiments.commands import run
from whyfit.experiments.config import OptimizerConfig
from whyfit.experiments.data.config import AdditionsConfig
from whyfit.experiments.tracking.runs import find
from whyfit.models.config import AdditionRNNConfig

from .test_train import small

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def asked(runs: Path) -> str:
    """A network that has learned to add two digits, and one that has learned nothing of three."""
    train(small(name="ignorant", epochs=1, data=AdditionsConfig(train=50, validation=20, test=20)))
    [result] = train(
        small(
            name="learned",
            epochs=16,
            batch_size=64,
            steps_per_execution=16,
            data=AdditionsConfig(digits=2, reverse_answers=True),
            optimizer=OptimizerConfig("Muon", learning_rate=4e-2, warmup_epochs=1, decay="cosine"),
            model=AdditionRNNConfig("GRU", units=64),
        )
    )
    assert result.metrics["test/exact_match"] > 0.8
    return result.name


def right(questions: list[str], answers: list[str]) -> float:
    """The share of the answers that are."""
    sums = [str(sum(map(int, question.split("+")))) for question in questions]
    return sum(map(str.__eq__, sums, answers)) / len(questions)


def ask(capsys: pytest.CaptureFixture[str], *questions: str) -> tuple[int, list[str], str]:
    """Exit code, answers and what was said besides."""
    code = run(["ask", *questions])
    output = capsys.readouterr()
    return code, output.out.splitlines(), output.err


@pytest.mark.slow
def test_ask(asked: str, whyfit: Call, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = [f"{a}+{b}" for a in range(10, 99, 9) for b in range(3, 99, 9)]
    done = whyfit("ask", input="\n".join(questions))
    assert done.returncode == 0
    answers = done.stdout.splitlines()
    assert right(questions, answers) > 0.7
    assert f"answered by run {asked}, {find(asked).id}" in done.stderr
    capsys.readouterr()
    assert ask(capsys, *questions)[:2] == (0, answers)
    assert ask(capsys, " ".join(questions))[:2] == (0, answers)
    assert ask(capsys, questions[0].replace("+", " + "))[:2] == (0, answers[:1])

    assert "answered by run ignorant" in ask(capsys, "100+1")[2]  # the only one that can read it
    for question, digits in (("a+1", 2), ("1234+1", 3)):
        code, answers, said = ask(capsys, question)
        assert (code, answers) == (2, [])
        assert said.startswith(f"whyfit: a question must be two whole numbers of at most {digits} digit")

    [weights] = runs.glob(f"artifacts/**/{find(asked).id}/**/*.keras")
    model = keras.saving.load_model(weights)
    model.set_weights([-weight for weight in model.get_weights()])
    model.save(weights)
    assert right(questions, ask(capsys, *questions)[1]) < 0.1
