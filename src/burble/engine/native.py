"""`NativeModel`: run a model in the C kernel, through ctypes, with rows spread over threads."""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.cells import CELLS
from burble.engine.input_table import input_table
from burble.engine.quantization import Int8Matrix
from burble.engine.step_model import State, check_ids, fresh_state
from burble.native.structures import Pointer, ReadingFields, Shape
from burble.threads import usable_processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import ThreadPoolExecutor

    from burble.arithmetic import Float32
    from burble.engine.stream import Stream
    from burble.model_file import ModelFile
    from burble.tokenizers.base import Ids

# A thread with fewer rows costs more than it saves.
_ROWS_PER_THREAD = 4

_TOO_LARGE = "the model does not fit into memory"


class NativeModel:
    """A model that runs in C. Its numbers equal those of `NumpyModel`, bit for bit."""

    def __init__(
        self, model: ModelFile, kernel: str, opened: ctypes.CDLL, threads: int | None = None
    ) -> None:
        """kernel: one of `kernel_names(opened)`. threads: None uses every processor."""
        self.network = model.network
        self.vocab_size = model.tokenizer.vocab_size
        self.kernel = kernel
        self.threads = threads or usable_processors()
        self._library = opened
        self._pool: ThreadPoolExecutor | None = None
        self._handle = self._build(model)

    def _build(self, model: ModelFile) -> int:
        table = input_table(model)
        self._input = np.ascontiguousarray(
            model.weights["embedding.weight"] if table is None else table
        )
        shape = shape_of(model, folded=table is not None)
        handle: int | None = self._library.burble_new(self.kernel.encode(), ctypes.byref(shape))
        if handle is None:
            raise MemoryError(_TOO_LARGE)
        self._library.burble_set_input(handle, self._input.ctypes.data)
        for slot, weights, bias in matrices(model, folded=table is not None):
            matrix = Int8Matrix.of(weights)
            self._library.burble_set_matrix(
                handle, slot, _address(matrix.values), _address(matrix.scales), _address(bias)
            )
        return handle

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            self._library.burble_free(self._handle)

    def start(self, rows: int) -> State:
        return fresh_state(self.network, rows)

    def forward(self, ids: Ids, state: State) -> tuple[Float32, State]:
        logits = np.empty((*ids.shape, self.vocab_size), dtype=np.float32)
        return logits, self._read(ids, state, logits, only_last=False)

    def prefill(self, ids: Ids, state: State | None = None) -> tuple[Float32, State]:
        if len(ids) == 0:
            raise IndexError("There are no logits, because there are no ids to read.")
        logits = np.empty((1, self.vocab_size), dtype=np.float32)
        return logits, self._read(ids[:, None], state or self.start(1), logits, only_last=True)

    def step(self, ids: Ids, state: State) -> tuple[Float32, State]:
        logits = np.empty((len(ids), self.vocab_size), dtype=np.float32)
        return logits, self._read(ids[None, :], state, logits, only_last=True)

    def write(self, streams: Sequence[Stream]) -> None:
        for stream in streams:
            check_ids(stream.tokens[: stream.end], self.vocab_size)

        def write(first: int, last: int) -> int:
            addresses = [ctypes.addressof(stream) for stream in streams[first:last]]
            pointers = (Pointer * len(addresses))(*addresses)
            done: int = self._library.burble_write(self._handle, pointers, len(addresses))
            return done

        self._spread(len(streams), write)

    @property
    def weight_bytes(self) -> int:
        """The bytes of packed weights that each step reads; each is one product for each row."""
        size: int = self._library.burble_bytes(self._handle)
        return size

    def read_rate(self) -> float:
        """Measure how fast one core can read the weights, in bytes a second."""

        def read(times: int) -> int:
            self._library.burble_probe_memory(self._handle, times)
            return times * self.weight_bytes

        return _rate(read)

    def product_rate(self) -> float:
        """Measure how many int8 products a second all threads make, without reading memory."""

        def multiply(times: int) -> int:
            probe = self._library.burble_probe_products
            list(self._workers().map(probe, [self._handle] * self.threads, [times] * self.threads))
            return times * self.threads << 10

        return _rate(multiply)

    def _read(self, ids: Ids, state: State, logits: Float32, *, only_last: bool) -> State:
        length, rows = ids.shape
        check_ids(ids, self.vocab_size)
        given = np.ascontiguousarray(ids, dtype=np.int32)
        values = state.values.copy()
        reading = ReadingFields(
            _address(given), length, rows, _address(values), _address(logits), only_last
        )

        def read(first: int, last: int) -> int:
            done: int = self._library.burble_read(self._handle, reading, first, last - first)
            return done

        self._spread(rows, read)
        return State(values)

    def _spread(self, rows: int, work: Callable[[int, int], int]) -> None:
        parts = max(1, min(self.threads, rows // _ROWS_PER_THREAD))
        bounds = [rows * part // parts for part in range(parts + 1)]
        if parts == 1:
            _require_memory(work(0, rows) == 0)
            return
        for done in self._workers().map(work, bounds[:-1], bounds[1:]):
            _require_memory(done == 0)

    def _workers(self) -> ThreadPoolExecutor:
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self.threads, "burble")
        return self._pool


def _rate(work: Callable[[int], int]) -> float:
    times, seconds = 1, 0.0
    while seconds < 0.02:
        times *= 2
        seconds = _seconds(work, times)
    done = work(times)
    return done / min(_seconds(work, times) for _ in range(5))


def _seconds(work: Callable[[int], int], times: int) -> float:
    started = time.perf_counter()
    work(times)
    return time.perf_counter() - started


def shape_of(model: ModelFile, *, folded: bool) -> Shape:
    """Return the sizes of the network for the kernel. folded: its first layer reads a table."""
    network, cell = model.network, CELLS[model.network.cell]
    return Shape(
        cell=network.cell.encode(),
        num_gates=len(cell.gates),
        num_states=len(cell.states),
        num_layers=network.num_layers,
        hidden_size=network.hidden_size,
        vocab_size=model.tokenizer.vocab_size,
        embedding_size=0 if folded else network.embedding_size,
        residual=network.residual,
    )


def matrices(model: ModelFile, *, folded: bool) -> Iterator[tuple[int, Float32, Float32 | None]]:
    """Yield slot, weights and bias of each matrix. kernel/burble.h numbers the slots."""
    weights, layers = model.weights, model.network.num_layers
    for layer in range(layers):
        if layer > 0 or not folded:
            bias = weights[f"layers.{layer}.bias"]
            yield 2 * layer, weights[f"layers.{layer}.weight_ih"], bias
        yield 2 * layer + 1, weights[f"layers.{layer}.weight_hh"], None
    yield 2 * layers, weights["head.weight"], weights["head.bias"]


def _address(array: np.ndarray[Any, Any] | None) -> int | None:
    if array is None:
        return None
    if not array.flags.c_contiguous:
        raise ValueError("the kernel takes only C-contiguous arrays")
    return array.ctypes.data


def _require_memory(enough: bool) -> None:  # noqa: FBT001 - reads as a sentence
    if not enough:
        raise MemoryError(_TOO_LARGE)
