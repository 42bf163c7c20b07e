"""Every training is watched and may stop early; a run that goes on knows all of it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from whyfit.callbacks import EarlyStoppingConfig, GradientMonitor, GradientMonitorConfig
from whyfit.callbacks.criteria import first_stop
from whyfit.experiments import train
from whyfit.experiments.checkpoint import Checkpoint
from whyfit.experiments.commands.train import read_run
from whyfit.experiments.config import Run, SweepConfig
from whyfit.experiments.errors import UserError
from whyfit.experiments.result import Result
from whyfit.experiments.tracking.store import client, default_uri

from .test_dense import points
from .test_train import interrupted, record, small, timeless

Call = Callable[..., subprocess.CompletedProcess[str]]


class Ends:
    """What training ended with: the model's newest weights and the monitor, before the best are put back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = sys.modules["whyfit.experiments.train"]
        conclude = module.conclude

        def seen(
            task: Any, model: keras.Model, snapshot: Any, monitor: GradientMonitor, *rest: Any, **more: Any
        ):
            self.weights, self.monitor = model.get_weights(), monitor
            conclude(task, model, snapshot, monitor, *rest, **more)

        train  # noqa: B018  # the module is imported with its function
        monkeypatch.setattr(module, "conclude", seen)

    def of(self, run: Run) -> tuple[list[Result], list[np.ndarray], GradientMonitor]:
        results = train(run)
        return results, self.weights, self.monitor


@pytest.fixture
def ends(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Ends:
    return Ends(monkeypatch)


def assert_equal(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "population"])
def test_a_run_that_goes_on_has_the_whole_history_of_its_gradients(
    kind: str, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    more: dict[str, Any] = {"seeds": 2} if kind == "population" else {}
    results, weights, monitor = ends.of(points(name="whole", **more))
    run = points(name="stopped", **more)
    interrupted(monkeypatch, run, 2, RuntimeError("gone"))
    again, resumed, went_on = ends.of(run)
    for mine, other in zip(resumed, weights, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert [timeless(one.history) for one in again] == [timeless(one.history) for one in results]
    assert_equal(went_on.history, monitor.history)
    assert_equal(went_on.early, monitor.early)
    shape = (4, 2, 3) if more else (4, 3)
    assert monitor.history["gradient_norm"].shape == shape
    store = client(default_uri())
    assert "gradients.png" in [file.path for file in store.list_artifacts(again[0].run_id)]
    tracked = store.get_metric_history(again[0].run_id, "gradient_norm/hidden_1")
    expected = monitor.history["gradient_norm"][..., monitor.layers.index("hidden_1")]
    assert [point.step for point in tracked] == [1, 2, 3, 4]
    np.testing.assert_allclose([point.value for point in tracked], expected.reshape(4, -1).mean(axis=1))


@pytest.mark.slow
def test_a_run_from_before_the_monitor_goes_on(
    ends: Ends, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, weights, whole = ends.of(points(name="whole"))
    run = points(name="old")
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "__init__", _without_callbacks(Checkpoint.__init__))
        interrupted(monkeypatch, run, 2, RuntimeError("gone"))
    path = runs / "state" / "old" / "run.json"
    kept = json.loads(path.read_text())
    kept["config"] = {
        k: v
        for k, v in kept["config"].items()
        if k.split(".")[0] not in ("gradient_monitor", "early_stopping")
    }
    path.write_text(json.dumps(kept))
    [result], resumed, monitor = ends.of(run)
    assert result.status == "FINISHED"
    for mine, other in zip(resumed, weights, strict=True):
        np.testing.assert_array_equal(mine, other)
    norms = monitor.history["gradient_norm"]
    assert np.isnan(norms[:2]).all()
    np.testing.assert_array_equal(norms[2:], whole.history["gradient_norm"][2:])


def _without_callbacks(make: Callable[..., None]) -> Callable[..., None]:
    return lambda self, path, units, keeping: make(self, path, units)


@pytest.mark.slow
def test_watching_changes_no_number_and_can_be_switched_off(ends: Ends) -> None:
    [watched], weights, _ = ends.of(small(epochs=2))
    [plain], others, monitor = ends.of(small(epochs=2, gradient_monitor=GradientMonitorConfig(enabled=False)))
    assert timeless(plain.history) == timeless(watched.history)
    for mine, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert monitor.history == {}
    store = client(default_uri())
    assert not any(name.startswith("gradient_norm") for name in store.get_run(plain.run_id).data.metrics)
    assert any(name.startswith("gradient_norm/") for name in store.get_run(watched.run_id).data.metrics)


@pytest.mark.slow
def test_a_run_stops_early_says_why_and_stops_there_again_when_it_went_on(
    ends: Ends, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = EarlyStoppingConfig(criterion="UP", strip=2, successive=1, smoothing=0.3)
    changes: dict[str, Any] = {"epochs": 60, "early_stopping": rule, "batch_size": 8}
    [whole], weights, _ = ends.of(points(name="whole", **changes))
    stopped = len(whole.history["val/loss"])
    assert 4 <= stopped < 60
    assert stopped == first_stop(
        rule, np.array(whole.history["val/loss"]), np.array(whole.history["train/loss"])
    )
    assert whole.reason == (
        f"stopped after epoch {stopped}: UP: val_loss has risen in 1 successive strips of 2 epochs"
    )
    run = points(name="stopped", **changes)
    interrupted(monkeypatch, run, stopped - 1, RuntimeError("gone"))
    with monkeypatch.context() as patch:  # once more, after the stop and before the end
        patch.setattr(sys.modules["whyfit.experiments.train"], "conclude", _fails)
        with pytest.raises(RuntimeError, match="the disk is full"):
            train(run)
    assert record(runs, "stopped")["status"] == "FAILED"
    [again], resumed, _ = ends.of(run)
    assert again.reason == whole.reason
    assert timeless(again.history) == timeless(whole.history)
    assert again.metrics["test/loss"] == whole.metrics["test/loss"]
    for mine, other in zip(resumed, weights, strict=True):
        np.testing.assert_array_equal(mine, other)


def _fails(*arguments: Any, **options: Any) -> None:
    raise RuntimeError("the disk is full")


@pytest.mark.slow
def test_variants_stop_one_by_one_also_when_the_run_went_on(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, Any] = {
        "epochs": 12,
        "sweep": SweepConfig(learning_rate=(1e-3, 1e-12, 0.5)),
        "early_stopping": EarlyStoppingConfig(patience=2, min_delta=1e-3),
    }
    whole, weights, _ = ends.of(points(name="whole", **changes))
    epochs = [int(one.metrics["trained/epochs"]) for one in whole]
    alone = [
        first_stop(
            changes["early_stopping"], np.array(one.history["val/loss"]), np.array(one.history["train/loss"])
        )
        for one in whole
    ]
    assert epochs == [epoch or 12 for epoch in alone]
    assert len(set(epochs)) > 1
    assert "variants stopped early" in whole[0].reason
    run = points(name="stopped", **changes)
    interrupted(monkeypatch, run, min(epochs) + 1, RuntimeError("gone"))
    again, resumed, _ = ends.of(run)
    assert [one.metrics | {"time/training": 0} for one in again] == [
        one.metrics | {"time/training": 0} for one in whole
    ]
    for mine, other in zip(resumed, weights, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_flags_say_what_is_watched_and_when_it_stops(runs: Path) -> None:
    run = read_run(["mlp", "--early-stopping.criterion", "PQ", "--early-stopping.alpha", "0.75"])
    assert (run.early_stopping.criterion, run.early_stopping.alpha) == ("PQ", 0.75)
    assert run.gradient_monitor == GradientMonitorConfig()
    run = read_run(["mlp", "--gradient-monitor.enabled", "False"])
    assert not run.gradient_monitor.enabled
    assert run.early_stopping.criterion is None
    with pytest.raises(UserError, match=r"--early-stopping\.alpha must be above 0, got 0"):
        read_run(["mlp", "--early-stopping.alpha", "0"])
    with pytest.raises(
        UserError, match=r"--early-stopping\.monitor must be one of loss, accuracy, val_loss, .*'val_acc'"
    ):
        train(points(early_stopping=EarlyStoppingConfig(monitor="val_acc")))
