"""Stands for a model's train function while its steps are watched."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from .. import _backend
from .record import Record, Settings

CAPACITY = 1024
"""Rows of a record; it is read when it is half full."""
MOST_BATCHES = 32
"""Batches that the probe is taken from, at most."""
MOST_BYTES = 2**25
"""Bytes of batches that are taken ahead, at most, but for those that the probe needs."""


class Watch:
    """Calls the model's steps with records on them, and takes the probe batch from the first ones.

    The model has it for its `train_function` from `enter` to `leave`. It leaves by itself when a step
    raises, and when a fit calls it that has not entered it, because the one before ended by an exception.

    Args:
        model: Compiled.
        histograms, sample_every: Of the monitor.
        begin: Called once, when the model is built and before the first step.
        drain: Called when records are to be read, because they are filling up.
    """

    def __init__(
        self,
        model: keras.Model,
        sample_every: int,
        histograms: bool,
        begin: Callable[[], None],
        drain: Callable[[], None],
    ) -> None:
        self.model, self._begin, self._drain = model, begin, drain
        self.variants = _backend.variants_of(model)
        self.optimizers = _backend.optimizers_of(model)
        self.records: dict[int, Record] = {
            id(one): _backend.new_record(self._settings(one, sample_every, histograms))
            for one in self.optimizers
        }
        self._previous = model.train_function
        self._function = _backend.make_train_function(model, self.records)
        self._recording = _backend.Recording(self.records, self.optimizers)
        self._steps, self._fit, self._begun = 0, None, False
        self.collector: Collector | None = None
        self._ahead: _Ahead | None = None

    def suits(self, model: keras.Model) -> bool:
        """Whether what is compiled here is still what the model would do."""
        same = [id(one) for one in _backend.optimizers_of(model)] == [id(one) for one in self.optimizers]
        return model is self.model and model.train_function is self._previous and same

    def enter(self, collector: "Collector | None") -> None:
        """Take the place of the model's train function, for the fit that has just begun."""
        self.collector = collector
        self._fit, self._steps = getattr(self.model, "history", None), 0
        self.model.train_function = self
        if not self._begun and not _backend.builds_early(self.model) and _backend.is_built(self.model):
            self._prepare()

    def leave(self) -> None:
        """Give the model its train function back."""
        if self.model.train_function is self:
            self.model.train_function = self._previous
        self.collector = self._ahead = None

    @property
    def stale(self) -> bool:
        """Whether the fit that entered it is over."""
        return getattr(self.model, "history", None) is not self._fit

    def __call__(self, *arguments: Any) -> Any:
        """A call of the train function: one step, or `steps_per_execution` of them."""
        if self.stale:
            self.leave()
            return self._previous(*arguments)
        try:
            if self.collector is not None or not self._begun or self._ahead is not None:
                arguments = self._collect(arguments)
            return self._step(*arguments)
        except _backend.backend().END:
            raise
        except BaseException:
            self.leave()
            raise

    @property
    def begun(self) -> bool:
        """Whether the model was built, and `begin` called."""
        return self._begun

    def discard(self) -> None:
        """Leave out what an interrupted fit has left in the records."""
        for _, record in self.pairs():
            record.read()

    def pairs(self) -> list[tuple[Any, Record]]:
        """The optimizers with their records."""
        self._steps = 0
        return [(one, self.records[id(one)]) for one in self.optimizers]

    def _step(self, *arguments: Any) -> Any:
        with self._recording:
            logs = _backend.call_with_records(self._function, self.records, *arguments)
        self._steps += _backend.steps_of(self.model)
        if self._steps >= CAPACITY // 2:
            self._drain()
        return logs

    def _collect(self, arguments: tuple) -> tuple:
        """Take batches ahead, from which the step then gets the same data, in the same order."""
        *state, iterator = arguments
        if self._ahead is None or self._ahead.iterator is not iterator:
            self._ahead = self._take(iterator)
        ahead = self._ahead
        if ahead.left > 0:
            ahead.left -= _backend.steps_of(self.model)
            return (*state, ahead.again)
        if ahead.error is not None:
            raise ahead.error
        if self.collector is None:
            self._ahead = None
        return arguments

    def _take(self, iterator: Any) -> "_Ahead":
        module, steps = _backend.backend(), _backend.steps_of(self.model)
        ahead = _Ahead(iterator)
        batches = ahead.pull(1)
        if batches:
            wanted = self.collector.batches_wanted(batches[0]) if self.collector is not None else 1
            batches += ahead.pull(-(-wanted // steps) * steps - 1)
            if not self._begun and _backend.build(self.model, module.spec_of(iterator, batches[0])):
                self._prepare()
            self._begun = True
            if self.collector is not None and self.collector.add(batches):
                self.collector = None
        ahead.left, ahead.again = len(batches), module.iterate(iterator, batches)
        return ahead

    def _prepare(self) -> None:
        self._begun = True
        for optimizer in self.optimizers:
            if optimizer.built:
                _backend.prepare(self.records[id(optimizer)], optimizer)
        self._begin()

    def _settings(self, optimizer: Any, sample_every: int, histograms: bool) -> Settings:
        steps = _backend.steps_of(self.model)
        return Settings(
            variants=self.variants,
            compiled=bool(self.model.jit_compile),
            histograms=histograms,
            stride=sample_every,
            run=_backend.accumulation(optimizer) + 1,
            capacity=max(CAPACITY, 4 * steps),
        )


class _Ahead:
    """Batches taken ahead from an iterator.

    Attributes:
        iterator: Where they come from.
        left: How many have not been trained on.
        again: What gives them.
        error: What the iterator raised behind them.
    """

    def __init__(self, iterator: Any) -> None:
        self.iterator, self.left, self.again = iterator, 0, None
        self.error: Exception | None = None

    def pull(self, count: int) -> list[Any]:
        """Some more batches, as many as there are."""
        batches: list[Any] = []
        try:
            batches.extend(islice(self.iterator, count) if self.error is None else ())
        except Exception as error:  # to be raised where it would have been without looking ahead
            self.error = error
        return batches


class Collector:
    """Gathers the probe batch from training batches.

    Args:
        size: Examples wanted.
        variants: Variants of a population, 0 without.
        least: Examples that are taken whatever their size in memory.

    Attributes:
        batch: (x, y, weights), NumPy arrays, once there are enough, or as many as have come.
        batch_size: Examples of the first batch.
        reason: Why there is none.
    """

    def __init__(self, size: int, variants: int, least: int | None = None) -> None:
        self._size, self._variants = size, variants
        self._least = size if least is None else least
        self.batch_size = 0
        self._parts: list[Any] = []
        self._count = 0
        self.reason = ""

    @property
    def batch(self) -> tuple[Any, Any, Any] | None:
        """What has been gathered."""
        if not self._parts:
            return None
        axis = self._axis(self._parts[0])
        return tree.map_structure(
            lambda *leaves: None if leaves[0] is None else np.concatenate(leaves, axis), *self._parts
        )

    def first(self, size: int) -> tuple[Any, Any, Any] | None:
        """The first examples of what has been gathered."""
        batch = self.batch
        if batch is None:
            return None
        cut = (slice(None),) * self._axis(batch) + (slice(size),)
        return tree.map_structure(lambda leaf: None if leaf is None else leaf[cut], batch)

    def batches_wanted(self, first: Any) -> int:
        """How many batches like this one are wanted."""
        try:
            batch = _unpacked(first)
            sizes = [leaf.shape[self._axis(batch)] for leaf in tree.flatten(batch) if leaf is not None]
        except (TypeError, ValueError, NotImplementedError, AttributeError, IndexError):
            return 1
        self.batch_size = self.batch_size or int(sizes[0])
        heavy = sum(np.asarray(leaf).nbytes for leaf in tree.flatten(batch) if leaf is not None)
        if heavy * self._size > MOST_BYTES * max(sizes[0], 1):
            fitting = MOST_BYTES * max(sizes[0], 1) // max(heavy, 1)
            self._size = max(self._least, min(self._size, int(fitting)))
        return min(-(-(self._size - self._count) // max(sizes[0], 1)), MOST_BATCHES)

    def add(self, batches: list[Any]) -> bool:
        """Take what is still wanted; returns whether that was all."""
        try:
            for batch in batches:
                if self._count < self._size:
                    self._take(batch)
        except (TypeError, ValueError, NotImplementedError, AttributeError) as error:
            self._parts, self.reason = [], f"the batch is no array: {type(error).__name__}: {error}"
            return True
        return self._count >= self._size or len(self._parts) >= MOST_BATCHES

    def _take(self, data: Any) -> None:
        batch = _unpacked(data)
        axis, wanted = self._axis(batch), self._size - self._count
        cut = (slice(None),) * axis + (slice(wanted),)
        batch = tree.map_structure(lambda leaf: None if leaf is None else leaf[cut], batch)
        first = next(leaf for leaf in tree.flatten(batch) if leaf is not None)
        self._parts.append(batch)
        self._count += first.shape[axis]

    def _axis(self, batch: Any) -> int:
        """1 where each variant has its own examples, else 0."""
        shapes = [leaf.shape for leaf in tree.flatten(batch) if leaf is not None]
        own = self._variants and all(len(shape) > 1 and shape[0] == self._variants for shape in shapes)
        return int(bool(own) and len({shape[1] for shape in shapes}) == 1)


def _unpacked(data: Any) -> tuple[Any, Any, Any]:
    return keras.utils.unpack_x_y_sample_weight(tree.map_structure(_array, data))


def _array(leaf: Any) -> Any:
    # TensorFlow hands on what is missing as an Optional.
    return ops.convert_to_numpy(leaf) if hasattr(leaf, "shape") else None
