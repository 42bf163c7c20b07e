"""Which layers a model has, under which names, and which variables are theirs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from .._backend import learnable, sublayers


@dataclass(frozen=True)
class Layer:
    """A row of the measurements.

    Attributes:
        name: Unique; the Keras layer's own name where that is, or its path.
        layer: The Keras layer.
        variables: What it learns, without running statistics and other state.
        trainable: Whether the optimizer is to change them.
    """

    name: str
    layer: Any
    variables: tuple[Any, ...]
    trainable: bool


def read_layers(model: keras.Model) -> list[Layer]:
    """All layers that learn, or would if they were not frozen, in the model's order, each once.

    Models within the model and layers of other people's making are looked into; Keras's own (a recurrent
    layer, an attention) count as one. Weights that belong to no layer go by their path.

    Args:
        model: Built.
    """
    found = [(path, layer, own) for path, layer, own in _walk(model, (), set()) if own]
    short = Counter(path[-1] for path, _, _ in found)
    seen: Counter[str] = Counter()
    rows = []
    for path, layer, own in found:
        name = path[-1] if short[path[-1]] == 1 else "/".join(path)
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name}_{seen[name]}"
        rows.append(Layer(name, layer, tuple(own), any(weight.trainable for weight in own)))
    return rows


def leaves(model: keras.Model) -> list[Any]:
    """All layers that count as one, with weights or without, each once."""
    found: dict[int, Any] = {}
    for _, layer, _ in _walk(model, (), set()):
        if not _inner(layer):
            found[id(layer)] = layer
    return list(found.values())


def _walk(layer: Any, path: tuple[str, ...], seen: set[int]) -> Iterator[tuple[tuple[str, ...], Any, list]]:
    """(path, layer, what it learns) of all that counts as one, and of what stands between them."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    inner = _inner(layer)
    if not inner:
        yield path or (layer.name,), layer, learnable(layer)
        return
    theirs = {id(weight) for child in inner for weight in learnable(child)}
    loose: dict[str, list[Any]] = {}
    for weight in learnable(layer):
        if id(weight) not in theirs:
            loose.setdefault(_owner(weight, layer), []).append(weight)
    for name, weights in loose.items():
        yield (*path, name), layer, weights
    for child in inner:
        yield from _walk(child, (*path, child.name), seen)


def _inner(layer: Any) -> list[Any]:
    """Layers within, if this one is to be looked into."""
    stock = type(layer).__module__.partition(".")[0] == "keras"
    if stock and not isinstance(layer, keras.Model):
        return []
    return sublayers(layer)


def _owner(weight: Any, layer: Any) -> str:
    parts = weight.path.split("/")[:-1]
    return parts[-1] if parts else layer.name
