"""`xz` as a baseline: how many bits it needs for a text once it has seen the training text."""

import lzma

# xz at its default preset looks back 8 MiB; more training text could not help it.
WINDOW_BYTES = 8 << 20


def xz_bits(train: str, held_out: str) -> int:
    before = train.encode()[-WINDOW_BYTES:]
    return 8 * (_size(before + held_out.encode()) - _size(before))


def _size(data: bytes) -> int:
    return len(lzma.compress(data))
