"""Mistakes at the command line: one line with field, rule and value, exit code 2, nothing made."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from whyfit.experiments.commands import run
from whyfit.experiments.commands.book import Options
from whyfit.experiments.commands.parsing import parse
from whyfit.experiments.commands.train import read_run
from whyfit.experiments.data.config import SOURCES
from whyfit.experiments.recipes import RECIPES, flags_of

Call = Callable[..., subprocess.CompletedProcess[str]]
MISTAKES = {
    "trian": "COMMAND must be one of train, search, lesson, book, report, ask,",
    "train additon": "RECIPE must be one of addition, addition-published, mlp, mlp-10k,",
    "train addition --epochs 0": "--epochs must be at least 1, got 0",
    "train addition --epochs many": "--epochs must be a whole number, got 'many'",
    "train addition --epochs": "--epochs must have a value, got none",
    "train addition --epoch 3": "'--epoch 3' is not an argument",
    "train addition --model.units -1": "--model.units must be at least 1, got -1",
    "train addition --model.cell lstm": "--model.cell must be one of SimpleRNN, GRU, LSTM, got 'lstm'",
    "train addition --optimizer.learning-rate x": "--optimizer.learning-rate must be a number, got 'x'",
    "train addition --data.digits 2 --data.train 9999": "--data.train must be such that train + validation",
    "train addition --name a/b": "--name must be letters, digits, '.', '_' and '-'",
    "train addition --backend theano": "--backend must be one of tensorflow, jax, torch, got theano",
    "train mlp --data moon": "--data must be one of additions, glyphs,",
    "train addition --data moons": "--data must be additions for an addition network, got points",
    "train mlp --data file": "--data.path must be an .npz, .csv, .parquet or a folder of pictures, got none",
    "train mlp --data file --data.path no.csv": "no.csv must be a file or a folder that exists",
    "train mlp --model.units 3 x": "--model.units must be of the form [INT [INT ...]], got 3 x",
    "train mlp --model.dropout 1.5": "--model.dropout must be in [0, 1), got (1.5,)",
    "predict": "RUN and NEW must be given",
    "predict one new.csv": "RUN must be the name or id of one tracked run, got 'one'",
    "compare one": "RUN must be given at least twice, got 1",
    "compare one two": "RUN must be the name or id of one tracked run, got 'one'",
    "search mpl": "RECIPE must be one of addition, addition-published, mlp, mlp-10k,",
    "search mlp --trials 0": "--trials must be at least 1, got 0",
    "search mlp --tuner annealing": "--tuner must be one of random, bayesian, hyperband, grid,",
    "search mlp --space lambda": "--space must be of l1, l2, units, learning_rate,",
    "search mlp --build build": "--build must be of the form FILE.py:FUNCTION, got build",
    "search mlp --build no.py:build": "--build must name a file that exists, got 'no.py'",
    "search mlp --seeds 2": "--seeds must be 1, with nothing to sweep, in a search",
    "search --results night": "--results must be the name of a search, got 'night' (known: none yet)",
    "ui --compare night": "--compare must be the name of a search, got 'night'",
    "ask 1+1": "QUESTION needs a trained network",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_a_mistake_is_said_in_one_line(
    command: str, nowhere: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(command.split()) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"whyfit: {MISTAKES[command]}")
    assert said.err.count("\n") == 1
    assert not nowhere.exists()


# What imports much, tracks, or reads data, as a process of its own: no library adds a line.
@pytest.mark.parametrize(
    "command", ["trian", "train mlp --data file --data.path no.csv", "search mlp --seeds 2"]
)
def test_nothing_else_is_said_in_a_process_of_its_own(command: str, whyfit: Call, nowhere: Path) -> None:
    done = whyfit(*command.split())
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"whyfit: {MISTAKES[command]}")
    assert done.stderr.count("\n") == 1
    assert not nowhere.exists()


def test_the_module_runs_from_the_checkout() -> None:
    import sys

    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "experiments", "--help"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.startswith("whyfit COMMAND")


@pytest.mark.parametrize("recipe", sorted(RECIPES))
@pytest.mark.parametrize(
    "fields",
    [
        "",
        "--epochs 3 --optimizer.learning-rate 0.0012345678901234567",
        "--optimizer.clipnorm 1.0 --seed 7 --jit-compile True",
    ],
)
def test_the_flags_of_a_run_make_the_run(recipe: str, fields: str) -> None:
    run = read_run([recipe, *fields.split()])
    assert read_run([recipe, *" ".join(flags_of(run)).split()]) == run


@pytest.mark.parametrize("data", sorted(set(SOURCES) - {"additions"}))
def test_the_flags_of_a_run_on_other_data_make_the_run(data: str) -> None:
    for more in ("", "--model.dropout 0.1 0.25 --model.units 32 16", "--epochs 10 --sweep.l2 0.0 0.001"):
        run = read_run(["mlp", "--data", data, *more.split()])
        assert read_run(["mlp", *" ".join(flags_of(run)).split()]) == run
    assert flags_of(read_run(["mlp-10k"])) == []


def test_a_flag_that_is_true_or_false_may_stand_by_itself() -> None:
    for arguments in (
        ["--full"],
        ["--full", "True"],
        ["--full", "--workers", "2"],
        ["--workers", "2", "--full"],
    ):
        assert parse(Options, arguments, "whyfit book", "").full
    assert not parse(Options, ["--full", "False"], "whyfit book", "").full
    assert read_run(["addition", "--data.reverse-answers", "--epochs", "3"]).data.reverse_answers
