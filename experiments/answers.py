"""Answers of a tracked addition network."""

import numpy as np

from .data.additions import decode_answers, encode_questions
from .data.config import AdditionsConfig
from .tasks.addition import write_answers
from .tracking.model import load_model
from .tracking.runs import TrackedRun, download_model


def write(run: TrackedRun, pairs: list[tuple[int, int]]) -> list[str]:
    """What the run's network answers to the questions a+b; nothing else decides it."""
    model, metadata = load_model(download_model(run))
    orders = {"reverse": metadata["reverse"], "reverse_answers": metadata["reverse_answers"]}
    config = AdditionsConfig(digits=metadata["digits"], **orders)
    codes = encode_questions(np.array(pairs, np.int64), config).astype("int32")
    return decode_answers(write_answers(model, codes), config)
