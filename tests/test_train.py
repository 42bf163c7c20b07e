"""A run from recipe to result: it learns, repeats itself, survives its death, and keeps others out."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from whyfit.experiments import recipes, train
from whyfit.experiments.config import OptimizerConfig, Run
from whyfit.experiments.data.config import AdditionsConfig
from whyfit.experiments.errors import UserError
from whyfit.models import ShuffledBatches
from whyfit.models.config import AdditionRNNConfig

from .conftest import SMALL

Call = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., "subprocess.Popen[str]"]


def small(**changes: object) -> Run:
    """A run of a moment, without XLA, with dropout, so that every kind of state is in play."""
    run = recipes.addition(
        epochs=3,
        batch_size=16,
        jit_compile=False,
        show_every=0,
        data=AdditionsConfig(digits=2, train=200, validation=40, test=40),
        steps_per_execution=2,
        optimizer=OptimizerConfig("Adam", learning_rate=1e-2),
        model=AdditionRNNConfig("SimpleRNN", units=12, dropout=0.2, recurrent_dropout=0.1),
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def timeless(history: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: values for name, values in history.items() if not name.startswith("time/")}


def record(runs: Path, name: str) -> dict[str, object]:
    return json.loads((runs / "state" / name / "run.json").read_text())  # type: ignore[no-any-return]


def test_it_learns(runs: Path) -> None:
    """One-digit sums, seen again at the test as swapped pairs never are: far above chance, 1 in 19."""
    [result] = train(
        small(
            epochs=120,
            batch_size=8,
            data=AdditionsConfig(digits=1),
            model=AdditionRNNConfig("GRU", units=24),
        )
    )
    assert result.status == "FINISHED"
    assert len(result.history["train/loss"]) == 120
    assert result.history["train/exact_match"][-1] > 0.9
    assert result.metrics["best/val/loss"] == min(result.history["val/loss"])
    assert (
        result.history["val/loss"].index(min(result.history["val/loss"])) + 1 == result.metrics["best/epoch"]
    )


@pytest.mark.slow
def test_two_processes_give_the_same_history(whyfit: Call, runs: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = whyfit("train", "addition", *SMALL, "--epochs", "2", "--name", name, cwd=tmp_path)
        assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mlruns"]  # nothing is left where it ran
    one, two = record(runs, "one"), record(runs, "two")
    assert timeless(one["history"]) == timeless(two["history"])  # type: ignore[arg-type]


def test_another_seed_gives_another_history(runs: Path) -> None:
    one, two = (train(small(epochs=1, seed=seed))[0].history for seed in (0, 1))
    assert timeless(one) != timeless(two)


def test_every_epoch_has_an_order_of_its_own() -> None:
    batches = ShuffledBatches(np.arange(10), np.arange(10), batch_size=4, seeds=5)
    orders = []
    for epoch in (0, 1, 0):
        batches.on_epoch_begin(epoch)
        orders.append([x.tolist() for x, _ in batches.dataset.as_numpy_iterator()])
    assert orders[0] == orders[2] != orders[1]
    assert [len(batch) for batch in orders[0]] == [4, 4]
    assert len({example for batch in orders[0] for example in batch}) == 8


class StopAfter(keras.callbacks.Callback):
    """Raises in the middle of an epoch, as Ctrl-C does."""

    def __init__(self, epoch: int, error: BaseException) -> None:
        super().__init__()
        self.epoch, self.error, self._now = epoch, error, 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._now = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self._now == self.epoch:
            raise self.error


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, callback: keras.callbacks.Callback) -> Iterator[None]:
    """Every training inside has this callback as well."""
    fit = keras.Model.fit

    def watched_fit(self: keras.Model, *args: object, callbacks: list, **options: object) -> object:
        return fit(self, *args, callbacks=[*callbacks, callback], **options)

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "fit", watched_fit)
        yield


def interrupted(monkeypatch: pytest.MonkeyPatch, run: Run, epoch: int, error: BaseException) -> None:
    """Train until the given epoch, in whose middle the error comes."""
    with watched(monkeypatch, StopAfter(epoch, error)):
        if isinstance(error, KeyboardInterrupt):
            [result] = train(run)
            assert result.status == "KILLED"
            assert "test/loss" not in result.metrics
        else:
            with pytest.raises(type(error)):
                train(run)


@pytest.mark.parametrize(
    ("cell", "optimizer"), [("SimpleRNN", "Adam"), pytest.param("LSTM", "Muon", marks=pytest.mark.slow)]
)
def test_a_run_goes_on_bit_for_bit(
    runs: Path, monkeypatch: pytest.MonkeyPatch, cell: str, optimizer: str
) -> None:
    config = OptimizerConfig(optimizer, learning_rate=1e-2, warmup_epochs=1, decay="cosine")  # type: ignore[arg-type]
    model = AdditionRNNConfig(cell, units=12, dropout=0.2, recurrent_dropout=0.1)  # type: ignore[arg-type]
    [whole] = train(small(name="whole", epochs=5, optimizer=config, model=model))
    run = small(name="stopped", epochs=5, optimizer=config, model=model)
    interrupted(monkeypatch, run, 2, KeyboardInterrupt())
    assert record(runs, "stopped")["status"] == "KILLED"
    interrupted(monkeypatch, run, 4, RuntimeError("the disk\nis full"))
    assert record(runs, "stopped")["reason"] == "RuntimeError: the disk is full"
    [result] = train(run)
    assert result.status == "FINISHED"
    assert timeless(result.history) == timeless(whole.history)
    assert {k: v for k, v in result.metrics.items() if k[:4] != "time"} == {
        k: v for k, v in whole.metrics.items() if k[:4] != "time"
    }


def test_a_finished_run_is_shown_again_not_trained_again(runs: Path) -> None:
    [first] = train(small(name="done", epochs=1))
    began = time.perf_counter()
    [again] = train(small(name="done", epochs=1))
    assert again == first
    assert not (runs / "state" / "done" / "checkpoint").exists()
    assert time.perf_counter() - began < first.metrics["time/training"]


def test_a_name_with_another_configuration_is_refused(runs: Path) -> None:
    train(small(name="night", epochs=1))
    with pytest.raises(UserError, match="--epochs must be 1 to go on with run 'night', got 2"):
        train(small(name="night", epochs=2))


def test_unnamed_runs_get_names_of_their_own(runs: Path) -> None:
    assert [train(small(epochs=1))[0].name for _ in range(2)] == ["addition-1", "addition-2"]


def wait_for_epoch(process: "subprocess.Popen[str]", epoch: int) -> None:
    """Read the process's output up to the line of an epoch."""
    assert process.stdout is not None
    for line in process.stdout:
        if re.match(rf"epoch +{epoch}/", line):
            return
    raise AssertionError(f"the process ended before epoch {epoch}")


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_stops_a_run_which_says_how_to_go_on(
    start: Start, whyfit: Call, runs: Path, number: signal.Signals
) -> None:
    arguments = ["train", "addition", *SMALL, "--epochs", "2000", "--name", "night"]
    process = start(*arguments)
    wait_for_epoch(process, 3)
    second = whyfit(*arguments)
    assert second.returncode == 2
    assert f"'night' is in use by process {process.pid}" in second.stderr
    process.send_signal(number)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "to go on:  whyfit train addition --name night" in output
    assert "Traceback" not in output
    assert record(runs, "night")["status"] == "KILLED"
    assert len(record(runs, "night")["history"]["val/loss"]) >= 3  # type: ignore[index,call-overload]


class Tidies:
    """Something that a signal interrupts where Python drops what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class TidiesIn(keras.callbacks.Callback):
    """Lets go of such a thing in an epoch."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if epoch == self.epoch:
            Tidies()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_drops_stops_a_run(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched(monkeypatch, TidiesIn(2)):
        [stopped] = train(small(name="stopped", epochs=4))
    assert (stopped.status, stopped.reason) == ("KILLED", "interrupted by Ctrl-C")
    [whole] = train(small(name="stopped", epochs=4))
    assert whole.status == "FINISHED"
    assert len(whole.history["val/loss"]) == 4


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_one_that_was_not(
    start: Start, whyfit: Call, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHYFIT_SECONDS_BETWEEN_WRITES", "0")
    arguments = ["train", "addition", *SMALL, "--epochs", "40", "--model.dropout", "0.1"]
    assert whyfit(*arguments, "--name", "whole").returncode == 0
    for epoch in (3, 9, 10, 27):
        process = start(*arguments, "--name", "killed")
        wait_for_epoch(process, epoch)
        process.kill()
        process.wait()
        assert record(runs, "killed")["status"] == "RUNNING"
        assert whyfit("sync").returncode == 0
        assert record(runs, "killed")["status"] == "KILLED"
    assert whyfit(*arguments, "--name", "killed").returncode == 0
    killed, whole = record(runs, "killed"), record(runs, "whole")
    assert timeless(killed["history"]) == timeless(whole["history"])  # type: ignore[arg-type]
    assert killed["metrics"]["test/loss"] == whole["metrics"]["test/loss"]  # type: ignore[index,call-overload]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_workshop_is_learned(whyfit: Call, runs: Path, seed: int) -> None:
    done = whyfit("train", "addition", "--seed", str(seed), "--name", "workshop")
    assert done.returncode == 0
    assert record(runs, "workshop")["metrics"]["test/exact_match"] >= 0.99  # type: ignore[index,call-overload]
