"""The page of all verdicts, as a file; tests/test_report_slow.py opens it in a browser."""

import base64
import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from whyfit.experiments.book.report.picture import embed
from whyfit.experiments.book.report.prose import read_prose
from whyfit.experiments.book.report.render import scale
from whyfit.experiments.book.report.turning import amount, turning
from whyfit.experiments.verdict import Claim, Verdict

from . import report_cases


class Elements(HTMLParser):
    """All elements with their attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of a tag."""
        return [attributes for name, attributes in self.found if name == tag]


def test_the_page_lists_all_rows_and_needs_nothing_else(report_page: str) -> None:
    page = Elements(report_page)
    rows = re.findall(r'scope="row">([A-E]\d+)<', report_page)
    assert set(rows) == {
        f"{letter}{number}"
        for letter, many in {"A": 11, "B": 7, "C": 5, "D": 10, "E": 3}.items()
        for number in range(1, many + 1)
    }
    assert f"not run yet: <code>make lesson NAME={report_cases.LEFT_OUT}</code>" in report_page
    links = [str(one["href"]) for one in page.of("a")]
    ids = [one["id"] for _, one in page.found if "id" in one]
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert all(link.startswith("#") for link in links)
    sources = [one[name] or "" for _, one in page.found for name in ("src", "href", "srcset") if name in one]
    assert all(source.startswith(("#", "data:")) for source in sources)
    assert "url(" not in report_page
    assert "@import" not in report_page
    levels = [int(tag[1]) for tag, _ in page.found if re.fullmatch(r"h\d", tag)]
    assert [levels[0], levels.count(1)] == [1, 1]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_section_has_all_that_was_found(report_page: str) -> None:
    for one in report_cases.verdicts(0):
        if one.control:
            assert one.control in report_page
    assert "It fails &lt;often&gt; &amp; badly." in report_page
    for word in ("holds", "does not hold", "inconclusive", "shown"):
        assert f"</span> {word}</strong>" in report_page
    assert "make lesson NAME=zero-init" in report_page
    assert "mlruns/state/zero-init-1" in report_page


def test_pictures_are_inside_and_say_what_they_show(report_page: str) -> None:
    pictures = Elements(report_page).of("img")
    known = report_cases.lessons()
    assert len(pictures) == len(known) - 1 + len(report_cases.FRAMES)
    for picture in pictures:
        head, _, content = str(picture["src"]).partition(",")
        assert head == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(content))) as drawn:
            assert drawn.size == (int(picture["width"] or 0), int(picture["height"] or 0))
        assert len(str(picture["alt"])) > 40
    lesson = known["zero-init"]
    assert any(lesson.picture in str(one["alt"]) and lesson.claim in str(one["alt"]) for one in pictures)
    frames = [one for one in pictures if "data-label" in one]
    assert [one["data-label"] for one in frames] == report_cases.FRAMES
    assert ["hidden" in one for one in frames] == [True, True, False]  # as it stands without a script


def test_every_lesson_says_what_its_pictures_show() -> None:
    for lesson in report_cases.lessons().values():
        assert lesson.picture.endswith("."), lesson.name
        assert lesson.film.endswith(".") or not lesson.film
        assert read_prose(lesson.text).done, lesson.name


def test_pictures_keep_their_colours(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 3, (120, 200, 1))
    drawn = np.clip(np.full((120, 200, 3), 250) + noise, 0, 255).astype("uint8")
    drawn[60, 20:180] = (0, 114, 178)  # a thin line
    Image.fromarray(drawn).save(tmp_path / "a.png")
    small = embed(tmp_path / "a.png")
    assert len(small.source) < (tmp_path / "a.png").stat().st_size
    with Image.open(io.BytesIO(base64.b64decode(small.source.partition(",")[2]))) as kept:
        assert np.abs(np.asarray(kept.convert("RGB")).astype(int) - drawn).max() <= 10


def judged(values: list[float], control: list[float], **options: object) -> Verdict:
    claim = Claim("k", "t", "s", "points", **{"margin": 2.0, "reason": "r"} | options)  # type: ignore[arg-type]
    return claim.judge({"k": np.array(values), "k/control": np.array(control)})


NOTHING = [0.0] * 16


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (judged([5.0] * 16, NOTHING), "reached 2 points, 3 away, and would not hold if it lay wholly below."),
        (judged([1.5] * 16, NOTHING), "reached 2 points, 0.5 away, and would hold if it lay wholly above."),
        (judged([5.0] * 16, [5.0] * 16), "hold if it did not hold without the cause as well"),
        (judged([0.0, 5.0] * 8, NOTHING), "About 400 seeds in place of 16"),
        (judged([0.0, 4.0] * 8, NOTHING), "No number of seeds decides it"),
        (
            judged([5.0] * 16, NOTHING, side="within"),
            "plus or minus 2 points, 3 away, and would hold if it lay wholly within",
        ),
        (judged(NOTHING, [5.0] * 16, side="within"), "2 away, and would not hold if it lay wholly beyond."),
        (judged([0.0] * 16, [5.0] * 16, side="below"), "2 away, and would not hold if it lay wholly above."),
    ],
)
def test_what_would_change_a_verdict_follows_from_its_numbers(verdict: Verdict, said: str) -> None:
    assert said in turning(verdict)


def test_a_leaning_is_on_the_values_side() -> None:
    assert "“holds”" in turning(judged([0.0] * 7 + [5.0] * 9, NOTHING))
    assert "“does not hold”" in turning(judged([0.0] * 9 + [5.0] * 7, NOTHING))


def test_numbers_are_read_without_exponents_where_they_can_be() -> None:
    assert [amount(value) for value in (0.00012, 0.5, 123.4, 3697, float("inf"))] == [
        "0.00012",
        "0.5",
        "123",
        "3,697",
        "∞",
    ]


def test_a_scale_keeps_the_order_of_its_numbers() -> None:
    at = scale(judged([3.0, 4.0, 5.0] * 6, NOTHING))
    assert at is not None
    assert 0 < at["zero"] < at["from"] < at["low"] < at["value"] < at["high"] < at["to"] == 100
    unbounded = scale(judged([3.0] * 12 + [float("inf")] * 6, NOTHING))
    assert unbounded is not None
    assert unbounded["high"] == 100
    assert scale(judged([float("inf")] * 16, NOTHING)) is None


def test_prose_is_taken_apart_and_escaped() -> None:
    text = """A claim.

    make lesson NAME=x    A1, about 1 s on 2 cores

Is w < 1 * lr * x? Measured is:

- *one* thing,
  on two lines;
- `two`.

Where it turns: here.

It goes on.

Seen: nothing."""
    prose = read_prose(text)
    assert prose.done == [
        "<p>Is w &lt; 1 * lr * x? Measured is:</p>",
        "<ul><li><em>one</em> thing, on two lines;</li><li><code>two</code>.</li></ul>",
    ]
    assert prose.turns == ["<p>Here.</p>", "<p>It goes on.</p>"]
    assert prose.seen == ["<p>Nothing.</p>"]
