"""A book of lessons with made-up numbers, of every outcome, for the page of all verdicts."""

import io
import shutil
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from whyfit.experiments.book import report
from whyfit.experiments.book.lesson import Lesson, lessons
from whyfit.experiments.book.page import Page
from whyfit.experiments.verdict import Claim, Fact, Picture, Verdict

LEFT_OUT = "momentum"
"""The lesson that was not run."""
FILMED = "learned-representation"
FRAMES = ["untrained", "epoch 2", "epoch 40"]
STATEMENTS = (
    Claim("above", "there is more of it", "difference, seed by seed", "points", 2.0, "20 of 1,000 points"),
    Claim("below", "there is less of it", "ratio, seed by seed", "times", 0.9, "a tenth", side="below"),
    Claim(
        "within", "there is as much", "difference, seed by seed", "%", 1.0, "nobody sees less", side="within"
    ),
    Claim("often", "it fails <often> & badly", "failures", "%", 10.0, "one in ten", share=True),
    Fact("count", "the numbers agree", "difference of counts", 1e-6, "float32"),
    Picture("look", "there is something to see"),
)


def verdicts(place: int) -> list[Verdict]:
    """Of all statements; by place another number, so that all outcomes occur."""
    random = np.random.default_rng(place)
    middle = {
        "above": (5, 2, -3)[place % 3],
        "below": (0.7, 0.9, 1.2)[place % 3],
        "within": (0, 1, 4)[place % 3],
    }
    measured = {key: random.normal(value, 0.3, 16) for key, value in middle.items()}
    measured |= {"often": random.random(16) < (0.8, 0.2, 0.0)[place % 3], "count": [0.0, 1e-3][place % 2]}
    measured |= {
        "above/control": np.zeros(16),
        "below/control": np.ones(16),
        "within/control": np.full(16, 9.0),
    }
    measured |= {"often/control": np.zeros(64), "count/control": 1.0}
    return [one.judge(measured) for one in STATEMENTS]


def write() -> Path:
    """The page of all lessons that there are, all but one of them run; their pictures are drawn."""
    known = lessons()
    pages = [_page(lesson, place) for place, lesson in enumerate(known.values()) if lesson.name != LEFT_OUT]
    figure = Figure(figsize=(5, 3))
    figure.add_subplot().plot([1, 3, 2])
    figure.savefig(drawn := io.BytesIO())
    for page in pages:
        page.picture.write_bytes(drawn.getvalue())
        for path in page.frame_files:
            shutil.copy(page.picture, path)
    return report.write(known, pages)


def _page(lesson: Lesson, place: int) -> Page:
    return Page(
        name=lesson.name,
        claim=lesson.claim,
        rows=lesson.rows,
        rules=[one.rule for one in STATEMENTS],
        verdicts=verdicts(place),
        seconds=20.0 + place,
        run=f"{lesson.name}-1",
        commit="0123456789abcdef",
        digest="",
        full=place % 2 == 1,
        frames=FRAMES if lesson.name == FILMED else [],
    )
