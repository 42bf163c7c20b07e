"""A table of the user's: .csv or .parquet, one column of which is to be predicted."""

import difflib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyfit.models.seeds import derive_seed

from ..errors import UserError
from .columns import as_numbers, as_words, check_missing, encode, one_line, parse_column, plan_columns, scales
from .config import FileConfig
from .room import LIMIT
from .sharing import count_shared, share_out, share_sizes
from .splits import Data, Split
from .targets import read_target


def load_table(config: FileConfig, seed: int) -> Data:
    """Read a table, infer what it asks for and share its rows out.

    Args:
        config: Where it lies, which column to predict, what to do about missing values.
        seed: The run's seed; the shares derive from it as `split`.

    Returns:
        Data whose x are float32 of shape (rows, inputs), words expanded, numbers in their own units;
        notes on every column; and a reader for `encode_table`.

    Raises:
        UserError: Whatever is wrong with the file, in one line.
    """
    path = Path(config.path)
    raw = read_frame(path)
    _require_column(path, raw, config.target)
    frame, notes = _prepare(path, raw, config)
    target = read_target(f"{path}, column {config.target!r}", frame.pop(config.target), config.task)
    sizes = share_sizes(config.validation, config.test, len(frame))
    rng = np.random.default_rng(derive_seed(seed, "split"))
    train, validation, test = share_out(target.labels, sizes, rng, len(frame))
    plans, column_notes = plan_columns(frame.iloc[train])
    if not plans:
        raise UserError(f"{path} must have a column to predict from, got none that varies and can be read")
    hashes = pd.util.hash_pandas_object(frame.assign(**{"": target.y}), index=False).to_numpy()
    x = encode(frame, plans)
    mean, variance = scales(x[train], plans)
    numbers = target.task == "regression"
    return Data(
        f"file-{path.name}",
        Split(x[train], target.y[train]),
        Split(x[validation], target.y[validation]),
        Split(x[test], target.y[test]),
        task=target.task,
        class_names=target.class_names,
        mean=mean,
        variance=variance,
        target_mean=float(target.y[train].mean(dtype=np.float64)) if numbers else 0.0,
        target_deviation=(float(target.y[train].std(dtype=np.float64)) or 1.0) if numbers else 1.0,
        reader={"kind": "table", "columns": plans, "missing": config.missing, "target": config.target},
        notes=(
            target.note,
            *notes,
            *column_notes,
            count_shared("rows", hashes[train], hashes[validation], hashes[test]),
        ),
    )


def encode_table(source: pd.DataFrame | Path, reader: dict[str, Any]) -> np.ndarray:
    """New rows as the network was trained to read them.

    Args:
        source: A table or its file; it needs no target, and columns that the network does not read
            are passed over.
        reader: `Data.reader` of the training data.

    Returns:
        float32 of shape (rows, inputs).

    Raises:
        UserError: A column is not there, of another kind, or lacks values that are not to be filled.
    """
    where = str(source) if isinstance(source, Path) else "the table"
    raw = read_frame(source) if isinstance(source, Path) else _with_plain_names(source)
    plans = reader["columns"]
    for plan in plans:
        _require_column(where, raw, plan["name"], needed="a column")
    read = {"numbers": as_numbers, "words": as_words}
    columns = {plan["name"]: (f"{where}, column {plan['name']!r}", plan["kind"]) for plan in plans}
    frame = pd.DataFrame({name: read[kind](place, raw[name]) for name, (place, kind) in columns.items()})
    if reader["missing"] == "refuse":
        check_missing(where, frame)
    return encode(frame, plans)


def read_frame(path: Path) -> pd.DataFrame:
    """A table, of a .csv with all values as text.

    Raises:
        UserError: No such file, not a table, or one without rows.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (OSError, ValueError, MemoryError, NotImplementedError, Warning) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"{path} must be a readable {path.suffix[1:]} file: {reason}") from None
    if frame.empty:
        raise UserError(f"{path} must have rows, got {len(frame):,} rows of {len(frame.columns):,} columns")
    return _with_plain_names(frame)


def _read_csv(path: Path) -> pd.DataFrame:
    """All as text; pandas alone would rename columns of equal names."""
    header = pd.read_csv(path, dtype=str, header=None, nrows=1, keep_default_na=False, encoding="utf-8-sig")
    names = [one_line(name) or f"Unnamed: {place}" for place, name in enumerate(header.iloc[0])]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has two columns {twice!r}")
    return pd.read_csv(path, dtype=str, header=0, names=names, index_col=False, encoding="utf-8-sig")


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        size = 8 * file.metadata.num_rows * file.metadata.num_columns
        if size > LIMIT:
            raise ValueError(
                f"its header promises {file.metadata.num_rows:,} rows, more than {LIMIT:,} bytes hold"
            )
        return file.read().to_pandas()


def _with_plain_names(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with names that are one line each, and rows numbered from 0."""
    return frame.set_axis([one_line(name) for name in frame.columns], axis=1).reset_index(drop=True)


def _require_column(
    where: object, frame: pd.DataFrame, name: str, needed: str = "--data.target as a column"
) -> None:
    if name in frame.columns:
        return
    close = difflib.get_close_matches(name, list(frame.columns), 1, 0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    shown = ", ".join(list(frame.columns[:10]) + ["..."] * (len(frame.columns) > 10))
    raise UserError(f"{where} must have {needed}, got no {name!r} in {shown}{hint}")


def _prepare(path: Path, raw: pd.DataFrame, config: FileConfig) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table with its columns parsed, rows without an answer and rows that repeat dealt with."""
    notes = []
    frame = pd.DataFrame({name: parse_column(f"{path}, column {name!r}", raw[name]) for name in raw})
    if config.drop_duplicates:
        repeated = frame.duplicated()
        notes.append(f"{repeated.sum():,} rows dropped that equal an earlier one")
        frame = frame[~repeated]
    dates = [name for name in frame if pd.api.types.is_datetime64_any_dtype(frame[name])]
    if config.missing == "refuse":
        check_missing(str(path), frame.drop(columns=[name for name in dates if name != config.target]))
    elif (answered := frame[config.target].notna()).sum() < len(frame):
        notes.append(f"{(~answered).sum():,} rows dropped whose {config.target!r} is missing")
        frame = frame[answered]
    return frame.reset_index(drop=True), tuple(notes)
