"""A line an epoch, and on a terminal a moving one below them while an epoch runs."""

import time
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text


class ShowProgress(keras.callbacks.Callback):
    """Prints the metrics of each epoch in one line, which is cut to the terminal's width, never wrapped.

    On a terminal a bar below shows how far the training is, moving while an epoch runs; piped into
    a file there are plain lines only. It does not look into the epoch's steps, which would slow
    them down.

    Args:
        metrics: Names in Keras's logs, in the order of the line; of one with several values, the mean.
        console: Where to; standard output by default.
        lines: Print a line an epoch; without, there is the bar alone.

    Example:
        >>> model.fit(x, y, epochs=5, verbose=0, callbacks=[ShowProgress(["loss", "val_loss"])])
        epoch 1/5  loss 0.6931  val_loss 0.6930  1.2 s
    """

    def __init__(self, metrics: list[str], console: Console | None = None, *, lines: bool = True) -> None:
        super().__init__()
        self.lines = lines
        self.metrics = metrics
        self.console = console or Console()
        self._bar: Progress | None = None
        self._task: Any = None
        self._epoch_began = 0.0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Show the bar."""
        self.close()  # one that an exception left behind
        if self.console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self.console, transient=True)
            self._task = self._bar.add_task("compiling the first step", total=self.params["epochs"])
            self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the epoch's clock."""
        self._epoch_began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Print the epoch's line."""
        total = self.params["epochs"]
        if self.lines:
            self._print_line(epoch + 1, logs or {})
        if self._bar is not None:
            self._bar.update(self._task, completed=epoch + 1, description=f"epoch {epoch + 2}/{total}")

    def _print_line(self, epoch: int, logs: dict) -> None:
        total = self.params["epochs"]
        values = "  ".join(
            f"{name} {_number(float(np.mean(logs[name])))}" for name in self.metrics if name in logs
        )
        seconds = time.perf_counter() - self._epoch_began
        line = f"epoch {epoch:{len(str(total))}}/{total}  {values}  {seconds:.1f} s"
        self.console.print(Text(line), no_wrap=True, overflow="ellipsis", crop=True)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Take the bar away."""
        self.close()

    def close(self) -> None:
        """Take the bar away; to be called where `fit` has raised."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _number(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.2e}"
