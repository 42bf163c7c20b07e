"""Questions and answers of the addition workshop, made and encoded as whole arrays.

Source of the drawing rule and of the padding: the addition example of Keras
(examples/rnn/addition_rnn), which fills a set in a Python loop and encodes a character at a time.
"""

import re

import numpy as np

from whyfit.models.seeds import derive_seed

from .config import AdditionsConfig
from .splits import Data, Split

ALPHABET = " +0123456789"
"""Character codes are places in this string; the space pads."""


def load(config: AdditionsConfig, seed: int) -> Data:
    """Draw distinct questions and share them out at random.

    Args:
        config: How many of which kind.
        seed: The run's seed; the questions derive from it as `data`, their shares as `split`.

    Returns:
        Data whose x are codes of questions, int8 of shape (n, 2 digits + 1), and whose y are codes
        of answers, int8 of shape (n, digits + 1).

    Example:
        >>> data = load(AdditionsConfig(digits=2), seed=0)
        >>> data.train.x.shape, data.test.y.shape
        ((4000, 5), (500, 3))
    """
    pairs = draw_pairs(config, np.random.default_rng(derive_seed(seed, "data")))
    pairs = np.random.default_rng(derive_seed(seed, "split")).permutation(pairs)
    x, y = encode_questions(pairs, config), encode_answers(pairs.sum(axis=1), config)
    train, validation, _ = config.sizes
    end = train + validation
    return Data(
        name=f"additions-{config.digits}-digits",
        train=Split(x[:train], y[:train]),
        validation=Split(x[train:end], y[train:end]),
        test=Split(x[end:], y[end:]),
        task="sequence",
        class_names=tuple(ALPHABET),
    )


def draw_pairs(config: AdditionsConfig, rng: np.random.Generator) -> np.ndarray:
    """Pairs of numbers, distinct up to swapping, int64 of shape (sum of sizes, 2).

    Draws with repetition and keeps the first of each, as the published example does.
    """
    wanted = sum(config.sizes)
    pairs = np.empty((0, 2), np.int64)
    while len(pairs) < wanted:
        pairs = np.concatenate([pairs, _draw_numbers(config, rng, wanted + wanted // 2)])
        key = pairs.min(axis=1) * 10**config.digits + pairs.max(axis=1)
        pairs = pairs[np.sort(np.unique(key, return_index=True)[1])]
    return pairs[:wanted]


def _draw_numbers(config: AdditionsConfig, rng: np.random.Generator, count: int) -> np.ndarray:
    if config.draw == "uniform":
        return rng.integers(10**config.digits, size=(count, 2))
    lengths = rng.integers(1, config.digits + 1, size=(count, 2))
    return rng.integers(10**lengths)


def encode_questions(pairs: np.ndarray, config: AdditionsConfig) -> np.ndarray:
    """Codes of the questions `a+b`, padded and turned round as the config says."""
    texts = np.strings.add(np.strings.add(pairs[:, 0].astype(str), "+"), pairs[:, 1].astype(str))
    return _turn(_codes(texts, config.question_length), config.reverse)


def encode_answers(sums: np.ndarray, config: AdditionsConfig) -> np.ndarray:
    """Codes of the answers, padded and turned round as the config says."""
    return _turn(_codes(sums.astype(str), config.answer_length), config.reverse_answers)


def decode_questions(codes: np.ndarray, config: AdditionsConfig) -> list[str]:
    """The questions as a person writes them, without padding."""
    return _texts(_turn(codes, config.reverse))


def decode_answers(codes: np.ndarray, config: AdditionsConfig) -> list[str]:
    """The answers as a person writes them, without padding."""
    return _texts(_turn(codes, config.reverse_answers))


def read_question(text: str, digits: int) -> tuple[int, int]:
    """The two numbers of a question that somebody typed.

    Raises:
        ValueError: A question that no network for `digits` digits can read, with the rule.
    """
    match = re.fullmatch(r"\s*(0|[1-9][0-9]*)\s*\+\s*(0|[1-9][0-9]*)\s*", text, re.ASCII)
    if match is None or max(map(len, match.groups())) > digits:
        limit = "1 digit" if digits == 1 else f"{digits} digits"
        raise ValueError(
            f"a question must be two whole numbers of at most {limit} with a + between "
            f"(535+61, no leading zeros), got {text!r}"
        )
    return int(match[1]), int(match[2])


def _codes(texts: np.ndarray, length: int) -> np.ndarray:
    """Character codes of shape (n, length), int8; NumPy pads strings with the code point 0."""
    points = np.ascontiguousarray(texts.astype(f"U{length}")).view(np.uint32).reshape(len(texts), length)
    table = np.zeros(128, np.int8)
    table[[ord(character) for character in ALPHABET]] = range(len(ALPHABET))
    return table[points]


def _texts(codes: np.ndarray) -> list[str]:
    return ["".join(ALPHABET[code] for code in row).strip() for row in codes]


def _turn(codes: np.ndarray, reverse: bool) -> np.ndarray:
    return codes[:, ::-1] if reverse else codes
