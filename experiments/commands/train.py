"""whyfit train RECIPE: train a recipe, or go on with a run."""

import os
import time

from ..book.lesson import lessons
from ..config import Run
from ..data.config import SOURCES
from ..errors import UserError
from ..recipes import RECIPES, on
from . import import_quietly
from .parsing import nearest, parse

USAGE = "whyfit train RECIPE [FIELDS]", "whyfit train RECIPE --help lists its fields."


def main(arguments: list[str]) -> int:
    """Train the recipe that the first argument names, with the fields that the others change."""
    began = time.monotonic()
    if not arguments or arguments[0] in ("-h", "--help"):
        print(overview(*USAGE))
        return 0
    if nearest("RECIPE", arguments[0], [*RECIPES, *lessons()]) not in RECIPES:
        from .lesson import main as run_lesson

        return run_lesson(arguments)
    run = read_run(arguments)
    os.environ["KERAS_BACKEND"] = run.backend

    training = import_quietly("..train")
    from ..summary import print_summary
    from ..tracking.delivery import bury_the_dead

    bury_the_dead()
    results = training.train(run)
    print_summary(run, results, time.monotonic() - began)
    return 0 if all(result.status == "FINISHED" for result in results) else 130


def read_run(arguments: list[str]) -> Run:
    """The run that a recipe's name and fields describe.

    Raises:
        UserError: There is no such recipe or field, or a value cannot be.
    """
    recipe = RECIPES[nearest("RECIPE", arguments[0], list(RECIPES))]
    default, fields = _with_data(recipe(), arguments[1:])
    return parse(Run, fields, f"whyfit train {arguments[0]}", recipe.__doc__ or "", default=default)


def _with_data(default: Run, fields: list[str]) -> tuple[Run, list[str]]:
    """The recipe on the data that `--data NAME` asks for, and the fields without it."""
    if "--data" not in fields:
        return default, fields
    place = fields.index("--data")
    name = nearest("--data", (fields[place + 1 :] or ["nothing"])[0], list(SOURCES))
    try:
        return on(default, SOURCES[name]), fields[:place] + fields[place + 2 :]
    except ValueError as error:
        raise UserError(f"--{error}") from None


def overview(usage: str, last: str) -> str:
    """How a command is called, the recipes, and where more is said."""
    lines = [f"  {name:20} {_first_line(recipe.__doc__)}" for name, recipe in RECIPES.items()]
    return "\n".join([usage, "", "recipes:", *lines, "", last])


def _first_line(text: str | None) -> str:
    """What a docstring begins with."""
    return (text or "").strip().splitlines()[0]
