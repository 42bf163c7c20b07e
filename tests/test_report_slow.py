"""The page of all verdicts in a real browser: no error, no request, nobody left out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from . import report_cases

pytestmark = pytest.mark.slow
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1200, "height": 900}


@pytest.fixture
def path(report_page: str, tmp_path: Path) -> Path:
    """Where a copy of the page stands."""
    path = tmp_path / "index.html"
    path.write_text(report_page)
    return path


def faults(browser: Any, path: Path, **options: Any) -> list[str]:
    """What is wrong with a page: errors, requests, what hinders people, what sticks out."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    with opened(browser, path, **options) as (page, found):
        if (width := page.evaluate("document.documentElement.scrollWidth")) > page.viewport_size["width"]:
            found.append(f"the page is {width} pixels wide")
        for broken in axe.run(page).response["violations"]:
            found += [f"{broken['id']}: {node['html'][:200]}" for node in broken["nodes"]]
    return found


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """The page, and the list of what it complains of and asks for."""
    context = browser.new_context(**options)
    page, found = context.new_page(), []
    page.on("console", lambda message: found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("request", lambda one: found.append(f"request: {one.url[:200]}"))
    page.goto(path.as_uri())
    found[:] = [one for one in found if not one.startswith(("request: data:", f"request: {path.as_uri()}"))]
    yield page, found
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_wrong(browser: Any, path: Path, scheme: str, size: dict[str, int]) -> None:
    assert faults(browser, path, color_scheme=scheme, viewport=size) == []


@pytest.mark.parametrize(
    ("whole", "broken", "fault"),
    [
        ("--quiet: #555c67", "--quiet: #999999", "color-contrast: "),
        (' alt="', ' data-alt="', "image-alt: "),
        ("<h3 ", "<h5 ", "heading-order: "),
        ("<label for", "<span data", "label: "),
        ("</main>", '<img src="http://127.0.0.1:9/a.png" alt="a"></main>', "console: "),
        ("</main>", '<img src="a.png" alt="a"></main>', "console: "),
        ("querySelectorAll(", "querySelectorAl(", "error: "),
        ("</main>", "<p style='width: 30rem'>.</p></main>", "the page is "),
    ],
)
def test_what_is_broken_is_found(
    browser: Any, report_page: str, path: Path, whole: str, broken: str, fault: str
) -> None:
    head, *articles = report_page.split("<article")  # a few will do
    [filmed] = [one for one in articles if 'class="film"' in one]
    html = "<article".join([head, filmed, articles[-1]])
    assert whole in html
    path.write_text(html.replace(whole, broken))
    found = faults(browser, path, color_scheme="light", viewport=PHONE)
    assert any(one.startswith(fault) for one in found), found


def test_a_moving_picture_is_moved_by_keys(browser: Any, path: Path) -> None:
    with opened(browser, path, viewport=DESK) as (page, found):
        film = page.locator(".film")
        slider, frames, said = film.get_by_label("When"), film.locator("img"), film.locator("output")
        assert [frames.nth(place).is_visible() for place in range(3)] == [False, False, True]
        slider.focus()
        for key, place in (("Home", 0), ("ArrowRight", 1), ("End", 2), ("ArrowLeft", 1)):
            page.keyboard.press(key)
            assert [frames.nth(other).is_visible() for other in range(3)] == [
                place == other for other in range(3)
            ]
            assert said.text_content() == report_cases.FRAMES[place] == slider.get_attribute("aria-valuetext")
        assert found == []


def test_without_a_script_the_last_frame_stands(browser: Any, path: Path) -> None:
    with opened(browser, path, viewport=PHONE, java_script_enabled=False) as (page, found):
        frames = page.locator(".film img")
        assert [frames.nth(place).is_visible() for place in range(3)] == [False, False, True]
        assert not page.locator(".film input").is_visible()
        assert found == []


def test_the_first_key_skips_to_the_lessons(browser: Any, path: Path) -> None:
    with opened(browser, path, viewport=PHONE) as (page, _):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the lessons"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "lessons"
