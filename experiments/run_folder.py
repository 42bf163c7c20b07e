"""A run's own folder under `mlruns/state/`: who it is, how it ended, and what goes on from where."""

import dataclasses
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import state
from .config import Run, flatten
from .errors import UserError

RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"


def runs_root() -> Path:
    """The folder of all runs: `mlruns` where the command runs, or $WHYFIT_MLRUNS."""
    return Path(os.environ.get("WHYFIT_MLRUNS", "mlruns")).absolute()


class RunFolder:
    """One run's files, held under a lock for as long as somebody works on them.

    Attributes:
        record: What `run.json` says: `config`, `status`, `reason`, `pid`, `tracking_uri`, `summary`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.lock = state.Lock(path / "lock")
        self.record: dict[str, Any] = _read_record(path)

    @property
    def checkpoint(self) -> Path:
        """Where the training's state is saved."""
        return self.path / "checkpoint"

    @property
    def journal(self) -> Path:
        """What is to be delivered to MLflow, in order."""
        return self.path / "journal.jsonl"

    @property
    def delivered(self) -> Path:
        """How far the journal has been delivered, and the MLflow run's id."""
        return self.path / "delivered.json"

    @property
    def files(self) -> Path:
        """Figures, tables and the model, until they are delivered."""
        folder = self.path / "files"
        folder.mkdir(exist_ok=True)
        return folder

    def update(self, **fields: Any) -> None:
        """Change fields of the record and write it."""
        self.record |= fields
        state.write_json(self.path / "run.json", self.record)

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *error: object) -> None:
        """Let go of the run."""
        self.lock.release()


def open_run(run: Run) -> RunFolder:
    """Take the folder of the run's name, or of a new name where it has none.

    Raises:
        UserError: The name is in use by a living process, or belongs to a run of another config.
    """
    return open_folder(run.name, run.recipe, config_dict(run))


def open_folder(name: str, stem: str, config: dict[str, Any]) -> RunFolder:
    """Take the folder of a name, or of a new name of this stem where there is none.

    Raises:
        UserError: The name is in use by a living process, or belongs to what had another config.
    """
    folder = _claim_name(name) if name else _new_name(stem)
    before = folder.record.get("config", config)
    # A field that is younger than the run is no change.
    if changed := [key for key in before if config.get(key) != before[key]]:
        folder.lock.release()
        key = min(changed)
        raise UserError(
            f"--{key.replace('_', '-')} must be {before.get(key)!r} to go on with run {folder.name!r}, "
            f"got {config.get(key)!r} (another --name starts a new run)"
        )
    return folder


def all_runs() -> Iterator[RunFolder]:
    """Every run there is on this disk, in order of name."""
    for record in sorted(runs_root().glob("state/*/run.json")):
        yield RunFolder(record.parent)


def config_dict(run: Run) -> dict[str, Any]:
    """All fields of a run but its name, nested ones with a dot: `{"model.units": 128, ...}`."""
    found = flatten(dataclasses.asdict(run))
    fields = {key: list(value) if isinstance(value, tuple) else value for key, value in found}
    del fields["name"]
    return fields | {"data": run.data.source, "model": run.model.builder}


def _claim_name(name: str) -> RunFolder:
    path = runs_root() / "state" / name
    path.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(path)
    try:
        folder.lock.acquire()
    except state.InUse as error:
        raise UserError(f"--name must be of a run that nobody is working on, {name!r} is {error}") from None
    folder.record = _read_record(path)
    return folder


def _new_name(recipe: str) -> RunFolder:
    root = runs_root() / "state"
    root.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        path = root / f"{recipe}-{number}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        folder = RunFolder(path)
        folder.lock.acquire()
        return folder
    raise AssertionError("unreachable")


def _read_record(path: Path) -> dict[str, Any]:
    return state.read_json(path / "run.json") or {}
