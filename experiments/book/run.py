"""Runs a lesson: its variants are trained, measured, judged and drawn, and all of it is kept."""

import io
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from .. import state
from ..conclude import keep_tables
from ..config import Run
from ..figures import save_figure
from ..interrupts import interruptible
from ..run_folder import FINISHED, RUNNING, RunFolder, all_runs, open_folder
from ..tracking.session import tracked
from ..tracking.tracker import Tracker
from ..verdict import Verdict
from .lesson import Lesson
from .page import Page
from .trained import Trained, data_of
from .training import Tell, train_variants

EXPERIMENT = "lessons"


def run_lesson(lesson: Lesson, tell: Tell, *, full: bool = False, seeds: int = 0) -> Page | None:
    """Run a lesson, or go on with it where it was interrupted; None where it is interrupted now.

    Args:
        lesson: Which.
        tell: Called with a line for each thing that begins.
        full: The long parts, too.
        seeds: Another number of seeds for every variant; 0: the lesson's own.
    """
    began = time.monotonic()
    full = full and lesson.has_long_part
    variants = {name: _with_seeds(run, seeds) for name, run in lesson.variants(full).items()}
    config = _config(lesson, full, seeds)
    data = list({run.data: data_of(run.data, run.seed) for run in variants.values()}.values())
    with open_folder(_unfinished(config), lesson.name, config) as folder:
        with tracked(config, data, folder, EXPERIMENT) as tracker, interruptible():
            tracker.log_tags({"whyfit.role": "lesson", "whyfit.lesson.rows": lesson.rows})
            trainings = folder.path / "trainings"
            trainings.mkdir(exist_ok=True)
            trained = train_variants(variants, trainings, tell, test_curves=lesson.test_curves)
            tell("measuring")
            measured = lesson.measure(trained)
            verdicts = [claim.judge(measured) for claim in lesson.claims]
            frames = lesson.frames(measured)
            page = Page(
                name=lesson.name,
                claim=lesson.claim,
                rows=lesson.rows,
                rules=[claim.rule for claim in lesson.claims],
                verdicts=verdicts,
                seconds=time.monotonic() - began + folder.record.get("seconds", 0.0),
                run=folder.name,
                commit=tracker.commit,
                digest=config["digest"],
                full=full,
                frames=[label for label, _ in frames],
            )
            drawn = dict(zip(page.frame_files, (figure for _, figure in frames), strict=True))
            drawn[page.picture] = lesson.draw(measured)
            _keep(page, drawn, measured, trained, folder, tracker)
            tracker.finished_by = f"judged: {page.outcome}"
        if folder.record["status"] == FINISHED:
            shutil.rmtree(trainings, ignore_errors=True)
            return page
        folder.update(seconds=time.monotonic() - began + folder.record.get("seconds", 0.0))
        return None


def _keep(
    page: Page,
    drawn: Mapping[Path, Figure],
    measured: Mapping[str, Any],
    trained: dict[str, Trained],
    folder: RunFolder,
    tracker: Tracker,
) -> None:
    """Pictures, numbers and verdicts, with the run and beside the other lessons' pages."""
    for path, figure in drawn.items():
        save_figure(figure, path)
        shutil.copy(path, folder.files / path.name)
    arrays: dict[str, Any] = {name: np.asarray(values) for name, values in measured.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    state.write(folder.files / "measured.npz", buffer.getvalue())
    page.write()
    state.write_json(folder.files / "verdicts.json", [one.as_dict() for one in page.verdicts])
    for name in (*(path.name for path in drawn), "measured.npz", "verdicts.json"):
        tracker.log_file(folder.files / name)
    if trained:
        keep_tables({"variants.json": _table(trained)}, folder, tracker)
    tracker.log_metrics(_metrics(page.verdicts), 1)
    outcomes = {f"verdict.{one.key}": f"{one.outcome}: {one.found}" for one in page.verdicts}
    tracker.log_tags({"verdict": page.outcome, **outcomes})


def _metrics(verdicts: list[Verdict]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in verdicts:
        ends = {"": one.value, "/low": one.low, "/high": one.high}
        found |= {f"{one.key}{name}": value for name, value in ends.items() if np.isfinite(value)}
    return found


def _table(trained: dict[str, Trained]) -> dict[str, list]:
    """A row a variant and seed, as MLflow shows it."""
    names = list(dict.fromkeys(name for one in trained.values() for name in one.scores))
    rows = [
        [variant, one.run.seed + place, one.diagnosis[place]]
        + [_number(one.scores[name][place]) if name in one.scores else None for name in names]
        for variant, one in trained.items()
        for place in range(one.seeds)
    ]
    return {"columns": ["variant", "seed", "diagnosis", *names], "data": rows}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _with_seeds(run: Run, seeds: int) -> Run:
    return replace(run, seeds=seeds) if seeds else run


def _config(lesson: Lesson, full: bool, seeds: int) -> dict[str, Any]:
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    return {
        "recipe": lesson.name,
        "backend": backend,
        "full": full,
        "seeds": seeds,
        "digest": lesson.digest(full, seeds),
    }


def _unfinished(config: dict[str, Any]) -> str:
    """Name of a run of the same that was interrupted; "" where there is none."""
    waiting = [
        folder.name
        for folder in all_runs()
        if folder.record.get("config") == config and folder.record.get("status") not in (FINISHED, RUNNING)
    ]
    return waiting[-1] if waiting else ""
