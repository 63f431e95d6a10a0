"""Use `xz` as a baseline: how many bits a text takes after the training text."""

import lzma

# xz at its default preset looks back 8 MiB, so more training text would not help it.
WINDOW_BYTES = 8 << 20


def xz_bits(train: str, held_out: str) -> int:
    """Return how many bits `held_out` adds to the compressed training text."""
    before = train.encode()[-WINDOW_BYTES:]
    return 8 * (_size(before + held_out.encode()) - _size(before))


def _size(data: bytes) -> int:
    return len(lzma.compress(data))
