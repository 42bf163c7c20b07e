"""Arrays of an .npz, read without ever unpickling and without trusting its headers."""

import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from ..errors import UserError
from .room import check_room


def read_npz(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Arrays of an archive in the order of their names.

    Raises:
        UserError: A damaged archive, an array that is not there, an array of Python objects, or a
            header that promises other than the archive holds.

    Example:
        >>> x, y = read_npz(Path("mine.npz"), ["x", "y"])
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read(archive, path, name) for name in names]
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"{path} must be a readable .npz, got {type(error).__name__}: {reason}") from None


def array_names(path: Path) -> list[str]:
    """Names of the arrays in an archive.

    Raises:
        UserError: Not an archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} must be a readable .npz, got {type(error).__name__}: {error}") from None


def _read(archive: zipfile.ZipFile, path: Path, name: str) -> np.ndarray:
    known = [member.removesuffix(".npy") for member in archive.namelist()]
    if name not in known:
        raise UserError(f"{path} must have an array {name!r}, got {', '.join(known) or 'none'}")
    member = archive.getinfo(f"{name}.npy" if f"{name}.npy" in archive.namelist() else name)
    check_room(path, member.file_size)
    with archive.open(member) as file:
        promised = _promised_bytes(file, path, name) + file.tell()
    if promised != member.file_size:
        rule = f"have an array {name!r} of the {promised:,} bytes that its header promises"
        raise UserError(f"{path} must {rule}, got {member.file_size:,}")
    with archive.open(member) as file:
        return npy.read_array(file, allow_pickle=False)


def _promised_bytes(file: IO[bytes], path: Path, name: str) -> int:
    """Bytes of the array by its header, which is read."""
    version = npy.read_magic(file)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"array {name!r} is of the npy version {version}")
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise UserError(
            f"{path} must hold plain arrays, got {name!r} of Python objects, which are never loaded"
        )
    return math.prod(shape) * dtype.itemsize
