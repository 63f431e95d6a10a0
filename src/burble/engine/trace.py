"""What goes on inside a model while it reads a text: every gate, every state, every guess."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from burble.arithmetic import Float32
from burble.engine.cells import Values
from burble.engine.numpy_model import NumpyModel
from burble.engine.scoring import log_softmax
from burble.engine.step_model import State
from burble.errors import TextError
from burble.model_file import ModelFile
from burble.tokenizers.base import Ids

Float64 = np.ndarray[Any, np.dtype[np.float64]]

_NO_IDS: Ids = np.empty(0, dtype=np.int64)

# So much of the context is read at a time: the gates' inputs of 2×512 units take 8 MB then.
_BLOCK = 1_000


@dataclass(frozen=True)
class Trace:
    """One text, read from a fresh state, or in the context of another."""

    ids: Ids  # the tokens read, (time,)
    # Gates, candidates and states after each token, by name, (time, layers, units) each; `hidden`
    # before a residual network adds its input.
    values: Values
    log_probabilities: Float64  # of every token that may follow each, (time, vocab), in nats
    context: Ids  # the tokens read before these, (tokens,): of them nothing else is kept
    before: Float64  # the same after the context, (vocab,); NaN where there is none

    @property
    def surprisal(self) -> Float64:
        """Bits that each token came as, (time,); NaN for a first one that nothing predicted."""
        predicted = np.concatenate([self.before[None], self.log_probabilities[:-1]])
        came = np.take_along_axis(predicted, self.ids[:, None], axis=1)
        bits: Float64 = -came[:, 0] / math.log(2)
        return bits

    def guesses(self, count: int) -> Ids:
        """The likeliest tokens to follow each, (time, count or the vocabulary), best first."""
        return likeliest(self.log_probabilities, count)


def likeliest(log_probabilities: Float64, count: int) -> Ids:
    """Of each row, (rows, vocab), the likeliest tokens, (rows, count or vocab), best first."""
    order: Ids = np.argsort(-log_probabilities, axis=1, kind="stable")[:, :count]
    return order


def trace(model: ModelFile, ids: Ids, context: Ids = _NO_IDS) -> Trace:
    """Read `ids`, (time,), after `context`, with the float32 weights. Raises `TextError`."""
    if not len(ids):
        raise TextError("There is nothing to look at: the text is empty. Give a text.")
    engine = NumpyModel(model, "float32")
    shape = (len(ids), model.network.num_layers, model.network.hidden_size)
    values: dict[str, Float32] = {}

    def watch(layer: int, time: int, seen: Values) -> None:
        for name, value in seen.items():
            kept = values.setdefault(name, np.empty(shape, dtype=np.float32))
            kept[time, layer] = value[0]

    before, state = _read(engine, context)
    logits, _ = engine.forward(ids[:, None], state, watch)
    return Trace(ids, values, log_softmax(logits[:, 0]), context, before)


def _read(engine: NumpyModel, context: Ids) -> tuple[Float64, State]:
    """What may come after the context, (vocab,), NaN where there is none; and the state then."""
    state = engine.start(1)
    before: Float64 = np.full(engine.vocab_size, np.nan)
    for start in range(0, len(context), _BLOCK):
        logits, state = engine.forward(context[start : start + _BLOCK, None], state)
        before = log_softmax(logits[-1, 0])
    return before, state
