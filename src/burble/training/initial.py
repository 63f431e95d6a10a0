"""The initial weights of a network: a function of its sizes and the seed, bit for bit.

All learners start from them. docs/engine.md explains how each number is drawn.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from burble.cells import CELLS
from burble.native.library import library
from burble.philox import WORDS, Use, draw_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from burble.arithmetic import Float32
    from burble.config import NetworkConfig
    from burble.model_file import Weights
    from burble.philox import Words

Float64 = np.ndarray[Any, np.dtype[np.float64]]

# How many numbers are drawn at once: whole blocks of words, in little memory.
_AT_ONCE = 1 << 16

_WORDS_OF_NORMAL = 3
_PARTS_OF_NORMAL = 12
_MEAN_OF_PARTS = _PARTS_OF_NORMAL * (2**16 - 1) / 2

# Scratch numbers that C needs for each row.
_ROOM = 9


class _Place(NamedTuple):
    """The tensor and gate for which numbers are drawn."""

    seed: int
    tensor: int
    gate: int = 0


def initial_weights(network: NetworkConfig, vocab_size: int, seed: int) -> Weights:
    """Return the weights of an untrained network, by the names of the model file.

    Input weights are Glorot, recurrent ones orthogonal gate by gate (Saxe et al. 2014). The forget
    gate has a bias of 1, so that it is open (Jozefowicz et al. 2015).
    """
    gates = CELLS[network.cell].gates
    shapes = network.tensor_shapes(vocab_size)
    return {
        name: _draw_tensor(name, shape, gates, _Place(seed, number))
        for number, (name, shape) in enumerate(shapes.items())
    }


def _draw_tensor(
    name: str, shape: tuple[int, ...], gates: tuple[str, ...], place: _Place
) -> Float32:
    part, *_, kind = name.split(".")
    hidden = shape[0] // len(gates)
    match part, kind:
        case "embedding", _:
            return draw_normals(math.prod(shape), place, np.float32).reshape(shape)
        case "head", "weight":
            return _draw_uniform(shape, 1 / math.sqrt(shape[1]), place)
        case "head", _:
            return np.zeros(shape, np.float32)
        case _, "weight_ih":
            return _draw_uniform(shape, math.sqrt(6 / (hidden + shape[1])), place)
        case _, "weight_hh":
            every = [place._replace(gate=gate) for gate in range(len(gates))]
            return np.concatenate([_draw_orthogonal(hidden, gate) for gate in every])
        case _:
            return np.repeat([np.float32(gate == "forget") for gate in gates], hidden)


def _draw_uniform(shape: tuple[int, ...], bound: float, place: _Place) -> Float32:
    """Return uniform numbers between ±bound, each from the upper 53 bits of a word."""
    values = np.empty(math.prod(shape), np.float32)
    _fill(values, 1, lambda words: ((words >> np.uint64(11)) * 2.0**-52 - 1) * bound, place)
    return values.reshape(shape)


def draw_normals(
    count: int, place: _Place, dtype: type[np.floating[Any]]
) -> np.ndarray[Any, np.dtype[Any]]:
    """Return nearly standard normal numbers, (count,).

    Each is the sum of the twelve 16-bit parts of three words, minus its mean, over 2¹⁶. It has 20
    bits, so nothing is rounded.
    """
    ones = np.ones(_PARTS_OF_NORMAL, np.float32)

    def sums(words: Words) -> Float32:
        parts = words.view(np.uint16).reshape(-1, _PARTS_OF_NORMAL).astype(np.float32)
        centred: Float32 = parts @ ones - np.float32(_MEAN_OF_PARTS)
        return centred * np.float32(2.0**-16)

    values = np.empty(count, dtype)
    _fill(values, _WORDS_OF_NORMAL, sums, place)
    return values


def _fill(
    values: np.ndarray[Any, Any],
    words_each: int,
    numbers: Callable[[Words], np.ndarray[Any, Any]],
    place: _Place,
) -> None:
    key, counter = (place.seed, 0), (place.tensor, place.gate, Use.INITIAL_WEIGHTS)
    for first in range(0, len(values), _AT_ONCE):
        part = values[first : first + _AT_ONCE]
        first_block = first * words_each // WORDS
        part[:] = numbers(draw_words(len(part) * words_each, key, counter, first_block))


def _draw_orthogonal(size: int, place: _Place) -> Float32:
    """Return a random orthogonal matrix, (size, size), all equally likely."""
    normals = draw_normals(size * (size + 1) // 2, place, np.float64)
    native = library()
    if native is None:
        return multiply_reflections(size, normals)
    weights = np.empty((size, size), np.float32)
    room = np.empty(_ROOM * size)
    native.burble_orthogonal(size, normals.ctypes.data, room.ctypes.data, weights.ctypes.data)
    return weights


def multiply_reflections(size: int, normals: Float64) -> Float32:
    """Return the product of random reflections, made from size · (size + 1) / 2 normal numbers.

    See Stewart, "The efficient generation of random orthogonal matrices", 1980. The result equals
    that of `burble_orthogonal` bit for bit, so sums run over the rows in ascending order: `@`
    promises no order.
    """
    vectors = np.split(normals, np.cumsum(np.arange(size, 1, -1)))
    product = np.zeros((size, size))
    for number in reversed(range(size)):
        vector = vectors[number].copy()
        norm = math.sqrt(np.cumsum(vector * vector)[-1])
        vector[0] += -norm if vector[0] < 0 else norm
        half = norm * abs(vector[0])
        product[number, number] = 1 if vector[0] < 0 else -1
        if number < size - 1 and half > 0:
            block = product[number:, number:]
            dots = np.cumsum(vector[:, None] * block, axis=0)[-1]
            block -= vector[:, None] * (dots / half)
    return product.astype(np.float32)
