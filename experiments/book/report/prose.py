"""A lesson's docstring, taken apart."""

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

_MARKS = ((re.compile(r"`+([^`]+)`+"), r"<code>\1</code>"), (re.compile(r"\*(\w[^*]*)\*"), r"<em>\1</em>"))
_TURNS, _SEEN = re.compile(r"Where it turns:\s*"), re.compile(r"Seen:\s*")


@dataclass(frozen=True)
class Prose:
    """What a lesson says of itself, as HTML, a paragraph or a list each.

    Attributes:
        done: What is trained and measured, and why that is a fair test.
        turns: Under which conditions the claim turns.
        seen: What its author saw and makes of it.
    """

    done: list[Markup]
    turns: list[Markup]
    seen: list[Markup]


def read_prose(text: str) -> Prose:
    """Take apart what stands below the docstring's first line and its command.

    Args:
        text: The docstring.
    """
    found = Prose([], [], [])
    part = found.done
    for block in re.split(r"\n\s*\n", text)[1:]:
        if "make lesson NAME=" in block:
            continue
        if _TURNS.match(block) or block.startswith("It turns where"):
            part = found.turns
        elif _SEEN.match(block):
            part = found.seen
        part.append(_html(_SEEN.sub("", _TURNS.sub("", block, count=1), count=1)))
    return found


def _html(block: str) -> Markup:
    """Lines that begin with a dash are a list."""
    lead, *points = re.split(r"^- ", block, flags=re.MULTILINE)
    listed = "".join(f"<li>{_marked(point)}</li>" for point in points)
    paragraph = f"<p>{_marked(lead[:1].upper() + lead[1:])}</p>" if lead.strip() else ""
    return Markup(paragraph + (f"<ul>{listed}</ul>" if listed else ""))


def _marked(text: str) -> str:
    marked = str(escape(" ".join(text.split())))
    for mark, tag in _MARKS:
        marked = mark.sub(tag, marked)
    return marked
