"""whyfit book: every lesson, some at a time; what is done is not done again."""

import time
from contextlib import closing
from dataclasses import dataclass

from rich.console import Console

from whyfit.models.config import require

from ..book.lesson import Lesson, lessons
from . import import_quietly
from .parsing import parse


@dataclass(frozen=True)
class Options:
    """How the lesson book is run."""

    full: bool = False
    """Also the long parts that lessons name."""
    anew: bool = False
    """All lessons again, also those whose code and packages have not changed since they were run."""
    workers: int = 2
    """Lessons that run at a time, each a process. Those that measure seconds run alone, after the others."""

    def __post_init__(self) -> None:
        require("workers", "at least 1", self.workers, self.workers >= 1)


def main(arguments: list[str]) -> int:
    """Run all lessons that have no page of this code yet, and show all verdicts."""
    options = parse(Options, arguments, "whyfit book", "Run the lesson book.")
    console, began, known = Console(highlight=False), time.monotonic(), lessons()
    interruptible = import_quietly("..interrupts").interruptible
    from ..book import page, report
    from ..book.show import show_book
    from ..tracking.delivery import bury_the_dead

    bury_the_dead()
    try:
        with interruptible():
            failed = _run(known, options, console)
    except KeyboardInterrupt:
        console.print("interrupted; to go on:  whyfit book" + " --full" * options.full)
        return 130
    pages = list(page.pages(list(known)))
    show_book(pages, console)
    where = report.write(known, pages)
    console.print(f"all in {time.monotonic() - began:.0f} s; page: {where}", soft_wrap=True)
    for name in failed:
        console.print(f"failed: {name}; to see why:  whyfit lesson {name}")
    return 1 if failed else 0


def _run(known: dict[str, Lesson], options: Options, console: Console) -> list[str]:
    """Run what is not done, and show what comes of it; returns names of those that failed."""
    from ..book import page
    from ..book.processes import run_lessons
    from ..book.show import show_claims, show_page

    def is_done(lesson: Lesson) -> bool:
        kept = page.read(lesson.name)
        return kept is not None and kept.digest == lesson.digest(options.full) and not options.anew

    def begun(lesson: Lesson) -> None:
        console.print(f"begun: {lesson.name} ({lesson.rows}), about {lesson.time}")

    waiting = [lesson for lesson in known.values() if not is_done(lesson)]
    if options.full:
        # So that no long one runs last and by itself.
        waiting.sort(key=lambda lesson: not lesson.has_long_part)
    failed = []
    with closing(run_lessons(waiting, options.workers, ["--full"] * options.full, begun)) as running:
        for ended in running:
            found = page.read(ended.lesson.name)
            console.rule(ended.lesson.name)
            if ended.code or found is None:
                failed.append(ended.lesson.name)
                console.print(ended.said, markup=False)
                continue
            show_claims(ended.lesson, ended.lesson.claims, console)
            show_page(found, console)
    return failed
