"""whyfit lesson NAME: a claim, the experiment that judges it, and its verdict."""

from dataclasses import dataclass
from types import ModuleType

from rich.console import Console
from rich.table import Table

from ..book.lesson import Lesson, lessons
from . import import_quietly
from .parsing import nearest, parse


@dataclass(frozen=True)
class Options:
    """How a lesson is run."""

    full: bool = False
    """Also the long parts that the lesson names."""
    seeds: int = 0
    """Another number of seeds for every variant, at least 2. 0: the lesson's own."""

    def __post_init__(self) -> None:
        if self.seeds == 1 or self.seeds < 0:
            raise ValueError(f"seeds must be at least 2, or 0, got {self.seeds}")


def main(arguments: list[str]) -> int:
    """Run the lesson that the first argument names; without one, list them all."""
    console, known = Console(highlight=False), lessons()
    if not arguments or arguments[0] in ("-h", "--help"):
        _show_list(list(known.values()), console)
        return 0
    lesson = known[nearest("NAME", arguments[0], list(known))]
    options = parse(Options, arguments[1:], f"whyfit lesson {lesson.name}", lesson.text)
    running = import_quietly("..book.run")
    from ..tracking.delivery import bury_the_dead

    bury_the_dead()
    return run(running, lesson, options, console, f"whyfit lesson {lesson.name}")


def run(running: ModuleType, lesson: Lesson, options: Options, console: Console, again: str) -> int:
    """Say what is claimed, run the lesson and show what came of it; `again` goes on where it is stopped."""
    from ..book.show import show_claims, show_page

    show_claims(lesson, lesson.claims, console)
    page = running.run_lesson(lesson, console.print, full=options.full, seeds=options.seeds)
    if page is None:
        console.print(f"interrupted; to go on:  {again}")
        return 130
    show_page(page, console)
    return 0


def _show_list(lessons: list[Lesson], console: Console) -> None:
    """A line a lesson: name, rows, time and claim."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("lesson", "rows", "time", "claim"):
        table.add_column(title, no_wrap=title != "claim")
    for lesson in lessons:
        table.add_row(lesson.name, lesson.rows, lesson.time, lesson.claim)
    console.print(table)
    console.print("\nwhyfit lesson NAME runs one, whyfit book all of them.")
