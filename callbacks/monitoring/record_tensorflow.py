"""The step's record on TensorFlow: variables beside the model, which the compiled step writes."""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import numpy as np
import tensorflow as tf

from .measure import look
from .record import Record, Settings, next_run

END = (StopIteration, tf.errors.OutOfRangeError)
"""What the step raises where the data has ended."""


class TensorFlowRecord(Record):
    """Written within the step's graph.

    Sums of squares go into one row of a ring at every step. The close look stands in a branch that is not
    lowered into the graph around it, so that a step that does not take it pays for one operation only.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        # An L2 loss is half of a sum of squares and one operation; XLA has a faster way for the sum itself.
        halves = not (settings.compiled or settings.variants)
        self.factor = 2.0 if halves else 1.0
        self._sum = _half_sum if halves else self._whole_sum
        self._taking: Any = None

    def step(self, gradients: list[Any], variables: list[Any], scale: Any, apply: Callable) -> None:
        """Stands for `optimizer.apply`: record, apply, look closely where it is time."""
        if not self.ready:
            with tf.init_scope():
                self.set_up(variables)
        with tf.init_scope():
            places = [self.places[self.key(variable)] for variable in variables]
        self._write_row(gradients, places, scale)
        apply()
        self._look_sometimes(gradients, variables, places, scale)
        self._count.assign_add(1)

    def allocate(self) -> None:
        """Make the ring's variables. They are nobody's but ours, so that no saved file holds them."""
        with tf.name_scope("whyfit"):
            self._count, self._next = tf.Variable(0, dtype=tf.int64), tf.Variable(0, dtype=tf.int64)
            self._left = tf.Variable(self.settings.run - 2, dtype=tf.int64)
            self._origin = tf.Variable(0, dtype=tf.int64)
            self._looks = tf.Variable(0, dtype=tf.int64)
            self._log = tf.Variable(tf.zeros((self.settings.capacity, *self.row_shape)))
            self._close = tf.Variable(
                tf.zeros((self.settings.looks, self.settings.quantities, *self.row_shape))
            )
            self._close_steps = tf.Variable(tf.fill((self.settings.looks,), tf.constant(-1, tf.int64)))
            self._before = [tf.Variable(start) for start in self.start]

    def plan(self, step: int, origin: int) -> None:
        """Look closely at `step`; `origin`: from where looks thin out, far below 0 where they do not."""
        self._next.assign(step)
        self._left.assign(self.settings.run - 2)
        self._origin.assign(origin)

    def take_weights(self) -> None:
        """Take the weights, in one call."""
        if self._taking is None:
            self._taking = compiled(self._keep_weights)
        self._taking()

    def _keep_weights(self) -> None:
        for kept, variable in zip(self._before, self.variables, strict=True):
            kept.assign(variable.value)

    def arrays(self) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """Steps so far, the ring of rows, and the ring of close looks with their steps."""
        return int(self._count), self._log.numpy(), self._close_steps.numpy(), self._close.numpy()

    def _write_row(self, gradients: list[Any], places: list[int], scale: Any) -> None:
        shape = self.row_shape[1:]
        absent = [tf.fill(shape, -1.0)] * self.row_shape[0] if len(places) < self.row_shape[0] else None
        sums = [tf.zeros(shape) if one is None else self._sum(_unscaled(one, scale)) for one in gradients]
        columns = list(absent) if absent else [None] * len(places)
        for place, column in zip(places, sums, strict=True):
            columns[place] = column
        row = tf.stack(columns)
        place = self._count % self.settings.capacity
        self._log.scatter_update(tf.IndexedSlices(row, place))

    def _look_sometimes(
        self, gradients: list[Any], variables: list[Any], places: list[int], scale: Any
    ) -> None:
        if len(places) < self.row_shape[0]:
            return
        due = self._count >= self._next
        given = [(place, gradient) for place, gradient in zip(places, gradients, strict=True)]
        tensors = [part for _, gradient in given for part in _parts(gradient)]
        if scale is not None:
            tensors.append(tf.convert_to_tensor(scale))

        def take(*parts: Any) -> Any:
            rest = list(parts)
            dense: list[Any] = [None] * len(given)
            for place, gradient in given:
                count = len(_parts(gradient))
                dense[place] = _dense(gradient, rest[:count])
                rest = rest[count:]
            if rest:
                dense = [None if one is None else tf.cast(one, tf.float32) / rest[0] for one in dense]
            self._take(dense)
            return tf.constant(0)

        if tf.executing_eagerly():
            if due:
                take(*tensors)
        elif self.settings.compiled:
            tf.cond(due, lambda: take(*tensors), lambda: tf.constant(0))
        else:
            _unlowered_if(due, take, tensors)

    def _take(self, gradients: list[Any]) -> None:
        settings = self.settings
        weights = [variable.value for variable in self.variables]
        before = [kept.read_value() for kept in self._before]
        numbers = look(gradients, before, weights, settings.variants, settings.histograms)
        place = self._looks % settings.looks
        self._close.scatter_update(tf.IndexedSlices(numbers, place))
        self._close_steps.scatter_update(tf.IndexedSlices(self._count.read_value(), place))
        self._looks.assign_add(1)
        self._keep_weights()
        count, left = self._count.read_value(), self._left.read_value()
        begin, more = next_run(count, self._origin, settings, tf.minimum, tf.maximum)
        self._next.assign(tf.where(left > 0, count + 1, begin))
        self._left.assign(tf.where(left > 0, left - 1, more))

    def _whole_sum(self, gradient: Any) -> Any:
        gradient = tf.cast(tf.convert_to_tensor(gradient), tf.float32)
        variants = self.settings.variants
        if variants and not self.settings.compiled:
            # A product of each variant with itself: half the time of squares and their sum.
            rows = tf.reshape(gradient, (variants, 1, -1))
            return tf.reshape(tf.matmul(rows, rows, transpose_b=True), (variants,))
        square = tf.square(gradient)
        if variants:
            return tf.reduce_sum(square, axis=list(range(1, len(square.shape))))
        # Over the first axis XLA adds whole registers; over all at once, number by number.
        return tf.reduce_sum(tf.reduce_sum(square, axis=0)) if len(square.shape) else square


def iterate(iterator: Any, batches: list[Any]) -> Any:
    """An iterator over batches taken from another, of its type, so that nothing is compiled for it."""
    if not isinstance(iterator, tf.data.Iterator):
        return iter(batches)
    if not batches:
        return iter(batches)
    spec = iterator.element_spec
    parts = [tf.data.Dataset.from_tensors(batch) for batch in batches]
    again = reduce(lambda one, other: one.concatenate(other), parts)
    # Not from a Python generator, which slows the compiled step for as long as the process lives.
    again = again.map(lambda *batch: _as_known(batch if isinstance(spec, tuple) else batch[0], spec))
    return iter(again) if again.element_spec == spec else iter(batches)


def _as_known(batch: Any, spec: Any) -> Any:
    """A batch of which no more is known than the spec says, such as sizes that may differ."""

    def forget(part: Any, known: Any) -> Any:
        dense = isinstance(known, tf.TensorSpec) and known.shape.rank is not None
        return tf.raw_ops.PlaceholderWithDefault(input=part, shape=known.shape) if dense else part

    flat = zip(tf.nest.flatten(batch), tf.nest.flatten(spec), strict=True)
    return tf.nest.pack_sequence_as(spec, [forget(*pair) for pair in flat])


def spec_of(iterator: Any, batch: Any) -> Any:
    """Shapes and types of what the iterator gives, as the step is compiled for them."""
    return iterator.element_spec if isinstance(iterator, tf.data.Iterator) else batch


def compile_state(function: Callable, variables: list[Any]) -> Callable:
    """Compile a function that reads variables and changes none."""
    return compiled(function, reduce_retracing=True)


def compiled(function: Callable, **options: Any) -> Any:
    """A `tf.function`; those of two monitors are not taken for one that is traced again and again."""
    return tf.function(partial(function), autograph=False, **options)


def _unscaled(gradient: Any, scale: Any) -> Any:
    """Before it is squared, since a scaled loss brings gradients near float32's end."""
    if scale is None:
        return gradient
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(_unscaled(gradient.values, scale), gradient.indices, gradient.dense_shape)
    return tf.cast(gradient, tf.float32) / tf.cast(scale, tf.float32)


def _half_sum(gradient: Any) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        # Rows that occur twice add up before they are squared.
        places, order = tf.unique(gradient.indices)
        gradient = tf.math.unsorted_segment_sum(gradient.values, order, tf.size(places))
    return tf.nn.l2_loss(tf.cast(gradient, tf.float32))


def _parts(gradient: Any) -> list[Any]:
    if gradient is None:
        return []
    if isinstance(gradient, tf.IndexedSlices):
        return [gradient.values, gradient.indices]
    return [tf.convert_to_tensor(gradient)]


def _dense(gradient: Any, parts: list[Any]) -> Any:
    if gradient is None:
        return None
    if isinstance(gradient, tf.IndexedSlices):
        return tf.convert_to_tensor(tf.IndexedSlices(parts[0], parts[1], gradient.dense_shape))
    return parts[0]


def _unlowered_if(condition: Any, take: Callable, tensors: list[Any]) -> None:
    """`tf.cond` whose branches stay functions: with many tensors it costs a tenth where it is not taken."""
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors]
    then = compiled(take).get_concrete_function(*specs)
    inputs = [*tensors, *then.captured_inputs]
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in inputs]
    other = compiled(_pass).get_concrete_function(*specs)
    tf.raw_ops.If(cond=condition, input=inputs, Tout=[tf.int32], then_branch=then, else_branch=other)


def _pass(*tensors: Any) -> Any:
    return tf.constant(0)
