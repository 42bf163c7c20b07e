"""Runs lessons in processes of their own, some at a time: small networks leave most of a machine idle."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from .lesson import Lesson


@dataclass(frozen=True)
class Ended:
    """A lesson's process that has ended.

    Attributes:
        lesson: Whose.
        code: Its exit code.
        said: All that it wrote.
    """

    lesson: Lesson
    code: int
    said: str


def run_lessons(
    lessons: list[Lesson], at_once: int, flags: list[str], begun: Callable[[Lesson], None]
) -> Generator[Ended, None, None]:
    """Run lessons, those that measure seconds after the others and with nothing beside them.

    Leaving it before its end, by an interruption, say, asks those that run to stop, and waits for them: they
    keep what they have.

    Args:
        lessons: Which.
        at_once: Processes at a time.
        flags: Of `whyfit lesson`.
        begun: Called with each lesson when it begins, from threads of its own.
    """
    together = [lesson for lesson in lessons if not lesson.alone]
    alone = [lesson for lesson in lessons if lesson.alone]
    for some, workers in ((together, at_once), (alone, 1)):
        yield from _run(some, workers, flags, begun)


def _run(
    lessons: list[Lesson], workers: int, flags: list[str], begun: Callable[[Lesson], None]
) -> Generator[Ended, None, None]:
    processes: list[subprocess.Popen[str]] = []
    starting, stopped = threading.Lock(), threading.Event()

    def run(lesson: Lesson) -> Ended | None:
        with starting:
            if stopped.is_set():
                return None
            process = _start(lesson, flags, workers)
            processes.append(process)
        begun(lesson)
        said, _ = process.communicate()
        return Ended(lesson, process.returncode, said)

    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(run, lesson) for lesson in lessons]
        try:
            for one in as_completed(waiting):
                if ended := one.result():
                    yield ended
        finally:
            with starting:
                stopped.set()
            for process in processes:
                if process.poll() is None:
                    process.terminate()


def _start(lesson: Lesson, flags: list[str], workers: int) -> subprocess.Popen[str]:
    """A session of its own, so that Ctrl-C reaches it once, from here; GPU memory as it is needed, since
    TensorFlow would take all of it; and as many threads as are its share of the cores, since those of two
    processes get in each other's way (5 % of two lessons' time)."""
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    share = {"TF_NUM_INTRAOP_THREADS": threads} if workers > 1 else {}
    return subprocess.Popen(
        [sys.executable, "-m", "whyfit.experiments", "lesson", lesson.name, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=share | os.environ | {"TF_FORCE_GPU_ALLOW_GROWTH": "true"},
    )
