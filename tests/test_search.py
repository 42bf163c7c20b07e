"""A search: what it draws, whom it sends away, what it keeps, and that a process may die in the middle."""

import csv
import io
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from rich.console import Console

from whyfit.callbacks.config import FindingName, GradientMonitorConfig
from whyfit.experiments import recipes
from whyfit.experiments.config import OptimizerConfig, Run
from whyfit.experiments.data.config import PointsConfig
from whyfit.experiments.data.splits import load
from whyfit.experiments.errors import UserError
from whyfit.experiments.search.config import SearchConfig
from whyfit.experiments.search.legs import Leg, plan
from whyfit.experiments.search.oracles import ORACLES, ask, build_oracle, hyperparameters, tell
from whyfit.experiments.search.rules import leaving, width
from whyfit.experiments.search.search import SearchResult, fitting, search
from whyfit.experiments.search.show import _why
from whyfit.experiments.search.trainer import Trainer
from whyfit.experiments.search.trials import Trial
from whyfit.experiments.spaces import DIMENSIONS, apply, is_other, space_of, unregularized
from whyfit.experiments.tracking.store import client, default_uri
from whyfit.models.config import MLPConfig

Call = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., "subprocess.Popen[str]"]
SIZES = ["--data", "moons", "--data.train", "120", "--data.validation", "100", "--data.test", "100"]
FLAGS = [*SIZES, "--epochs", "3", "--batch-size", "20", "--model.units", "8", "--steps-per-execution", "2"]
FLAGS += ["--optimizer.learning-rate", "3e-2"]


def small(**changes: Any) -> Run:
    """The run that `FLAGS` describe."""
    data = PointsConfig("moons", train=120, validation=100, test=100)
    optimizer = OptimizerConfig("Adam", learning_rate=3e-2)
    model = MLPConfig(units=(8,))
    run = recipes.mlp(
        data=data, epochs=3, batch_size=20, model=model, optimizer=optimizer, steps_per_execution=2
    )
    return replace(run, **changes)


def quietly(run: Run, config: SearchConfig, **options: Any) -> SearchResult:
    return search(run, config, console=Console(file=io.StringIO()), **options)


def steps(result_or_path: SearchResult | Path) -> list[dict[str, Any]]:
    """The journal of a search without times."""
    path = result_or_path if isinstance(result_or_path, Path) else result_or_path.trials.path
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        record.pop("time", None)
        for trial in record.get("trials", []):
            trial.pop("seconds", None)
    return records


def test_a_space_has_an_exact_zero_and_stays_in_its_range() -> None:
    for one in space_of(recipes.mlp(), ("l1", "l2", "dropout", "dropout_1")):
        assert one.zero
        assert one.floor < one.low
        assert one.decode(one.floor) == 0
        assert one.decode(one.low * 0.999) == 0
        assert one.decode(one.low) == one.low
        log = one.scale == "log"
        low, high, floor = (math.log(x) if log else x for x in (one.low, one.high, one.floor))
        assert (low - floor) / (high - floor) == pytest.approx(one.zero)


def test_settings_are_put_where_they_belong() -> None:
    settings = {"l1": 1e-5, "l2": 0.0, "dropout": 0.5, "learning_rate": 1e-2, "units": 64}
    run = apply(recipes.mlp(), settings)
    assert run.model == MLPConfig(units=(64,), l1=1e-5, dropout=(0.5,))
    assert run.optimizer.learning_rate == 1e-2
    assert apply(recipes.mlp_deep(), {"dropout_2": 0.6}).model.dropout == (0.2, 0.6, 0.2, 0.2)  # type: ignore[union-attr]
    assert apply(recipes.addition(), {"dropout": 0.1}).model.dropout == 0.1  # type: ignore[union-attr]
    plain = unregularized(settings, recipes.fashion())
    assert plain == settings | {"l1": 0.0, "l2": 0.0, "dropout": 0.0}
    assert not is_other(plain, unregularized(plain))
    assert unregularized({"l2": 1e-3}, recipes.fashion()) == {"l2": 0.0, "dropout": 0.0}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("lambda", "--space must be of l1, l2, units,"),
        ("l2=3", "--space l2 must have a range like 1e-5:1e-2, got '3'"),
        ("l2=1:0.1", "--space l2 must have a range from a smaller to a larger number"),
        ("l2=0:0.1", "--space l2 must have a range from a smaller to a larger number"),
        ("layers=1:2", "--space layers must have a range the default one"),
    ],
)
def test_a_space_that_cannot_be_is_refused(asked: str, said: str) -> None:
    with pytest.raises(UserError, match=said.replace("(", r"\(")):
        space_of(recipes.mlp(), (asked,))


def draw(kind: str, trials: int, at_once: int, recorded: dict[str, dict] | None = None) -> dict[str, dict]:
    """All that an oracle asks for, where a larger L2 near 1e-4 and a dropout near 0.4 are good."""
    space = space_of(recipes.mlp())
    oracle = build_oracle(kind, hyperparameters(space, kind == "grid"), "val/accuracy", 0, trials, 9)
    oracle.recorded = recorded or {}
    drawn: dict[str, dict] = {}
    while True:
        asked = []
        while len(asked) < at_once and (one := ask(oracle)) is not None:
            asked.append(one)
        if not asked:
            return drawn
        for one in asked:
            values = dict(one.hyperparameters.values)
            drawn[one.trial_id] = values
            l2, dropout = (one.decode(values[one.name]) for one in space[1:])
            score = -((math.log10(l2 + 1e-7) + 4) ** 2) - (dropout - 0.4) ** 2
            tell(oracle, one.trial_id, score + values.get("tuner/epochs", 0))


@pytest.mark.parametrize("kind", ORACLES)
def test_an_oracle_that_is_asked_again_says_the_same(kind: str) -> None:
    drawn = draw(kind, 14, 4)
    new = [one for one in drawn.values() if "tuner/trial_id" not in one]
    assert len(new) == 14
    assert draw(kind, 14, 4, drawn if kind == "bayesian" else None) == drawn
    settings = {tuple(sorted((k, v) for k, v in one.items() if "/" not in k)) for one in new}
    assert len(settings) == 14
    assert any(DIMENSIONS["l2"].decode(one["l2"]) == 0 for one in new)


def test_a_gaussian_process_learns_where_it_is_good() -> None:
    drawn = [one["l2"] for one in draw("bayesian", 30, 2).values()]
    distance = [abs(math.log10(max(l2, 1e-7)) + 4) for l2 in drawn]
    assert sum(distance[15:]) < 0.7 * sum(distance[:15])


def test_hyperband_halves_and_spends_its_budget() -> None:
    drawn = draw("hyperband", 40, 64)
    rungs = {(one["tuner/initial_epoch"], one["tuner/epochs"]) for one in drawn.values()}
    assert {(0, 1), (1, 3), (3, 9), (0, 9)} <= rungs
    first = [one for one in drawn.values() if one["tuner/epochs"] == 1]
    second = [one for one in drawn.values() if one["tuner/initial_epoch"] == 1]
    assert 0 < len(second) <= len(first) / 2
    for one in second:
        before = drawn[one["tuner/trial_id"]]
        assert one["l2"] == before["l2"]


def reached(number: int, score: float, epochs: int = 2) -> Trial:
    history = {"val/loss": [1.0] * epochs, "val/accuracy": [score] * epochs}
    return Trial(number, {}, 0, 6, history=history)


def test_the_worst_third_of_a_leg_leaves() -> None:
    leg = [reached(number, number / 20) for number in range(1, 13)]
    assert leaving(leg, [], "val/accuracy", 2) == {1, 2, 3, 4}
    assert leaving(leg[:5], [], "val/accuracy", 2) == set()  # too few to say
    assert leaving(leg[:1], leg[1:], "val/accuracy", 2) == {1}
    assert leaving(leg[-1:], leg[:-1], "val/accuracy", 2) == set()
    assert leaving([reached(n, 0.5) for n in range(12)], [], "val/accuracy", 2) == {8, 9, 10, 11}


def test_legs_are_of_one_shape_and_of_equal_parts() -> None:
    trials = [Trial(n, {"units": 8 if n % 3 else 16}, 0, 6) for n in range(1, 12)]
    legs = plan(trials, small(), 2, lambda settings: 4, True)
    numbers = [[number for number, _, _ in leg.entries] for leg in legs]
    assert numbers == [[1, 2, 4, 5], [7, 8, 10, 11], [3, 6, 9]]
    assert {(leg.start, leg.stop) for leg in legs} == {(0, 2)}
    assert len({leg.name for leg in legs}) == 3
    others = plan(trials[1:], small(), 2, lambda settings: 4, True)
    assert not {leg.name for leg in legs[:2]} & {leg.name for leg in others}  # other trials, another state
    [alone] = plan(trials[:1], small(), 0, lambda settings: 4, True)
    assert alone.alone


def test_a_leg_is_filled_up_to_what_is_compiled_where_that_is_cheap() -> None:
    run = small()
    data = load(run.data, run.seed)
    assert width(run, {}, data, 3, 8, 2) == 8
    assert width(run, {}, data, 3, 8, 10**9) == 3  # compiling is soon done, training copies is not
    assert width(run, {}, data, 8, 3, 2) == 8
    assert width(run, {}, data, 1, 0, 2) == 2
    [leg] = plan([Trial(n, {}, 0, 6) for n in (1, 2, 3)], run, 0, lambda settings: 4, True)
    numbers = [number for number, _, _ in leg.of_width(8).population]
    assert numbers == [1, 2, 3, 1, 2, 3, 1, 2]
    assert len({leg.name, leg.of_width(8).name, leg.of_width(3).name}) == 3  # a state is of one width


CONFIG = SearchConfig(trials=8, at_once=4, retrain=2)


def test_a_search_finds_keeps_and_says_what_is_best(runs: Path) -> None:
    text = io.StringIO()
    result = search(small(name="night"), CONFIG, console=Console(file=text, width=80))
    trials = list(result.trials.all.values())
    assert [trial.number for trial in trials] == list(range(1, 9))
    assert {trial.ended for trial in trials} == {"done", "early"}
    assert all(trial.epochs == (1 if trial.ended == "early" else 3) for trial in trials)
    scores = [trial.score("val/accuracy") for trial in trials]
    assert result.figures["search/chosen"] == max(scores)
    finals = list(result.trials.finals.values())
    assert {trial.seed for trial in finals} == {1, 2}
    assert all(trial.test["test/accuracy"] > 0.4 for trial in finals)
    assert result.status == "FINISHED"
    assert not list((runs / "state/night/legs").iterdir())
    said = text.getvalue()
    assert max(map(len, said.splitlines()[1:])) <= 80
    assert "± is the 95 % interval" in said
    _check_tracked(result)
    names = {"healthy", "undetermined", *get_args(FindingName)}
    assert {trial.finding for trial in trials} <= names
    assert "\nDiagnosed: " in said
    began = time.perf_counter()
    again = quietly(small(name="night"), CONFIG)
    assert steps(again) == steps(result)
    assert time.perf_counter() - began < 5
    with pytest.raises(UserError, match="--trials must be 8 to go on with run 'night', got 9"):
        quietly(small(name="night"), replace(CONFIG, trials=9))
    with pytest.raises(UserError, match=r"--space.l2 must be '0 or 1e-06 to 0.01 \(log\)' to go on"):
        quietly(small(name="night"), replace(CONFIG, space=("l1", "l2=1e-5:1e-2", "dropout")))
    with pytest.raises(UserError, match=r"--space must be \['l1', 'l2', 'dropout'\] to go on"):
        quietly(small(name="night"), replace(CONFIG, space=("l1", "l2", "dropout", "units")))


def _check_tracked(result: SearchResult) -> None:
    """The search is a run with its trials nested, which all log the same names."""
    store = client(default_uri())
    parent = store.get_run(result.run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["test/accuracy"] == result.figures["test/accuracy"]
    files = {file.path for file in store.list_artifacts(result.run_id)}
    assert {"model", "trials.json", "scores.png", "importance.png"} <= files
    children = store.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{result.run_id}'")
    assert len(children) == 8 + 4
    names = {frozenset(child.data.metrics) for child in children if child.data.tags["whyfit.role"] == "trial"}
    [names_of_all] = names
    assert {"val/accuracy", "val/loss", "train/accuracy", "gap", "score", "best/epoch"} <= names_of_all
    [first] = [child for child in children if child.data.tags["whyfit.trial"] == "1"]
    trial = result.trials.all[1]
    assert set(first.data.params) == {"l1", "l2", "dropout", "seed"}
    assert float(first.data.params["l2"]) == trial.settings["l2"]
    assert first.data.tags["diagnosis"] == trial.finding
    assert trial.finding.replace("_", " ") in parent.data.tags["diagnosis"]
    history = store.get_metric_history(first.info.run_id, "val/accuracy")
    assert [(point.step, point.value) for point in history] == list(
        enumerate(trial.history["val/accuracy"], 1)
    )


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(runs: Path, start: Start) -> None:
    flags = [*FLAGS, "--trials", "8", "--at-once", "4", "--retrain", "2"]
    process = start("search", "mlp", *flags)
    journal = runs / "state/mlp-search-1/trials.jsonl"
    while not journal.exists() or journal.read_text().count('"leg"') < 2:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    half = steps(journal)
    result = quietly(small(), CONFIG)  # the same command again, unnamed
    assert result.name == "mlp-search-1"
    assert steps(result)[: len(half)] == half
    assert steps(result) == steps(quietly(small(name="whole"), CONFIG))
    children = client(default_uri()).search_runs(["1"], f"tags.`mlflow.parentRunId` = '{result.run_id}'")
    assert len(children) == 8 + 4


def test_results_are_a_table_or_a_file(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    from whyfit.experiments.commands import run

    result = quietly(small(name="night", epochs=1), replace(CONFIG, trials=4))
    capsys.readouterr()
    assert run(["search", "--results", "night"]) == 0
    said = capsys.readouterr().out
    assert sum(line.lstrip()[:1].isdigit() for line in said.splitlines()) >= 4
    assert run(["search", "--results", "night", "--csv", str(tmp_path / "night.csv")]) == 0
    rows = list(csv.DictReader((tmp_path / "night.csv").read_text().splitlines()))
    assert [float(row["l2"]) for row in rows] == [t.settings["l2"] for t in result.trials.all.values()]
    code = "import sys; from whyfit.experiments.commands import run; run(['search', '--results', 'night'])\n"
    code += "print(sorted({'tensorflow', 'keras', 'mlflow'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == said
    assert done.stderr == "[]\n"
    assert run(["search", "--results", "morning"]) == 2
    assert "--results must be the name of a search, got 'morning'" in capsys.readouterr().err


def test_a_network_that_diverges_is_a_finished_bad_trial(runs: Path) -> None:
    run = small(optimizer=OptimizerConfig("SGD", learning_rate=1e3))
    config = replace(CONFIG, trials=6, at_once=6, space=("learning_rate=1e-2:1e12",))
    result = quietly(run, config)
    ended = [trial.ended for trial in result.trials.all.values()]
    assert "diverged" in ended
    assert len(ended) == 6
    assert result.best is not None


def legs(numbers: list[int], start: int, stop: int, before: Leg | None) -> Leg:
    """A leg of trials that may have been in another before."""
    trials = [Trial(number, {"l2": 10.0 ** -(number % 6)}, 0, stop) for number in numbers]
    for trial in trials:
        if before:
            trial.leg = before.name, [number for number, _, _ in before.entries].index(trial.number)
            trial.history = {"val/loss": [1.0] * start}
    [leg] = plan(trials, small(), 0, lambda settings: 9, True)
    return leg


def watched(trainer: Trainer) -> dict[str, np.ndarray]:
    """All that the trainer's newest monitor has measured."""
    *_, monitor = list(trainer._models.values())[-1]
    early = {f"early/{name}": values for name, values in monitor.early.items()}
    return monitor.history | early | {"start": np.array(monitor.measurements.facts["start_norms"])}


@pytest.mark.slow
def test_those_that_stay_go_on_in_what_is_compiled_and_come_to_the_same(tmp_path: Path) -> None:
    """A search compiles once where the worst leave a population of small networks."""
    run, space = small(epochs=4), (DIMENSIONS["l2"],)
    data, first = load(run.data, run.seed), legs([1, 2, 3, 4, 5], 0, 2, None)
    rest = legs([2, 5], 2, 4, first)
    found, compiled = [], []
    for leg in (rest, rest.of_width(5)):
        said: list[str] = []
        trainer = Trainer(run, data, space, tmp_path / str(leg.width), tell=said.append)
        trainer.train(first)
        found.append([(one["history"], one["finding"]) for one in trainer.train(leg)["trials"]])
        compiled.append(len(trainer._models))
    assert compiled == [2, 1]
    assert len(found[0]) == 2
    assert found[0] == found[1]
    assert said[0] == "training 5 settings: epoch 1 of 4"
    highest = max(history["val/accuracy"][2] for history, _ in found[1])
    assert said[3] == f"training 2 settings: epoch 4 of 4, val acc {highest:.2%} at best"


@pytest.mark.slow
def test_diagnoses_are_of_a_trials_whole_training_and_of_no_other(tmp_path: Path) -> None:
    run, space = small(epochs=4), (DIMENSIONS["l2"],)
    data = load(run.data, run.seed)
    others, whole = legs([11, 12, 13], 0, 3, None), legs([1, 2, 3], 0, 4, None)
    fresh, used = (Trainer(run, data, space, tmp_path / name) for name in ("fresh", "used"))
    expected = fresh.train(whole)
    assert all(result["finding"] for result in expected["trials"])
    used.train(others)
    compiled = next(iter(used._models.values()))[-1]._probe
    assert [one["finding"] for one in used.train(whole)["trials"]] == [
        one["finding"] for one in expected["trials"]
    ]
    assert next(iter(used._models.values()))[-1]._probe is compiled
    measured = watched(fresh)
    assert measured["gradient_norm"].shape == (4, 3, 2)
    for name, values in watched(used).items():
        np.testing.assert_array_equal(values, measured[name], err_msg=name)
    # In two legs, the second of which leaves one out.
    used.train(half := legs([1, 2, 3], 0, 2, None))
    used.train(rest := legs([3, 1], 2, 4, half))
    assert not rest.alone
    for name, values in watched(used).items():
        if name != "start":
            wanted = measured[name][:, [2, 0]] if measured[name].ndim > 1 else measured[name]
            np.testing.assert_allclose(values, wanted, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_search_without_a_monitor_has_no_findings(tmp_path: Path) -> None:
    run = small(epochs=1, gradient_monitor=GradientMonitorConfig(enabled=False))
    trainer = Trainer(run, load(run.data, run.seed), (DIMENSIONS["l2"],), tmp_path / "legs")
    assert [one["finding"] for one in trainer.train(legs([1, 2], 0, 1, None))["trials"]] == [None, None]


def test_a_finding_says_more_than_how_a_trial_ended() -> None:
    early, error = {"ended": "early"}, {"ended": "failed", "error": "no such layer"}
    assert _why(Trial(1, {}, 0, 3, finding="exploding_gradients", **early)) == "exploding grads"
    assert _why(Trial(1, {}, 0, 3, finding="healthy", **early)) == "ended early"
    assert _why(Trial(1, {}, 0, 3, finding="healthy", ended="done")) == "healthy"
    assert _why(Trial(1, {}, 0, 3, **error)) == "no such layer"


def test_a_command_is_broken_between_its_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert fitting("again:  ", "whyfit train mlp --model.l1 0") == ["again:  whyfit train mlp --model.l1 0"]
    command = "whyfit train mlp --model.l1 0 --model.l2 1e-05 --model.dropout 0.1 0.2"
    lines = fitting("again:  ", command)
    assert lines == [
        "again:",
        "    whyfit train mlp --model.l1 0 \\",
        "    --model.l2 1e-05 \\",
        "    --model.dropout 0.1 0.2",
    ]
    assert max(map(len, lines)) <= 40


def test_a_search_that_died_after_its_test_is_not_tested_twice(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when the scores were in the journal and the search not yet over."""
    from whyfit.experiments.search import search as searching

    config = replace(CONFIG, trials=4)

    def die(*arguments: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(searching._Conductor, "_keep", die)
        with pytest.raises(RuntimeError, match="killed"):
            quietly(small(name="night", epochs=1), config)
    before = steps(runs / "state/night/trials.jsonl")
    assert before[-1]["kind"] == "tested"
    result = quietly(small(name="night", epochs=1), config)
    assert result.status == "FINISHED"
    assert result.best is not None
    assert steps(runs / "state/night/trials.jsonl") == before
    assert not list((runs / "state/night/legs").iterdir())
