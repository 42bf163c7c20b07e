"""whyfit search RECIPE: try many settings of a recipe, or go on with a search."""

import os
import time
from dataclasses import dataclass, fields, replace

from ..errors import UserError
from ..search.config import SearchConfig
from . import import_quietly
from .parsing import parse
from .train import overview, read_run

USAGE = (
    "whyfit search RECIPE [FLAGS] [FIELDS]\nwhyfit search --results NAME [--csv FILE]",
    "whyfit search RECIPE --help lists its flags; FIELDS are those of whyfit train RECIPE --help.",
)
FLAGS = {f"--{field.name.replace('_', '-')}" for field in fields(SearchConfig)}


@dataclass(frozen=True)
class Results:
    """A search that is done, or as far as it is."""

    results: str = ""
    """Name of the search."""
    csv: str = ""
    """File to write the table to, as CSV. Empty: it is printed."""


def main(arguments: list[str]) -> int:
    """Search the recipe that the first argument names, with flags of a search and fields of the run."""
    began = time.monotonic()
    if arguments and arguments[0] == "--results":
        return _show(parse(Results, arguments, "whyfit search", "Show what a search has found."))
    if not arguments or arguments[0] in ("-h", "--help"):
        print(overview(*USAGE))
        return 0
    own, others = split(arguments[1:])
    config = parse(SearchConfig, own, f"whyfit search {arguments[0]}", SearchConfig.__doc__ or "")
    run = replace(read_run([arguments[0], *others]), show_every=0)
    os.environ["KERAS_BACKEND"] = run.backend

    searching = import_quietly("..search.search")
    from ..tracking.delivery import bury_the_dead

    bury_the_dead()
    result = searching.search(run, config)
    for line in searching.next_lines(run, result, time.monotonic() - began):
        print(line)
    return 0 if result.status == "FINISHED" else 130


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The arguments that are a search's own, with their values, and those that describe the run."""
    own: list[str] = []
    others: list[str] = []
    target = others
    for argument in arguments:
        if argument.startswith("-"):
            mine = argument.partition("=")[0] in FLAGS or argument in ("-h", "--help")
            target = own if mine else others
        target.append(argument)
    return own, others


def _show(asked: Results) -> int:
    if not asked.results:
        raise UserError("--results must be the name of a search, got none")
    from ..search.results import show

    show(asked.results, asked.csv)
    return 0
