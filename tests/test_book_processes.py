"""The whole book: lessons run side by side, and alone where they measure seconds; it can be stopped."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from whyfit.experiments.book import processes
from whyfit.experiments.book.lesson import Lesson, lessons, path_of
from whyfit.experiments.run_folder import RUNNING, all_runs

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Lesson]:
    """Lessons whose processes note when they begin and end in a file; two want to be alone, one fails."""
    code = (
        "import sys, time, pathlib; log = open(pathlib.Path(sys.argv[2]), 'a', buffering=1); "
        "log.write('+'); time.sleep(0.5); log.write('-'); print('said'); sys.exit('fails' in sys.argv[1])"
    )

    def begin(lesson: Lesson, flags: list[str], workers: int) -> subprocess.Popen[str]:
        with (tmp_path / "workers").open("a") as file:
            file.write(f"{lesson.name} {workers}\n")
        command = [sys.executable, "-c", code, lesson.name, str(tmp_path / "log")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    monkeypatch.setattr(processes, "_start", begin)
    found = [Lesson(name, "", "A1", "1 s", "") for name in ("alone", "one", "alone, too", "fails")]
    for lesson in found:
        vars(lesson)["module"] = type("module", (), {"ALONE": lesson.name.startswith("alone")})
    return found


def test_what_measures_seconds_runs_last_and_by_itself(four: list[Lesson], tmp_path: Path) -> None:
    begun: list[str] = []
    ended = list(processes.run_lessons(four, 2, [], lambda lesson: begun.append(lesson.name)))
    assert {one.lesson.name: one.code for one in ended} == {"one": 0, "fails": 1, "alone": 0, "alone, too": 0}
    assert {one.said for one in ended} == {"said\n"}
    assert begun[2:] == ["alone", "alone, too"]
    assert (tmp_path / "log").read_text()[4:] == "+-+-"
    workers = dict(line.rsplit(" ", 1) for line in (tmp_path / "workers").read_text().splitlines())
    assert workers == {"one": "2", "fails": "2", "alone": "1", "alone, too": "1"}


@pytest.mark.parametrize(("workers", "given", "threads"), [(2, None, "4"), (1, None, None), (2, "3", "3")])
def test_each_process_has_its_share_of_the_cores(
    workers: int, given: str | None, threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the user says how many threads there are to be."""
    monkeypatch.setattr(processes.os, "cpu_count", lambda: 8)
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    if given:
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", given)
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(processes.subprocess, "Popen", lambda command, env, **_: seen.append(env))
    processes._start(Lesson("one", "", "A1", "1 s", ""), [], workers)
    assert seen[0].get("TF_NUM_INTRAOP_THREADS") == threads


def test_leaving_early_stops_those_that_run_and_begins_no_other(four: list[Lesson], tmp_path: Path) -> None:
    running = processes.run_lessons(four, 1, [], lambda lesson: None)
    assert next(running).lesson.name == "one"
    running.close()
    assert (tmp_path / "log").read_text().count("+") <= 2


def test_lessons_that_look_at_a_clock_run_alone() -> None:
    clocks = {name for name, one in lessons().items() if "perf_counter" in path_of(name).read_text()}
    assert clocks == {name for name, one in lessons().items() if one.alone}


@pytest.mark.slow
def test_the_book_that_is_stopped_goes_on_with_the_same_runs(start: Start, runs: Path) -> None:
    def begun() -> dict[str, str]:
        return {folder.name: folder.record["status"] for folder in all_runs()}

    book = start("book")
    while len(list((runs / "state").glob("*/trainings"))) < 2:  # from there on it can be stopped
        assert book.poll() is None
        time.sleep(0.5)
    book.send_signal(signal.SIGTERM)
    said, _ = book.communicate(timeout=300)
    assert book.returncode == 130
    assert said.endswith("interrupted; to go on:  whyfit book\n")
    first = begun()
    assert len(first) >= 2
    assert RUNNING not in first.values()
    again = start("book")
    while RUNNING not in begun().values():
        assert again.poll() is None
        time.sleep(0.2)
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=300)
    names = {name.rpartition("-")[0] for name in first}
    later = [name for name in begun() if name.rpartition("-")[0] in names]
    assert sorted(later) == sorted(first)  # no second run of any lesson that was begun
