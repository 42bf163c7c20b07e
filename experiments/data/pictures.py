"""Pictures in a folder with one subfolder a class, and pictures for a network to judge."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import UserError
from .room import LIMIT

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_UNREADABLE = (UnidentifiedImageError, OSError, ValueError, SyntaxError)
_GREY, _COLOUR = ("1", "L", "LA"), ("P", "RGB", "RGBA")


def class_folders(folder: Path) -> list[Path]:
    """Subfolders in order of name, hidden ones left out.

    Raises:
        UserError: Not a folder, or fewer than two subfolders.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} must be a folder with one subfolder of pictures a class")
    found = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(found) < 2:
        names = ", ".join(path.name for path in found) or "none"
        raise UserError(f"{folder} must have at least 2 subfolders of pictures, one a class, got {names}")
    return found


def picture_files(folder: Path) -> list[Path]:
    """Pictures in a folder and below it, by their suffix, in order of name.

    Raises:
        UserError: There is none.
    """
    found = sorted(
        p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")
    )
    if not found:
        raise UserError(f"{folder} must hold pictures ({', '.join(SUFFIXES)}), got none")
    return found


def read_classes(folders: Sequence[Path]) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Pictures of all classes with the places of their folders.

    Args:
        folders: One a class.

    Returns:
        Pictures, uint8 of shape (n, height, width) or (n, height, width, 3), labels, int32 of shape
        (n,), and notes on what was done.

    Raises:
        UserError: A class without a readable picture, or pictures of different sizes.
    """
    files = [picture_files(folder) for folder in folders]
    x, kept, notes = read_pictures([file for group in files for file in group])
    labels = np.repeat(np.arange(len(folders), dtype=np.int32), [len(group) for group in files])[kept]
    for place, folder in enumerate(folders):
        if not (labels == place).any():
            raise UserError(f"{folder} must hold readable pictures, got none in {len(files[place]):,} files")
    return x, labels, notes


def read_pictures(
    files: Sequence[Path], shape: tuple[int, ...] | None = None
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Pictures of one size; what cannot be read is left out.

    Args:
        files: The pictures' files.
        shape: What each must have: (height, width), or with a 3 behind for colour. None: the size
            of the first, and colour where any has it.

    Returns:
        Pictures, uint8, whether each file could be read, bool of shape (len(files),), and notes.

    Raises:
        UserError: Pictures of different sizes or of a kind that 8 bits do not hold, or none readable.
    """
    read: list[Image.Image | None] = []
    first: tuple[str, tuple[int, int]] | None = None if shape is None else ("", (shape[1], shape[0]))
    for file in files:
        picture = _open(file)
        if picture is not None:
            first = first or (f" as {file.name} is", picture.size)
            _check_size(file, picture, first, len(files))
        read.append(_decode(picture))
    pictures = [picture for picture in read if picture is not None]
    if not pictures:
        raise UserError(f"{files[0].parent} must hold readable pictures, got none in {len(files):,} files")
    colour = len(shape) == 3 if shape else any(picture.mode in _COLOUR for picture in pictures)
    x = np.stack([np.asarray(picture.convert("RGB" if colour else "L")) for picture in pictures])
    kept = np.array([picture is not None for picture in read])
    return x, kept, _notes(files, kept)


def _notes(files: Sequence[Path], kept: np.ndarray) -> tuple[str, ...]:
    unreadable = [file.name for file, good in zip(files, kept, strict=True) if not good]
    if not unreadable:
        return ()
    return (f"{len(unreadable):,} of {len(files):,} pictures unreadable and skipped, first {unreadable[0]}",)


def _check_size(file: Path, picture: Image.Image, first: tuple[str, tuple[int, int]], count: int) -> None:
    """Refuse a picture of another size than the first one, before its pixels are read."""
    why, (width, height) = first
    if picture.size != (width, height):
        raise UserError(
            f"{file} must have {width}x{height} pixels{why}, got {picture.width}x{picture.height}"
        )
    if (size := count * width * height) > LIMIT:
        raise UserError(
            f"{file.parent} must hold at most {LIMIT:,} pixels, got {size:,} in {count:,} pictures"
        )
    if picture.mode not in _GREY + _COLOUR:
        raise UserError(f"{file} must be grey or colour with 8 bits a channel, got mode {picture.mode}")


def _open(file: Path) -> Image.Image | None:
    """The picture with its pixels still unread, or None where the file is no picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(file.read_bytes()))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UserError(f"{file} must be of a size that fits into memory: {error}") from None
    except _UNREADABLE:
        return None


def _decode(picture: Image.Image | None) -> Image.Image | None:
    """The picture with its pixels read, or None where they are damaged."""
    try:
        if picture is not None:
            picture.load()
        return picture
    except _UNREADABLE:
        return None
