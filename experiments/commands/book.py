"""whyfit book: every lesson, one after another; what is done is not done again."""

import time
from dataclasses import dataclass

from rich.console import Console

from ..book.lesson import lessons
from . import import_quietly
from .lesson import Options as LessonOptions
from .lesson import run
from .parsing import parse


@dataclass(frozen=True)
class Options:
    """How the lesson book is run."""

    full: bool = False
    """Also the long parts that lessons name."""
    anew: bool = False
    """All lessons again, also those whose code and packages have not changed since they were run."""


def main(arguments: list[str]) -> int:
    """Run all lessons that have no page of this code yet, and show all verdicts."""
    options = parse(Options, arguments, "whyfit book", "Run the lesson book.")
    console, began = Console(highlight=False), time.monotonic()
    running = import_quietly("..book.run")
    from ..book import page, report
    from ..book.show import show_book
    from ..tracking.delivery import bury_the_dead

    bury_the_dead()
    known, lesson_options = lessons(), LessonOptions(full=options.full)
    for lesson in known.values():
        kept = page.read(lesson.name)
        if kept and kept.digest == lesson.digest(options.full) and not options.anew:
            continue
        console.rule(lesson.name)
        if code := run(running, lesson, lesson_options, console, "whyfit book"):
            return code
    pages = list(page.pages(list(known)))
    show_book(pages, console)
    console.print(
        f"all in {time.monotonic() - began:.0f} s; page: {report.write(known, pages)}", soft_wrap=True
    )
    return 0
