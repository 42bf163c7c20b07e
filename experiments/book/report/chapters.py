"""What the page lists: the rows of claims in their chapters, each with the lessons that judge it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..lesson import Lesson
from ..page import Page
from .prose import Prose, read_prose

_CHAPTERS = {
    "A": ("From a linear classifier to a deep network", 11),
    "B": ("Descent", 7),
    "C": ("It doesn’t work: why?", 5),
    "D": ("It works: why? Regularization", 10),
    "E": ("The workshop: addition with a recurrent network", 3),
}
_ROWS = {f"{letter}{number}" for letter, (_, many) in _CHAPTERS.items() for number in range(1, many + 1)}


@dataclass(frozen=True)
class Entry:
    """A lesson, what its docstring says, and what came of it where it was run."""

    lesson: Lesson
    prose: Prose
    page: Page | None


@dataclass(frozen=True)
class Chapter:
    """Some rows of claims.

    Attributes:
        name: Of its part of the page.
        title: Of it.
        rows: All lessons of each row; none where nobody wrote one.
    """

    name: str
    title: str
    rows: Mapping[str, list[Entry]]

    @property
    def run(self) -> list[Entry]:
        """Lessons that were run, each once."""
        found = {one.lesson.name: one for entries in self.rows.values() for one in entries if one.page}
        return list(found.values())


def chapters(lessons: Mapping[str, Lesson], pages: list[Page]) -> list[Chapter]:
    """All chapters with all their rows; lessons of no row of these come last.

    Args:
        lessons: By name, in the order of their rows.
        pages: Of those that were run.
    """
    kept = {page.name: page for page in pages}
    entries = [Entry(one, read_prose(one.text), kept.get(name)) for name, one in lessons.items()]
    found = []
    for letter, (title, many) in _CHAPTERS.items():
        names = [f"{letter}{number}" for number in range(1, many + 1)]
        rows = {name: [one for one in entries if name in _rows_of(one)] for name in names}
        found.append(Chapter(f"chapter-{letter}", f"{letter}. {title}", rows))
    others = {one.lesson.rows: [one] for one in entries if not _rows_of(one) & _ROWS}
    return [*found, Chapter("chapter-others", "Others", others)] if others else found


def missing(found: list[Chapter]) -> list[str]:
    """Rows of which no lesson was run."""
    return [
        name
        for chapter in found
        for name, entries in chapter.rows.items()
        if not any(one.page for one in entries)
    ]


def _rows_of(entry: Entry) -> set[str]:
    return set(re.findall(r"[A-Z]\d+", entry.lesson.rows))
