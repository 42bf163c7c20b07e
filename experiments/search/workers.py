"""Processes of this machine that train legs, where one network at a time leaves it idle."""

import multiprocessing
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from ..config import Run
from ..spaces import Dimension
from .legs import Leg

DEATHS = 3
"""Times that a process may die over one leg before the search gives up."""


@dataclass(frozen=True)
class Job:
    """What a process needs to know to train legs."""

    run: Run
    space: tuple[Dimension, ...]
    folder: Path
    build: str
    workers: int


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    leg: Leg | None = None
    deaths: int = 0


class Workers:
    """A `Runner` that trains legs in processes of their own. One that dies is begun again with its leg.

    Args:
        job: What they train.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._workers = [self._start() for _ in range(job.workers)]

    def room(self) -> int:
        """Processes that have nothing to do."""
        return sum(worker.leg is None for worker in self._workers)

    def submit(self, leg: Leg) -> None:
        """Give a leg to one of them."""
        worker = next(worker for worker in self._workers if worker.leg is None)
        worker.leg, worker.deaths = leg, 0
        _send(worker)

    def wait(self) -> dict[str, Any]:
        """The record of the next leg that is done.

        Raises:
            RuntimeError: A leg failed, or killed its process again and again.
        """
        while True:
            ready = wait([worker.pipe for worker in self._workers if worker.leg])
            worker = next(worker for worker in self._workers if worker.pipe in ready)
            try:
                answer = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                self._begin_again(worker)
                continue
            worker.leg = None
            if isinstance(answer, str):
                raise RuntimeError(answer)
            return answer

    def close(self) -> None:
        """End them; what they were at is kept for another time."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self._job, os.getpid()), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _begin_again(self, worker: _Worker) -> None:
        worker.process.join()
        deaths = worker.deaths + 1
        assert worker.leg is not None
        if deaths == DEATHS:
            trials = ", ".join(str(number) for number, _, _ in worker.leg.entries)
            raise RuntimeError(f"the process that trained trial {trials} has died {deaths} times")
        new = self._start()
        worker.pipe.close()
        worker.process, worker.pipe, worker.deaths = new.process, new.pipe, deaths
        _send(worker)


def _send(worker: _Worker) -> None:
    """Hand a process its leg. That it has died meanwhile shows when it is waited for."""
    with suppress(BrokenPipeError, ConnectionResetError):
        worker.pipe.send(worker.leg)


def work(pipe: Connection, job: Job, parent: int) -> None:
    """Train the legs that come through the pipe, until the other end is gone."""
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    share = max(1, (os.cpu_count() or 1) // job.workers)
    os.environ |= {"TF_NUM_INTRAOP_THREADS": str(share), "TF_NUM_INTEROP_THREADS": str(share)}
    os.environ |= {"KERAS_BACKEND": job.run.backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    from ..data.splits import load
    from ..interrupts import interruptible
    from .trainer import Trainer

    trainer = Trainer(job.run, load(job.run.data, job.run.seed), job.space, job.folder, job.build)
    with interruptible():
        try:
            while True:
                pipe.send(_answer(trainer, pipe.recv()))
        except (EOFError, KeyboardInterrupt, BrokenPipeError):
            return


def _answer(trainer: Any, leg: Leg) -> Any:
    try:
        return trainer.train(leg)
    except Exception as error:
        return f"trial {leg.entries[0][0]}: {type(error).__name__}: {error}"


def _follow(parent: int) -> None:
    """Leave when the process that began this one is gone, whatever took it."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
