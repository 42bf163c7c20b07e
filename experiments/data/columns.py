"""What a table's columns are, and how rows become numbers: fitted on train, kept as JSON, used again."""

from typing import Any

import numpy as np
import pandas as pd

from ..errors import UserError
from .room import LIMIT

CATEGORIES = 100
"""Words of a column that become inputs of their own; rarer ones share the bucket of the unseen."""

_LARGEST = 3e38  # what 32 bits hold, rounded down
_DATE = r"\d{4}-\d{1,2}-\d{1,2}([ T]\d{1,2}:.*)?|\d{1,2}[./]\d{1,2}[./]\d{4}"


def parse_column(where: str, column: pd.Series) -> pd.Series:
    """A column as numbers (float64), words (object, None where missing) or dates (datetime64).

    Text is taken for what it says: a column is numbers where more than half of its values are.

    Args:
        where: The file and the column, for the error.
        column: As read.

    Raises:
        UserError: A text or an infinity in a column of numbers, with its row.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    if _is_typed_number(column) or _all_numbers(column):
        return as_numbers(where, column)
    words = as_words(where, column)
    present = words.dropna().astype(str)
    numeric = pd.to_numeric(present, errors="coerce").notna().sum()
    if 2 * numeric > len(present):
        return as_numbers(where, column)
    if len(present) and present.str.fullmatch(_DATE).all():
        return pd.Series(pd.NaT, index=words.index)
    return words


def as_numbers(where: str, column: pd.Series) -> pd.Series:
    """A column as float64, NaN where missing.

    Raises:
        UserError: A text or an infinity, with its row.
    """
    if _is_typed_number(column):
        numbers = column.astype("Float64").astype("float64")
        bad = numbers.abs() > _LARGEST
    elif _all_numbers(column):
        numbers = pd.to_numeric(column, errors="coerce").astype("float64")
        bad = numbers.abs() > _LARGEST
    else:
        words = as_words(where, column)
        numbers = pd.to_numeric(words, errors="coerce").astype("float64")
        bad = (numbers.isna() & words.notna()) | (numbers.abs() > _LARGEST)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        rule = "be a number of at most 3e38, as most of the column are"
        raise UserError(
            f"{where}, row {row + 1} below the header, must {rule}, got {str(column.iloc[row])!r}"
        )
    return numbers


def as_words(where: str, column: pd.Series) -> pd.Series:
    """A column as text with single spaces, None where missing or empty.

    Raises:
        UserError: Lists, bytes or the like.
    """
    nested = next((value for value in column if isinstance(value, (list, dict, bytes, np.ndarray))), None)
    if nested is not None:
        raise UserError(f"{where} must hold numbers or text, got {type(nested).__name__}")
    words = (
        column.astype(object).map(lambda value: one_line(value) or None, na_action="ignore").astype(object)
    )
    return words.where(words.notna(), None)


def _all_numbers(column: pd.Series) -> bool:
    """Whether it is text all of which reads as numbers; a quick look that spares one at every value."""
    if not isinstance(column.dtype, pd.StringDtype) or not column.notna().any():
        return False
    return bool((pd.to_numeric(column, errors="coerce").notna() == column.notna()).all())


def one_line(value: object) -> str:
    """Its text with single spaces within and none around, so that notes and errors are one line each."""
    return " ".join(str(value).split())


def _is_typed_number(column: pd.Series) -> bool:
    """Whether it came as numbers; true/false are words, as they are in a .csv."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def is_numbers(column: pd.Series) -> bool:
    """Whether `parse_column` took the column for numbers."""
    return pd.api.types.is_numeric_dtype(column)


def check_missing(where: str, frame: pd.DataFrame) -> None:
    """Refuse missing values.

    Raises:
        UserError: There are some; every column that has them is named, with their number.
    """
    counts = frame.isna().sum()
    if counts.any():
        columns = ", ".join(f"{name} {count:,}" for name, count in counts[counts > 0].items())
        raise UserError(
            f"{where} must have no missing values (--data.missing fill fills them in), got some in {columns}"
        )


def plan_columns(train: pd.DataFrame) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """How each column of the training rows becomes inputs, as JSON, and a line for people on each.

    Numbers stay as they are, for the model to scale by mean and variance. Of words, each of the most
    frequent becomes an input that is 1 or 0; unseen ones are 0 everywhere. Left out are columns of one
    value, dates, words of which most stand in one row only, and an index without a name.
    """
    planned = [(name, *_plan(str(name), train[name])) for name in train]
    notes = tuple(f"column {name!r}: {note}" for name, _, note in planned)
    return [plan for _, plan, _ in planned if plan is not None], notes


def _plan(name: str, column: pd.Series) -> tuple[dict[str, Any] | None, str]:
    present = column.dropna()
    missing = "" if len(present) == len(column) else f"; {len(column) - len(present):,} missing in train"
    if pd.api.types.is_datetime64_any_dtype(column):
        return None, "dates, left out (a number such as the year or days since the first can be read)"
    if present.nunique() < 2:
        value = f"{present.iloc[0]!s}" if len(present) else "nothing"
        return None, f"left out, as all training rows have {value!r}"
    if is_numbers(column):
        return _plan_numbers(name, column, present, missing)
    return _plan_words(name, present, missing)


def _plan_numbers(
    name: str, column: pd.Series, present: pd.Series, missing: str
) -> tuple[dict[str, Any] | None, str]:
    if name.startswith("Unnamed:") and column.is_unique:
        return None, "left out, an index without a name"
    fill = float(present.median())
    filled = missing and f"{missing} and filled with the median {fill:g}"
    note = f"numbers from {present.min():g} to {present.max():g}, scaled{filled}"
    return {"name": name, "kind": "numbers", "fill": fill}, note


def _plan_words(name: str, present: pd.Series, missing: str) -> tuple[dict[str, Any] | None, str]:
    counts = present.value_counts()
    if len(counts) > 20 and 2 * len(counts) > len(present):
        return None, f"left out, as most of its {len(counts):,} texts stand in one row only"
    ordered = sorted(counts.index, key=lambda word: (-counts[word], word))
    words = sorted(ordered[:CATEGORIES])
    rare = f", {len(ordered) - CATEGORIES:,} rarer ones as unseen" if len(ordered) > CATEGORIES else ""
    filled = missing and f"{missing} and filled with {ordered[0]!r}"
    note = f"{len(words)} words, one input each{rare}{filled}"
    return {"name": name, "kind": "words", "words": words, "fill": ordered[0]}, note


def encode(frame: pd.DataFrame, plans: list[dict[str, Any]]) -> np.ndarray:
    """Rows as inputs, float32 of shape (rows, inputs), by plans of `plan_columns`.

    Args:
        frame: Columns that `parse_column` parsed.
        plans: What to do with them; missing values are filled.
    """
    width = sum(len(plan.get("words", [0])) for plan in plans)
    if (size := 4 * width * len(frame)) > LIMIT:
        raise UserError(f"the table's inputs must take at most {LIMIT:,} bytes, got {size:,}")
    x = np.zeros((len(frame), width), np.float32)
    start = 0
    for plan in plans:
        column = frame[plan["name"]]
        column = column.where(column.notna(), plan["fill"])
        if plan["kind"] == "numbers":
            x[:, start] = column.astype("float64")
            start += 1
            continue
        places = pd.Index(plan["words"]).get_indexer(column)
        rows = np.flatnonzero(places >= 0)
        x[rows, start + places[rows]] = 1
        start += len(plan["words"])
    return x


def scales(x: np.ndarray, plans: list[dict[str, Any]]) -> tuple[list[float], list[float]]:
    """Mean and variance of every input; 0 and 1 for those that stand for words."""
    numbers = np.concatenate([[plan["kind"] == "numbers"] * len(plan.get("words", [0])) for plan in plans])
    mean, variance = x.mean(0, np.float64), x.var(0, np.float64)
    scaled = numbers & (variance > 0)
    return np.where(numbers, mean, 0.0).tolist(), np.where(scaled, variance, 1.0).tolist()
