"""How much memory a file may ask for, checked before any of it is taken."""

from pathlib import Path

from ..errors import UserError

LIMIT = 4 * 2**30
"""Bytes that the data of one file may take."""

INFLATION = 1_032
"""How many times longer than its compressed form deflate's longest output is."""


def check_room(path: Path, size: int, *, compressed: bool = True) -> None:
    """Refuse a file whose header promises more bytes than it can hold or than `LIMIT`.

    Args:
        path: The file, which exists.
        size: Bytes that its header promises.
        compressed: Whether they may be stored in fewer.

    Raises:
        UserError: It promises too much.
    """
    most = min(path.stat().st_size * (INFLATION if compressed else 1), LIMIT)
    if size > most:
        raise UserError(
            f"{path} must hold what its header promises, at most {most:,} bytes, got {size:,} promised"
        )
