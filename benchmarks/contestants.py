"""The programs that `benchmarks/generation.py` compares, each ready to be timed."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import tempfile
from collections import ChainMap, Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

import burble
from benchmarks.onnx_step import INT8_NODES, quantize_graph
from burble.config import NetworkConfig, SamplingConfig
from burble.engine.generate import GenerationRequest
from burble.engine.kernels import KERNEL_VARIABLE, choose_kernel
from burble.engine.numpy_model import NumpyModel
from burble.export.onnx import graph
from burble.model_file import ModelFile
from burble.tokenizers.char import CharTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

VOCABULARY = frozenset(map(chr, range(ord(";"), ord(";") + 65)))
EMBEDDING_SIZE = 64
ROWS = 64
TEMPERATURE = 0.8
# The window that the Keras tutorial reads anew for each character.
WINDOW = 100
# Characters read to compare logits, and how far a contestant's may be off.
CHECKED = 64
FLOAT32_TOLERANCE = 1e-4
INT8_TOLERANCE = 0.05

Float32 = np.ndarray[Any, np.dtype[np.float32]]


class UnavailableError(Exception):
    """A contestant cannot run here. The message has the line that installs what is missing."""


class Contestant(Protocol):
    """A program that writes text, ready to be timed."""

    detail: str
    """A description of what exactly runs."""

    def read(self, token: int) -> Float32:
        """Read one more token and return the logits after it, (vocab,)."""

    def write(self, count: int, temperature: float) -> int:
        """Write about `count` characters and return how many. Temperature 0 takes the likeliest."""


def random_model(shape: str) -> ModelFile:
    """Return an LSTM with fixed random weights, about as large as learned ones.

    shape: "layers x units", such as "2x256".
    """
    layers, hidden = map(int, shape.split("x"))
    network = NetworkConfig(num_layers=layers, hidden_size=hidden, embedding_size=EMBEDDING_SIZE)
    tokenizer = CharTokenizer.from_characters(VOCABULARY)
    numbers = np.random.default_rng(0)
    weights: dict[str, Float32] = {}
    for name, size in network.tensor_shapes(tokenizer.vocab_size).items():
        reach = 2.0 if name == "embedding.weight" else 2.0 / hidden**0.5
        weights[name] = numbers.uniform(-reach, reach, size).astype(np.float32)
    return ModelFile(network, tokenizer, weights)


def logit_error(contestant: Contestant, model: ModelFile) -> float:
    """Return the largest difference of a contestant's logits from the float32 reference."""
    reference = NumpyModel(model, "float32")
    ids = np.random.default_rng(1).integers(reference.vocab_size, size=CHECKED)
    expected, _ = reference.forward(ids[:, None], reference.start(1))
    found = np.stack([contestant.read(token).copy() for token in ids.tolist()])
    return float(np.abs(found - expected[:, 0]).max())


class Burble:
    """burble itself, `Model.write` and `Model.write_all`, prompt and decoding included."""

    def __init__(self, model: ModelFile, kernel: str | None = None, rows: int = 1) -> None:
        """kernel: its name, or None for the best. rows: texts written side by side."""
        os.environ.pop(KERNEL_VARIABLE, None)
        best, *others = choose_kernel().available
        if kernel is not None:
            if kernel not in others:
                raise UnavailableError(f"kernel {kernel} is the best here already, or cannot run")
            os.environ[KERNEL_VARIABLE] = kernel
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            model.save(path)
            self._model = burble.load(path)
        self._state = self._model.engine.start(1)
        self._rows = rows
        self._texts = 0
        self.detail = f"int8, kernel {kernel or best}"
        if rows > 1:
            self.detail += f", {rows} texts at once"

    def read(self, token: int) -> Float32:
        """Run the engine's step."""
        logits, self._state = self._model.engine.step(np.array([token]), self._state)
        return logits[0]

    def write(self, count: int, temperature: float) -> int:
        """Write one text, or several at once, each with its own random numbers."""
        requests = [
            GenerationRequest(
                max_characters=-(-count // self._rows),
                sampling=SamplingConfig(temperature=temperature),
                stream=self._texts + row,
            )
            for row in range(self._rows)
        ]
        self._texts += self._rows
        if self._rows == 1:
            return sum(map(len, self._model.write(requests[0])))
        return sum(map(len, self._model.write_all(requests)))


class OnnxRuntime:
    """ONNX Runtime on the graph of one step. Its arrays are bound once and never copied."""

    def __init__(self, model: ModelFile, *, int8: bool) -> None:
        require("onnx", "onnxruntime")
        import onnx
        import onnxruntime

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            onnx.save(graph(model), path)
            self.detail = "float32"
            if int8:
                path = quantize_graph(path)
                kinds = Counter(node.op_type for node in onnx.load(path).graph.node)
                whole = [f"{n} {kind}" for kind, n in kinds.items() if kind in INT8_NODES]
                self.detail = "int8: " + ", ".join(whole)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        self._random = np.random.default_rng(0)
        self._token = np.zeros((1, 1), np.int64)
        self._logits = np.zeros((1, model.tokenizer.vocab_size), np.float32)
        size = (model.network.num_layers, 2, 1, 1, model.network.hidden_size)
        # A step reads the states from one array and writes them to the other.
        self._states = np.zeros(size, np.float32), np.zeros(size, np.float32)
        self._steps = [self._bind(*self._states), self._bind(*self._states[::-1])]

    def _bind(self, before: Float32, after: Float32) -> Any:
        """Bind a step to these state arrays, which must outlive it."""
        binding = self._session.io_binding()
        inputs = [self._token, *before.reshape(-1, *before.shape[2:])]
        for port, array in zip(self._session.get_inputs(), inputs, strict=True):
            place = (array.dtype.type, array.shape, array.ctypes.data)
            binding.bind_input(port.name, "cpu", 0, *place)
        outputs = [self._logits, *after.reshape(-1, *after.shape[2:])]
        for port, array in zip(self._session.get_outputs(), outputs, strict=True):
            place = (array.dtype.type, array.shape, array.ctypes.data)
            binding.bind_output(port.name, "cpu", 0, *place)
        return binding

    def read(self, token: int) -> Float32:
        """Run the graph once."""
        self._token[0, 0] = token
        self._session.run_with_iobinding(self._steps[0])
        self._steps.reverse()
        return self._logits[0]

    def write(self, count: int, temperature: float) -> int:
        """Write with softmax and draw in NumPy."""
        token, written = 0, []
        for _ in range(count):
            logits = self.read(token)
            if temperature == 0:
                token = int(logits.argmax())
            else:
                cumulative = np.exp((logits - logits.max()) / temperature).cumsum()
                token = int(cumulative.searchsorted(self._random.random() * cumulative[-1]))
            written.append(token)
        return len(written)


class Torch:
    """Modules of torch, called for each character; the draw in torch too."""

    def __init__(self, model: ModelFile, *, cells: bool = False, onednn: bool = True) -> None:
        """cells: a module for each layer's step, not one for all. onednn: torch's first choice."""
        require("torch", extra="torch")
        import torch
        from torch import nn

        torch.set_num_threads(1)
        torch.backends.mkldnn.set_flags(onednn)
        tensors = {name: torch.from_numpy(values) for name, values in model.weights.items()}
        hidden, layers = model.network.hidden_size, model.network.num_layers
        self._embedding = nn.Embedding.from_pretrained(tensors["embedding.weight"])
        self._head = nn.Linear(hidden, model.tokenizer.vocab_size)
        self._head.load_state_dict({"weight": tensors["head.weight"], "bias": tensors["head.bias"]})
        self._state: Any
        if cells:
            widths = [EMBEDDING_SIZE] + [hidden] * (layers - 1)
            self._cells = [nn.LSTMCell(width, hidden) for width in widths]
            for layer, cell in enumerate(self._cells):
                cell.load_state_dict(torch_layer(tensors, layer))
            self._state = [(torch.zeros(1, hidden), torch.zeros(1, hidden)) for _ in widths]
        else:
            self._lstm = nn.LSTM(EMBEDDING_SIZE, hidden, layers)
            named = [torch_layer(tensors, layer, f"_l{layer}") for layer in range(layers)]
            self._lstm.load_state_dict(dict(ChainMap(*named)))
            self._state = (torch.zeros(layers, 1, hidden), torch.zeros(layers, 1, hidden))
        self._step = self._step_cells if cells else self._step_lstm
        module = "LSTMCell" if cells else "LSTM"
        self.detail = f"float32, nn.{module}, oneDNN {'on' if onednn else 'off'}"

    def _step_lstm(self, token: Any) -> Any:
        output, self._state = self._lstm(self._embedding(token)[None], self._state)
        return self._head(output[0])

    def _step_cells(self, token: Any) -> Any:
        output = self._embedding(token)
        for layer, cell in enumerate(self._cells):
            self._state[layer] = cell(output, self._state[layer])
            output = self._state[layer][0]
        return self._head(output)

    def read(self, token: int) -> Float32:
        """Run one step without gradients."""
        import torch

        with torch.inference_mode():
            logits: Float32 = self._step(torch.tensor([token]))[0].numpy()
        return logits

    def write(self, count: int, temperature: float) -> int:
        """Write with softmax and draw in torch."""
        import torch

        written = []
        with torch.inference_mode():
            token = torch.tensor([0])
            for _ in range(count):
                logits = self._step(token)[0]
                if temperature == 0:
                    token = logits.argmax(0, keepdim=True)
                else:
                    token = torch.multinomial(torch.softmax(logits / temperature, 0), 1)
                written.append(token.item())
        return len(written)


def torch_layer(tensors: dict[str, Any], layer: int, suffix: str = "") -> dict[str, Any]:
    """Return a layer's weights under torch's names. torch wants two biases; the second is zero."""
    weight_ih, weight_hh, bias = (
        tensors[f"layers.{layer}.{name}"] for name in ("weight_ih", "weight_hh", "bias")
    )
    named = {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias_ih": bias, "bias_hh": bias * 0}
    return {name + suffix: values for name, values in named.items()}


class KerasTutorial:
    """The Keras tutorial's network and loop: a window of numbers, `predict`, the likeliest."""

    def __init__(self, model: ModelFile, backend: str) -> None:
        """model: only its shape is used; the weights are random."""
        require("keras", backend)
        os.environ |= {
            "KERAS_BACKEND": backend,
            "JAX_PLATFORMS": "cpu",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        import keras
        from keras import layers

        self._vocab_size = model.tokenizer.vocab_size
        depth = model.network.num_layers
        parts = [keras.Input((WINDOW, 1))]
        for layer in range(depth):
            goes_on = layer < depth - 1
            parts.append(layers.LSTM(model.network.hidden_size, return_sequences=goes_on))
            parts.append(layers.Dropout(0.2))
        parts.append(layers.Dense(self._vocab_size, activation="softmax"))
        self._model = keras.Sequential(parts)
        self._window = np.random.default_rng(0).integers(self._vocab_size, size=WINDOW).tolist()
        self.detail = f"float32, back end {backend}, window of {WINDOW}, likeliest character"

    def read(self, token: int) -> Float32:
        """Return the probabilities after the window that ends with this token."""
        self._window = [*self._window[1:], token]
        numbers = np.reshape(self._window, (1, WINDOW, 1)) / float(self._vocab_size)
        probabilities: Float32 = self._model.predict(numbers, verbose=0)[0]
        return probabilities

    def write(self, count: int, temperature: float) -> int:
        """Write as the tutorial does, always the likeliest character."""
        assert temperature == 0
        token = self._window[-1]
        for _ in range(count):
            token = int(np.argmax(self.read(token)))
        return count


def require(*packages: str, extra: str = "bench") -> None:
    """Raise `UnavailableError` unless all these are installed."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise UnavailableError(f"{package} is not installed: pip install -e '.[{extra}]'")


def require_for_chart() -> None:
    """Exit now, not after hours of measuring, if the chart cannot be drawn."""
    try:
        require("matplotlib")
    except UnavailableError as error:
        sys.exit(f"--write draws a chart, but {error}")


@dataclass(frozen=True)
class Entry:
    """A contestant in the tables."""

    label: str
    make: Callable[[ModelFile], Contestant]
    tolerance: float | None = FLOAT32_TOLERANCE
    """Of its logits; None if its weights differ, so that they cannot be compared."""

    one_core: bool = True
    draws: bool = True
    max_repeats: int | None = None
    """A limit for a contestant that is slow and far from the others."""


def burble_entry(label: str, *, one_core: bool = True, **options: Any) -> Entry:
    """Return an entry for burble."""
    return Entry(label, functools.partial(Burble, **options), INT8_TOLERANCE, one_core)


def keras_entry(label: str, backend: str) -> Entry:
    """Return an entry for the tutorial's network and loop on a back end of Keras."""
    make = functools.partial(KerasTutorial, backend=backend)
    return Entry(label, make, tolerance=None, draws=False, max_repeats=2)


ENTRIES = {
    "burble-all": burble_entry(f"burble, {ROWS} texts, all cores", one_core=False, rows=ROWS),
    "burble": burble_entry("burble"),
    "burble-avx2": burble_entry("burble, kernel avx2", kernel="avx2"),
    "burble-portable": burble_entry("burble, kernel portable", kernel="portable"),
    "burble-numpy": burble_entry("burble, NumPy alone", kernel="numpy"),
    "onnx-int8": Entry(
        "ONNX Runtime, int8", functools.partial(OnnxRuntime, int8=True), INT8_TOLERANCE
    ),
    "onnx-float32": Entry("ONNX Runtime, float32", functools.partial(OnnxRuntime, int8=False)),
    "torch-cells": Entry("PyTorch LSTMCell", functools.partial(Torch, cells=True)),
    "torch-native": Entry("PyTorch LSTM, oneDNN off", functools.partial(Torch, onednn=False)),
    "torch-onednn": Entry("PyTorch LSTM", Torch),
    "keras-jax": keras_entry("Keras on JAX, as in the tutorial", "jax"),
    "keras-tensorflow": keras_entry("Keras on TensorFlow, as in the tutorial", "tensorflow"),
}
