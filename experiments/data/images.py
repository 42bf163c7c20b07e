"""MNIST, Fashion-MNIST and notMNIST: through keras.datasets or from a user's copy.

Sources: LeCun et al. 1998 (MNIST); Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747 (Fashion-MNIST);
Bulatov 2011 (notMNIST: letters A to J of fonts found on the web, many of them more than once).
"""

from pathlib import Path

import numpy as np

from whyfit.models.seeds import derive_seed

from ..errors import UserError
from .config import ImagesConfig
from .idx import read_idx
from .npz import array_names, read_npz
from .pictures import class_folders, read_classes
from .sharing import count_shared, first_of_equal, hash_rows, share_out
from .splits import Data, Split

_FASHION = "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle-boot"
CLASS_NAMES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": tuple(name.replace("-boot", " boot") for name in _FASHION.split()),
    "notmnist": tuple("ABCDEFGHIJ"),
}
_SHAPE = (28, 28)


def load(config: ImagesConfig, seed: int) -> Data:
    """Read the pictures and share them out.

    Args:
        config: Which set, where it lies and how many.
        seed: The run's seed; validation, and test where the copy has none, derive from it as `split`.

    Returns:
        Data whose x are uint8 of shape (n, 28, 28) and whose y are int32 of shape (n,), with a note
        on how many pictures stand in two splits.

    Raises:
        UserError: No copy, or one that is damaged or of another form, or fewer pictures than asked for.

    Example:
        >>> load(ImagesConfig("fashion-mnist"), seed=0).test.x.shape
        (10000, 28, 28)
    """
    pool, test, notes = _read(config)
    pool_hashes, test_hashes = hash_rows(pool.x), hash_rows(test.x)
    if config.drop_duplicates:
        kept = first_of_equal(pool_hashes)
        kept = kept[~np.isin(pool_hashes[kept], test_hashes)]
        notes += (f"{len(pool) - len(kept):,} pictures dropped that stand somewhere else as well",)
        pool, pool_hashes = Split(pool.x[kept], pool.y[kept]), pool_hashes[kept]
    validation_size, pool_test_size = _sizes(config, len(pool), len(test))
    rng = np.random.default_rng(derive_seed(seed, "split"))
    train, validation, testing = share_out(pool.y, (validation_size, pool_test_size), rng)
    train = train[: config.train]
    if len(test):
        testing = share_out(test.y, (0, config.test or len(test)), rng)[2]
    else:
        test, test_hashes = pool, pool_hashes
    notes += (count_shared("pictures", pool_hashes[train], pool_hashes[validation], test_hashes[testing]),)
    x = pool.x[train]
    return Data(
        config.name,
        Split(x, pool.y[train]),
        Split(pool.x[validation], pool.y[validation]),
        Split(test.x[testing], test.y[testing]),
        task="classification",
        class_names=CLASS_NAMES[config.name],
        mean=float(x.mean()),
        variance=float(x.var()),
        reader={"kind": "pictures", "shape": list(_SHAPE), "dtype": "uint8"},
        notes=notes,
    )


def _sizes(config: ImagesConfig, pool: int, test: int) -> tuple[int, int]:
    """Pictures that validation and test take from the pool; test takes none where it has its own."""
    if test and (config.test or 0) > test:
        raise UserError(f"--data.test must be at most {test:,}, the pictures there are, got {config.test:,}")
    testing = 0 if test else (pool // 6 if config.test is None else config.test)
    validation = (pool - testing) // 6 if config.validation is None else config.validation
    left = pool - testing - validation
    if left < (config.train or 1) or validation < 1:
        asked = " + ".join(f"{size:,}" for size in (config.train or 1, validation, testing) if size)
        raise UserError(f"--data.train, validation and test must be at most {pool:,} in sum, got {asked}")
    return validation, testing


def _read(config: ImagesConfig) -> tuple[Split, Split, tuple[str, ...]]:
    """The pictures to train and validate on, the ones to test on if the copy tells them apart, notes."""
    path, notes = Path(config.path), tuple[str, ...]()
    if not config.path:
        pool, test = _from_keras(config.name)
    elif path.is_file():
        pool, test = _from_npz(path)
    elif not path.is_dir():
        raise UserError(f"--data.path must be a folder or an .npz, got {config.path!r}, which does not exist")
    elif _idx_files(path):
        pool, test = _from_idx(path)
    elif config.name == "notmnist":
        pool, test, notes = _from_folders(path)
    else:
        raise UserError(f"{path} must hold {_IDX_NAMES[0]} or the like, got {_content(path)}")
    return pool, test, notes


def _from_keras(name: str) -> tuple[Split, Split]:
    if name == "notmnist":
        raise UserError(
            "--data.path must be your copy of notMNIST (idx files, folders A to J, .npz), got none"
        )
    import keras

    module = {"mnist": keras.datasets.mnist, "fashion-mnist": keras.datasets.fashion_mnist}[name]
    try:
        pool, test = module.load_data()
    except Exception as error:  # Keras passes on whatever the network, the disk or the archive raises
        reason = str(error).partition("\n")[0]
        hint = "--data.path takes a folder of its idx files"
        raise UserError(f"{name} could not be had through keras.datasets ({reason}); {hint}") from None
    return Split(pool[0], pool[1].astype(np.int32)), Split(test[0], test[1].astype(np.int32))


_IDX_NAMES = tuple(
    f"{part}-images{sep}idx3-ubyte{end}" for part in ("train", "t10k") for sep in "-." for end in ("", ".gz")
)


def _idx_files(folder: Path) -> list[Path]:
    """Files of pictures, train before test, one a part."""
    found = {name.partition("-")[0]: folder / name for name in _IDX_NAMES if (folder / name).is_file()}
    return [found[part] for part in ("train", "t10k") if part in found]


def _from_idx(folder: Path) -> tuple[Split, Split]:
    """Both parts, or the only one as what is to be shared out."""
    parts = []
    for file in _idx_files(folder):
        labels = _labels_of(file)
        parts.append(_check(file, read_idx(file, 3), labels, read_idx(labels, 1)))
    return parts[0], parts[1] if len(parts) == 2 else _none()


def _labels_of(images: Path) -> Path:
    """The file of labels beside a file of pictures; one may be compressed and the other not."""
    name = images.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    for file in (images.with_name(name), images.with_name(f"{name}.gz")):
        if file.is_file():
            return file
    raise UserError(f"{images.parent} must hold {name} or {name}.gz beside {images.name}, got neither")


def _from_npz(path: Path) -> tuple[Split, Split]:
    names = array_names(path)
    if "x_train" in names:
        x, y, test_x, test_y = read_npz(path, ["x_train", "y_train", "x_test", "y_test"])
        return _check(path, x, path, y), _check(path, test_x, path, test_y)
    x, y = read_npz(path, ["x", "y"])
    return _check(path, x, path, y), _none()


def _from_folders(path: Path) -> tuple[Split, Split, tuple[str, ...]]:
    folders = class_folders(path)
    names = [folder.name for folder in folders]
    if tuple(names) != CLASS_NAMES["notmnist"]:
        raise UserError(f"{path} must have subfolders A to J of pictures, got {', '.join(names)}")
    x, y, notes = read_classes(folders)
    return _check(path, x, path, y), _none(), notes


def _none() -> Split:
    return Split(np.empty((0, *_SHAPE), np.uint8), np.empty(0, np.int32))


def _check(x_path: Path, x: np.ndarray, y_path: Path, y: np.ndarray) -> Split:
    """The arrays as a split.

    Raises:
        UserError: Not 28x28 pictures in grey of 0 to 255 with labels from 0 to 9, as many of each.
    """
    x = x[..., 0] if x.shape[1:] == (*_SHAPE, 1) else x
    if x.shape[1:] != _SHAPE or not len(x):
        raise UserError(f"{x_path} must hold pictures of the shape (n, 28, 28), got {x.shape}")
    if x.dtype != np.uint8:
        raise UserError(f"{x_path} must hold pictures of unsigned bytes (uint8, 0 to 255), got {x.dtype}")
    if y.shape != (len(x),):
        raise UserError(f"{y_path} must hold {len(x):,} labels, one a picture, got the shape {y.shape}")
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() > 9:
        got = f"{y.min()} to {y.max()}" if y.dtype.kind in "iuf" else y.dtype
        raise UserError(f"{y_path} must hold labels that are whole numbers from 0 to 9, got {got}")
    return Split(x, y.astype(np.int32))


def _content(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:5] + ["..."] * (len(names) > 5)) or "an empty folder"
