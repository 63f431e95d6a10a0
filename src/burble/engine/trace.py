"""Record what happens inside a model while it reads a text: gates, states and predictions."""

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

# The context is read in blocks of this many tokens: the gates' inputs of 2×512 units take 8 MB.
_BLOCK = 1_000


@dataclass(frozen=True)
class Trace:
    """What happened while a model read a text, from a fresh state or after a context."""

    ids: Ids  # the tokens read, (time,)
    # Gates, candidates and states after each token, by name, (time, layers, units) each; `hidden`
    # before a residual network adds its input.
    values: Values
    log_probabilities: Float64  # of each possible next token, after each token, (time, vocab), nats
    context: Ids  # the tokens read before, (tokens,); of them nothing else is recorded
    before: Float64  # log-probabilities after the context, (vocab,); NaN without a context

    @property
    def surprisal(self) -> Float64:
        """The surprisal of each token, (time,), in bits; NaN for a first one without context."""
        predicted = np.concatenate([self.before[None], self.log_probabilities[:-1]])
        came = np.take_along_axis(predicted, self.ids[:, None], axis=1)
        bits: Float64 = -came[:, 0] / math.log(2)
        return bits

    def guesses(self, count: int) -> Ids:
        """Return the `count` likeliest next tokens after each token, (time, count), best first."""
        return likeliest(self.log_probabilities, count)


def likeliest(log_probabilities: Float64, count: int) -> Ids:
    """Return the `count` likeliest tokens of each row, best first.

    Takes (rows, vocab) and returns (rows, count), or all tokens if the vocabulary is smaller.
    """
    order: Ids = np.argsort(-log_probabilities, axis=1, kind="stable")[:, :count]
    return order


def trace(model: ModelFile, ids: Ids, context: Ids = _NO_IDS) -> Trace:
    """Trace a model with its float32 weights while it reads `ids`, (time,), after `context`.

    Raises `TextError` for an empty text.
    """
    if not len(ids):
        raise TextError("There is nothing to look at: the text is empty. Give a text.")
    engine = NumpyModel(model, "float32")
    shape = (len(ids), model.network.num_layers, model.network.hidden_size)
    values: dict[str, Float32] = {}

    def keep(layer: int, time: int, cell_values: Values) -> None:
        for name, value in cell_values.items():
            kept = values.setdefault(name, np.empty(shape, dtype=np.float32))
            kept[time, layer] = value[0]

    before, state = _read(engine, context)
    logits, _ = engine.forward(ids[:, None], state, keep)
    return Trace(ids, values, log_softmax(logits[:, 0]), context, before)


def _read(engine: NumpyModel, context: Ids) -> tuple[Float64, State]:
    """Read the context; return the log-probabilities after it, (vocab,), and the state.

    Without a context the log-probabilities are NaN.
    """
    state = engine.start(1)
    before: Float64 = np.full(engine.vocab_size, np.nan)
    for start in range(0, len(context), _BLOCK):
        logits, state = engine.forward(context[start : start + _BLOCK, None], state)
        before = log_softmax(logits[-1, 0])
    return before, state
