"""Searches that are killed at any moment, on every tuner, in several processes, and for long."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from whyfit.experiments import recipes
from whyfit.experiments.config import OptimizerConfig
from whyfit.experiments.data.config import AdditionsConfig
from whyfit.experiments.errors import UserError
from whyfit.experiments.search.config import SearchConfig
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


def kill_at_random(start: Start, flags: list[str], journal: Path, times: int, seed: int) -> int:
    """Start a search again and again and kill it after a random while; returns how often it was killed."""
    rng, killed = random.Random(seed), 0
    while killed < times:
        process = start("search", "mlp", *flags, "--name", "killed")
        known = len(steps(journal)) if journal.exists() else 0
        # Somewhere before or after its next step.
        wanted = known + rng.randint(0, 1)
        while process.poll() is None and (len(steps(journal)) if journal.exists() else 0) < wanted:
            time.sleep(0.02)
        time.sleep(rng.random() * 3)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += 1
    return killed


@pytest.mark.skipif("WHYFIT_LONG" not in os.environ, reason="takes long: set WHYFIT_LONG=1")
@pytest.mark.parametrize(("tuner", "times"), [("random", 10), ("bayesian", 3), ("hyperband", 4), ("grid", 2)])
def test_a_search_that_is_killed_again_and_again_is_as_one_that_was_not(
    runs: Path, start: Start, whyfit: Call, tuner: str, times: int
) -> None:
    flags = [*FLAGS, "--epochs", "6", "--trials", "12", "--at-once", "4", "--retrain", "2", "--tuner", tuner]
    assert whyfit("search", "mlp", *flags, "--name", "whole").returncode == 0
    killed = kill_at_random(start, flags, runs / "state/killed/trials.jsonl", times, seed=times)
    assert killed >= min(times, 2)
    done = whyfit("search", "mlp", *flags, "--name", "killed")
    assert done.returncode == 0, done.stderr
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


@pytest.mark.skip(reason="known: trials that a killed worker had finished are run once more")
def test_a_dead_worker_is_replaced_and_nothing_runs_twice(runs: Path, start: Start) -> None:
    flags = [
        "--data.digits",
        "1",
        "--model.cell",
        "SimpleRNN",
        "--model.units",
        "8",
        "--jit-compile",
        "False",
    ]
    flags += ["--optimizer.name", "Adam", "--epochs", "30", "--batch-size", "8", "--steps-per-execution", "1"]
    flags += ["--trials", "6", "--retrain", "1", "--workers", "2", "--name", "night"]
    process = start("search", "addition", *flags)
    journal = runs / "state/night/trials.jsonl"
    while not journal.exists() or '"leg"' not in journal.read_text():
        assert process.poll() is None
        time.sleep(0.05)
    workers = [
        child for child in psutil.Process(process.pid).children() if "spawn_main" in str(child.cmdline())
    ]
    assert len(workers) == 2
    workers[0].kill()
    assert process.wait(timeout=600) == 0
    numbers = [
        trial["number"] for record in steps(journal) if record["kind"] == "leg" for trial in record["trials"]
    ]
    assert sorted(numbers) == list(range(1, 9))


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


@pytest.mark.skipif("WHYFIT_LONG" not in os.environ, reason="takes long: set WHYFIT_LONG=1")
def test_memory_does_not_grow_over_many_trials(runs: Path) -> None:
    """Populations are compiled once a size; from then on memory stays where it is."""
    process, used = psutil.Process(), []
    for trials in (100, 300, 500):
        config = replace(CONFIG, trials=trials, at_once=10, retrain=1, end_early=False)
        quietly(small(name=f"search-{trials}", epochs=1), config)
        used.append(process.memory_info().rss / 2**20)
    assert used[2] - used[1] < 60


@pytest.mark.parametrize("space", [("units", "l2"), ("layers", "dropout"), ("batch_normalization", "l1")])
def test_architectures_are_searched_in_populations_of_their_own(runs: Path, space: tuple[str, ...]) -> None:
    result = quietly(small(), replace(CONFIG, trials=10, at_once=10, space=space, retrain=1))
    assert len(result.trials.all) == 10
    assert all(trial.ended for trial in result.trials.all.values())
    assert set(result.best or ()) == set(space)
