"""Dense networks from the command line to predictions: tables, points and pictures."""

import csv
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from whyfit.experiments import recipes, train
from whyfit.experiments.commands import run
from whyfit.experiments.config import OptimizerConfig, Run
from whyfit.experiments.data.config import FileConfig, PointsConfig
from whyfit.models.config import MLPConfig

from .test_train import interrupted, timeless

Call = Callable[..., subprocess.CompletedProcess[str]]


def points(**changes: object) -> Run:
    """A run of a moment on two moons."""
    data = PointsConfig("moons", train=300, validation=100, test=100)
    model = MLPConfig(units=(16,), dropout=(0.1,), batch_normalization="before")
    run = recipes.mlp(
        data=data, model=model, epochs=4, batch_size=32, jit_compile=False, steps_per_execution=2
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def houses(count: int) -> pd.DataFrame:
    """Prices that follow from size, town and balcony, with words and numbers among the columns."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.uniform(30, 200, count).round(1),
            "town": rng.choice(["Bern", "Basel", "Genf"], count),
            "balcony": rng.choice([True, False], count),
        }
    )
    towns = frame["town"].map({"Bern": 50_000, "Basel": 20_000, "Genf": 120_000})
    frame["price"] = (frame["size"] * 6_000 + towns + frame["balcony"] * 15_000).round()
    return frame


@pytest.mark.slow
def test_a_table_is_learned_and_new_rows_are_predicted_in_their_own_units(
    whyfit: Call, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = houses(600)
    frame[:500].to_csv(tmp_path / "houses.csv", index=False)
    truth = frame["price"][500:].to_numpy()
    new = frame[500:].drop(columns="price")
    new.to_csv(tmp_path / "new.csv", index=False)
    fields = ["--data", "file", "--data.path", "houses.csv", "--data.target", "price", "--epochs", "80"]
    fields += ["--jit-compile", "False", "--optimizer.learning-rate", "0.01"]
    done = whyfit("train", "mlp", *fields, "--name", "prices", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "regression" in done.stdout
    assert "whyfit predict prices" in done.stdout
    assert run(["predict", "prices", str(tmp_path / "new.csv"), "--out", str(tmp_path / "out.csv")]) == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    predicted = np.array([float(row["prediction"]) for row in rows])
    assert np.corrcoef(predicted, truth)[0, 1] > 0.99
    assert np.abs(predicted - truth).mean() < 40_000
    new.assign(town="Zug").to_csv(tmp_path / "unseen.csv", index=False)
    capsys.readouterr()
    assert run(["predict", "prices", str(tmp_path / "unseen.csv")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 101
    new.drop(columns="town").to_csv(tmp_path / "lacking.csv", index=False)
    assert run(["predict", "prices", str(tmp_path / "lacking.csv")]) == 2
    said = capsys.readouterr().err
    assert "town" in said
    assert said.count("\n") == 1


def test_classes_are_predicted_by_name_with_probabilities(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"])
    frame["kind"] = np.select([frame["a"] > 0.5, frame["b"] > 0.3], ["red", "green"], "blue")
    frame.to_csv(tmp_path / "kinds.csv", index=False)
    data = FileConfig(str(tmp_path / "kinds.csv"), target="kind")
    optimizer = OptimizerConfig("Adam", learning_rate=2e-2)
    [result] = train(points(data=data, epochs=40, optimizer=optimizer, model=MLPConfig(units=(16,))))
    assert result.metrics["test/accuracy"] > 0.8
    capsys.readouterr()
    assert run(["predict", result.name, str(tmp_path / "kinds.csv")]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["prediction"] for row in rows].count("red") > 50
    assert np.mean([row["prediction"] == kind for row, kind in zip(rows, frame["kind"], strict=True)]) > 0.8
    for row in rows:
        assert float(row["probability red"]) + float(row["probability green"]) + float(
            row["probability blue"]
        ) == pytest.approx(1, abs=1e-5)
    [folder] = runs.glob(f"artifacts/**/{result.run_id}/artifacts/model")
    alone = mlflow.pyfunc.load_model(str(folder)).predict(frame[["a", "b"]].to_numpy("float32"))
    assert alone.shape == (300, 3)
    np.testing.assert_allclose(
        alone[0].max(), max(float(v) for k, v in rows[0].items() if "prob" in k), atol=1e-5
    )


@pytest.mark.parametrize("outcome", ["class", pytest.param("number", marks=pytest.mark.slow)])
def test_a_dense_run_goes_on_bit_for_bit(runs: Path, monkeypatch: pytest.MonkeyPatch, outcome: str) -> None:
    data = PointsConfig("multiplicative", train=200, validation=100, test=100, outcome=outcome)  # type: ignore[arg-type]
    [whole] = train(points(name="whole", data=data))
    run = points(name="stopped", data=data)
    interrupted(monkeypatch, run, 2, KeyboardInterrupt())
    [result] = train(run)
    assert timeless(result.history) == timeless(whole.history)
    assert result.metrics["test/loss"] == whole.metrics["test/loss"]


def test_a_number_is_judged_in_its_own_units(runs: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(400, 3)).astype("float32")
    np.savez(tmp_path / "wide.npz", x=x, y=(x.sum(axis=1) * 1e4 + 5e5).astype("float32"))
    data = FileConfig(str(tmp_path / "wide.npz"))
    [result] = train(points(data=data, epochs=30, model=MLPConfig(units=(32,))))
    error = result.metrics["test/mean_absolute_error"]
    assert result.metrics["test/r2"] > 0.8
    assert 200 < error < 8_000
    assert result.history["val/mean_absolute_error"][0] > 1_000
