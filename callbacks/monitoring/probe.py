"""What a model makes of a small, fixed batch in evaluation: its units, its inputs and its loss.

Sources: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks",
3 (saturation and spread of activations by layer); Lu et al. 2019, "Dying ReLU and initialization", 2 (units
that are 0 for every example).
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from .._backend import backend, capturing, evaluate, loss_of
from .layers import Layer, leaves

UNIT_QUANTITIES = (
    "dead_units",
    "saturated_units",
    "saturated_share",
    "activation_mean",
    "activation_spread",
    "activation_variation",
    "unit_distance",
)
INPUT_QUANTITIES = (
    "input_min",
    "input_max",
    "input_mean",
    "input_spread",
    "input_largest_feature",
    "input_smallest_feature",
)
LOSS_QUANTITIES = ("loss", "penalty_loss", "shuffled_loss")
_RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)
RANGE_QUANTITIES = (
    "output_min",
    "output_max",
    "output_mean",
    "output_spread",
    "output_variation",
    "output_sum_error",
    "first_quarter_effect",
    "last_quarter_effect",
)

# Beyond these outputs the derivative is less than a twentieth of its largest.
_SATURATION: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda a: ops.logical_or(a < 0.0127, a > 0.9873),
    "hard_sigmoid": lambda a: ops.logical_or(a <= 0, a >= 1),
    "tanh": lambda a: ops.abs(a) > 0.9747,
    "hard_tanh": lambda a: ops.abs(a) >= 1,
    "softsign": lambda a: ops.abs(a) > 0.7764,
    "relu6": lambda a: a >= 6,
}
_NORMALIZES = ("BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization")
_ROWS_COMPARED = 4096
_LEAST_STEPS = 16
"""Steps of a sequence from which on it is asked whether its beginning still counts."""


class Probe:
    """Runs the model on the probe batch and measures.

    Args:
        model: Built.
        layers: The rows of the measurements.
        batch: x, y and weights of the examples, NumPy arrays in the structures that `fit` was given.
        variants: Variants of a population, 0 without.

    Attributes:
        without_loss: Why the loss could not be computed.
        activations: Name of the function that each row ends in, once measured.
        output_row: The row that the outputs come from, or None.
        output_shapes: Of each output.
    """

    def __init__(
        self, model: keras.Model, layers: list[Layer], batch: tuple[Any, Any, Any], variants: int
    ) -> None:
        self._model, self._layers, self._variants = model, layers, variants
        self._examples: Any = None
        self.take(batch)
        self._run = backend().compile_state(self._measure, list(model.variables))
        self.without_loss = ""
        self.activations: list[str | None] = []
        self.output_row: int | None = None
        self.output_shapes: list[tuple] = []

    def take(self, batch: tuple[Any, Any, Any]) -> None:
        """Measure on these examples from now on; where shapes are the same, nothing is compiled again."""
        if batch is self._examples:
            return
        self._examples = batch
        self._batch = tree.map_structure(
            lambda leaf: None if leaf is None else ops.convert_to_tensor(leaf), batch
        )

    def measure(self) -> dict[str, np.ndarray]:
        """All quantities of the probe by name: (layers,), or () of the loss and the outputs; for a population
        (variants, layers) and (variants,). What there is no sense in is NaN."""
        units, inputs, losses, ranges = (
            np.asarray(ops.convert_to_numpy(part)) for part in self._run(*self._batch)
        )
        groups = (
            (UNIT_QUANTITIES, units),
            (INPUT_QUANTITIES, inputs),
            (LOSS_QUANTITIES, losses),
            (RANGE_QUANTITIES, ranges),
        )
        found = {name: part[place] for names, part in groups for place, name in enumerate(names)}
        found["task_loss"] = found["loss"] - found["penalty_loss"]
        return found

    def _measure(self, x: Any, y: Any, weights: Any) -> tuple[Any, Any, Any, Any]:
        # What the forward pass assigns (random streams, metrics) goes with the scope.
        variables = self._model.variables
        state = [(variable, variable.value) for variable in variables]
        with keras.StatelessScope(state, collect_losses=True):
            seen = _Seen(self._layers)
            with capturing(leaves(self._model), seen.see):
                outputs = evaluate(self._model, x)
            losses = self._losses(x, y, outputs, weights)
            effects = self._effects(x, outputs)
        self.activations = [seen.activations.get(row) for row in range(len(self._layers))]
        self.output_row = seen.row_of(outputs)
        self.output_shapes = [tuple(part.shape) for part in tree.flatten(outputs) if _floats(part)]
        units = [self._units(seen.units(row), seen.activations.get(row)) for row in range(len(self._layers))]
        inputs = [self._range(seen.inputs.get(row)) for row in range(len(self._layers))]
        flat = [part for part in tree.flatten(outputs) if _floats(part)]
        ranges = self._output_range(flat[0] if flat else None)
        return (
            _columns(units, len(UNIT_QUANTITIES), self._shape),
            _columns(inputs, len(INPUT_QUANTITIES), self._shape),
            ops.stack(losses),
            ops.concatenate([ranges, effects], axis=0),
        )

    def _effects(self, x: Any, outputs: Any) -> Any:
        """How far the outputs of a recurrent network change when the first, and when the last quarter of its
        sequence is that of another example (root mean square)."""
        nothing = ops.full((2, *self._shape), np.nan)
        given, made = tree.flatten(x), [part for part in tree.flatten(outputs) if _floats(part)]
        recurs = [row.layer for row in self._layers if isinstance(row.layer, _RECURRENT)]
        long = len(given) == 1 and len(given[0].shape) > 1 and (given[0].shape[1] or 0) >= _LEAST_STEPS
        unrolled = any(getattr(layer, "unroll", False) for layer in recurs)
        if not recurs or unrolled or not long or self._variants or len(made) != 1 or len(made[0].shape) != 2:
            return nothing
        quarter = given[0].shape[1] // 4
        other = _of_other_examples(given[0])
        changed = [
            ops.concatenate([other[:, :quarter], given[0][:, quarter:]], axis=1),
            ops.concatenate([given[0][:, :-quarter], other[:, -quarter:]], axis=1),
        ]
        effects = []
        for one in changed:
            packed = tree.pack_sequence_as(x, [one])
            now = next(part for part in tree.flatten(evaluate(self._model, packed)) if _floats(part))
            difference = ops.cast(now, "float32") - ops.cast(made[0], "float32")
            effects.append(ops.sqrt(ops.mean(ops.square(difference))))
        return ops.stack(effects)

    @property
    def _shape(self) -> tuple[int, ...]:
        return (self._variants,) if self._variants else ()

    def _losses(self, x: Any, y: Any, outputs: Any, weights: Any) -> list[Any]:
        """The loss, the penalties' part, and the task's loss with the outputs of other examples."""
        missing = ops.full(self._shape, np.nan)
        try:
            if self._variants:
                return [*self._variants_losses(x, y, outputs, weights), missing]
            total = ops.cast(loss_of(self._model, x, y, outputs, weights), "float32")
            penalties = [ops.sum(ops.cast(one, "float32")) for one in self._model.losses]
            penalty = ops.sum(ops.stack(penalties)) if penalties else ops.zeros(())
            others = tree.map_structure(_of_other_examples, outputs)
            shuffled = ops.cast(loss_of(self._model, x, y, others, weights), "float32")
            return [total, penalty, shuffled - penalty]
        except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
            # A step of the model's own may compute its loss elsewhere.
            self.without_loss = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            return [missing, missing, missing]

    def _variants_losses(self, x: Any, y: Any, outputs: Any, weights: Any) -> tuple[Any, Any]:
        missing = ops.full(self._shape, np.nan)
        self._model.reset_metrics()
        loss_of(self._model, x, y, outputs, weights)
        found = [metric.result() for metric in self._model.metrics if metric.name == "loss"]
        losses = found[0] if found and tuple(found[0].shape) == self._shape else missing
        penalties = getattr(self._model, "penalties", None)
        penalty = missing if penalties is None else ops.broadcast_to(penalties(), self._shape)
        return ops.cast(losses, "float32"), ops.cast(penalty, "float32")

    def _units(self, outputs: Any, activation: str | None) -> Any:
        if outputs is None:
            return None
        a = _by_unit(outputs, self._variants)
        dead = ops.mean(ops.cast(ops.all(a == 0, axis=-2), "float32"), axis=-1)
        dead = ops.where(ops.all(ops.isfinite(a), axis=(-2, -1)), dead, np.nan)
        beyond = _SATURATION.get(activation or "")
        saturated = None if beyond is None else ops.cast(beyond(a), "float32")
        nothing = ops.full(self._shape, np.nan)
        step = max(1, a.shape[-2] // _ROWS_COMPARED)
        numbers = [
            dead,
            nothing if saturated is None else ops.mean(ops.min(saturated, axis=-2), axis=-1),
            nothing if saturated is None else ops.mean(saturated, axis=(-2, -1)),
            ops.mean(a, axis=(-2, -1)),
            ops.std(a, axis=(-2, -1)),
            ops.mean(ops.std(a, axis=-2), axis=-1),
            _largest_distance(a[..., ::step, :]),
        ]
        return ops.stack([ops.broadcast_to(number, self._shape) for number in numbers])

    def _range(self, inputs: Any, axis: int = 0) -> Any:
        if inputs is None or len(inputs.shape) == 0:
            return ops.full((len(INPUT_QUANTITIES), *self._shape), np.nan)
        x = ops.cast(inputs, "float32")
        axes: tuple[int, ...] | None = None
        if self._variants and len(x.shape) > axis and x.shape[axis] == self._variants:
            axes = tuple(place for place in range(len(x.shape)) if place != axis)
        last = len(x.shape) - 1
        others = tuple(place for place in axes or range(len(x.shape)) if place != last)
        largest = ops.max(ops.sqrt(ops.mean(ops.square(x), axis=others)), axis=-1)
        spread = ops.std(x, axis=others)
        smallest = ops.min(ops.where(spread > 0, spread, np.inf), axis=-1)
        numbers = [
            ops.min(x, axis=axes),
            ops.max(x, axis=axes),
            ops.mean(x, axis=axes),
            ops.std(x, axis=axes),
            largest,
            smallest,
        ]
        return ops.stack([ops.broadcast_to(number, self._shape) for number in numbers])

    def _output_range(self, outputs: Any) -> Any:
        ranges = self._range(outputs, axis=1)  # of which the last two are replaced
        if outputs is None or len(outputs.shape) < 2:
            return ranges
        x = ops.cast(outputs, "float32")
        own = bool(self._variants) and x.shape[1] == self._variants
        rest = tuple(range(int(own), len(x.shape) - 1))
        varies = ops.std(x, axis=0)
        variation = ops.mean(varies, axis=rest) if rest else varies
        off = ops.max(ops.abs(ops.sum(x, axis=-1) - 1), axis=0)
        error = off if own and len(x.shape) == 3 else ops.max(off)
        more = [ops.broadcast_to(number, self._shape) for number in (variation, error)]
        return ops.concatenate([ranges[:4], ops.stack(more)], axis=0)


def of_whole_weights(found: dict[str, np.ndarray], non_finite: np.ndarray) -> dict[str, np.ndarray]:
    """What a probe found, without its units where any weight is not finite.

    What a layer of NaN puts out is the processor's affair: a product fused with its ReLU may give 0.

    Args:
        found: By the probe.
        non_finite: Shares of the weights, ([variants,] layers).
    """
    broken = (np.nan_to_num(non_finite) > 0).any(axis=-1, keepdims=True)
    return found | {name: np.where(broken, np.nan, found[name]) for name in UNIT_QUANTITIES if name in found}


class _Seen:
    """Inputs and outputs of each row, taken while the model runs.

    What an activation makes of a layer's output, in a layer of its own, is that layer's output, also behind
    a normalization. A function that is no layer shows in what the next layer is given.
    """

    def __init__(self, layers: list[Layer]) -> None:
        self._rows = {id(row.layer): place for place, row in enumerate(layers)}
        self._of: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no id is used twice
        self._last: int | None = None
        self.inputs: dict[int, Any] = {}
        self.outputs: dict[int, Any] = {}
        self.activations: dict[int, str | None] = {}
        self.first: set[int] = set()

    def row_of(self, outputs: Any) -> int | None:
        """The row that the first of the outputs comes from."""
        flat = [part for part in tree.flatten(outputs) if _floats(part)]
        return self._of.get(id(flat[0]), self._last) if flat else self._last

    def units(self, row: int) -> Any:
        """What a row gave, units last; None where it was not called."""
        made = self.outputs.get(row)
        return ops.moveaxis(made, 1, -1) if row in self.first and made is not None else made

    def see(self, layer: Any, arguments: Any, outputs: Any) -> None:
        """A layer has been called."""
        given = [part for part in tree.flatten(arguments) if hasattr(part, "shape")]
        made = [part for part in tree.flatten(outputs) if _floats(part)]
        if not made:
            return
        row = self._rows.get(id(layer))
        source = next((self._of[id(part)] for part in given if id(part) in self._of), None)
        if row is not None:
            self._see_row(row, layer, given, made[0])
        elif source is not None:
            name = activation_of(layer)
            if name is not None:
                self.outputs[source], self.activations[source] = made[0], name
            self._follow(source, made[0])

    def _see_row(self, row: int, layer: Any, given: list[Any], made: Any) -> None:
        unknown = bool(given) and id(given[0]) not in self._of
        if unknown and self._last is not None and self._last in self.outputs:
            before = self.outputs[self._last]
            if self.activations[self._last] is None and tuple(before.shape) == tuple(given[0].shape):
                self.outputs[self._last] = given[0]
        if given and row not in self.inputs:
            self.inputs[row] = given[0]
        follows = next((self._of[id(part)] for part in given if id(part) in self._of), None)
        normalizes = any(name in type(layer).__name__ for name in _NORMALIZES)
        if row in self.outputs and tuple(self.outputs[row].shape) == tuple(made.shape):
            made = ops.concatenate([self.outputs[row], made], axis=-2 if len(made.shape) > 2 else 0)
        self.outputs[row], self.activations[row] = made, activation_of(layer)
        self._last = row
        # A normalization hands on what stands before it, for the activation behind it.
        self._follow(follows if normalizes and follows is not None else row, made)
        if getattr(layer, "data_format", None) == "channels_first":
            self.first.add(row)

    def _follow(self, row: int, tensor: Any) -> None:
        self._kept.append(tensor)
        self._of[id(tensor)] = row


def activation_of(layer: Any) -> str | None:
    """Name of the function that a layer ends in, or None where it is linear or unknown."""
    function = getattr(layer, "activation", None)
    name = function if isinstance(function, str) else getattr(function, "__name__", None)
    if name is None:
        kind = type(layer).__name__
        known = {
            "ReLU": "relu",
            "LeakyReLU": "leaky_relu",
            "PReLU": "prelu",
            "ELU": "elu",
            "Softmax": "softmax",
        }
        name = known.get(kind)
        if kind == "ReLU" and getattr(layer, "max_value", None) == 6:
            name = "relu6"
    return None if name == "linear" else name


def _by_unit(outputs: Any, variants: int) -> Any:
    """(rows, units), or (variants, rows, units); units are the last axis."""
    a = ops.cast(outputs, "float32")
    if variants and len(a.shape) > 1 and a.shape[0] in (1, variants):
        return ops.reshape(a, (a.shape[0], -1, a.shape[-1]))
    return ops.reshape(a, (-1, a.shape[-1] if len(a.shape) > 1 else 1))


def _largest_distance(a: Any) -> Any:
    """Largest Euclidean distance between two units' columns, exactly 0 where all are the same.

    Taken from the first unit, products do not cancel where units are close.
    """
    d = a - a[..., :, :1]
    squares = ops.sum(ops.square(d), axis=-2)
    products = ops.matmul(ops.swapaxes(d, -1, -2), d)
    distances = ops.expand_dims(squares, -1) + ops.expand_dims(squares, -2) - 2 * products
    return ops.sqrt(ops.maximum(ops.max(distances, axis=(-2, -1)), 0.0))


def _of_other_examples(part: Any) -> Any:
    """The batch turned by half its length."""
    half = max(1, (part.shape[0] or 2) // 2) if len(part.shape) else 0
    return ops.roll(part, half, axis=0) if half else part


def _columns(rows: list[Any], quantities: int, shape: tuple[int, ...]) -> Any:
    """(quantities, *shape, layers)."""
    if not rows:
        return ops.zeros((quantities, *shape, 0))
    nothing = ops.full((quantities, *shape), np.nan)
    return ops.stack([nothing if row is None else row for row in rows], axis=-1)


def _floats(part: Any) -> bool:
    return hasattr(part, "dtype") and "float" in keras.backend.standardize_dtype(part.dtype)
