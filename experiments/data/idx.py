"""Files of MNIST's idx format with unsigned bytes, plain or compressed by gzip.

Source of the format: yann.lecun.com/exdb/mnist: two zero bytes, a byte for the type (8: unsigned
byte), a byte for the number of dimensions, then each dimension as 4 bytes, the highest first.
"""

import gzip
import math
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from ..errors import UserError
from .room import check_room

_CHUNK = 2**20


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The array in an idx file; nothing is allocated that the file does not hold.

    Args:
        path: The file; gzip's is known by its first two bytes, whatever its name.
        dimensions: How many the array must have: 3 for pictures, 1 for labels.

    Returns:
        uint8 of the shape that the header says.

    Raises:
        UserError: Another magic number, more or fewer bytes than promised, or a damaged archive.

    Example:
        >>> read_idx(Path("t10k-images-idx3-ubyte.gz"), 3).shape
        (10000, 28, 28)
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if compressed else path.open("rb") as file:
            return _read(file, path, dimensions, compressed)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} must be a readable idx file, got {type(error).__name__}: {error}") from None


def _read(file: BufferedIOBase, path: Path, dimensions: int, compressed: bool) -> np.ndarray:
    magic = file.read(4)
    if magic != bytes([0, 0, 8, dimensions]):
        rule = (
            f"start with the idx magic number {0x800 + dimensions} (unsigned bytes, {dimensions} dimensions)"
        )
        raise UserError(f"{path} must {rule}, got {int.from_bytes(magic, 'big')}")
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise UserError(f"{path} must have a header of {4 + 4 * dimensions} bytes, got {4 + len(header)}")
    shape = tuple(np.frombuffer(header, ">u4").tolist())
    promised = math.prod(shape)
    check_room(path, promised, compressed=compressed)
    content = _read_up_to(file, promised + 1)
    if len(content) != promised:
        got = "more" if len(content) > promised else f"{len(content):,}"
        raise UserError(
            f"{path} must hold {promised:,} bytes as its header says ({_times(shape)}), got {got}"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_up_to(file: BufferedIOBase, most: int) -> bytearray:
    """The next bytes, at most `most`; memory grows with what is there, not with `most`."""
    content = bytearray()
    while len(content) < most and (chunk := file.read(min(_CHUNK, most - len(content)))):
        content += chunk
    return content


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{length:,}" for length in shape)
