"""What networks are asked to do: building, judging and keeping them, one file a kind of answer."""

from ..config import Run
from ..data.splits import Data
from .addition import AdditionTask
from .dense import DenseTask
from .population import PopulationTask, runs_in_memory
from .task import Task

__all__ = ["Task", "runs_in_memory", "task_of"]


def task_of(run: Run, data: Data) -> Task:
    """The task that the run's model has with these data."""
    if data.task == "sequence":
        return AdditionTask(run, data)
    return PopulationTask(run, data) if run.is_population else DenseTask(run, data)
