"""One seed from which every stream of random numbers is derived, by name."""

import hashlib


def derive_seed(seed: int, *names: object) -> int:
    """A seed of its own for the stream called `names`, the same on every machine and in every process.

    Streams of different names are independent: the seed is a hash, so neighbouring seeds and
    names share nothing.

    Args:
        seed: The run's one seed.
        names: What the stream is for, outermost first: `"init", "encoder", "kernel"`.

    Returns:
        An integer in [0, 2**31), which Keras, NumPy and TensorFlow all take as a seed.

    Example:
        >>> derive_seed(0, "shuffle", 3) == derive_seed(0, "shuffle", 3)
        True
        >>> derive_seed(0, "shuffle", 3) == derive_seed(0, "shuffle", 4)
        False
    """
    digest = hashlib.blake2b(repr((seed, *names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 2**31
