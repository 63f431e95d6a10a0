"""What goes on inside a model while it reads a text: every gate, every state, every guess."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.engine.numpy_model import NumpyModel
from burble.engine.scoring import log_softmax
from burble.errors import TextError

if TYPE_CHECKING:
    from burble.arithmetic import Float32
    from burble.engine.cells import Values
    from burble.model_file import ModelFile
    from burble.tokenizers.base import Ids

Float64 = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Trace:
    """One text, read from a fresh state."""

    ids: Ids
    """The tokens read, (time,)."""

    values: Values
    """Gates, candidates and states after each token, by name, (time, layers, units) each.

    lstm: forget, input, candidate, output, cell, hidden. gru: reset, update, candidate, hidden.
    rnn: hidden. `hidden` is the cell's own, before a residual network adds its input.
    """

    log_probabilities: Float64
    """After each token, of every token that may follow, (time, vocab), in nats."""

    @property
    def surprisal(self) -> Float64:
        """Bits that each token came as, (time,); NaN for the first, which nothing foresaw."""
        seen = np.take_along_axis(self.log_probabilities[:-1], self.ids[1:, None], axis=1)
        return np.concatenate([[np.nan], -seen[:, 0] / math.log(2)])

    def guesses(self, count: int) -> Ids:
        """The likeliest tokens to follow each, (time, count or the vocabulary), best first."""
        order: Ids = np.argsort(-self.log_probabilities, axis=1, kind="stable")[:, :count]
        return order


def trace(model: ModelFile, ids: Ids) -> Trace:
    """Read `ids`, (time,), with the float32 weights: the network as it was learned.

    The engine that writes rounds these to int8; what that costs stands in the model's provenance.
    Raises `TextError` where there are no ids.
    """
    if not len(ids):
        raise TextError("There is nothing to look at: the text is empty.")
    engine = NumpyModel(model, "float32")
    shape = (len(ids), model.network.num_layers, model.network.hidden_size)
    values: dict[str, Float32] = {}

    def watch(layer: int, time: int, seen: Values) -> None:
        for name, value in seen.items():
            kept = values.setdefault(name, np.empty(shape, dtype=np.float32))
            kept[time, layer] = value[0]

    logits, _ = engine.forward(ids[:, None], engine.start(1), watch)
    return Trace(ids, values, log_softmax(logits[:, 0]))
