"""What reaches below Keras's public API, or is one backend's own.

`tests/test_gradient_monitor.py` breaks when Keras changes underneath.

Used of Keras's inner parts: `model.train_function` and `make_train_function(force=True)`, which every
trainer calls for its steps; that JAX's compiles `model.train_step` when it is made; that gradients pass
`optimizer.apply` (JAX: `stateless_apply`); `optimizer._trainable_variables`, `_var_key`,
`dynamic_scale`, `_model_variables_moving_average`; `_flatten_layers`, `_trainable_variables`,
`_symbolic_build`; that `layer.call` is looked up on the instance.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from .monitoring.record import Record, Settings


def backend() -> Any:
    """The module of the backend that Keras computes with."""
    return importlib.import_module(f".monitoring.record_{keras.config.backend()}", __package__)


def new_record(settings: Settings) -> Record:
    """A record of the backend's kind."""
    module, name = backend(), keras.config.backend()
    kinds = {"tensorflow": "TensorFlowRecord", "jax": "JaxRecord", "torch": "TorchRecord"}
    return getattr(module, kinds[name])(settings)


def refusal(model: keras.Model) -> str | None:
    """Why the steps of this model cannot be watched, or None where they can."""
    if keras.config.backend() not in ("tensorflow", "jax", "torch"):
        return f"the backend is {keras.config.backend()!r}, and it watches tensorflow, jax and torch"
    if keras.distribution.distribution() is not None:
        return "a keras.distribution is set, and it watches one device"
    if getattr(model, "_distribute_strategy", None) is not None:
        return "the model was made under a tf.distribute strategy, and it watches one replica"
    if keras.config.backend() == "jax" and keras.config.is_nnx_enabled():
        return "Keras's NNX mode is on, where steps do not carry their state"
    return None


def variants_of(model: keras.Model) -> int:
    """Variants of a population, which has the attribute `variants`, a number or a sequence; else 0."""
    variants = getattr(model, "variants", 0)
    return variants if isinstance(variants, int) else len(variants)


def sublayers(layer: Any) -> list[Any]:
    """Layers directly within a layer or a model."""
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    return list(layer._flatten_layers(include_self=False, recursive=False))


def learnable(layer: Any) -> list[Any]:
    """Variables that a layer learns, or would if it were not frozen, each once."""
    found = {id(one): one for part in layer._flatten_layers() for one in part._trainable_variables}
    return list(found.values())


def optimizers_of(model: keras.Model) -> list[Any]:
    """The compiled optimizer, and others that the model has for a step of its own."""
    own = [getattr(model, "optimizer", None), *vars(model).values()]
    found = {id(one): one for one in own if isinstance(one, keras.optimizers.Optimizer)}
    return list(found.values())


def accumulation(optimizer: Any) -> int:
    """Steps between two changes of the weights."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    every = [inner, *getattr(inner, "optimizers", [])]
    return max(getattr(one, "gradient_accumulation_steps", None) or 1 for one in every)


def scales_loss(optimizer: Any) -> bool:
    """Whether steps whose gradients overflow are left out and the loss is scaled down."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def averages_of(optimizer: Any) -> list[Any]:
    """The optimizer's moving averages of the weights, none where it takes none."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    found = []
    for one in (inner, *getattr(inner, "optimizers", [])):
        if getattr(one, "use_ema", False):
            found += [average for average in one._model_variables_moving_average if average is not None]
    return found


def steps_of(model: keras.Model) -> int:
    """Steps in one call of the train function."""
    return getattr(model, "steps_per_execution", 1) or 1


def is_built(model: keras.Model) -> bool:
    """Whether a model has its variables."""
    return all(layer.built for layer in model._flatten_layers())


def builds_early(model: keras.Model) -> bool:
    """Whether all variables are best made just before the first step, which is then traced once, not twice.

    The others trace nothing twice, and on JAX variables are empty by then: their values travel with the step.
    """
    return keras.config.backend() == "tensorflow" and type(model).train_step is keras.Model.train_step


def build(model: keras.Model, spec: Any) -> bool:
    """Make a model's variables before its first step does, as `fit` itself does on JAX and PyTorch.

    Args:
        model: Compiled.
        spec: Shapes and types of what the train step is given.

    Returns:
        Whether it is built now.
    """
    try:
        model._symbolic_build(data_batch=spec)
    except Exception:  # a model of somebody's own, which builds itself in its step
        return False
    return is_built(model)


def make_train_function(model: keras.Model, records: dict[int, Record]) -> Callable:
    """A new train function of a model, whose steps can be recorded; the model is left as it was."""
    before = model.train_function
    with _step_with_records(model, records):
        model.make_train_function(force=True)
    made = model.train_function
    model.train_function = before
    return made


class Recording:
    """Lets the optimizers' gradients pass by their records while it is entered, and leaves no trace."""

    def __init__(self, records: dict[int, Record], optimizers: list[Any]) -> None:
        self._name = "stateless_apply" if keras.config.backend() == "jax" else "apply"
        # Past __setattr__, which would take note of a hook as of a part of the optimizer.
        self._hooks = [
            (vars(optimizer), vars(optimizer).get(self._name), _hook(optimizer, records[id(optimizer)]))
            for optimizer in optimizers
        ]

    def __enter__(self) -> None:
        for attributes, _, hook in self._hooks:
            attributes[self._name] = hook

    def __exit__(self, *error: object) -> None:
        for attributes, before, _ in self._hooks:
            del attributes[self._name]
            if before is not None:
                attributes[self._name] = before


def call_with_records(function: Callable, records: dict[int, Record], *arguments: Any) -> Any:
    """Call a train function made by `make_train_function`; on JAX its state carries the records."""
    if keras.config.backend() != "jax":
        return function(*arguments)
    state, *rest = arguments
    carried: list[Any] = [record for record in records.values() if record.ready]
    logs, state = function((*state, [record.state for record in carried]), *rest)
    *state, after = state
    for record, arrays in zip(carried, after, strict=True):
        record.state = arrays
    return logs, tuple(state)


@contextmanager
def capturing(layers: list[Any], see: Callable[[Any, Any, Any], None]) -> Iterator[None]:
    """Call `see(layer, inputs, outputs)` whenever one of the layers is called."""
    for layer in layers:
        vars(layer)["call"] = _seen(layer, layer.call, see)
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)["call"]


def evaluate(model: keras.Model, x: Any) -> Any:
    """The model's outputs in evaluation; a model that knows no `training` is called without."""
    return model(x, training=False) if model._call_has_training_arg else model(x)


def loss_of(model: keras.Model, x: Any, y: Any, outputs: Any, weights: Any) -> Any:
    """The loss as the model computes it in evaluation."""
    return model._compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weights, training=False)


def _hook(optimizer: Any, record: Any) -> Callable:
    if keras.config.backend() == "jax":
        original = optimizer.stateless_apply

        def stateless_apply(state: Any, gradients: Any, weights: Any) -> Any:
            scale = _scale(optimizer, dict(zip(map(id, optimizer.variables), state, strict=True)))
            new_weights, new_state = original(state, gradients, weights)
            if record.ready:
                record.step(list(gradients), list(new_weights), scale)
            return new_weights, new_state

        return stateless_apply

    original = optimizer.apply

    def apply(grads: Any, trainable_variables: Any = None) -> Any:
        variables = trainable_variables
        if variables is None:
            variables = optimizer._trainable_variables
        variables, grads = list(variables), list(grads)
        record.key = optimizer._var_key
        if not record.ready and optimizer.built:
            prepare(record, optimizer)
        return record.step(
            grads, variables, _scale(optimizer, None), lambda: original(grads, trainable_variables)
        )

    return apply


def prepare(record: Record, optimizer: Any) -> None:
    """Make a record's rings for the variables of a built optimizer."""
    record.key = optimizer._var_key
    variables = optimizer._trainable_variables
    if variables and not record.ready:
        with _outside_of_graphs():
            record.set_up(variables)


def _scale(optimizer: Any, state: dict[int, Any] | None) -> Any:
    """What the loss is multiplied by, or None."""
    if scales_loss(optimizer):
        if not optimizer.built:
            return optimizer.initial_scale
        scale = optimizer.dynamic_scale
        return keras.ops.convert_to_tensor(scale) if state is None else state[id(scale)]
    return optimizer.loss_scale_factor


@contextmanager
def _outside_of_graphs() -> Iterator[None]:
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        with tf.init_scope():
            yield
    else:
        yield


@contextmanager
def _step_with_records(model: keras.Model, records: dict[int, Record]) -> Iterator[None]:
    """On JAX the step that is compiled takes the records as a further part of its state."""
    if keras.config.backend() != "jax":
        yield
        return
    original, before = model.train_step, vars(model).get("train_step")

    def train_step(state: Any, data: Any) -> Any:
        *state, arrays = state
        carried: list[Any] = [record for record in records.values() if record.ready]
        for record, one in zip(carried, arrays, strict=True):
            record.state = one
        logs, state = original(tuple(state), data)
        return logs, (*state, [record.state for record in carried])

    vars(model)["train_step"] = train_step
    try:
        yield
    finally:
        del vars(model)["train_step"]
        if before is not None:
            vars(model)["train_step"] = before


def _seen(layer: Any, original: Callable, see: Callable) -> Callable:
    def call(*arguments: Any, **options: Any) -> Any:
        outputs = original(*arguments, **options)
        see(layer, arguments, outputs)
        return outputs

    return call
