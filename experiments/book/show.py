"""What a person reads of lessons in the terminal."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..verdict import DENIED, HOLDS, OPEN, SHOWN, Statement, Verdict, tally
from .lesson import Lesson
from .page import Page

COLOURS = {HOLDS: "green", DENIED: "red", OPEN: "yellow", SHOWN: "blue"}


def show_claims(lesson: Lesson, claims: tuple[Statement, ...], console: Console) -> None:
    """What is claimed and by which rule it will be judged, before anything trains."""
    console.print(Text(f"{lesson.claim}  [{lesson.rows}]", style="bold"))
    for claim in claims:
        console.print(_indented(claim.text, 2))
        console.print(_indented(f"judged by {claim.rule}", 4))
    console.print()


def show_page(page: Page, console: Console) -> None:
    """The verdicts with their numbers, and where the picture is."""
    console.print()
    for one in page.verdicts:
        show_verdict(one, console)
    console.print(f"\nin {page.seconds:.0f} s; picture: {page.picture}", soft_wrap=True, highlight=False)
    console.print(f"run {page.run}: make ui", highlight=False)


def show_verdict(one: Verdict, console: Console) -> None:
    """One verdict."""
    line = Text(f"{one.outcome}: ", style=COLOURS[one.outcome])
    console.print(line.append(one.claim, style="default"))
    needed = f"about {one.seeds_needed:,} seeds would decide" if one.seeds_needed else ""
    for text in (one.found, one.control, needed):
        if text:
            console.print(_indented(text, 2))


def _indented(text: str, columns: int) -> Padding:
    return Padding(Text(text), (0, 0, 0, columns), expand=False)


def show_book(pages: list[Page], console: Console) -> None:
    """A line a lesson, and how many false verdicts are to be expected."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("lesson", "rows", "verdict", "s"):
        table.add_column(title, justify="right" if title == "s" else "left")
    for page in pages:
        outcomes = [one.outcome for one in page.verdicts]
        counted = [f"{outcomes.count(name)} {name}" for name in COLOURS if name in outcomes]
        table.add_row(page.name, page.rows, ", ".join(counted), f"{page.seconds:.0f}")
    console.print()
    console.print(table)
    console.print()
    console.print(Text(tally([one for page in pages for one in page.verdicts]).text))
