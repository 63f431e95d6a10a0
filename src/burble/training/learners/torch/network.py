"""The network in torch: input, recurrent layers, head. Its parameters are the model file's tensors.

Shapes are time first: ids (time, rows), hidden (time, rows, hidden).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from burble.cells import CELLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from burble.cells import CellKind
    from burble.config import NetworkConfig, TrainingConfig

LayerState = tuple[Tensor, ...]
"""Tensors (1, rows, hidden) that one layer carries; the cell that made them knows what they are."""

NetworkState = tuple[LayerState, ...]


class Cell(nn.Module):
    """One recurrent layer. The fused kernels want two biases; the second stays zero."""

    kind: CellKind

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        rows = len(CELLS[self.kind].gates) * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias = nn.Parameter(torch.zeros(rows))
        self.register_buffer("zero_bias", torch.zeros(rows), persistent=False)

    def initialize(self, generator: torch.Generator) -> None:
        """Glorot for the input, orthogonal for the recurrence (Saxe et al. 2014), gate by gate."""
        for gate in torch.split(self.weight_ih.data, self.hidden_size):
            nn.init.xavier_uniform_(gate, generator=generator)
        for gate in torch.split(self.weight_hh.data, self.hidden_size):
            nn.init.orthogonal_(gate, generator=generator)

    def start(self, rows: int) -> LayerState:
        zeros = self.bias.new_zeros(1, rows, self.hidden_size)
        return (zeros,) * len(CELLS[self.kind].states)

    def run(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        """Read inputs (time, rows, width); hidden (time, rows, hidden) and the state after them."""
        raise NotImplementedError

    def _weights(self) -> tuple[Tensor, ...]:
        return self.weight_ih, self.weight_hh, self.bias, self.get_buffer("zero_bias")

    def _fused(
        self, layer: Callable[..., tuple[Tensor, ...]], inputs: Tensor, state: Tensor | LayerState
    ) -> tuple[Tensor, ...]:
        has_biases, num_layers, dropout, bidirectional, batch_first = True, 1, 0.0, False, False
        return layer(
            *(inputs, state, list(self._weights()), has_biases, num_layers, dropout),
            *(self.training, bidirectional, batch_first),
        )


class Lstm(Cell):
    """Hochreiter and Schmidhuber 1997, with forget gates."""

    kind = "lstm"

    def initialize(self, generator: torch.Generator) -> None:
        """As every cell, and the forget gate open: bias 1 (Jozefowicz et al. 2015)."""
        super().initialize(generator)
        self.bias.data[self.hidden_size : 2 * self.hidden_size] = 1.0

    def run(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        outputs, hidden, cell = self._fused(torch.lstm, inputs, state)
        return outputs, (hidden, cell)


class Gru(Cell):
    """Cho et al. 2014, the reset gate after the product."""

    kind = "gru"

    def run(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        outputs, hidden = self._fused(torch.gru, inputs, *state)
        return outputs, (hidden,)


class Rnn(Cell):
    """Elman 1990, tanh."""

    kind = "rnn"

    def run(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        outputs, hidden = self._fused(torch.rnn_tanh, inputs, *state)
        return outputs, (hidden,)


_CLASSES: dict[CellKind, type[Cell]] = {cell.kind: cell for cell in (Lstm, Gru, Rnn)}


class OneHot(nn.Module):
    """Ids (time, rows) to one-hot vectors (time, rows, vocab)."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.vocab_size = vocab_size

    def forward(self, ids: Tensor) -> Tensor:
        return functional.one_hot(ids, self.vocab_size).float()


class Scalar(nn.Module):
    """Ids (time, rows) to the single number id / vocabulary size, as the Keras tutorial does."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.vocab_size = vocab_size

    def forward(self, ids: Tensor) -> Tensor:
        """(time, rows, 1) in [0, 1)."""
        return (ids.float() / self.vocab_size)[..., None]


class Dropout(nn.Module):
    """Inverted dropout with random numbers of its own, so that a resumed run draws the same."""

    def __init__(self, rate: float, *, locked: bool, generator: torch.Generator) -> None:
        super().__init__()
        self.rate = rate
        self.locked = locked
        self.generator = generator

    def forward(self, hidden: Tensor) -> Tensor:
        """Drop units of (time, rows, hidden); locked: the same ones at every time."""
        if not self.training or self.rate == 0:
            return hidden
        shape = (1, *hidden.shape[1:]) if self.locked else hidden.shape
        kept = torch.empty(shape, device=hidden.device)
        kept.bernoulli_(1 - self.rate, generator=self.generator)
        return hidden * (kept / (1 - self.rate))


def _input_layer(config: NetworkConfig, vocab_size: int) -> nn.Module:
    match config.input:
        case "embedding":
            return nn.Embedding(vocab_size, config.embedding_size)
        case "one-hot":
            return OneHot(vocab_size)
        case "scalar":
            return Scalar(vocab_size)


class Network(nn.Module):
    """Ids to logits. `state_dict()` has exactly the tensors of the model file.

    training: its dropout and its precision; without it none, and float32.
    """

    def __init__(
        self,
        config: NetworkConfig,
        vocab_size: int,
        training: TrainingConfig | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        generator = generator or torch.Generator()
        self.kind = config.cell
        self.precision = "float32" if training is None else training.precision
        self.residual = config.residual
        # torch's own initial values draw from the global stream, which is not ours to change.
        with torch.random.fork_rng(devices=[]):
            self.embedding = _input_layer(config, vocab_size)
            head = nn.Linear(config.hidden_size, vocab_size)
        if isinstance(self.embedding, nn.Embedding):
            nn.init.normal_(self.embedding.weight, generator=generator)
        widths = [config.input_size(vocab_size)] + [config.hidden_size] * (config.num_layers - 1)
        self.layers = nn.ModuleList(
            _CLASSES[config.cell](width, config.hidden_size) for width in widths
        )
        for layer in self.cells():
            layer.initialize(generator)
        locked = training is None or training.locked_dropout
        rates = (0.0, 0.0) if training is None else (training.dropout, training.input_dropout)
        self.dropout, self.input_dropout = (
            Dropout(rate, locked=locked, generator=generator) for rate in rates
        )
        self.head = head
        bound = 1 / math.sqrt(config.hidden_size)
        nn.init.uniform_(self.head.weight, -bound, bound, generator=generator)
        nn.init.zeros_(self.head.bias)

    def cells(self) -> list[Cell]:
        """The recurrent layers, from the input up."""
        return [layer for layer in self.layers if isinstance(layer, Cell)]

    def draw_from(self, generator: torch.Generator) -> None:
        """Let all dropout draw from this generator, on the network's device."""
        self.dropout.generator = self.input_dropout.generator = generator

    def start(self, rows: int) -> NetworkState:
        return tuple(cell.start(rows) for cell in self.cells())

    def forward(self, ids: Tensor, state: NetworkState) -> tuple[Tensor, NetworkState]:
        """Read ids (time, rows); logits (time, rows, vocab) and the state after them.

        While it learns, layers and head may compute in bfloat16; what comes out is float32.
        """
        lower = self.training and self.precision == "bfloat16"
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=lower):
            logits, after = self._read(ids, state)
        return logits.float(), tuple(tuple(part.float() for part in layer) for layer in after)

    def _read(self, ids: Tensor, state: NetworkState) -> tuple[Tensor, NetworkState]:
        hidden = self.input_dropout(self.embedding(ids))
        after: list[LayerState] = []
        for depth, (cell, before) in enumerate(zip(self.cells(), state, strict=True)):
            outputs, cell_state = cell.run(hidden, before)
            if self.residual and depth > 0:
                outputs = outputs + hidden
            hidden = self.dropout(outputs)
            after.append(cell_state)
        return self.head(hidden), tuple(after)


def reset_rows(state: NetworkState, fresh: Tensor) -> NetworkState:
    """The state without its past gradient, and zero in the rows that `fresh`, (rows,), marks."""
    keep = (~fresh).to(state[0][0].dtype)[None, :, None]
    return tuple(tuple(part.detach() * keep for part in layer) for layer in state)
