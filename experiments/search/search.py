"""From a recipe and a space to the best setting: read this first.

space -> oracle -> legs of trials -> the training line -> journal -> the best, trained anew -> summary
"""

import re
import shutil
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from .. import state
from ..conclude import keep_model, keep_tables
from ..config import Run
from ..data.splits import Data, load
from ..errors import UserError
from ..interrupts import interruptible
from ..run_folder import FAILED, FINISHED, RunFolder, all_runs, config_dict, open_folder
from ..spaces import Dimension, describe, space_of
from ..tracking.delivery import run_id
from ..tracking.session import tracked
from ..tracking.tracker import Tracker
from ..train import check_backend
from .build import Build, load_build
from .config import JOURNAL, SearchConfig
from .legs import Leg
from .oracles import space_of_build
from .pictures import pictures
from .rules import fields_of, objective_of
from .show import TrialTable
from .summary import Summary
from .table import trial_figures, trial_table
from .trainer import Trainer
from .trials import Trial, Trials
from .tuner import Search
from .workers import Job, Workers


@dataclass(frozen=True)
class SearchResult:
    """What a search came to.

    Attributes:
        name: Its name, which goes on with it.
        status: FINISHED, or KILLED when it was interrupted.
        reason: Why it ended, in a line.
        trials: All that was tried, and the trainings after it.
        objective: The validation metric that is to be high.
        best: The setting of the best trial; None where there is none yet.
        figures: The summary in numbers.
        run_id: MLflow's id; None while MLflow has not got it.
        recipe: The best setting as flags of `whyfit train`.
    """

    name: str
    status: str
    reason: str
    trials: Trials
    objective: str
    best: dict[str, Any] | None
    figures: dict[str, float]
    run_id: str | None
    recipe: str


def search(
    run: Run,
    config: SearchConfig | None = None,
    build: Build | None = None,
    console: Console | None = None,
) -> SearchResult:
    """Search the run's space, tracked, and go on with a search that was begun before.

    Args:
        run: A recipe's configuration, whose L1, L2 and dropout are varied, or what `config.space` names.
        config: How to go about it.
        build: Your own `build(hp)`, which returns a compiled model and names the hyperparameters itself.
        console: Where the table and the summary are printed; standard output by default.

    Raises:
        UserError: The name is in use, or is of a search of another recipe or space; what differs is said.

    Example:
        >>> result = search(recipes.mlp_10k(epochs=3), SearchConfig(trials=16))
        >>> result.best["l2"], result.figures["test/accuracy"]
    """
    config = config or SearchConfig()
    console = console or Console(highlight=False)
    check_backend(run)
    check_plain(run)
    if build is None and config.build:
        build = load_build(config.build)
    if build and config.workers > 1 and not config.build:
        raise UserError("workers must be 1 with a build(hp) that is not named as FILE.py:FUNCTION, got more")
    space = space_of_build(build) if build else space_of(run, config.space)
    data = load(run.data, run.seed)
    for note in data.notes:
        console.print(note, soft_wrap=True)
    fields = config_dict(run) | fields_of(config) | describe(space)
    with open_folder(run.name or unfinished(fields), f"{run.recipe}-search", fields) as folder:
        trials = Trials(folder.path / JOURNAL)
        try:
            if folder.record.get("status") != FINISHED:
                with closing(_Conductor(run, config, data, space, folder, trials, console, build)) as one:
                    one.conduct(fields)
            else:
                trials.read()
                Summary(run, space, trials, objective_of(data), bool(build)).print(console)
        finally:
            trials.close()
        return result_of(folder, trials, objective_of(data))


def check_plain(run: Run) -> None:
    """Raise for a run that is a population by itself."""
    if run.is_population:
        raise UserError("--seeds must be 1, with nothing to sweep, in a search: it makes its own variants")


def unfinished(fields: dict[str, Any]) -> str:
    """The name of a search of these fields that was stopped and that nobody works on; empty where none is."""
    for folder in all_runs():
        if folder.record.get("config") == fields and folder.record.get("status") != FINISHED:
            try:
                with folder.lock:
                    return folder.name
            except state.InUse:
                continue
    return ""


def result_of(folder: RunFolder, trials: Trials, objective: str) -> SearchResult:
    """What the search's folder and journal hold."""
    best = trials.best(objective)
    return SearchResult(
        name=folder.name,
        status=folder.record["status"],
        reason=folder.record["reason"],
        trials=trials,
        objective=objective,
        best=dict(best.settings) if best else None,
        figures=folder.record.get("metrics", {}),
        run_id=run_id(folder),
        recipe=folder.record.get("best", ""),
    )


class Inline:
    """Trains legs in this process, one at a time."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._leg: Leg | None = None

    def room(self) -> int:
        """One, or none."""
        return int(self._leg is None)

    def submit(self, leg: Leg) -> None:
        """Note the leg."""
        self._leg = leg

    def wait(self) -> dict[str, Any]:
        """Train it."""
        assert self._leg is not None
        leg, self._leg = self._leg, None
        return self._trainer.train(leg)

    def close(self) -> None:
        """Nothing is to be ended."""


class _Conductor:
    """One process's part in a search, told to MLflow and to people."""

    def __init__(
        self,
        run: Run,
        config: SearchConfig,
        data: Data,
        space: tuple[Dimension, ...],
        folder: RunFolder,
        trials: Trials,
        console: Console,
        build: Build | None,
    ) -> None:
        self._run, self._data, self._space, self._folder = run, data, space, folder
        self._trials, self._console = trials, console
        self._legs = folder.path / "legs"
        alone = config.workers == 1
        self._status = console.status("beginning" if alone else f"training in {config.workers} processes")
        self._trainer = Trainer(run, data, space, self._legs, build, self._status.update)
        self._runner: Inline | Workers = Inline(self._trainer)
        if config.workers > 1:
            self._runner = Workers(Job(run, space, self._legs, config.build, config.workers))
        self._tuner = Search(run, config, data, space, trials, self._runner, build)
        self._objective = self._tuner.objective
        self._table = TrialTable(space, self._objective, console)
        self._own_build = bool(build)

    def close(self) -> None:
        """End other processes."""
        self._runner.close()

    def conduct(self, fields: dict[str, Any]) -> None:
        """Go on until the summary."""
        with tracked(fields, [self._data], self._folder) as tracker, interruptible():
            self._folder.update(objective=self._objective)
            tracker.log_tags({"whyfit.kind": "search", "whyfit.objective": self._objective})
            self._say_what_is_known(tracker)
            with self._status:  # a line below the table, in a terminal only
                for trial in self._tuner.search():
                    self._tell(trial, tracker)
                    self._tidy()
            self._conclude(tracker)
        if self._folder.record["status"] == FINISHED:  # before that, who goes on needs their states
            for file in self._legs.iterdir():
                file.unlink()

    def _say_what_is_known(self, tracker: Tracker) -> None:
        """What earlier processes have found; MLflow is told again what it may not have been told."""
        done = [trial for trial in self._trials.all.values() if trial.ended]
        if done:
            self._console.print(f"going on with {self._folder.name}: {len(done)} trials are done already\n")
        else:
            self._console.print(f"search {self._folder.name}\n")
        self._table.head()
        best = self._trials.best(self._objective)
        for trial in done:
            self._table.line(trial, best)
            self._log(trial, tracker)

    def _tell(self, trial: Trial, tracker: Tracker) -> None:
        best = self._trials.best(self._objective)
        if trial.role == "trial":
            self._table.line(trial, best)
            count = sum(bool(other.ended) for other in self._trials.all.values())
            assert best is not None or not trial.best_epoch
            if best:
                name = self._objective.removeprefix("val/")
                tracker.log_metrics({f"best/so_far/{name}": best.score(self._objective)}, count)
        self._log(trial, tracker)

    def _log(self, trial: Trial, tracker: Tracker) -> None:
        figures = trial_figures(trial, self._objective)
        tags = {"whyfit.role": trial.role, "whyfit.ended": trial.ended}
        found = {"diagnosis": trial.finding, "whyfit.error": trial.error}
        tags |= {name: text for name, text in found.items() if text}
        now = time.time()
        tracker.log_trial(
            trial.number,
            trial.epochs,
            trial.settings | {"seed": trial.seed},
            trial.history,
            metrics=figures,
            tags=tags,
            status=FAILED if trial.ended in ("diverged", "failed") else FINISHED,
            began=now - trial.seconds,
            ended=now,
        )

    def _tidy(self) -> None:
        """Remove states that nobody will read, but none that another process is just writing."""
        needed = self._tuner.needed()
        for file in self._legs.iterdir():
            # A state is NAME or NAME.previous, and .NAME.4711 while process 4711 writes it.
            leg = file.name.lstrip(".").partition(".")[0]
            if leg not in needed:
                file.unlink(missing_ok=True)

    def _conclude(self, tracker: Tracker) -> None:
        """Test the trainings after the search once, say what was found, and keep it."""
        if self._trials.best(self._objective) is None:
            self._console.print("\nNo trial ever had a finite loss: there is nothing to choose from.")
            return
        models = self._test()
        summary = Summary(self._run, self._space, self._trials, self._objective, self._own_build)
        summary.print(self._console)
        self._keep(summary, models, tracker)

    def _test(self) -> dict[int, Any]:
        """Score what was trained anew on the test data; returns ways to the winners' models."""
        scores, models = {}, {}
        for leg in self._tuner.finals():
            found, model_of = self._trainer.test(leg)
            for place, (number, _, _) in enumerate(leg.entries):
                scores[str(number)] = found[place]
                if self._trials.finals[number].role == "winner":
                    models[number] = (model_of, place)
        if not all(trial.test for trial in self._trials.finals.values()):  # by a process that died since
            self._tuner.keep({"kind": "tested", "scores": scores})
        return models

    def _keep(self, summary: Summary, models: dict[int, Any], tracker: Tracker) -> None:
        """The best model, the tables, the pictures and the figures, with the search's run."""
        number = min(models, key=lambda one: self._trials.finals[one].at_best("val/loss"))
        model_of, place = models[number]
        task, model = model_of(place)
        keep_model(task, model, self._folder, tracker)
        keep_tables(
            {"trials.json": trial_table(self._trials, self._space, self._objective)}, self._folder, tracker
        )
        for path in pictures(self._trials, self._space, self._objective, self._folder.files):
            tracker.log_file(path)
        figures = summary.figures()
        tracker.log_metrics(figures, len(self._trials.all))
        tags = {"whyfit.best": summary.flags()[:5_000], "diagnosis": summary.diagnosed()}
        tracker.log_tags({name: text for name, text in tags.items() if text})
        self._folder.update(metrics=figures, best=summary.flags())


def next_lines(run: Run, result: SearchResult, seconds: float) -> list[str]:
    """What to type next."""
    name = result.name
    lines = ["", f"run  {name}  ({result.run_id or 'not in MLflow yet'}), {seconds:.0f} s"]
    if result.status != FINISHED:
        return [*lines, f"{result.reason}; to go on:  whyfit search {run.recipe} ... --name {name}"]
    again = f"whyfit train {run.recipe} {result.recipe}"
    return [
        *lines,
        *(fitting("train it again:     ", again) if result.recipe else []),
        f"use its model:      whyfit predict {name} NEW",
        f"the table:          whyfit search --results {name} [--csv FILE]",
        f"compare in MLflow:  whyfit ui --compare {name}",
    ]


def fitting(title: str, command: str) -> list[str]:
    """A command behind its title, or where it is too long below it, broken between flags for a shell."""
    width = shutil.get_terminal_size().columns
    if len(title) + len(command) <= width:
        return [title + command]
    lines = [""]
    for part in re.split(" (?=--)", command):
        if lines[-1] and len(lines[-1]) + len(part) + 7 > width:
            lines.append("")
        lines[-1] += f" {part}" if lines[-1] else part
    return [title.rstrip(), *(f"    {line} \\" for line in lines[:-1]), f"    {lines[-1]}"]
