"""The commands, a file each with `main(arguments) -> exit code`, imported when they are called."""

import os
import sys
from importlib import import_module
from types import ModuleType

from ..errors import UserError
from .parsing import nearest

COMMANDS = {
    "train": "train a recipe, or go on with a run",
    "search": "search l1, l2, dropout and more for a recipe",
    "lesson": "put a claim about neural networks to the test",
    "book": "run every lesson",
    "report": "write the page of all verdicts",
    "ask": "ask the best tracked addition network",
    "predict": "say what a tracked network answers for new rows or pictures",
    "compare": "show how runs differ, in configuration and in results",
    "ui": "open MLflow's pages on this machine",
    "sync": "bring to MLflow what has not got there yet",
}


def run(arguments: list[str]) -> int:
    """Run the command that the arguments name.

    Returns:
        0, or 2 with one line on standard error where the user asked for what cannot be done.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0
    try:
        name = nearest("COMMAND", arguments[0], list(COMMANDS))
        return import_module(f".{name}", __package__).main(arguments[1:])
    except UserError as error:
        print(f"whyfit: {error}", file=sys.stderr)
        return 2


def _overview() -> str:
    commands = "\n".join(f"  {name:9} {text}" for name, text in COMMANDS.items())
    return (
        "whyfit COMMAND ...\n\nExperiments that answer with evidence why a neural network works, and why it "
        f"does not.\n\n{commands}\n\nwhyfit COMMAND --help says what a command takes."
    )


def import_quietly(name: str) -> ModuleType:
    """Import a module that needs TensorFlow, without the notes on this machine that come with it.

    They are written by C++ past Python's streams, before TensorFlow's own switch for them is read.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        return import_module(name, __package__)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)
