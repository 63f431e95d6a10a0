"""Measure what a unit is worth: how much worse the model predicts while the unit is clamped."""

import math
from dataclasses import dataclass

import numpy as np

from burble.data.scan import VALIDATION_STREAMS, VALIDATION_WARMUP, scan, validation_part
from burble.engine.scoring import log_softmax
from burble.engine.step_model import StepModel
from burble.inspection.units.cells import Float64
from burble.tokenizers.base import Ids, Tokenizer


@dataclass(frozen=True)
class Loss:
    """How much harder one token is to predict while the units are clamped."""

    token: str
    count: int
    extra_bits: float  # the mean over its occurrences


@dataclass(frozen=True)
class Ablation:
    free_bits: float
    held_bits: float
    losses: list[Loss]  # the tokens with the largest total loss, largest first


def compare(free: StepModel, held: StepModel, tokenizer: Tokenizer, ids: Ids, top: int) -> Ablation:
    """Compare a model with its clamped version on ids, (tokens,), at most the first 262,144.

    top: how many losses to list.
    """
    ids = validation_part(ids)
    before, after = (surprisals(model, ids) for model in (free, held))
    characters = tokenizer.count_characters(ids[1:])
    return Ablation(
        float(before.sum()) / characters,
        float(after.sum()) / characters,
        _losses(tokenizer, ids[1:], after - before, top),
    )


def surprisals(model: StepModel, ids: Ids) -> Float64:
    """Return the surprisal of each of ids, (tokens,), but the first, in bits, (tokens - 1,).

    The text is read in up to 32 streams side by side.
    """
    bits = np.zeros(len(ids) - 1)
    rows = min(VALIDATION_STREAMS, len(bits))
    state = model.start(rows)
    for batch in scan(np.arange(len(ids)), rows, VALIDATION_WARMUP):
        logits, state = model.forward(ids[batch.inputs], state)
        places = batch.targets[batch.mask]
        log_p = log_softmax(logits[batch.mask])
        nats = -np.take_along_axis(log_p, ids[places].astype(np.int64)[:, None], axis=1)
        bits[places - 1] = nats[:, 0] / math.log(2)
    return bits


def _losses(tokenizer: Tokenizer, ids: Ids, extra: Float64, top: int) -> list[Loss]:
    totals = np.bincount(ids, weights=extra, minlength=tokenizer.vocab_size)
    counts = np.bincount(ids, minlength=tokenizer.vocab_size)
    kinds = [int(kind) for kind in np.argsort(-totals)[:top] if totals[kind] > 0]
    return [
        Loss(
            tokenizer.decode(np.array([kind])),
            int(counts[kind]),
            float(totals[kind] / counts[kind]),
        )
        for kind in kinds
    ]
