"""A user's own `build(hp)`, as keras-tuner knows it: it gives a compiled model for any task's data."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from whyfit.models.seeds import derive_seed

from ..config import Run
from ..data.splits import Data, Split
from ..errors import UserError
from ..tasks import Task, task_of
from ..tasks.task import Table
from .legs import Entry
from .oracles import values_as_hyperparameters

Build = Callable[[Any], keras.Model]


class BuiltTask(Task):
    """The run's task with a model that the user builds and compiles.

    Args:
        run: What is searched; its own model is not used.
        data: Its data: the model takes raw examples and, for classes, gives one output each for integer
            targets.
        build: From hyperparameters to a compiled model with `accuracy` (`r2_score`) among its metrics.
        entry: The trial.
    """

    def __init__(self, run: Run, data: Data, build: Build, entry: Entry) -> None:
        self._task, self._build, self._entry = task_of(run, data), build, entry
        self.data, self.units, self.shown = self._task.data, self._task.units, self._task.shown

    def build_model(self) -> keras.Model:
        """What the user builds, everything random in it from the trial's seed."""
        _, settings, seed = self._entry
        keras.utils.set_random_seed(derive_seed(seed, "build"))
        model = self._build(values_as_hyperparameters(settings))
        if not isinstance(model, keras.Model) or not model.compiled:
            raise UserError(f"build(hp) must return a compiled keras.Model, got {model!r}")
        return model

    def compile(self, model: keras.Model, optimizer: keras.Optimizer, **execution: Any) -> None:
        """The user has done so."""

    def loss(self) -> Any:
        """The user's own."""
        return None

    def metrics(self) -> list[Any]:
        """The user's own."""
        return []

    def table(self, model: keras.Model, split: Split, most: int) -> Table:
        """The first examples by place with what the user's network makes of them, as it is."""
        outputs = model.predict(split.x[:most], verbose=0)
        rows = [
            [place, np.asarray(split.y[place]).tolist(), one.tolist()] for place, one in enumerate(outputs)
        ]
        return {"columns": ["example", "truth", "output"], "data": rows}

    @property
    def example(self) -> Any:
        """As the task's own."""
        return self._task.example

    @property
    def metadata(self) -> dict[str, Any]:
        """As the task's own."""
        return self._task.metadata


def load_build(place: str) -> Build:
    """The function that `FILE.py:FUNCTION` names.

    Raises:
        UserError: There is no such file or function.
    """
    file, _, name = place.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise UserError(f"--build must name a file that exists, got {file!r}")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if not callable(getattr(module, name, None)):
        raise UserError(f"--build must name a function of {file}, got {name!r}")
    return getattr(module, name)
