"""Random numbers that depend on a key and a place alone, for many keys at once.

A counter-based generator keeps no state: number n of a stream is a function of the key and of n, so that
K streams are one array, and none depends on how many there are or on what was drawn before.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", 4.2: Threefry-2x32 of 20 rounds.
"""

from typing import Any

from keras import ops

from ..seeds import derive_seed

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


def derive_key(seed: int, *names: object) -> tuple[int, int]:
    """A key for the stream called `names`: two numbers in [0, 2**31)."""
    return derive_seed(seed, *names), derive_seed(seed, *names, "second word")


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Threefry-2x32: two random words of 32 bits from a key and a counter of two words each.

    Args:
        key: Tensors of uint32; any shapes that broadcast with the counter's.
        counter: Tensors of uint32.

    Returns:
        Two tensors of uint32, each uniform over all 32-bit numbers.
    """
    parity = ops.convert_to_tensor(_PARITY, "uint32")
    keys = (*key, ops.bitwise_xor(ops.bitwise_xor(*key), parity))
    left, right = ops.add(counter[0], keys[0]), ops.add(counter[1], keys[1])
    for group in range(5):
        for distance in _ROTATIONS[group % 2]:
            left = ops.add(left, right)
            right = ops.bitwise_xor(_rotate(right, distance), left)
        injected = ops.add(keys[(group + 2) % 3], ops.convert_to_tensor(group + 1, "uint32"))
        left, right = ops.add(left, keys[(group + 1) % 3]), ops.add(right, injected)
    return left, right


def random_numbers(keys: Any, step: Any, count: Any) -> Any:
    """Uniform integers of 31 bits, a stream for each key.

    Args:
        keys: int32 of shape (K, 2), each number in [0, 2**31).
        step: Which part of each stream: an int32 scalar, 0 or more.
        count: Numbers wanted of each stream, at most 2**32.

    Returns:
        int32 of shape (K, count), uniform over [0, 2**31).
    """
    keys = ops.cast(keys, "uint32")
    key = keys[:, :1], keys[:, 1:]
    pairs = ops.cast(ops.expand_dims(ops.arange((count + 1) // 2, dtype="int32"), 0), "uint32")
    left, right = threefry(key, (pairs, ops.cast(step, "uint32")))
    words = ops.concatenate([left, right], axis=1)[:, :count]
    return ops.cast(ops.right_shift(words, ops.convert_to_tensor(1, "uint32")), "int32")


def _rotate(word: Any, distance: int) -> Any:
    up, down = (ops.convert_to_tensor(bits, "uint32") for bits in (distance, 32 - distance))
    return ops.bitwise_or(ops.left_shift(word, up), ops.right_shift(word, down))
