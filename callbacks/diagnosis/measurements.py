"""What a diagnosis rests on: the monitor's tables, and facts read once. Needs no Keras."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Measurements:
    """Of one training, or of the variants of a population.

    Attributes:
        history: Arrays by name, a row an epoch, as `GradientMonitor.history`.
        early: Arrays by name, a row for each early step.
        layers: Names of the layers, in the model's order.
        trainable: Which of them the optimizer is to change.
        facts: What was read once of model, optimizer and examples: plain numbers, strings and lists.
        first_non_finite: Where the first gradient that was not finite stood, or None.
        not_measured: What could not be measured, and why.
    """

    history: dict[str, np.ndarray]
    early: dict[str, np.ndarray] = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)
    trainable: list[bool] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    first_non_finite: dict[str, Any] | None = None
    not_measured: dict[str, str] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs measured."""
        return max((len(array) for array in self.history.values()), default=0)

    @property
    def variants(self) -> int:
        """Variants of a population, 0 without."""
        norms = self.history.get("gradient_norm", np.zeros((0, 0)))
        return norms.shape[1] if norms.ndim == 3 else 0

    def variant(self, place: int) -> "Measurements":
        """Those of one variant, as if it had trained alone."""
        history = {name: _taken(array, name, place, self.variants) for name, array in self.history.items()}
        early = {name: _taken(array, name, place, self.variants) for name, array in self.early.items()}
        first = self.first_non_finite
        if first is not None and place not in first.get("variants", [place]):
            first = None
        return replace(self, history=history, early=early, first_non_finite=first)

    def until(self, epochs: int) -> "Measurements":
        """What was known after some epochs."""
        first = self.first_non_finite
        if first is not None and first["epoch"] > epochs:
            first = None
        history = {name: array[:epochs] for name, array in self.history.items()}
        return replace(self, history=history, first_non_finite=first)

    def measured(self) -> "Measurements":
        """Without the epochs before the monitor was there."""
        known = np.zeros(self.epochs, "bool")
        for array in self.history.values():
            known |= ~np.isnan(array.reshape(len(array), -1)).all(axis=1)
        first = int(np.argmax(known)) if known.any() else 0
        return replace(self, history={name: array[first:] for name, array in self.history.items()})

    def save(self, path: Path) -> None:
        """Write to a file of NumPy's."""
        note = {
            name: getattr(self, name)
            for name in ("layers", "trainable", "facts", "first_non_finite", "not_measured")
        }
        arrays = {f"history/{name}": array for name, array in self.history.items()}
        arrays |= {f"early/{name}": array for name, array in self.early.items()}
        arrays["note"] = np.array(json.dumps(note))
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> "Measurements":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            note = json.loads(str(arrays["note"]))
            tables: dict[str, dict[str, np.ndarray]] = {"history": {}, "early": {}}
            for name in arrays.files:
                table, _, rest = name.partition("/")
                if rest:
                    tables[table][rest] = arrays[name]
        return cls(history=tables["history"], early=tables["early"], **note)


def plain(value: Any) -> Any:
    """Facts as JSON can hold them: NaN and infinity stay numbers, NumPy's become Python's."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value


def _taken(array: np.ndarray, name: str, place: int, variants: int) -> np.ndarray:
    return array[:, place] if variants and array.ndim > 1 and array.shape[1] == variants else array
