"""Shows what a network answers as it learns: question, truth and answer."""

from collections.abc import Callable, Iterable
from typing import Any

import keras
from rich.console import Console
from rich.text import Text

Answered = tuple[str, str, str]
"""A question, its true answer and the network's."""


class ShowAnswers(keras.callbacks.Callback):
    """Prints some questions with truth and answer every few epochs.

    Right and wrong are told apart by a mark as well as by colour: `46+49   T 95    95    right`.

    Args:
        answer: Has a model answer: takes it and gives (question, truth, answer) for each.
        every: Epochs between two showings. 0: never.
        console: Where to; standard output by default.
    """

    def __init__(
        self, answer: Callable[[Any], Iterable[Answered]], every: int, console: Console | None = None
    ) -> None:
        super().__init__()
        self.answer = answer
        self.every = every
        self.console = console or Console()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Print, if it is time."""
        if self.every and (epoch + 1) % self.every == 0:
            for line in answer_lines(self.answer(self.model)):
                self.console.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def answer_lines(answered: Iterable[Answered]) -> list[Text]:
    """One line for each question, columns aligned: `Q 46+49  T 95  A 95  ✓`."""
    rows = list(answered)
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return [_line(row, widths) for row in rows]


def _line(row: Answered, widths: list[int]) -> Text:
    question, truth, answer = (text.ljust(width) for text, width in zip(row, widths, strict=True))
    right = row[1] == row[2]
    line = Text(f"  Q {question}  T {truth}  A ")
    line.append(f"{answer}  {'✓' if right else '✗ wrong'}", style="green" if right else "red")
    return line
