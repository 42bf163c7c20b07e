"""What data a run trains on, as frozen dataclasses. Imports neither Keras nor NumPy."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from whyfit.models.config import require

# Train, validation and test sizes by digits; from three digits on there is room for the workshop's.
_SIZES = {1: (44, 5, 6), 2: (4_000, 500, 500)}
_WORKSHOP_SIZES = (45_000, 5_000, 5_000)

DIGITS = 1_797
"""Pictures that scikit-learn's digits have."""


@dataclass(frozen=True)
class AdditionsConfig:
    """Questions such as `46+49` with their answers, distinct up to swapping the two numbers."""

    source: ClassVar[str] = "additions"

    digits: int = 3
    """Digits of a number, at most."""
    train: int | None = None
    """Questions to train on. None: 45,000, or 4,000 with two digits."""
    validation: int | None = None
    """Questions to validate on. None: 5,000, or 500 with two digits."""
    test: int | None = None
    """Questions to test on. None: 5,000, or 500 with two digits."""
    draw: Literal["length-first", "uniform"] = "length-first"
    """How a number is drawn: its length first, then its digits, as the published example does, or
    uniformly from all numbers."""
    reverse: bool = True
    """Write questions backwards, which shortens the way from a digit to its place in the answer."""
    reverse_answers: bool = False
    """Have the network write the answer's last digit first; shown in the usual order."""

    def __post_init__(self) -> None:
        require("digits", "in 1 to 9", self.digits, 1 <= self.digits <= 9)
        for field in ("train", "validation", "test"):
            value = getattr(self, field)
            require(field, "at least 1", value, value is None or value >= 1)
        require(
            "train",
            f"such that train + validation + test are at most {self.distinct:,} (all distinct questions "
            f"of up to {self.digits} {'digit' if self.digits == 1 else 'digits'})",
            " + ".join(map(str, self.sizes)),
            sum(self.sizes) <= self.distinct,
        )

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of questions in train, validation and test."""
        default = _SIZES.get(self.digits, _WORKSHOP_SIZES)
        chosen = (self.train, self.validation, self.test)
        train, validation, test = (d if c is None else c for c, d in zip(chosen, default, strict=True))
        return train, validation, test

    @property
    def distinct(self) -> int:
        """Pairs of numbers of up to `digits` digits, counted once however they are ordered."""
        return 10**self.digits * (10**self.digits + 1) // 2

    @property
    def question_length(self) -> int:
        """Characters of the longest question, to which all are padded."""
        return 2 * self.digits + 1

    @property
    def answer_length(self) -> int:
        """Characters of the longest answer, to which all are padded."""
        return self.digits + 1


@dataclass(frozen=True)
class GlyphsConfig:
    """Pictures of the letters A to J, rendered from the fonts that ship with matplotlib."""

    source: ClassVar[str] = "glyphs"

    train: int = 50_000
    """Pictures to train on."""
    validation: int = 5_000
    """Pictures to validate on; their fonts appear in no other split."""
    test: int = 5_000
    """Pictures to test on; their fonts appear in no other split."""

    def __post_init__(self) -> None:
        for field in ("train", "validation", "test"):
            value = getattr(self, field)
            require(field, "in 10 to 1,000,000", value, 10 <= value <= 1_000_000)


@dataclass(frozen=True)
class ImagesConfig:
    """A published set of 28x28 grey pictures in ten classes."""

    source: ClassVar[str] = "images"

    name: Literal["mnist", "fashion-mnist", "notmnist"] = "fashion-mnist"
    """Which set."""
    path: str = ""
    """Your copy: a folder of idx files, a .npz, or for notmnist a folder of subfolders A to J. Empty:
    through keras.datasets, which has mnist and fashion-mnist."""
    train: int | None = None
    """Pictures to train on. None: all that validation leaves."""
    validation: int | None = None
    """Pictures to validate on, out of the training pictures. None: a sixth of them."""
    test: int | None = None
    """Pictures to test on. None: all of the copy's test pictures, or a sixth where it has none."""
    drop_duplicates: bool = False
    """Drop training pictures that stand there twice or in test as well."""

    def __post_init__(self) -> None:
        for field in ("train", "validation", "test"):
            value = getattr(self, field)
            require(field, "at least 1", value, value is None or value >= 1)


@dataclass(frozen=True)
class PointsConfig:
    """A small task of few inputs: scikit-learn's digits, or points drawn by a formula."""

    source: ClassVar[str] = "points"

    name: Literal["digits", "moons", "circles", "spirals", "additive", "multiplicative"] = "moons"
    """Which task."""
    train: int | None = None
    """Examples to train on. None: 2,000, or 1,197 digits."""
    validation: int | None = None
    """Examples to validate on. None: 1,000, or 300 digits."""
    test: int | None = None
    """Examples to test on. None: 1,000, or 300 digits."""
    noise: float | None = None
    """Standard deviation of the noise: on the points of moons, circles and spirals, on the outcome of
    additive and multiplicative. None: 0.2 for moons, 0.1 for the others, 0 for digits."""
    outcome: Literal["class", "number"] = "class"
    """What additive and multiplicative ask for: whether the outcome is above 0, or its value."""

    def __post_init__(self) -> None:
        for field in ("train", "validation", "test"):
            value = getattr(self, field)
            require(field, "in 10 to 1,000,000", value, value is None or 10 <= value <= 1_000_000)
        generated, digits = self.name in ("additive", "multiplicative"), self.name == "digits"
        require("noise", "0 or more", self.noise, self.noise is None or 0 <= self.noise < float("inf"))
        require("noise", "0 for digits, which are not made", self.noise, not digits or not self.noise)
        require("outcome", f"class for {self.name}", self.outcome, generated or self.outcome == "class")
        require(
            "train",
            f"such that train + validation + test are at most {DIGITS:,} (all of scikit-learn's digits)",
            " + ".join(map(str, self.sizes)),
            not digits or sum(self.sizes) <= DIGITS,
        )

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of examples in train, validation and test."""
        default = (1_197, 300, 300) if self.name == "digits" else (2_000, 1_000, 1_000)
        chosen = (self.train, self.validation, self.test)
        train, validation, test = (d if c is None else c for c, d in zip(chosen, default, strict=True))
        return train, validation, test

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise, with the default filled in."""
        default = {"digits": 0.0, "moons": 0.2}.get(self.name, 0.1)
        return default if self.noise is None else self.noise


@dataclass(frozen=True)
class FileConfig:
    """Your own data: an .npz of x and y, a table (.csv, .parquet), or a folder of pictures."""

    source: ClassVar[str] = "files"

    path: str = ""
    """The .npz, .csv or .parquet, or a folder with one subfolder of pictures a class."""
    target: str = ""
    """The table's column to predict."""
    task: Literal["auto", "classification", "binary", "regression"] = "auto"
    """What to predict. auto: classes for words, true/false and whole numbers of at most 20 distinct
    values (binary where there are two), else numbers."""
    validation: float = 0.15
    """Share of the examples to validate on, in (0, 0.5)."""
    test: float = 0.15
    """Share of the examples to test on, in (0, 0.5)."""
    missing: Literal["refuse", "fill"] = "refuse"
    """What to do about missing values: refuse the file, or fill in the training rows' median of a column
    of numbers and most frequent word of a column of words."""
    drop_duplicates: bool = False
    """Drop all but one of examples that are equal."""

    def __post_init__(self) -> None:
        require("validation", "in (0, 0.5)", self.validation, 0 < self.validation < 0.5)
        require("test", "in (0, 0.5)", self.test, 0 < self.test < 0.5)


DataConfig = AdditionsConfig | GlyphsConfig | ImagesConfig | PointsConfig | FileConfig

SOURCES: dict[str, DataConfig] = {
    "additions": AdditionsConfig(),
    "glyphs": GlyphsConfig(),
    "notmnist": ImagesConfig("notmnist"),
    "mnist": ImagesConfig("mnist"),
    "fashion-mnist": ImagesConfig("fashion-mnist"),
    "digits": PointsConfig("digits"),
    "moons": PointsConfig("moons"),
    "circles": PointsConfig("circles"),
    "spirals": PointsConfig("spirals"),
    "additive": PointsConfig("additive"),
    "multiplicative": PointsConfig("multiplicative"),
    "file": FileConfig(),
}
"""What `--data` may be, each with its defaults."""
