"""Cases for `replay.c`: random models, and what NumPy reads and writes with them.

A file is a number of cases and then one block after the other, each after its size in bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, get_args

import numpy as np
import pytest

import burble.engine.input_table
from burble.cells import CellKind
from burble.config import InputKind, SamplingConfig
from burble.engine.native import matrices, shape_of
from burble.engine.numpy_model import NumpyModel
from burble.engine.quantization import Int8Matrix
from burble.engine.step_model import State
from burble.engine.stream import Stream
from burble.sampling import weigh
from tests.models import random_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from burble.arithmetic import Float32
    from burble.engine.step_model import StepModel
    from burble.model_file import ModelFile


T = TypeVar("T")

TEMPERATURES = [0.0, 1e-300, 1e-30, 1e-3, 0.3, 0.8, 1.0, 1.0, 3.0, 100.0]
TOP_KS = [None, None, None, 1, 2, 3, 10, 70, 2**31]
TOP_PS = [1.0, 1.0, 1.0, 0.999999, 0.9, 0.5, 0.1, 1e-300]
MIN_PS = [0.0, 0.0, 0.0, 1e-300, 0.01, 0.2, 1.0]
PENALTIES = [1.0, 1.0, 1.3, 0.5, 0.01, 100.0]
SCALES = [1e-20, 1e-10, 1e-3, 0.2, 0.5, 1.0, 1.0, 1.0, 2.0, 10.0, 1e4, 1e10]
HEAD_SCALES = [1.0, 1.0, 3.0, 10.0, 0.0, 1e-10, 1e5]


# Random numbers.


class Draw:
    """Random choices, the same from the same seed."""

    def __init__(self, seed: int) -> None:
        self.numbers = np.random.Generator(np.random.PCG64(seed))

    def below(self, end: int) -> int:
        return int(self.numbers.integers(end))

    def between(self, first: int, last: int) -> int:
        return first + self.below(last - first + 1)

    def size(self, largest: int) -> int:
        """From 1 to `largest`, about as often below 10 as from 10 on."""
        return round(largest ** self.numbers.random())

    def one_in(self, count: int) -> bool:
        return self.below(count) == 0

    def of(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def word(self) -> int:
        """64 bits; the smallest and the largest more often."""
        return self.of([0, 1, 2**64 - 1, int(self.numbers.integers(2**64, dtype=np.uint64))])

    def floats(self, shape: Sequence[int], reach: float) -> Float32:
        return ((self.numbers.random(shape, np.float32) * 2 - 1) * reach).astype(np.float32)

    def ids(self, vocab: int, *shape: int) -> np.ndarray[Any, np.dtype[np.int32]]:
        return self.numbers.integers(vocab, size=shape, dtype=np.int32)


# What a case is made of.


def small_model(draw: Draw) -> ModelFile:
    """A model of odd sizes and, at times, of odd weights."""
    vocab = 1 if draw.one_in(30) else draw.size(80)
    model = random_model(
        cell=draw.of(get_args(CellKind)),
        input=draw.of(["embedding", "embedding", *get_args(InputKind)]),
        num_layers=draw.of([1, 1, 2, 2, 3]),
        hidden_size=draw.size(71),
        embedding_size=draw.size(40),
        residual=draw.one_in(2),
        vocabulary="".join(chr(33 + place) for place in range(vocab)),
        seed=draw.below(2**32),
        scale=draw.of(SCALES),
        head_scale=draw.of(HEAD_SCALES),
    )
    for weights in model.weights.values():
        if draw.one_in(8):
            make_odd(draw, weights)
    return model


def make_odd(draw: Draw, weights: Float32) -> None:
    """Some zeros, much smaller rows, or the same number again and again."""
    rows = draw.below(len(weights) + 1)
    match draw.below(5):
        case 0:
            weights[:] = 0
        case 1:
            weights[rows:] = 0
        case 2:
            weights[rows:] *= np.float32(1e-20)
        case 3:
            weights[:] = weights.flat[0]
        case 4:
            weights[:] = np.rint(weights)


def start(draw: Draw, model: StepModel, rows: int) -> Float32:
    """States to read on from: fresh, or as odd as no network makes them."""
    values = model.start(rows).values
    if draw.one_in(3):
        return values
    values[:] = draw.floats(values.shape, draw.of([1e-35, 1e-20, 0.5, 1.0, 1.0, 5.0]))
    if draw.one_in(4):
        values[draw.below(rows) :] = draw.of([0.0, -0.0, 1.0])
    return values


def random_sampling(draw: Draw) -> SamplingConfig:
    return SamplingConfig(
        repetition_penalty=draw.of(PENALTIES),
        temperature=draw.of(TEMPERATURES),
        top_k=draw.of(TOP_KS),
        top_p=draw.of(TOP_PS),
        min_p=draw.of(MIN_PS),
    )


def random_stream(draw: Draw, model: StepModel, most: int) -> Stream:
    """One to write up to `most` tokens on."""
    vocab = model.vocab_size
    given = draw.of([1, 2, draw.between(1, 100)])
    stops = [draw.ids(vocab, draw.between(1, 3)) for _ in range(draw.of([0, 0, 1, 3]))]
    stream = Stream(
        start(draw, model, 1)[0],
        draw.ids(vocab, given),
        random_sampling(draw),
        key=(draw.word(), draw.word()),
        stops=stops,
    )
    stream.position = draw.word()
    if draw.one_in(3):
        stream.begin = draw.below(stream.end + 1)
    stream.allow(draw.between(0, most))
    return stream


# The file.


class CaseFile:
    """Writes cases as `replay.c` reads them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def block(self, data: bytes) -> None:
        self._file.write(len(data).to_bytes(8, "little"))
        self._file.write(data)

    def number(self, number: int) -> None:
        self.block(number.to_bytes(8, "little"))

    def array(self, array: np.ndarray[Any, Any], dtype: type[np.generic]) -> None:
        assert array.dtype == dtype
        self.block(array.tobytes())

    def model(self, model: ModelFile) -> None:
        """Shape, input rows and matrices, as `NativeModel` gives them to the kernel."""
        table = burble.engine.input_table.input_table(model)
        self.block(bytes(shape_of(model, folded=table is not None)))
        self.array(model.weights["embedding.weight"] if table is None else table, np.float32)
        if table is not None:
            for _ in range(3):
                self.block(b"")
        for _, weights, bias in matrices(model, folded=table is not None):
            matrix = Int8Matrix.of(weights)
            self.array(matrix.values, np.int8)
            self.array(matrix.scales, np.float32)
            self.array(np.empty(0, np.float32) if bias is None else bias, np.float32)

    def reading(self, draw: Draw, model: NumpyModel, time: int, rows: int) -> None:
        """Texts side by side, and the logits and states that they lead to."""
        ids, state = draw.ids(model.vocab_size, time, rows), start(draw, model, rows)
        if time > 0:
            logits, after = model.forward(ids, State(state))
        else:
            logits, after = np.empty(0, np.float32), State(state)
        self.number(time)
        self.number(rows)
        self.array(ids, np.int32)
        self.array(state, np.float32)
        self.array(after.values, np.float32)
        self.array(logits, np.float32)

    def writing(self, model: NumpyModel, streams: list[Stream]) -> None:
        """Streams before and after all of them are written on side by side."""
        before = [
            (bytes(stream), stream.tokens[: stream.end].copy(), stream.state.copy())
            for stream in streams
        ]
        model.write(streams)
        self.number(len(streams))
        for stream, (described, tokens, state) in zip(streams, before, strict=True):
            self.block(described)
            self.number(stream.end)
            self.array(tokens, np.int32)
            self.array(stream._stops, np.int32)
            self.block(bytes(stream._knobs))
            self.array(state, np.float32)
            self.array(stream.state, np.float32)
            self.array(stream.tokens[: stream.end], np.int32)

    def weighing(self, draw: Draw) -> None:
        """Scores, and what they weigh in a draw."""
        temperature = draw.of([t for t in TEMPERATURES if np.float32(t) > 0])
        scores = draw.floats((draw.size(300),), draw.of([1e-20, 1.0, 10.0, 50.0, 1e30]))
        scores *= np.float32(temperature)
        weights = weigh(scores, SamplingConfig(temperature=temperature))
        self.number(len(scores))
        self.block(np.float32(temperature).tobytes())
        self.array(scores, np.float32)
        self.array(weights.astype(np.int32), np.int32)

    def small(self, draw: Draw) -> None:
        file = small_model(draw)
        model = NumpyModel(file)
        time, rows = (draw.of([0, 1, 1, 2, 3, 6]), draw.of([1, 2, 3, draw.between(1, 20)]))
        self.model(file)
        self.reading(draw, model, time, rows)
        count = draw.of([0, 1, 1, 2, draw.between(1, 20)])
        self.writing(model, [random_stream(draw, model, draw.of([1, 4, 8])) for _ in range(count)])
        self.weighing(draw)

    def big(self, draw: Draw, cell: CellKind, hidden: int, layers: int, vocab: int) -> None:
        file = random_model(
            cell=cell,
            num_layers=layers,
            hidden_size=hidden,
            embedding_size=64,
            vocabulary="".join(chr(256 + place) for place in range(vocab)),
            residual=layers > 1,
            seed=draw.below(2**32),
            scale=3 / hidden**0.5,
        )
        model = NumpyModel(file)
        self.model(file)
        self.reading(draw, model, 3, 5)
        self.writing(model, [random_stream(draw, model, 8) for _ in range(18)])
        self.weighing(draw)


BIG: list[tuple[CellKind, int, int, int]] = [
    ("lstm", 250, 1, 95),
    ("gru", 512, 2, 101),
    # The NumPy product is in float64 from 1,041 inputs on.
    ("lstm", 1100, 1, 65),
    ("rnn", 1100, 2, 7),
    ("gru", 33, 1, 3000),
    ("lstm", 64, 2, 256),
]


def write_cases(path: Path, small: int, seed: int = 0) -> int:
    """Write so many small cases and a few big ones; the number of them all."""
    with path.open("wb") as file, pytest.MonkeyPatch.context() as patch:
        cases = CaseFile(file)
        cases.number(small + len(BIG))
        for number in range(small):
            # In every other one an embedding is read as it is, as in a model with a large table.
            largest_table = (number % 2) << 23
            patch.setattr(burble.engine.input_table, "MAX_FOLDED", largest_table)
            cases.small(Draw(seed + number))
        for number, (cell, hidden, layers, vocab) in enumerate(BIG):
            patch.setattr(burble.engine.input_table, "MAX_FOLDED", (number % 2) << 23)
            cases.big(Draw(seed + number), cell, hidden, layers, vocab)
    return small + len(BIG)
