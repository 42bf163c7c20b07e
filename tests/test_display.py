"""What is shown while a network learns, on terminals of any width and in files."""

import io

import pytest
from rich.console import Console

from whyfit.callbacks import ShowAnswers, ShowProgress
from whyfit.callbacks.show_answers import answer_lines

LOGS = {"loss": 0.25, "val_loss": 1.5e-5, "val_exact_match": 1.0}
ANSWERED = [("46+49", "95", "95"), ("1+9", "10", "100")]


def shown(width: int, terminal: bool) -> str:
    """What two epochs print."""
    output = io.StringIO()
    console = Console(
        file=output, width=width, force_terminal=terminal, color_system="standard" if terminal else None
    )
    progress = ShowProgress(list(LOGS), console)
    answers = ShowAnswers(lambda model: ANSWERED, 2, console)
    progress.set_params({"epochs": 20})
    progress.on_train_begin()
    for epoch in range(2):
        progress.on_epoch_begin(epoch)
        progress.on_epoch_end(epoch, LOGS)
        answers.on_epoch_end(epoch)
    progress.close()
    return output.getvalue()


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_lines_in_a_file_are_plain_and_never_wrapped(width: int) -> None:
    lines = shown(width, terminal=False).splitlines()
    assert len(lines) == 4  # two epochs, two answers after the second
    assert all(len(line) <= width for line in lines)
    assert "\x1b" not in "".join(lines)
    assert lines[0].startswith("epoch  1/20  loss")


def test_a_wide_line_says_everything() -> None:
    line = shown(80, terminal=False).splitlines()[0]
    assert line.startswith("epoch  1/20  loss 0.2500  val_loss 1.50e-05  val_exact_match 1.0000  0.0 s")


def test_a_terminal_gets_a_bar_that_is_taken_away() -> None:
    output = shown(60, terminal=True)
    assert "compiling the first step" in output
    assert output.rstrip().endswith("\x1b[2K") or "\x1b[?25h" in output


def test_right_and_wrong_differ_without_colour() -> None:
    right, wrong = (line.plain for line in answer_lines(ANSWERED))
    assert right == "  Q 46+49  T 95  A 95   ✓"
    assert wrong == "  Q 1+9    T 10  A 100  ✗ wrong"


def test_answers_are_never_shown_when_so_asked() -> None:
    output = io.StringIO()
    callback = ShowAnswers(lambda model: ANSWERED, 0, Console(file=output))
    callback.on_epoch_end(0)
    assert output.getvalue() == ""
