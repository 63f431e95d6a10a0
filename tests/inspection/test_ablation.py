from __future__ import annotations

import math

import numpy as np
import pytest

from burble.data.scan import VALIDATION_STREAMS, VALIDATION_WARMUP, scan
from burble.engine.clamping import Clamp, ClampedModel
from burble.engine.numpy_model import NumpyModel
from burble.engine.scoring import score_batches
from burble.inspection.units.ablation import compare, surprisals
from tests.models import random_model

FILE = random_model(head_scale=4)
IDS = np.random.default_rng(0).integers(FILE.tokenizer.vocab_size, size=900)


def test_surprisals_add_up_to_the_score() -> None:
    model = NumpyModel(FILE)
    bits = surprisals(model, IDS)
    assert bits.shape == (899,)
    batches = scan(IDS, VALIDATION_STREAMS, VALIDATION_WARMUP)
    score = score_batches(model, FILE.tokenizer, batches)
    assert bits.sum() == pytest.approx(score.nats / math.log(2))


def test_a_surprisal_stands_at_its_own_character() -> None:
    model = NumpyModel(FILE)
    logits, _ = model.prefill(IDS[:500])
    p = np.exp(logits[0] - logits[0].max())
    wanted = -math.log2(p[IDS[500]] / p.sum())
    assert surprisals(model, IDS)[499] == pytest.approx(wanted, abs=1e-3)


def test_holding_nothing_costs_nothing() -> None:
    same = compare(NumpyModel(FILE), ClampedModel(FILE, []), FILE.tokenizer, IDS, top=3)
    assert same.free_bits == same.held_bits
    assert same.losses == []


def test_what_holding_costs_is_told_by_character() -> None:
    held = ClampedModel(FILE, [Clamp(0, unit, 0.9) for unit in range(4)])
    free = NumpyModel(FILE)
    cost = compare(free, held, FILE.tokenizer, IDS, top=99)
    extra = surprisals(held, IDS) - surprisals(free, IDS)
    assert cost.held_bits - cost.free_bits == pytest.approx(extra.mean())
    totals = [loss.count * loss.extra_bits for loss in cost.losses]
    assert totals == sorted(totals, reverse=True)
    place = IDS[1:] == FILE.tokenizer.encode(cost.losses[0].token)[0]
    assert cost.losses[0].count == place.sum()
    assert cost.losses[0].extra_bits == pytest.approx(extra[place].mean())
