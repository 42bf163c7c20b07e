"""What a target asks for, inferred from its values unless somebody says so."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import UserError
from .columns import is_numbers
from .splits import Task

DISTINCT = 20
"""Whole numbers of at most so many distinct values are taken for classes."""

SMALLEST_CLASS = 3
"""Examples that a class must have: one for each split."""

FEWEST = 10
"""Examples that a file must have."""


@dataclass(frozen=True)
class Target:
    """The answers: `y` as places in `class_names` (int32), or as numbers (float32)."""

    y: np.ndarray
    task: Task
    class_names: tuple[str, ...]
    note: str

    @property
    def labels(self) -> np.ndarray | None:
        """What the split is stratified by."""
        return self.y if self.class_names else None


def read_target(where: str, column: pd.Series, asked: str) -> Target:
    """The answers in a column and what they ask for.

    Words, true/false and whole numbers of at most 20 distinct values are classes, with two of them
    binary; all else is numbers. `asked` overrides this.

    Args:
        where: The file and the column, for errors.
        column: As `parse_column` parsed it, nothing missing.
        asked: A task, or `auto`.

    Raises:
        UserError: Fewer than 10 rows, one class only, a class of fewer than 3 rows, or answers of
            another kind than `asked`.
    """
    if len(column) < FEWEST:
        raise UserError(f"{where} must have at least {FEWEST} examples, got {len(column)}")
    if pd.api.types.is_datetime64_any_dtype(column):
        raise UserError(f"{where} must be numbers or classes, got dates")
    inferred = _infer(column) if asked == "auto" else asked
    why = "as asked" if asked != "auto" else "inferred; --data.task overrides"
    if inferred == "regression":
        return _numbers(where, column, why)
    return _classes(where, column, inferred, why)


def _infer(column: pd.Series) -> str:
    distinct = column.nunique()
    whole = not is_numbers(column) or bool((column == column.round()).all())
    if not whole or (is_numbers(column) and distinct > DISTINCT):
        return "regression"
    return "binary" if distinct == 2 else "classification"


def _numbers(where: str, column: pd.Series, why: str) -> Target:
    if not is_numbers(column):
        raise UserError(f"{where} must be numbers for --data.task regression, got {column.iloc[0]!r}")
    if column.nunique() < 2:
        raise UserError(f"{where} must have at least 2 distinct values, got {column.iloc[0]:g} only")
    y = column.to_numpy(np.float32)
    return Target(
        y, "regression", (), f"{where}: numbers from {y.min():g} to {y.max():g}, regression ({why})"
    )


def _classes(where: str, column: pd.Series, task: str, why: str) -> Target:
    counts = column.value_counts().sort_index()
    names = tuple(_name(value) for value in counts.index)
    if len(names) < 2:
        raise UserError(f"{where} must have at least 2 classes, got {names[0]!r} only")
    if task == "binary" and len(names) > 2:
        raise UserError(f"{where} must have 2 classes for --data.task binary, got {len(names):,}")
    if counts.min() < SMALLEST_CLASS:
        rule = f"have at least {SMALLEST_CLASS} examples of every class, one for each split"
        raise UserError(f"{where} must {rule}, got {counts.min()} of {_name(counts.idxmin())!r}")
    y = pd.Index(counts.index).get_indexer(column).astype(np.int32)
    shown = ", ".join(f"{name} {count:,}" for name, count in list(zip(names, counts, strict=True))[:DISTINCT])
    more = "" if len(names) <= DISTINCT else f" and {len(names) - DISTINCT:,} more"
    kind: Task = "binary" if task == "binary" else "classification"
    return Target(y, kind, names, f"{where}: {len(names)} classes ({shown}{more}), {kind} ({why})")


def _name(value: Any) -> str:
    """A class's name: 3 rather than 3.0."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
