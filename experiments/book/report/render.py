"""Writes the page."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ... import state
from ...verdict import DENIED, HOLDS, OPEN, SHOWN, Verdict, tally
from ..lesson import Lesson
from ..page import PART, Page, folder
from .chapters import Entry, chapters, missing
from .picture import embed
from .turning import amount, effect, turning

HERE = Path(__file__).parent
SIGNS = {HOLDS: "✓", PART: "◐", DENIED: "✗", OPEN: "?", SHOWN: "○"}
"""Told apart by sign and word, not by colour alone."""


def write(lessons: Mapping[str, Lesson], pages: list[Page]) -> Path:
    """Write the page.

    Args:
        lessons: All that there are, by name, in the order of their rows.
        pages: Of those that were run.

    Returns:
        Where it is.
    """
    html = _template().render(
        **_counts(lessons, pages),
        style=_file("report.css"),
        script=_file("report.js"),
        signs=SIGNS,
        pages=pages,
    )
    path = folder() / "index.html"
    state.write(path, html.encode())
    return path


def _counts(lessons: Mapping[str, Lesson], pages: list[Page]) -> dict[str, Any]:
    """What the page says of the book as a whole."""
    found = chapters(lessons, pages)
    rows = sum(len(chapter.rows) for chapter in found)
    return {
        "chapters": found,
        "missing": missing(found),
        "rows": rows,
        "tally": tally([one for page in pages for one in page.verdicts]).text,
        "minutes": math.ceil(sum(page.seconds for page in pages) / 60),
        "commits": sorted({page.commit[:7] for page in pages}),
    }


def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "effect": effect,
        "turning": turning,
        "embed": embed,
        "scale": scale,
        "alternative": alternative,
    }
    return environment.get_template("report.html")


def alternative(entry: Entry, shown: str) -> str:
    """What is said in place of a picture: what it shows, and what was found."""
    assert entry.page
    one = entry.page.decisive
    found = f"{one.outcome.capitalize()}: {one.claim}; {one.found}."
    return f"{shown} It goes with the claim: {entry.page.claim} {found}"


def scale(one: Verdict) -> dict[str, Any] | None:
    """Places from 0 to 100 on a line from left to right, of the interval and of where it should lie.

    Returns:
        `low`, `value` and `high`; `zero`; `from` and `to` of the claim's side; `margins`, what stands at its
        edges. None where there is no interval.
    """
    if not math.isfinite(one.value + one.margin) or not one.side:
        return None
    edges = (-one.margin, one.margin) if one.side == "within" else (one.margin,)
    unit = one.unit if one.side != "within" else ""
    marks = [place for place in (one.low, one.value, one.high, 0.0, *edges) if math.isfinite(place)]
    begin, end = min(marks), max(marks)
    margin = 0.15 * (end - begin) or 1.0

    def place(value: float) -> float:
        return round(min(100.0, max(0.0, 100 * (value - begin + margin) / (end - begin + 2 * margin))), 2)

    sides = {
        "above": (one.margin, math.inf),
        "below": (-math.inf, one.margin),
        "within": (-one.margin, one.margin),
    }
    first, last = sides[one.side]
    return {
        "low": place(one.low),
        "value": place(one.value),
        "high": place(one.high),
        "zero": place(0.0),
        "from": place(first),
        "to": place(last),
        "margins": [amount(edge, unit) for edge in edges],
    }


def _file(name: str) -> Markup:
    """Of this project, so as it is."""
    return Markup((HERE / name).read_text())
