"""Seeds and sweeps from the command line: trained as one, tracked as one run, each as if it were alone."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pytest

from whyfit.experiments import train
from whyfit.experiments.config import OptimizerConfig, SweepConfig
from whyfit.experiments.data.config import PointsConfig
from whyfit.experiments.errors import UserError
from whyfit.experiments.tracking.store import client, default_uri

from .test_dense import points
from .test_train import interrupted, timeless

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
def test_each_variant_has_the_history_of_a_run_of_its_own(runs: Path) -> None:
    optimizer = OptimizerConfig("Adam", learning_rate=1e-2, warmup_epochs=1, decay="cosine")
    first, second = train(points(seeds=2, optimizer=optimizer))
    [alone] = train(points(optimizer=optimizer))
    assert first.setting == {"seed": 0}
    assert second.setting == {"seed": 1}
    for name in ("train/loss", "val/loss"):
        # Dropout masks are drawn otherwise in a population, so histories agree in the mean only.
        np.testing.assert_allclose(first.history[name], alone.history[name], rtol=0.2)
    assert first.history["val/loss"] != second.history["val/loss"]


@pytest.mark.slow
def test_without_dropout_the_histories_are_those_of_single_runs(runs: Path) -> None:
    from whyfit.models.config import MLPConfig

    model = MLPConfig(units=(16,), l2=1e-3, batch_normalization="before")
    variants = train(points(seed=3, seeds=1, sweep=SweepConfig(l2=(0.0, 1e-3)), model=model))
    [alone] = train(points(seed=3, model=model))
    swept = variants[1]
    assert swept.setting == {"seed": 3, "l2": 1e-3}
    for name in ("train/loss", "val/loss", "val/accuracy"):
        np.testing.assert_allclose(swept.history[name], alone.history[name], rtol=1e-4)
    assert swept.metrics["test/loss"] == pytest.approx(alone.metrics["test/loss"], rel=1e-4)
    assert swept.metrics["test/accuracy"] == pytest.approx(alone.metrics["test/accuracy"])


@pytest.mark.slow
def test_a_swept_rate_is_the_highest_of_the_schedule(runs: Path) -> None:
    from whyfit.models.config import MLPConfig

    optimizer, model = OptimizerConfig("Adam", 3e-2, warmup_epochs=1, decay="cosine"), MLPConfig(units=(16,))
    swept = train(points(sweep=SweepConfig(learning_rate=(1e-3, 1e-2)), optimizer=optimizer, model=model))[1]
    [alone] = train(points(optimizer=replace(optimizer, learning_rate=1e-2), model=model))
    np.testing.assert_allclose(swept.history["val/loss"], alone.history["val/loss"], rtol=1e-4)


def test_a_population_is_one_run_with_a_table_and_goes_on_bit_for_bit(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = SweepConfig(learning_rate=(1e-3, 1e-2), dropout=(0.0, 0.3))
    data = PointsConfig("multiplicative", train=200, validation=100, test=100, outcome="number")
    whole = train(points(name="whole", seeds=2, sweep=sweep, data=data))
    assert len(whole) == 8
    run = points(name="stopped", seeds=2, sweep=sweep, data=data)
    interrupted(monkeypatch, run, 2, RuntimeError("gone"))
    again = train(run)
    assert [timeless(result.history) for result in again] == [timeless(result.history) for result in whole]
    assert [result.metrics["test/loss"] for result in again] == [
        result.metrics["test/loss"] for result in whole
    ]
    tracked = client(default_uri()).get_run(whole[0].run_id)
    assert tracked.data.metrics["test/r2"] == pytest.approx(np.mean([r.metrics["test/r2"] for r in whole]))
    table = mlflow.artifacts.load_dict(f"{tracked.info.artifact_uri}/variants.json")
    assert table["columns"][:3] == ["seed", "dropout", "learning_rate"]
    assert len(table["data"]) == 8
    assert len(client(default_uri()).get_metric_history(whole[0].run_id, "val/loss")) == 4


@pytest.mark.slow
def test_the_command_line_says_a_line_a_variant_and_intervals(
    whyfit: Call, runs: Path, tmp_path: Path
) -> None:
    fields = "--data moons --epochs 2 --model.units 8 --seeds 3 --sweep.l2 0 1e-2".split()  # noqa: SIM905
    done = whyfit("train", "mlp", *fields, "--name", "swept")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    table = lines.index(["seed", "l2", "best", "epoch", "val", "loss", "test", "loss", "test", "accuracy"])
    assert [line[:2] for line in lines[table + 1 : table + 7]] == [
        [str(seed), l2] for l2 in ("0", "0.01") for seed in range(3)
    ]
    assert "3" in lines[table + 9]
    assert "±" in lines[table + 9]
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if not line.startswith("equal"))
    assert whyfit("predict", "swept", str(tmp_path / "none.npz")).returncode == 2
    assert len(json.loads((runs / "state/swept/run.json").read_text())["variants"]) == 6


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (["addition", "--seeds", "2"], "--seeds must be 1, with nothing to sweep, for an addition network"),
        (["mlp", "--seeds", "0"], "--seeds must be at least 1, got 0"),
        (["mlp", "--sweep.l2", "0", "-1"], "l2 must be 0 or more, got -1.0"),
        (["mlp", "--sweep.learning-rate", "0"], "learning-rate must be above 0, got 0.0"),
    ],
)
def test_what_cannot_be_a_population_is_refused(
    fields: list[str], said: str, whyfit: Call, nowhere: Path
) -> None:
    done = whyfit("train", *fields)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_population_too_large_for_memory_is_trained_in_parts(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whyfit.models.population import memory

    sweep = SweepConfig(l2=(0.0, 1e-2))
    whole = train(points(name="whole", epochs=1, seeds=3, sweep=sweep))
    # What two of the six variants take, and the half of another.
    each = memory.bytes_a_variant(
        memory.Variant(points().model), input_shape=(2,), classes=2, batch_size=points().batch_size
    )
    monkeypatch.setattr(memory, "_memory", lambda: 5 * each)
    with pytest.warns(UserWarning, match="trained as 3 populations of 2, 2, 2"):
        parts = train(points(name="small", epochs=1, seeds=3, sweep=sweep))
    assert [result.setting for result in parts] == [result.setting for result in whole]
    assert [timeless(result.history) for result in parts] == [timeless(result.history) for result in whole]
    assert {result.name for result in parts} == {"small-part1", "small-part2", "small-part3"}
    monkeypatch.setattr(memory, "_memory", lambda: each)
    with pytest.raises(UserError, match="units is too large for this machine"):
        train(points(name="none", epochs=1, seeds=3))
