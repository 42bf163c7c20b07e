"""whyfit compare RUN RUN ...: show how runs differ, in configuration and in results."""

from dataclasses import dataclass
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table

from ..errors import UserError
from .parsing import parse

FINAL = ("test/", "best/", "time/training")


@dataclass(frozen=True)
class Compare:
    """Runs side by side."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Names or ids of two runs or more."""


def main(arguments: list[str]) -> int:
    """Print the fields that differ and the final metrics, a column a run."""
    compare = parse(Compare, arguments, "whyfit compare", "Show how runs differ.")
    if len(compare.runs) < 2:
        raise UserError(f"RUN must be given at least twice, got {len(compare.runs)}")

    from ..tracking.delivery import bury_the_dead
    from ..tracking.runs import find

    bury_the_dead()
    runs = [find(reference) for reference in compare.runs]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for run in runs:
        table.add_column(run.name, justify="right", overflow="fold")
    table.add_row("status", *(run.status for run in runs))
    if any("diagnosis" in run.tags for run in runs):
        table.add_row("diagnosis", *(run.tags.get("diagnosis", "-") for run in runs))
    for name in sorted(set().union(*(run.params for run in runs))):
        values = [run.params.get(name, "-") for run in runs]
        if len(set(values)) > 1:
            table.add_row(name, *values)
    table.add_section()
    names = sorted(set().union(*(run.metrics for run in runs)))
    for name in [name for name in names if name.startswith(FINAL)]:
        values = [f"{run.metrics[name]:.5g}" if name in run.metrics else "-" for run in runs]
        table.add_row(name, *values)
    Console(highlight=False).print(table)
    return 0
