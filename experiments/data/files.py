"""The user's own data: arrays, a table or pictures, told apart by what the path is."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from whyfit.models.seeds import derive_seed

from ..errors import UserError
from .config import FileConfig
from .npz import read_npz
from .pictures import class_folders, picture_files, read_classes, read_pictures
from .sharing import Shares, count_shared, first_of_equal, hash_rows, share_out, share_sizes
from .splits import Data, Split
from .targets import Target, read_target

if TYPE_CHECKING:
    import pandas as pd


def load(config: FileConfig, seed: int) -> Data:
    """Read the user's data, infer what it asks for and share it out.

    Args:
        config: Where it lies and what is to be done about what it lacks.
        seed: The run's seed; the shares derive from it as `split`.

    Returns:
        Data with a note on everything done to it, and with a reader for `encode_rows`. A table's x are
        float32 of shape (rows, inputs), pictures uint8 of shape (n, height, width) or (n, height,
        width, 3), an .npz's what it holds, as float32 or uint8.

    Raises:
        UserError: Whatever is wrong with the data, in one line.

    Example:
        >>> load(FileConfig("houses.csv", target="price"), seed=0).task
        'regression'
    """
    path = Path(config.path)
    if not config.path:
        raise UserError("--data.path must be an .npz, .csv, .parquet or a folder of pictures, got none")
    if path.is_dir():
        return _load_pictures(path, config, seed)
    _require_file(path)
    if path.suffix == ".npz":
        return _load_arrays(path, config, seed)
    from .tables import load_table

    return load_table(config, seed)


def encode_rows(source: "pd.DataFrame | Path", reader: dict[str, Any]) -> np.ndarray:
    """New rows or pictures as the network was trained to read them.

    Args:
        source: A .csv or .parquet, or a table in memory; a picture or a folder of pictures; an .npz
            with x. Of the kind that the training data were of.
        reader: `Data.reader` of the training data.

    Returns:
        Examples such as the training data's x.

    Raises:
        UserError: No such file, one of another kind, or one that lacks something, which is named.

    Example:
        >>> encode_rows(Path("new.csv"), data.reader).shape[1:] == data.train.x.shape[1:]
        True
    """
    if isinstance(source, Path) and not source.is_dir():
        _require_file(source, suffixes=_SUFFIXES.get(reader["kind"]))
    if reader["kind"] == "table":
        from .tables import encode_table

        return encode_table(source, reader)
    if not isinstance(source, Path):
        raise UserError(f"new examples must be a file of {reader['kind']}, got a table")
    if reader["kind"] == "pictures" and source.suffix != ".npz":
        files = picture_files(source) if source.is_dir() else [source]
        x, kept, notes = read_pictures(files, tuple(reader["shape"]))
        if not kept.all():
            raise UserError(f"{source} must hold readable pictures only, got {notes[0]}")
        return x
    x = _check_numbers(source, read_npz(source, ["x"])[0])
    if reader["dtype"] == "uint8" != x.dtype:
        raise UserError(f"{source} must hold x of uint8, 0 to 255, as in training, got {x.dtype}")
    if list(x.shape[1:]) != reader["shape"]:
        raise UserError(f"{source} must hold x of the shape (n, {_sides(reader['shape'])}), got {x.shape}")
    return x.astype(reader["dtype"])


_SUFFIXES = {"table": (".csv", ".parquet"), "arrays": (".npz",)}


def _require_file(path: Path, suffixes: tuple[str, ...] | None = (".npz", ".csv", ".parquet")) -> None:
    if not path.exists():
        raise UserError(f"{path} must be a file or a folder that exists, got none there")
    if suffixes is not None and path.suffix not in suffixes:
        raise UserError(f"{path} must be one of {', '.join(suffixes)}, got {path.suffix or 'no suffix'!r}")


def _load_pictures(path: Path, config: FileConfig, seed: int) -> Data:
    folders = class_folders(path)
    x, labels, notes = read_classes(folders)
    import pandas as pd

    target = read_target(
        f"{path}", pd.Series([folders[label].name for label in labels], dtype=object), config.task
    )
    return _share_arrays(path, x, target, config, seed, "pictures", notes)


def _load_arrays(path: Path, config: FileConfig, seed: int) -> Data:
    x, y = read_npz(path, ["x", "y"])
    x = _check_numbers(path, x)
    y = y[:, 0] if y.shape[1:] == (1,) else y
    if y.shape != (len(x),):
        raise UserError(f"{path} must hold one y for each of its {len(x):,} x, got y of the shape {y.shape}")
    if y.dtype.kind not in "biufU":
        raise UserError(f"{path} must hold y of numbers or text, got {y.dtype}")
    import pandas as pd

    from .columns import parse_column

    answers = parse_column(f"{path}, array 'y'", pd.Series(y))
    if missing := int(answers.isna().sum()):
        raise UserError(f"{path}, array 'y', must have no missing values, got {missing:,}")
    target = read_target(f"{path}, array 'y'", answers, config.task)
    return _share_arrays(path, x, target, config, seed, "arrays", ())


def _check_numbers(path: Path, x: np.ndarray) -> np.ndarray:
    """x as uint8 where it is, else as float32.

    Raises:
        UserError: Anything but finite numbers of at least two dimensions.
    """
    if x.dtype.kind not in "biuf" or x.ndim < 2 or 0 in x.shape:
        raise UserError(
            f"{path} must hold x of numbers and of a shape (n, ...), got {x.dtype} of the shape {x.shape}"
        )
    if x.dtype == np.uint8:
        return x
    with np.errstate(over="ignore"):
        x = x.astype(np.float32)
    bad = ~np.isfinite(x).reshape(len(x), -1).all(axis=1)
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        rule = "hold x of finite numbers, within the range of 32 bits"
        raise UserError(f"{path} must {rule}, got {bad.sum():,} examples with others, first x[{place}]")
    return x


def _share_arrays(
    path: Path,
    x: np.ndarray,
    target: Target,
    config: FileConfig,
    seed: int,
    kind: str,
    notes: tuple[str, ...],
) -> Data:
    hashes, places = hash_rows(x), np.arange(len(x))
    if config.drop_duplicates:
        places = first_of_equal(hashes)
        notes += (f"{len(x) - len(places):,} examples dropped that equal an earlier one",)
    labels = None if target.labels is None else target.labels[places]
    rng = np.random.default_rng(derive_seed(seed, "split"))
    sizes = share_sizes(config.validation, config.test, len(places))
    train, validation, test = (places[share] for share in share_out(labels, sizes, rng, len(places)))
    notes += (count_shared("x", hashes[train], hashes[validation], hashes[test]),)
    return _as_data(path, x, target, (train, validation, test), kind, (target.note, *notes))


def _as_data(
    path: Path, x: np.ndarray, target: Target, shares: Shares, kind: str, notes: tuple[str, ...]
) -> Data:
    train, validation, test = shares
    answers = target.y[train].astype(np.float64)
    # Pictures share one scale; of a table of numbers each has its own, and a constant one stays as it is.
    axis = 0 if x.ndim == 2 and x.dtype != np.uint8 else None
    mean, variance = x[train].mean(axis, np.float64), x[train].var(axis, np.float64)
    numbers = target.task == "regression"
    return Data(
        f"file-{path.name}",
        Split(x[train], target.y[train]),
        Split(x[validation], target.y[validation]),
        Split(x[test], target.y[test]),
        task=target.task,
        class_names=target.class_names,
        mean=mean.tolist(),
        variance=np.where(variance == 0, 1.0, variance).tolist(),
        target_mean=float(answers.mean()) if numbers else 0.0,
        target_deviation=(float(answers.std()) or 1.0) if numbers else 1.0,
        reader={"kind": kind, "shape": list(x.shape[1:]), "dtype": str(x.dtype)},
        notes=(f"x: {x.dtype} of the shape (n, {_sides(x.shape[1:])}), scaled", *notes),
    )


def _sides(shape: Any) -> str:
    return ", ".join(map(str, shape))
