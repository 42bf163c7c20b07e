"""The page of all verdicts: one HTML file beside the pictures, which needs nothing else."""

from html import escape
from pathlib import Path

from .. import state
from ..verdict import DENIED, HOLDS, OPEN, SHOWN, Verdict, tally
from .page import Page, folder

COLOURS = {HOLDS: "#00664b", DENIED: "#b03a00", OPEN: "#7a6200", SHOWN: "#00578a"}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
color: #222 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .3rem .8rem .3rem 0;
border-bottom: 1px solid #ddd; vertical-align: top } img { max-width: 100%; display: block; margin: .8rem 0 }
section { margin-top: 3rem } code { background: #f3f3f3; padding: .1rem .3rem }
.rule { color: #666 } strong { white-space: nowrap }
"""


def write(pages: list[Page]) -> Path:
    """Write the page of these lessons.

    Returns:
        Where it is.
    """
    verdicts = [one for page in pages for one in page.verdicts]
    rows = "".join(_row(page) for page in pages)
    body = (
        "<h1>The lesson book</h1>"
        f"<p>{escape(tally(verdicts).text)}</p>"
        f"<table><tr><th>lesson</th><th>claim</th><th>verdicts</th></tr>{rows}</table>"
        + "".join(_section(page) for page in pages)
    )
    head = f'<meta charset="utf-8"><title>whyfit: the lesson book</title><style>{STYLE}</style>'
    path = folder() / "index.html"
    state.write(path, f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>".encode())
    return path


def _row(page: Page) -> str:
    link = f'<a href="#{page.name}">{page.name}</a> <span class=rule>{escape(page.rows)}</span>'
    outcomes = "<br>".join(_outcome(one) for one in page.verdicts)
    return f"<tr><td>{link}</td><td>{escape(page.claim)}</td><td>{outcomes}</td></tr>"


def _section(page: Page) -> str:
    found = "".join(
        f"<p>{_outcome(one)}: {escape(one.claim)}<br>{escape(one.found)}"
        f"<br><span class=rule>judged by {escape(rule)}{_control(one)}</span></p>"
        for one, rule in zip(page.verdicts, page.rules, strict=True)
    )
    made = f"<code>make lesson NAME={page.name}</code>, {page.seconds:.0f} s, commit {page.commit[:7]}"
    picture = f'<img src="{page.picture.name}" alt="{escape(page.claim)}">'
    return f"<section id={page.name}><h2>{escape(page.claim)}</h2>{found}{picture}<p>{made}</p></section>"


def _outcome(one: Verdict) -> str:
    return f'<strong style="color: {COLOURS[one.outcome]}">{one.outcome}</strong>'


def _control(one: Verdict) -> str:
    return f"; {escape(one.control)}" if one.control else ""
