"""Nested batches as a note that JSON can hold, and arrays."""

from typing import Any

import numpy as np


def encode(value: Any) -> tuple[Any, dict[str, np.ndarray]]:
    """Take a structure of dictionaries, lists, tuples, arrays and None apart.

    Returns:
        The note and the arrays by name.
    """
    arrays: dict[str, np.ndarray] = {}

    def note(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, dict):
            return {"dict": {str(key): note(part) for key, part in value.items()}}
        if isinstance(value, (list, tuple)):
            return {"list" if isinstance(value, list) else "tuple": [note(part) for part in value]}
        name = str(len(arrays))
        arrays[name] = np.asarray(value)
        return name

    return note(value), arrays


def decode(note: Any, arrays: dict[str, np.ndarray]) -> Any:
    """What `encode` took apart."""
    if note is None:
        return None
    if isinstance(note, str):
        return arrays[note]
    [(kind, parts)] = note.items()
    if kind == "dict":
        return {key: decode(part, arrays) for key, part in parts.items()}
    decoded = [decode(part, arrays) for part in parts]
    return decoded if kind == "list" else tuple(decoded)
