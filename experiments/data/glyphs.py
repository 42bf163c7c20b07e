"""28x28 grey pictures of the letters A to J, rendered from the fonts that ship with matplotlib.

The offline stand-in of notMNIST. Every split has font families of its own: train DejaVu Sans, its
monospaced sister and STIX with its script, Fraktur, double-struck, sans and typewriter alphabets;
validation DejaVu Serif; test Computer Modern with its calligraphic alphabet. Each picture shifts,
scales, turns, thickens and blurs its letter and adds noise.

How hard it is, with 50,000 pictures to train on: a logistic classifier gets 85% of train, 87% of
validation and 83% of test right, a network of 512 and 256 units with 30% dropout 100%, 99% and 98%
(12 epochs of Adam, batches of 256, pictures standardised). 60,000 pictures take 5 s on one core.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import distance_transform_edt

from whyfit.models.seeds import derive_seed

from .. import state
from ..run_folder import runs_root
from .config import GlyphsConfig
from .splits import Data, Split

VERSION = 1
"""Goes up when the same config, seed and fonts give other pictures: old caches are then not used."""

LETTERS = "ABCDEFGHIJ"
SIDE = 28
"""Pixels along a picture."""

# A face is a font's file and an alphabet in it.
_STIX = ("STIXGeneral", "STIXGeneralBol", "STIXGeneralBolIta", "STIXGeneralItalic")
_STIX_ALPHABETS = (
    "script",
    "bold-script",
    "fraktur",
    "bold-fraktur",
    "double",
    "sans",
    "bold-sans",
    "typewriter",
)
FACES: dict[str, tuple[tuple[str, str], ...]] = {
    "train": (
        *((f"DejaVuSans{style}", "plain") for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
        *((f"DejaVuSansMono{style}", "plain") for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
        ("DejaVuSans", "double"),
        *((file, "plain") for file in _STIX),
        *(("STIXGeneral", alphabet) for alphabet in _STIX_ALPHABETS),
    ),
    "validation": tuple(
        (f"DejaVuSerif{style}", "plain") for style in ("", "-Bold", "-Italic", "-BoldItalic")
    ),
    "test": tuple((f"cm{style}10", "plain") for style in ("r", "b", "ss", "ti", "mi", "tt", "sy")),
}
"""Faces by split; no font family is in two of them."""

_FIRST = {
    "plain": 0x41,
    "script": 0x1D49C,
    "bold-script": 0x1D4D0,
    "fraktur": 0x1D504,
    "double": 0x1D538,
    "bold-fraktur": 0x1D56C,
    "sans": 0x1D5A0,
    "bold-sans": 0x1D5D4,
    "typewriter": 0x1D670,
}
# Letters that Unicode had before it gave the rest of their alphabet a block, by their place in it.
_ELSEWHERE = {0x1D49D: 0x212C, 0x1D4A0: 0x2130, 0x1D4A1: 0x2131, 0x1D4A3: 0x210B, 0x1D4A4: 0x2110}
_ELSEWHERE |= {0x1D506: 0x212D, 0x1D50B: 0x210C, 0x1D50C: 0x2111, 0x1D53A: 0x2102, 0x1D53F: 0x210D}

_SIZE = 20  # pixels along the longer side of an unscaled letter
_FIELD = 64  # samples along a letter's field of distances, two a pixel
_FINE = 128  # pixels along the drawing that the field is measured on, four a pixel
_BATCH = 500  # pictures made at a time: few enough for the cache, enough for whole-array work


def load(config: GlyphsConfig, seed: int) -> Data:
    """Render the pictures, or read them where they were rendered before.

    Args:
        config: How many.
        seed: The run's seed; the pictures derive from it as `data`.

    Returns:
        Data whose x are uint8 of shape (n, 28, 28), light letters on dark, and whose y are places in
        `LETTERS`, equally many of each to within one. A split's pictures do not depend on the size of
        the others.

    Example:
        >>> data = load(GlyphsConfig(train=1_000, validation=100, test=100), seed=0)
        >>> data.train.x.shape, data.class_names[data.train.y[0]] in "ABCDEFGHIJ"
        ((1000, 28, 28), True)
    """
    arrays = _cached(config, seed)
    train, validation, test = (Split(arrays[f"{name}_x"], arrays[f"{name}_y"]) for name in FACES)
    return Data(
        "glyphs",
        train,
        validation,
        test,
        task="classification",
        class_names=tuple(LETTERS),
        mean=float(train.x.mean()),
        variance=float(train.x.var()),
        reader={"kind": "pictures", "shape": [SIDE, SIDE], "dtype": "uint8"},
        notes=tuple(f"{name}: {len(faces)} faces of its own" for name, faces in FACES.items()),
    )


def render(split: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of one split.

    Args:
        split: A key of `FACES`.
        count: How many.
        seed: The run's seed.

    Returns:
        Pictures, uint8 of shape (count, 28, 28), and labels, int32 of shape (count,).
    """
    rng = np.random.default_rng(derive_seed(seed, "data", split))
    fields = np.stack([_distances(face, place) for face in FACES[split] for place in range(len(LETTERS))])
    labels = rng.permutation(np.arange(count, dtype=np.int32) % len(LETTERS))
    glyphs = rng.integers(len(FACES[split]), size=count) * len(LETTERS) + labels
    pictures = np.empty((count, SIDE, SIDE), np.uint8)
    for start in range(0, count, _BATCH):
        cut = slice(start, start + _BATCH)
        pictures[cut] = _draw(fields, glyphs[cut], rng)
    return pictures, labels


def _draw(fields: np.ndarray, glyphs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One picture of each glyph, with everything random about it."""

    def uniform(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (len(glyphs), 1, 1)).astype(np.float32)

    scale, stretch, angle = uniform(0.8, 1.2), np.exp(uniform(-0.2, 0.2)), np.radians(uniform(-15, 15))
    right, down = uniform(-2, 2), uniform(-2, 2)
    thickness, softness, noise = uniform(-0.1, 0.8), uniform(0.7, 1.6), uniform(0, 80)
    # Where in the letter each pixel lies: the way back through shift, rotation and scale.
    centres = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    u, v = centres[None, None, :] - right, centres[None, :, None] - down
    x = (u * np.cos(angle) + v * np.sin(angle)) / (scale * stretch)
    y = (v * np.cos(angle) - u * np.sin(angle)) / scale * stretch
    ink = 0.5 - (_sample(fields, glyphs, x, y) * scale - thickness) / softness
    picture = 255 * np.clip(ink, 0, 1) + noise * rng.standard_normal(ink.shape, dtype=np.float32)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _sample(fields: np.ndarray, glyphs: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distances at points in pixels from the letters' centres, between the samples linearly."""
    x, y = (np.clip(2 * place + (_FIELD - 1) / 2, 0, _FIELD - 1.001) for place in (x, y))
    column, row = x.astype(np.int32), y.astype(np.int32)
    x, y = x - column, y - row
    place = (glyphs[:, None, None].astype(np.int32) * _FIELD + row) * _FIELD + column
    flat = fields.ravel()
    above = flat[place] * (1 - x) + flat[place + 1] * x
    below = flat[place + _FIELD] * (1 - x) + flat[place + _FIELD + 1] * x
    return above * (1 - y) + below * y


def _distances(face: tuple[str, str], place: int) -> np.ndarray:
    """Signed distance to the letter's outline in pixels, below 0 inside, float32 of shape (64, 64)."""
    file, alphabet = face
    point = _FIRST[alphabet] + place
    text = chr(_ELSEWHERE.get(point, point))
    fine = _FINE // (_FIELD // 2)
    coarse = _ink(text, file, 100)
    ink = _ink(text, file, 100 * fine * _SIZE / max(coarse.size))
    drawing = Image.new("L", (_FINE, _FINE))
    drawing.paste(ink, ((_FINE - ink.width) // 2, (_FINE - ink.height) // 2))
    inside = np.asarray(drawing) > 127
    distance = distance_transform_edt(~inside) - distance_transform_edt(inside)
    blocks = distance.reshape(_FIELD, _FINE // _FIELD, _FIELD, _FINE // _FIELD)
    return (blocks.mean(axis=(1, 3)) / fine).astype(np.float32)


def _ink(text: str, file: str, size: float) -> Image.Image:
    """The letter drawn and cut out along its ink, as boxes of fonts are not to be relied upon."""
    font = ImageFont.truetype(_font_file(file), size)
    room = round(4 * size)
    drawing = Image.new("L", (room, room))
    ImageDraw.Draw(drawing).text((size, size), text, font=font, fill=255)
    return drawing.crop(drawing.getbbox())


def _font_file(file: str) -> Path:
    return Path(matplotlib.get_data_path(), "fonts", "ttf", f"{file}.ttf")


def _cached(config: GlyphsConfig, seed: int) -> dict[str, np.ndarray]:
    """Pictures and labels of all splits by name; a cache that is damaged is made again."""
    folder = runs_root() / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"glyphs-{_recipe_digest(config, seed)}.npz"
    with state.Lock(folder / "glyphs.lock", wait=True):
        if (found := state.load(path)) is not None:
            return found[0]
        state.discard(path)
        arrays = {}
        for split, count in asdict(config).items():
            arrays[f"{split}_x"], arrays[f"{split}_y"] = render(split, count, seed)
        state.save(path, arrays, asdict(config) | {"seed": seed, "version": VERSION})
    return arrays


def _recipe_digest(config: GlyphsConfig, seed: int) -> str:
    """32 hexadecimal characters of everything that the pictures depend on."""
    files = sorted({file for faces in FACES.values() for file, _ in faces})
    fonts = [hashlib.sha256(_font_file(file).read_bytes()).hexdigest() for file in files]
    recipe = json.dumps([VERSION, asdict(config), seed, FACES, fonts])
    return hashlib.blake2b(recipe.encode(), digest_size=16).hexdigest()
