"""A search that is done, or as far as it is, read again from its journal."""

from pathlib import Path
from typing import Any

from rich.console import Console

from .. import state
from ..errors import UserError
from ..run_folder import RunFolder, runs_root
from ..spaces import Dimension
from .config import JOURNAL
from .show import TrialTable
from .table import write_csv
from .trials import Trials


def show(name: str, file: str) -> None:
    """Print the trials of a search, the best first, or write them to a CSV file.

    Raises:
        UserError: There is no search of this name.
    """
    trials, record = _open(name)
    space = tuple(
        Dimension(key.removeprefix("space.")) for key in record["config"] if key.startswith("space.")
    )
    objective = record["objective"]
    if file:
        state.write(Path(file), write_csv(trials, space, objective).encode())
        return
    console = Console(highlight=False)
    table = TrialTable(space, objective, console)
    table.head()
    best = trials.best(objective)
    for trial in sorted(trials.all.values(), key=lambda one: -one.score(objective)):
        table.line(trial, best)


def _open(name: str) -> tuple[Trials, dict[str, Any]]:
    path = runs_root() / "state" / name
    if not (path / JOURNAL).exists():
        known = ", ".join(sorted(one.parent.name for one in runs_root().glob(f"state/*/{JOURNAL}")))
        raise UserError(
            f"--results must be the name of a search, got {name!r} (known: {known or 'none yet'})"
        )
    trials = Trials(path / JOURNAL, read_only=True)
    trials.read()
    return trials, RunFolder(path).record
