"""Lessons, from the claim to its page: found, run, judged, tracked, gone on with, and reported."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from whyfit.experiments.book import lesson as lessons_room
from whyfit.experiments.book import page as pages
from whyfit.experiments.book import report
from whyfit.experiments.book.lesson import Lesson, lessons
from whyfit.experiments.book.run import run_lesson
from whyfit.experiments.tracking.store import client, default_uri
from whyfit.experiments.verdict import DENIED, HOLDS, OPEN, SHOWN, Claim, Verdict

from . import planted_lesson


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Lesson:
    """A lesson of claims whose truth is known."""
    monkeypatch.setattr(lessons_room, "FOLDER", Path(planted_lesson.__file__).parent)
    found = lessons_room._read(Path(planted_lesson.__file__))
    vars(found)["module"] = planted_lesson
    return found


def test_every_lesson_is_complete() -> None:
    """Its docstring, claims with reasons, at least 16 seeds, and a key for each claim."""
    known = lessons()
    assert known
    for name, lesson in known.items():
        assert lesson.claim.endswith("."), name
        assert len(lesson.claim) <= 110
        keys = [claim.key for claim in lesson.claims]
        assert len(set(keys)) == len(keys) > 0, name
        assert all(claim.reason for claim in lesson.claims if hasattr(claim, "reason")), name
        assert all(run.seeds >= 16 for run in lesson.variants(False).values()), name


def test_planted_claims_are_judged_by_what_was_trained(planted: Lesson, runs: Path) -> None:
    said: list[str] = []
    found = run_lesson(planted, said.append)
    assert found is not None
    assert [one.outcome for one in found.verdicts] == [HOLDS, DENIED, DENIED]
    assert found.outcome == pages.PART and found.decisive is found.verdicts[1]
    assert said[0] == "training 1/1: still; learns; learns too; 24 networks as one"
    assert found.picture.read_bytes()[:4] == b"\x89PNG"
    assert pages.read(planted.name) == found
    _check_tracked(found)
    assert found.frames == ["epoch 1", "epoch 12"]
    assert [path.read_bytes()[:4] for path in found.frame_files] == [b"\x89PNG"] * 2
    html = report.write({planted.name: planted}, [found]).read_text()
    assert "does not hold" in html
    assert "1 hold, 2 do not hold" in html


def _check_tracked(page: pages.Page) -> None:
    store = client(default_uri())
    [experiment] = store.search_experiments(filter_string="name = 'lessons'")
    [run] = store.search_runs([experiment.experiment_id])
    assert run.info.run_name == page.run
    assert run.data.tags["verdict"] == pages.PART
    assert run.data.tags["verdict.learning"].startswith("holds: ")
    assert run.data.metrics["learning"] == page.verdicts[0].value
    files = {file.path for file in store.list_artifacts(run.info.run_id)}
    assert {
        "planted-lesson.png",
        "planted-lesson.0.png",
        "planted-lesson.1.png",
        "measured.npz",
        "verdicts.json",
        "variants.json",
    } <= files
    table = json.loads(Path(store.download_artifacts(run.info.run_id, "variants.json")).read_text())
    assert len(table["data"]) == 24
    measured = np.load(store.download_artifacts(run.info.run_id, "measured.npz"))
    assert measured["test curve"].shape == (12, 8)
    assert (measured["test curve"][-1] == measured["last on test"]).all()


def test_the_full_book_runs_only_long_parts_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a lesson without one has found counts for both books; only published pictures make that depend on
    the machine."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    long = {name for name, lesson in lessons().items() if lesson.digest(True) != lesson.digest(False)}
    assert long == {name for name, lesson in lessons().items() if lesson.has_long_part}
    assert {"learns-to-add", "gates-learn-sums"} < long
    assert not {"zero-init", "assignment-ladder"} & long


@pytest.mark.slow
def test_another_seed_count_or_the_long_part_is_another_training(planted: Lesson, runs: Path) -> None:
    said: list[str] = []
    found = run_lesson(planted, said.append, full=True, seeds=6)
    assert found is not None
    assert found.full
    assert (
        found.digest == planted.digest(True, 6) != planted.digest(True)
    )  # the book does not take it for its own
    assert said[:2] == [
        "training 1/2: wide; 6 networks as one",
        "training 2/2: still; learns; learns too; 18 networks as one",
    ]
    assert {one.seeds for one in found.verdicts} == {6}


@pytest.mark.slow
def test_a_lesson_that_was_stopped_goes_on(
    planted: Lesson, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the first training, it does not train it again, and its numbers are the same."""
    whole = run_lesson(planted, lambda line: None, full=True)
    assert whole is not None

    def stop(line: str) -> None:
        if line.startswith("training 2/2"):
            raise KeyboardInterrupt

    assert run_lesson(planted, stop, full=True) is None
    [stopped] = [path for path in (runs / "state").glob("*/trainings") if any(path.iterdir())]
    before = {path.name: path.stat().st_mtime_ns for path in stopped.glob("training-1")}
    assert before
    fitted: list[int] = []
    from whyfit.experiments.book import together

    fit = together.fit
    monkeypatch.setattr(together, "fit", lambda *a: (fitted.append(a[4]), fit(*a)))
    went_on = run_lesson(planted, lambda line: None, full=True)
    assert fitted == [12, 0]  # epochs that were done when each training began
    assert went_on is not None
    assert went_on.run == stopped.parent.name
    assert [one.found for one in went_on.verdicts] == [one.found for one in whole.verdicts]
    assert not list((runs / "state").glob("*/trainings"))
    again = run_lesson(planted, lambda line: None, full=True)
    assert again is not None
    assert again.run not in (whole.run, went_on.run)
    assert [one.found for one in again.verdicts] == [one.found for one in whole.verdicts]


@pytest.mark.slow
def test_a_claim_needs_its_control(planted: Lesson, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lonely = Claim("losses", "t", "s", "u", 0.0, "r")
    monkeypatch.setattr(planted_lesson, "CLAIMS", (lonely,))
    with pytest.raises(KeyError, match="losses/control"):
        run_lesson(planted, lambda line: None)


def test_mistakes_of_the_user_are_told_in_a_line(whyfit: Callable, runs: Path) -> None:
    for arguments, wrong in (
        (["lesson", "zero-int"], "zero-init"),
        (["lesson", "zero-init", "--seeds", "1"], "seeds must be at least 2, or 0, got 1"),
        (["report"], "no lesson has been run yet"),
    ):
        done = whyfit(*arguments)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert wrong in done.stderr
    listed = whyfit("lesson")
    assert "zero-init" in listed.stdout


def test_pages_of_lessons_that_were_not_run_are_left_out(runs: Path) -> None:
    assert list(pages.pages(["zero-init"])) == []


@pytest.mark.parametrize(
    ("outcomes", "whole", "weakest"),
    [
        ([HOLDS, HOLDS], HOLDS, 0),
        ([HOLDS, SHOWN], HOLDS, 0),
        ([SHOWN], SHOWN, 0),
        ([HOLDS, OPEN, DENIED], pages.PART, 2),
        ([HOLDS, OPEN], pages.PART, 1),
        ([OPEN, DENIED, DENIED], DENIED, 1),
        ([SHOWN, OPEN], OPEN, 1),
    ],
)
def test_a_lesson_comes_to_what_its_statements_come_to(outcomes: list[str], whole: str, weakest: int) -> None:
    verdicts = [Verdict(str(place), "", outcome, "") for place, outcome in enumerate(outcomes)]
    page = pages.Page("x", "", "A1", [], verdicts, 1.0, "", "", "", False)
    assert page.outcome == whole
    assert page.decisive is verdicts[weakest]
