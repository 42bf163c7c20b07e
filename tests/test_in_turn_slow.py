"""Addition networks that a lesson trains in turn come to what each comes to alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from whyfit.experiments.book.trained import data_of
from whyfit.experiments.book.training import train_variants
from whyfit.experiments.checkpoint import Checkpoint
from whyfit.experiments.config import OptimizerConfig, Run
from whyfit.experiments.data.config import AdditionsConfig
from whyfit.experiments.recipes import addition
from whyfit.experiments.tasks import task_of
from whyfit.experiments.train import fit, prepare
from whyfit.models import AdditionRNNConfig

pytestmark = pytest.mark.slow


def _run(reverse: bool, rate: float, train: int) -> Run:
    return addition(
        model=AdditionRNNConfig(units=8),
        data=AdditionsConfig(digits=2, train=train, validation=50, test=50, reverse=reverse),
        seeds=2,
        epochs=2,
        batch_size=16,
        optimizer=OptimizerConfig("Adam", learning_rate=rate),
        jit_compile=False,
    )


RUNS = {"backwards": _run(True, 1e-2, 320), "forwards": _run(False, 3e-2, 160)}


def test_networks_in_turn_are_those_trained_alone(tmp_path: Path) -> None:
    told: list[str] = []
    trained = train_variants(RUNS, tmp_path / "turn", told.append)
    assert told == ["training 1/1: backwards; forwards; 4 networks in turn"]
    for name, run in RUNS.items():
        for place in range(2):
            alone = replace(run, seed=place, seeds=1)
            task = task_of(alone, data_of(run.data, 0))
            model, batches = prepare(alone, task)
            checkpoint = Checkpoint(tmp_path / f"{name}-{place}", task.units)
            fit(task, model, batches, [checkpoint], 0, alone.epochs)
            for metric, values in checkpoint.snapshot.history.items():
                if "time/" not in metric:
                    np.testing.assert_array_equal(trained[name].history[metric][:, place], values, metric)
            x = task.data.test.x
            np.testing.assert_array_equal(trained[name].model(place)(x), model(x))
    assert len(trained["backwards"].answers) == 2
    assert len(trained["backwards"].answers[0]) == 10

    again = train_variants(RUNS, tmp_path / "turn", told.append)
    for name in RUNS:
        np.testing.assert_array_equal(
            again[name].scores["test/exact_match"], trained[name].scores["test/exact_match"]
        )
        assert again[name].answers == trained[name].answers
