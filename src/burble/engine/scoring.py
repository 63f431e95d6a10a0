"""Score how well a model predicts a text."""

from collections.abc import Iterable

import numpy as np

from burble.arithmetic import Float32
from burble.data.batch import Batch
from burble.engine.step_model import StepModel, reset
from burble.score import NOTHING, Score
from burble.tokenizers.base import Tokenizer


def score_batches(model: StepModel, tokenizer: Tokenizer, batches: Iterable[Batch]) -> Score:
    """Score every target under the mask. The state is carried from batch to batch."""
    total = NOTHING
    state = None
    for batch in batches:
        if state is None:
            state = model.start(batch.inputs.shape[1])
        state = reset(state, batch.reset)
        logits, state = model.forward(batch.inputs, state)
        targets = batch.targets[batch.mask]
        log_p = log_softmax(logits[batch.mask])
        nats = -np.take_along_axis(log_p, targets[:, None], axis=1).sum()
        correct = np.count_nonzero(log_p.argmax(axis=1) == targets)
        characters = tokenizer.count_characters(targets)
        total += Score(float(nats), len(targets), int(correct), characters)
    return total


def log_softmax(logits: Float32) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the log-probabilities of logits (..., vocab), in float64 nats."""
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=-1, keepdims=True)
    wide -= np.log(np.exp(wide).sum(axis=-1, keepdims=True))
    return wide
