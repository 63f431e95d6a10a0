"""The network in torch: input, recurrent layers and head.

Its parameters are the tensors of the model file. Shapes are time first: ids (time, rows), hidden
(time, rows, hidden).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

from burble.cells import CELLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from burble.cells import CellKind
    from burble.config import NetworkConfig, TrainingPrecision
    from burble.model_file import Weights

LayerState = tuple[Tensor, ...]
"""The states of one layer, (1, rows, hidden) each, in the order of its cell."""

NetworkState = tuple[LayerState, ...]

Masks = tuple[Tensor | None, ...]
"""The factors of dropout, (1 or time, rows, width), for the input and the output of each layer.

None drops nothing, nor does an empty tuple.
"""


class Cell(nn.Module):
    """One recurrent layer. Torch's fused kernels need a second bias, which stays zero."""

    kind: CellKind

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        rows = len(CELLS[self.kind].gates) * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias = nn.Parameter(torch.zeros(rows))
        self.register_buffer("zero_bias", torch.zeros(rows), persistent=False)

    def start(self, rows: int) -> LayerState:
        """Return the initial states: zeros."""
        zeros = self.bias.new_zeros(1, rows, self.hidden_size)
        return (zeros,) * len(CELLS[self.kind].states)

    def run(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        """Read inputs (time, rows, width). Return hidden (time, rows, hidden) and the new state."""
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
    """Turn ids (time, rows) into one-hot vectors (time, rows, vocab)."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.vocab_size = vocab_size

    def forward(self, ids: Tensor) -> Tensor:
        return functional.one_hot(ids, self.vocab_size).float()


class Scalar(nn.Module):
    """Turn each id into one number, id / vocabulary size, as the Keras tutorial does."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.vocab_size = vocab_size

    def forward(self, ids: Tensor) -> Tensor:
        """Return numbers from 0 to below 1, (time, rows, 1), for ids (time, rows)."""
        return (ids.float() / self.vocab_size)[..., None]


def _input_layer(config: NetworkConfig, vocab_size: int) -> nn.Module:
    match config.input:
        case "embedding":
            embedding: nn.Module = skip_init(  # type: ignore[no-untyped-call]
                nn.Embedding, vocab_size, config.embedding_size
            )
            return embedding
        case "one-hot":
            return OneHot(vocab_size)
        case "scalar":
            return Scalar(vocab_size)


class Network(nn.Module):
    """The whole network. `state_dict()` has exactly the tensors of the model file."""

    def __init__(
        self, config: NetworkConfig, weights: Weights, precision: TrainingPrecision = "float32"
    ) -> None:
        super().__init__()
        vocab_size = len(weights["head.bias"])
        self.kind = config.cell
        self.precision = precision
        self.residual = config.residual
        self.embedding = _input_layer(config, vocab_size)
        widths = [config.input_size(vocab_size)] + [config.hidden_size] * (config.num_layers - 1)
        self.layers = nn.ModuleList(
            _CLASSES[config.cell](width, config.hidden_size) for width in widths
        )
        self.head: nn.Linear = skip_init(  # type: ignore[no-untyped-call]
            nn.Linear, config.hidden_size, vocab_size
        )
        self.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in weights.items()})

    def cells(self) -> list[Cell]:
        """Return the recurrent layers, from the input up."""
        return [layer for layer in self.layers if isinstance(layer, Cell)]

    def start(self, rows: int) -> NetworkState:
        """Return the initial states of all layers: zeros."""
        return tuple(cell.start(rows) for cell in self.cells())

    def forward(
        self, ids: Tensor, state: NetworkState, masks: Masks = ()
    ) -> tuple[Tensor, NetworkState]:
        """Read ids (time, rows). Return logits (time, rows, vocab) and the new state.

        In training, layers and head may compute in bfloat16. The result is always float32.
        """
        lower = self.training and self.precision == "bfloat16"
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=lower):
            logits, after = self._read(ids, state, masks)
        return logits.float(), tuple(tuple(part.float() for part in layer) for layer in after)

    def _read(self, ids: Tensor, state: NetworkState, masks: Masks) -> tuple[Tensor, NetworkState]:
        input_mask, *layer_masks = masks or (None,) * (1 + len(self.layers))
        hidden = _drop(self.embedding(ids), input_mask)
        after: list[LayerState] = []
        for depth, (cell, before, mask) in enumerate(
            zip(self.cells(), state, layer_masks, strict=True)
        ):
            outputs, cell_state = cell.run(hidden, before)
            if self.residual and depth > 0:
                outputs = outputs + hidden
            hidden = _drop(outputs, mask)
            after.append(cell_state)
        return self.head(hidden), tuple(after)


def _drop(hidden: Tensor, mask: Tensor | None) -> Tensor:
    return hidden if mask is None else hidden * mask


def reset_rows(state: NetworkState, fresh: Tensor) -> NetworkState:
    """Return the state without its gradient history, and zero in the rows marked by `fresh`.

    fresh: (rows,).
    """
    keep = (~fresh).to(state[0][0].dtype)[None, :, None]
    return tuple(tuple(part.detach() * keep for part in layer) for layer in state)
