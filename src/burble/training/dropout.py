"""The factors of dropout: a function of seed, step, place and element, the same everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from burble.native.library import library
from burble.philox import WORDS, Use, draw_words

if TYPE_CHECKING:
    from burble.arithmetic import Float32
    from burble.config import RunConfig, TrainingConfig

INPUT = 0
"""The place of the first layer's input. The output of layer i has place i + 1."""

_NUMBERS_OF_BLOCK = 2 * WORDS


def draw_masks(
    config: RunConfig, vocab_size: int, step: int, shape: tuple[int, int]
) -> list[Float32 | None]:
    """Return the factors of a step, for the input and then for the output of each layer.

    step: counted from 0. shape: (time, rows). Each mask has shape (time, rows, features).
    """
    network = config.network
    widths = [network.input_size(vocab_size)] + [network.hidden_size] * network.num_layers
    return [
        draw_mask(config.training, place, step, (*shape, width))
        for place, width in enumerate(widths)
    ]


def draw_mask(
    training: TrainingConfig, place: int, step: int, shape: tuple[int, int, int]
) -> Float32 | None:
    """Return the factors at a place, (time, rows, features), or None if nothing is dropped there.

    Locked factors, (1, rows, features), are the same at every time.
    """
    rate = training.input_dropout if place == INPUT else training.dropout
    if rate == 0:
        return None
    shape = (1, *shape[1:]) if training.locked_dropout else shape
    return draw_factors(rate, (training.seed, step), place, math.prod(shape)).reshape(shape)


def draw_factors(rate: float, key: tuple[int, int], place: int, count: int) -> Float32:
    """Return `count` factors: 0 with probability `rate`, else 1 / (1 - rate).

    key: seed and step.
    """
    native = library()
    if native is None:
        return numpy_factors(rate, key, place, count)
    key_words, factors = np.array(key, np.uint64), np.empty(count, np.float32)
    native.burble_dropout(rate, key_words.ctypes.data, place, 0, count, factors.ctypes.data)
    return factors


def numpy_factors(rate: float, key: tuple[int, int], place: int, count: int) -> Float32:
    """Return the factors of `draw_factors` bit for bit, without the C library."""
    # Each 64-bit word is two numbers, its lower half first.
    blocks = -(-count // _NUMBERS_OF_BLOCK)
    words = draw_words(blocks * WORDS, key, (place, 0, Use.WRITING_AND_DROPOUT))
    numbers = words.astype("<u8", copy=False).view("<u4")[:count]
    kept = np.float32(1 / (1 - rate))
    return np.where(numbers < np.uint32(rate * 2**32), np.float32(0), kept)
