"""How much faster questions are made and encoded than by the published example's loops.

python benchmarks/encoding.py

Both make 50,000 distinct three-digit questions with answers, as character codes one-hot; they take
turns, and the ratio is taken pair by pair.
"""

import time

import numpy as np

from whyfit.experiments.data import additions
from whyfit.experiments.data.config import AdditionsConfig

QUESTIONS = 50_000


def vectorised(seed: int) -> None:
    """This project's way, with the one-hot encoding that the published example makes beforehand."""
    data = additions.load(AdditionsConfig(train=45_000, validation=4_999, test=1), seed)
    for split in (data.train, data.validation, data.test):
        for codes in (split.x, split.y):
            np.eye(len(additions.ALPHABET), dtype=bool)[codes]


def looped(seed: int) -> None:
    """The published algorithm: a set filled one question at a time, a character encoded at a time."""
    rng = np.random.RandomState(seed)
    digits, alphabet = list("0123456789"), sorted(" +0123456789")
    places = {character: place for place, character in enumerate(alphabet)}

    def number() -> int:
        return int("".join(rng.choice(digits) for _ in range(rng.randint(1, 4))))

    seen, questions, answers = set(), [], []
    while len(questions) < QUESTIONS:
        a, b = number(), number()
        key = tuple(sorted((a, b)))
        if key in seen:
            continue
        seen.add(key)
        questions.append(f"{a}+{b}".ljust(7)[::-1])
        answers.append(str(a + b).ljust(4))
    for texts, length in ((questions, 7), (answers, 4)):
        codes = np.zeros((QUESTIONS, length, len(alphabet)), dtype=bool)
        for row, text in enumerate(texts):
            for column, character in enumerate(text):
                codes[row, column, places[character]] = 1


def seconds(make: object, seed: int) -> float:
    """Wall time of one making."""
    began = time.perf_counter()
    make(seed)  # type: ignore[operator]
    return time.perf_counter() - began


def main() -> None:
    """Print the two times and their ratio over five pairs."""
    vectorised(0)
    pairs = [(seconds(looped, seed), seconds(vectorised, seed)) for seed in range(5)]
    ratios = sorted(slow / fast for slow, fast in pairs)
    slow, fast = np.median(pairs, axis=0)
    print(f"loops {slow:.2f} s, vectorised {fast:.3f} s: {ratios[2]:.0f} times as fast", end=" ")
    print(f"({ratios[0]:.0f} to {ratios[-1]:.0f} over {len(pairs)} pairs)")


if __name__ == "__main__":
    main()
