"""whyfit report: the page of all verdicts."""

from dataclasses import dataclass

from rich.console import Console

from ..book.lesson import lessons
from ..errors import UserError
from .parsing import parse


@dataclass(frozen=True)
class Options:
    """The page of all verdicts, from the lessons that were run."""


def main(arguments: list[str]) -> int:
    """Write the page and say where it is."""
    parse(Options, arguments, "whyfit report", "Write the page of all verdicts.")
    from ..book import page, report

    known = lessons()
    pages = list(page.pages(list(known)))
    if not pages:
        raise UserError("no lesson has been run yet: whyfit book runs them all, whyfit lesson NAME one")
    Console(highlight=False).print(f"page: {report.write(known, pages)}", soft_wrap=True)
    return 0
