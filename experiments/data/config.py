"""What data a run trains on, as frozen dataclasses. Imports neither Keras nor NumPy."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from whyfit.models.config import require

# Train, validation and test sizes by digits; from three digits on there is room for the workshop's.
_SIZES = {1: (44, 5, 6), 2: (4_000, 500, 500)}
_WORKSHOP_SIZES = (45_000, 5_000, 5_000)


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


DataConfig = AdditionsConfig
