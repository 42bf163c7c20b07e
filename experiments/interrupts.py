"""Ctrl-C and SIGTERM stop a training after its current step, with nothing lost."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import keras

_asked: list[str] = []
"""Signals that have asked the current training to stop."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM stop what happens inside as Ctrl-C does, and let neither be lost."""
    with ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            _heed(number, stack)
        stack.callback(_asked.clear)
        yield


class HeedInterrupts(keras.callbacks.Callback):
    """Raises an interrupt again that came where Python drops exceptions, as in a `__del__`."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop the training if a signal has asked for it; asking at each step would slow it down."""
        if _asked:
            raise KeyboardInterrupt(_asked[0])


def _heed(number: signal.Signals, stack: ExitStack) -> None:
    if signal.getsignal(number) == signal.SIG_IGN:  # as a shell has it for what runs in the background
        return
    try:
        before = signal.signal(number, _interrupt)
    except ValueError:  # not the main thread, where signals do not arrive
        return
    stack.callback(signal.signal, number, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
    _asked.append(name)
    raise KeyboardInterrupt(name)
