"""Rendered letters: fonts apart, seeded, cached, and made again when the cache is damaged."""

from pathlib import Path

import numpy as np
import pytest

from whyfit.experiments.data import glyphs
from whyfit.experiments.data.config import GlyphsConfig
from whyfit.experiments.data.splits import load

SMALL = GlyphsConfig(train=200, validation=50, test=55)


def test_pictures_are_as_said(nowhere: Path) -> None:
    data = load(SMALL, 0)
    assert data.class_names == tuple("ABCDEFGHIJ")
    for split, size in ((data.train, 200), (data.validation, 50), (data.test, 55)):
        assert split.x.shape == (size, 28, 28)
        assert (split.x.dtype, split.y.dtype) == (np.uint8, np.int32)
        counts = np.bincount(split.y, minlength=10)
        assert counts.max() - counts.min() <= 1
        # Ink on nearly black: no picture is empty, none is full.
        ink = (split.x > 128).mean(axis=(1, 2))
        assert 0.01 < ink.min() < ink.max() < 0.6
    assert data.mean == pytest.approx(data.train.x.mean())
    assert data.variance == pytest.approx(data.train.x.var())


def test_no_font_family_is_in_two_splits() -> None:
    def families(split: str) -> set[str]:
        stems = ("DejaVuSerif", "DejaVuSans", "STIX", "cm")
        return {next(stem for stem in stems if file.startswith(stem)) for file, _ in glyphs.FACES[split]}

    assert families("train") == {"DejaVuSans", "STIX"}
    assert families("validation") == {"DejaVuSerif"}
    assert families("test") == {"cm"}


def test_every_face_has_ten_different_letters() -> None:
    from fontTools.ttLib import TTFont

    for faces in glyphs.FACES.values():
        for face in faces:
            known = TTFont(glyphs._font_file(face[0])).getBestCmap()
            points = [glyphs._FIRST[face[1]] + place for place in range(10)]
            assert all(glyphs._ELSEWHERE.get(point, point) in known for point in points), face
            fields = [glyphs._distances(face, place) for place in (0, 1, 8)]
            assert all((field < 0).mean() > 0.02 for field in fields)
            assert not any(np.array_equal(fields[0], field) for field in fields[1:])


def test_a_letter_lies_upright_in_the_middle() -> None:
    field = glyphs._distances(("DejaVuSans", "plain"), 9)  # J
    rows, columns = np.nonzero(field < 0)
    assert rows.min() + rows.max() == pytest.approx(63, abs=2)
    assert columns.min() + columns.max() == pytest.approx(63, abs=2)
    assert rows.max() - rows.min() == pytest.approx(2 * glyphs._SIZE, abs=2)
    # The hook of the J points to the left and lies at the bottom.
    assert columns[rows > 48].min() < columns[rows < 32].min() - 3


def test_labels_say_what_is_drawn() -> None:
    x, y = glyphs.render("test", 1_000, 0)
    pictures = x.reshape(-1, 784).astype(float)
    centres = np.stack([pictures[y == label].mean(axis=0) for label in range(10)])
    nearest = ((pictures[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == y).mean() > 0.6


def test_same_seed_same_pictures_other_seed_others() -> None:
    x, y = glyphs.render("test", 40, 3)
    assert all(np.array_equal(a, b) for a, b in zip((x, y), glyphs.render("test", 40, 3), strict=True))
    assert not np.array_equal(x, glyphs.render("test", 40, 4)[0])


def test_a_second_call_reads_the_cache(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = load(SMALL, 0).digest
    monkeypatch.setattr(glyphs, "render", lambda *_: pytest.fail("rendered again"))
    assert load(SMALL, 0).digest == digest


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_cache_is_made_again(nowhere: Path, damage: str) -> None:
    digest = load(SMALL, 0).digest
    (file,) = (nowhere / "cache").glob("glyphs-*.npz")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes({"cut": content[:-100], "changed": bytes(content), "empty": b""}[damage])
    assert load(SMALL, 0).digest == digest
    assert [path.name for path in (nowhere / "cache").glob("*.npz*")] == [file.name]


def test_another_config_or_seed_has_a_cache_of_its_own(nowhere: Path) -> None:
    for config, seed in ((SMALL, 0), (SMALL, 1), (GlyphsConfig(train=201, validation=50, test=55), 0)):
        load(config, seed)
    assert len(list((nowhere / "cache").glob("glyphs-*.npz"))) == 3
