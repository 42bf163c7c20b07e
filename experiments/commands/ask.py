"""whyfit ask QUESTION ...: ask the best tracked addition network."""

import re
import sys
from dataclasses import dataclass
from typing import Annotated

import tyro

from ..data.additions import read_question
from ..errors import UserError
from ..tracking.runs import TrackedRun, addition_runs, find
from . import import_quietly
from .parsing import parse


@dataclass(frozen=True)
class Ask:
    """Questions for a network."""

    questions: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Questions such as 535+61. None: they are read from standard input, one a line."""
    run: str = ""
    """Name or id of the run to ask. Empty: the best that can read the questions."""


def main(arguments: list[str]) -> int:
    """Print the network's answers, one a line, and on standard error which run gave them."""
    ask = parse(Ask, arguments, "whyfit ask", "Ask the best tracked addition network.")
    lines = list(ask.questions) or [line.strip() for line in sys.stdin if line.strip()]
    questions = [question for line in lines for question in _split(line)]
    if not questions:
        raise UserError('QUESTION must be given, as in: whyfit ask "535+61"')

    run = choose_run(ask.run, questions)
    digits = _digits(run)
    pairs = [_read(question, digits) for question in questions]
    for written in import_quietly("..answers").write(run, pairs):
        print(written)
    exact = run.metrics.get("test/exact_match")
    score = "not tested" if exact is None else f"test exact match {exact:.2%}"
    print(f"(answered by run {run.name}, {run.id}, {score})", file=sys.stderr)
    return 0


def _split(line: str) -> list[str]:
    """The questions of a line: `1+2 3+4` are two, `1 + 2` is one."""
    words = line.split()
    return words if all("+" in word.strip("+") for word in words) else [line]


def _read(question: str, digits: int) -> tuple[int, int]:
    try:
        return read_question(question, digits)
    except ValueError as error:
        raise UserError(str(error)) from None


def choose_run(reference: str, questions: list[str]) -> TrackedRun:
    """The run that is asked: the named one, or the best of those that read numbers as long as these.

    Where none reads numbers so long, the one that reads the longest, which then refuses the question.

    Raises:
        UserError: There is no such run, or it is of another kind.
    """
    if reference:
        run = find(reference)
        if run.tags.get("whyfit.model") != "addition_rnn":
            raise UserError(f"--run must be a run with an addition network, got {reference!r}")
        return run
    runs = addition_runs()
    if not runs:
        raise UserError(
            "QUESTION needs a trained network, got none in MLflow; make train trains one in a minute"
        )
    longest = max(
        (len(number) for question in questions for number in re.findall("[0-9]+", question)), default=1
    )
    able = [run for run in runs if _digits(run) >= longest]
    return able[0] if able else max(runs, key=_digits)


def _digits(run: TrackedRun) -> int:
    return int(run.params["data.digits"])
