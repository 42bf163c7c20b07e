"""State on disk that survives whatever dies: the one module that writes it.

A file is written beside its place, flushed to the disk and renamed into it, so that a reader
finds the old content or the new, never a half. What a run saves again and again carries a digest
and keeps the generation before it. A journal only grows; its torn last line is cut off.
"""

import fcntl
import hashlib
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np


class InUse(RuntimeError):
    """Another process holds the lock."""


def write(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`, wholly or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """As `write`, for anything JSON can hold."""
    write(path, json.dumps(value, indent=1).encode())


def read_json(path: Path) -> Any:
    """What `write_json` wrote, or None where nothing was."""
    return json.loads(path.read_bytes()) if path.exists() else None


def save(path: Path, arrays: dict[str, np.ndarray], note: dict[str, Any]) -> None:
    """Save arrays and a JSON note as the new generation at `path`; the one before stays beside it."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, __note__=np.array(json.dumps(note)))  # type: ignore[arg-type]
    body = buffer.getvalue()
    if path.exists():
        path.replace(_previous(path))
    write(path, hashlib.sha256(body).digest() + body)


def load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The newest generation at `path` that is whole, or None where there is none."""
    for candidate in (path, _previous(path)):
        content = candidate.read_bytes() if candidate.exists() else b""
        digest, body = content[:32], content[32:]
        if body and hashlib.sha256(body).digest() == digest:
            with np.load(io.BytesIO(body), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            return arrays, json.loads(str(arrays.pop("__note__")))
    return None


def discard(path: Path) -> None:
    """Remove both generations."""
    path.unlink(missing_ok=True)
    _previous(path).unlink(missing_ok=True)


class Lock:
    """A lock that the operating system drops when its holder dies, with the holder's pid inside.

    Args:
        path: The lock's file; it stays when the lock is released.
        wait: Wait for another holder instead of raising.

    Example:
        >>> with Lock(Path("mlruns/state/night/lock")):
        ...     pass

    Raises:
        InUse: On entering, when another process holds it.
    """

    def __init__(self, path: Path, *, wait: bool = False) -> None:
        self.path = path
        self._mode = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise InUse."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, self._mode)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode() or "unknown"
            os.close(descriptor)
            raise InUse(f"in use by process {holder}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Drop the lock; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "Lock":
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Journal:
    """Records appended to a file, one JSON line each, read again from any offset.

    What `append` returns from survives the death of the process; it reaches the disk at least once
    a second and at `flush`, so that losing power costs a second.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)
        self._cut_torn_line()
        self._synced = time.monotonic()

    def append(self, record: dict[str, Any]) -> None:
        """Add a record at the end."""
        self._file.write(json.dumps(record).encode() + b"\n")
        if time.monotonic() - self._synced > 1:
            self.flush()

    def flush(self) -> None:
        """Wait until everything appended is on the disk."""
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()

    def _cut_torn_line(self) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self.path, whole)


def read_journal(path: Path, offset: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """Whole records from `offset` on, each with the offset behind it."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield json.loads(line), offset


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.previous")


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
