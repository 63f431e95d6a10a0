"""What a unit is good for: how much worse the text is predicted when it is held at a value."""

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
    """What one kind of token costs more while the units are held."""

    token: str
    count: int
    extra_bits: float  # on average each time it came


@dataclass(frozen=True)
class Ablation:
    free_bits: float
    held_bits: float
    losses: list[Loss]  # the kinds of token that together lose the most, the most first


def compare(free: StepModel, held: StepModel, tokenizer: Tokenizer, ids: Ids, top: int) -> Ablation:
    """Let both read ids, (tokens,), of a long text the first 262,144. `top`: how many losses."""
    ids = validation_part(ids)
    before, after = (surprisals(model, ids) for model in (free, held))
    characters = tokenizer.count_characters(ids[1:])
    return Ablation(
        float(before.sum()) / characters,
        float(after.sum()) / characters,
        _losses(tokenizer, ids[1:], after - before, top),
    )


def surprisals(model: StepModel, ids: Ids) -> Float64:
    """Bits that each of ids, (tokens,), but the first comes as, read in lanes."""
    bits = np.zeros(len(ids) - 1)
    lanes = min(VALIDATION_STREAMS, len(bits))
    state = model.start(lanes)
    for batch in scan(np.arange(len(ids)), lanes, VALIDATION_WARMUP):
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
