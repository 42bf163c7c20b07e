"""What a program is that was written without knowledge of the rules, and a plain training of it.

python -m benchmarks.diagnosis.blind.program TEXT   # with its fault and without, unwatched: does it train?
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from whyfit.callbacks import GradientMonitor
from whyfit.callbacks.diagnosis import Measurements


@dataclass(frozen=True)
class Made:
    """All that `fit` is given.

    Attributes:
        model: Compiled.
        training: (x, y) or (x, y, sample_weight): arrays, or lists or dicts of arrays.
        validation: (x, y), of the same structures; None without.
        epochs, batch_size, class_weight, callbacks: As `fit` has them.
    """

    model: keras.Model
    training: tuple[Any, ...]
    validation: tuple[Any, ...] | None
    epochs: int
    batch_size: int = 32
    class_weight: dict[int, float] | None = None
    callbacks: tuple[keras.callbacks.Callback, ...] = ()

    def fit(self, *more: keras.callbacks.Callback) -> keras.callbacks.History:
        """Train."""
        x, y, *weights = self.training
        return self.model.fit(
            x,
            y,
            sample_weight=weights[0] if weights else None,
            validation_data=self.validation,
            epochs=self.epochs,
            batch_size=self.batch_size,
            class_weight=self.class_weight,
            verbose=0,
            callbacks=[*self.callbacks, *more],
        )


@dataclass(frozen=True)
class Blind:
    """A training that somebody could have written.

    Attributes:
        name: Unique.
        label: What is wrong, or "healthy".
        make: From a seed, and whether the fault is in it, all that `fit` is given. Without its fault the
            program trains.
    """

    name: str
    label: str
    make: Callable[[int, bool], Made]

    held_out = "blind"

    def file(self, seed: int, faulty: bool) -> str:
        """Name of what is kept of a run."""
        cured = "" if faulty or self.label == "healthy" else " cured"
        return f"{self.name.replace('/', '-')}{cured}+{seed}"

    def watched(self, seed: int, faulty: bool) -> Measurements:
        """Train under the monitor."""
        keras.utils.set_random_seed(seed)
        monitor = GradientMonitor(verbose=False)
        self.make(seed, faulty).fit(monitor)
        return monitor.measurements


def blind() -> list[Blind]:
    """All of them, in the order of writing."""
    from .courses import COURSES
    from .forum import FORUM
    from .guides import GUIDES
    from .teams import TEAMS

    return [*FORUM, *GUIDES, *TEAMS, *COURSES]


def main() -> None:
    """Train what is named, and print what came of it."""
    for one in [one for one in blind() if sys.argv[1] in one.name]:
        for faulty in (True, False) if one.label != "healthy" else (True,):
            for seed in (0, 1):
                keras.backend.clear_session()
                keras.utils.set_random_seed(seed)
                began = time.perf_counter()
                history = one.make(seed, faulty).fit().history
                print(f"{one.name} [{one.label}] {'faulty' if faulty else 'cured'} seed {seed}", end=" ")
                print(f"{time.perf_counter() - began:.1f} s")
                for name, values in history.items():
                    print(f"    {name}: " + " ".join(f"{value:.3g}" for value in values), flush=True)


if __name__ == "__main__":
    main()
