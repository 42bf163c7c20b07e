"""Searches that are killed at any moment, on every tuner, in several processes, and for long."""

import io
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from whyfit.experiments import recipes
from whyfit.experiments.commands import run as run_command
from whyfit.experiments.config import OptimizerConfig
from whyfit.experiments.data.config import AdditionsConfig
from whyfit.experiments.data.splits import load
from whyfit.experiments.errors import UserError
from whyfit.experiments.search.config import SearchConfig
from whyfit.experiments.search.legs import plan
from whyfit.experiments.search.search import search
from whyfit.experiments.search.trainer import Trainer
from whyfit.experiments.search.trials import Trial
from whyfit.experiments.search.workers import Job, Workers
from whyfit.experiments.spaces import DIMENSIONS
from whyfit.models.config import AdditionRNNConfig

from .test_search import CONFIG, FLAGS, quietly, small, steps

pytestmark = pytest.mark.slow
Call = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., "subprocess.Popen[str]"]
BUILD = """
import keras

def build(hp):
    if hp.Boolean("fails"):
        raise ValueError("no such network")
    decay = keras.regularizers.L2(hp.Float("l2", 1e-6, 1e-2, sampling="log"))
    layers = [keras.Input((2,)), keras.layers.Dense(hp.Int("units", 4, 16), "relu", kernel_regularizer=decay)]
    model = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
"""


def search_in(folder: Path, arguments: list[str]) -> None:
    """`whyfit search mlp ...` in this process, which has imported everything and done nothing yet."""
    os.environ["WHYFIT_MLRUNS"] = str(folder)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    sys.exit(run_command(["search", "mlp", *arguments]))


@pytest.fixture
def begin(runs: Path) -> Callable[..., Any]:
    """Begin searches in processes that are forked from one which has imported TensorFlow, in a moment."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "whyfit.experiments.search.search", "mlflow"])

    def call(*arguments: str) -> Any:
        process = context.Process(target=search_in, args=(runs, list(arguments)))
        process.start()
        return process

    return call


def kill_at_random(begin: Callable[..., Any], flags: list[str], journal: Path, times: int, seed: int) -> int:
    """Begin a search again and again and kill it after a random while; returns how often it was killed."""
    rng, killed = random.Random(seed), 0
    while killed < times:
        process = begin(*flags, "--name", "killed")
        known = len(steps(journal)) if journal.exists() else 0
        # Somewhere before or after its next step.
        wanted = known + rng.randint(0, 1)
        while process.is_alive() and (len(steps(journal)) if journal.exists() else 0) < wanted:
            time.sleep(0.02)
        process.join(rng.random() * 2)
        if not process.is_alive():
            break
        process.kill()
        process.join()
        killed += 1
    return killed


def long(tuner: str, times: int) -> Any:
    """A case that is left out of the usual slow ones."""
    left_out = pytest.mark.skipif("WHYFIT_LONG" not in os.environ, reason="takes long: set WHYFIT_LONG=1")
    return pytest.param(tuner, times, marks=left_out)


@pytest.mark.parametrize(
    ("tuner", "times"), [("random", 10), long("bayesian", 3), long("hyperband", 4), long("grid", 2)]
)
def test_a_search_that_is_killed_again_and_again_is_as_one_that_was_not(
    runs: Path, begin: Callable[..., Any], tuner: str, times: int
) -> None:
    flags = [*FLAGS, "--epochs", "6", "--trials", "12", "--at-once", "4", "--retrain", "2", "--tuner", tuner]
    whole = begin(*flags, "--name", "whole")
    whole.join()
    assert whole.exitcode == 0
    killed = kill_at_random(begin, flags, runs / "state/killed/trials.jsonl", times, seed=times)
    assert killed >= times // 2
    done = begin(*flags, "--name", "killed")
    done.join()
    assert done.exitcode == 0
    assert steps(runs / "state/killed/trials.jsonl") == steps(runs / "state/whole/trials.jsonl")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_search_that_is_stopped_says_how_to_go_on(start: Start, runs: Path, number: signal.Signals) -> None:
    process = start("search", "mlp", *FLAGS, "--trials", "400", "--at-once", "4", "--name", "night")
    journal = runs / "state/night/trials.jsonl"
    while not journal.exists() or '"leg"' not in journal.read_text():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 130
    assert "to go on:  whyfit search mlp ... --name night" in said
    assert "Traceback" not in said


def addition(**changes: Any) -> Any:
    """An addition network of a moment."""
    data = AdditionsConfig(digits=1)
    model = AdditionRNNConfig("SimpleRNN", units=8)
    run = recipes.addition(data=data, model=model, epochs=3, batch_size=8, steps_per_execution=2)
    return replace(run, jit_compile=False, optimizer=OptimizerConfig("Adam"), **changes)


def test_addition_networks_are_searched_one_by_one_and_by_several_processes(runs: Path) -> None:
    config = SearchConfig(trials=4, retrain=1, end_early=False)
    alone = quietly(addition(), config)
    assert alone.objective == "val/exact_match"
    assert [trial.alone for trial in alone.trials.all.values()] == [True] * 4
    several = quietly(addition(), replace(config, workers=2))
    assert several.name != alone.name
    for number, trial in alone.trials.all.items():
        other = several.trials.all[number]
        assert other.settings == trial.settings
        assert other.history["val/loss"] == pytest.approx(trial.history["val/loss"], rel=1e-3)


TINY = ["--data.digits", "1", "--model.cell", "SimpleRNN", "--model.units", "8", "--jit-compile", "False"]
TINY += ["--optimizer.name", "Adam", "--epochs", "6", "--batch-size", "8", "--steps-per-execution", "1"]


def legs_of(journal: Path) -> list[dict[str, Any]]:
    """The records of trained legs so far."""
    return [record for record in steps(journal) if record["kind"] == "leg"] if journal.exists() else []


def wait_for_legs(process: "subprocess.Popen[str]", journal: Path, count: int) -> None:
    while len(legs_of(journal)) < count:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def test_dead_workers_and_a_dead_search_lose_nothing_and_train_nothing_twice(
    runs: Path, start: Start, whyfit: Call
) -> None:
    command = ["search", "addition", *TINY, "--trials", "4", "--retrain", "1", "--workers", "2"]
    command += ["--name", "night"]
    journal = runs / "state/night/trials.jsonl"
    process = start(*command)
    wait_for_legs(process, journal, 1)
    workers = [
        child for child in psutil.Process(process.pid).children() if "spawn_main" in str(child.cmdline())
    ]
    assert len(workers) == 2
    workers[0].kill()
    wait_for_legs(process, journal, 3)
    process.kill()
    process.wait()
    known = legs_of(journal)
    done = whyfit(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    legs = legs_of(journal)
    assert legs[: len(known)] == known
    # A trial goes two legs, to where the worst leave and to its end, and each of them once.
    trained = [
        (trial["number"], len(trial["history"]["val/loss"])) for leg in legs for trial in leg["trials"]
    ]
    assert len(set(trained)) == len(trained)
    assert {number for number, _ in trained} == set(range(1, 7))
    ended = [trial["number"] for leg in legs for trial in leg["trials"] if trial["ended"]]
    assert sorted(ended) == list(range(1, 7))


def test_a_worker_that_dies_with_nothing_to_do_is_replaced(tmp_path: Path) -> None:
    trials = [Trial(number, {"dropout": 0.1}, number, 1) for number in (1, 2)]
    first, second = plan(trials, addition(), 0, lambda settings: 1, False)
    with closing(Workers(Job(addition(), (), tmp_path / "legs", "", workers=1))) as workers:
        workers.submit(first)
        assert workers.wait()["leg"] == first.name
        [process] = psutil.Process().children()[-1:]
        process.kill()
        process.wait()
        workers.submit(second)
        assert workers.wait()["leg"] == second.name


@pytest.mark.parametrize("count", [1, 4])
def test_a_leg_that_ended_before_the_journal_knew_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    run, space = small(), (DIMENSIONS["l2"],)
    trials = [Trial(number, {"l2": 10.0**-number}, 0, run.epochs) for number in range(1, count + 1)]
    [leg] = plan(trials, run, 0, lambda settings: 4, True)
    data = load(run.data, run.seed)
    before = Trainer(run, data, space, tmp_path / "legs").train(leg)
    monkeypatch.setattr("whyfit.experiments.search.trainer.fit", None)
    after = Trainer(run, data, space, tmp_path / "legs").train(leg)
    for record in (before, after):
        for trial in record["trials"]:
            del trial["seconds"]
    assert after == before


def test_workers_leave_when_the_search_is_killed(runs: Path, start: Start) -> None:
    process = start(
        "search", "addition", "--data.digits", "2", "--trials", "4", "--workers", "2", "--name", "night"
    )
    journal = runs / "state/night/trials.jsonl"
    while not journal.exists() or '"asked"' not in journal.read_text():
        assert process.poll() is None
        time.sleep(0.05)
    workers = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


def test_a_build_of_ones_own_is_searched_and_its_failures_are_told(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BUILD)
    config = SearchConfig(trials=8, retrain=1, end_early=False, build=f"{tmp_path / 'mine.py'}:build")
    result = quietly(small(), config)
    trials = list(result.trials.all.values())
    failed = [trial for trial in trials if trial.settings["fails"]]
    assert failed
    assert all(trial.ended == "failed" and "no such network" in trial.error for trial in failed)
    assert result.best is not None
    assert not result.best["fails"]
    with pytest.raises(UserError, match="must name a function of"):
        quietly(small(), replace(config, build=f"{tmp_path / 'mine.py'}:other"))


class Sampler(io.StringIO):
    """Takes the memory in use, in MB, whenever a line of the table is printed."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[float] = []

    def write(self, text: str) -> int:
        self.used.append(psutil.Process().memory_info().rss / 2**20)
        return super().write(text)


def test_memory_does_not_grow_over_many_trials(runs: Path) -> None:
    """Populations are compiled once a size; from then on memory stays where it is."""
    config, file = replace(CONFIG, trials=500, at_once=10, retrain=1, end_early=False), Sampler()
    search(small(epochs=1), config, console=Console(file=file))
    assert len(file.used) > 500
    assert file.used[490] - file.used[200] < 30


@pytest.mark.parametrize("space", [("units", "l2"), ("layers", "dropout"), ("batch_normalization", "l1")])
def test_architectures_are_searched_in_populations_of_their_own(runs: Path, space: tuple[str, ...]) -> None:
    result = quietly(small(), replace(CONFIG, trials=10, at_once=10, space=space, retrain=1))
    assert len(result.trials.all) == 10
    assert all(trial.ended for trial in result.trials.all.values())
    assert set(result.best or ()) == set(space)
