"""Scores are what a plain sum over log-probabilities gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from burble.data.batch import Batch
from burble.data.scan import random_windows, scan
from burble.engine.scoring import log_softmax, score_batches
from burble.score import NOTHING, Score
from tests.engine.engines import every_engine, open_engine
from tests.models import random_model, uniform_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from burble.cells import CellKind
    from burble.model_file import ModelFile
    from burble.tokenizers.base import Ids


def score(model: ModelFile, batches: Iterable[Batch], kernel: str = "numpy") -> Score:
    return score_batches(open_engine(kernel, model), model.tokenizer, batches)


def text_for(model: ModelFile, length: int = 70, seed: int = 0) -> Ids:
    return np.random.default_rng(seed).integers(model.tokenizer.vocab_size, size=length)


def plain_score(model: ModelFile, ids: Ids) -> Score:
    """Token by token, from a fresh state, in Python's own floating point."""
    engine = open_engine("numpy", model)
    state = engine.start(1)
    nats, correct = 0.0, 0
    for token, target in zip(ids.tolist(), ids[1:].tolist(), strict=False):
        logits, state = engine.step(np.array([token]), state)
        row = [float(logit) for logit in logits[0]]
        nats += math.log(math.fsum(math.exp(logit) for logit in row)) - row[target]
        correct += row.index(max(row)) == target
    return Score(nats, len(ids) - 1, correct, model.tokenizer.count_characters(ids[1:]))


def assert_same_score(found: Score, expected: Score) -> None:
    assert found.nats == pytest.approx(expected.nats, rel=1e-12)
    assert (found.num_tokens, found.num_correct, found.num_characters) == (
        expected.num_tokens,
        expected.num_correct,
        expected.num_characters,
    )


@every_engine
@pytest.mark.parametrize(("cell", "time"), [("lstm", 1), ("gru", 7), ("rnn", 69), ("lstm", 256)])
def test_one_pass_is_the_plain_sum(kernel: str, cell: CellKind, time: int) -> None:
    model = random_model(cell=cell, num_layers=2)
    ids = text_for(model)
    assert_same_score(score(model, scan(ids, time=time), kernel), plain_score(model, ids))


def test_bytes_are_asked_for_one_by_one_and_characters_counted() -> None:
    model = random_model(vocabulary=None)
    ids = model.tokenizer.encode("né—\U0001f600!")
    found = score(model, scan(ids))
    assert_same_score(found, plain_score(model, ids))
    assert (found.num_tokens, found.num_characters) == (10, 4)


@every_engine
def test_lanes_start_fresh_and_together_ask_for_everything_once(kernel: str) -> None:
    model = random_model()
    ids = text_for(model, 201)
    found = score(model, scan(ids, streams=20, time=8), kernel)
    parts = [plain_score(model, ids[start : start + 11]) for start in range(0, 200, 10)]
    assert_same_score(found, sum(parts, NOTHING))


@every_engine
def test_windows_are_scored_each_from_a_fresh_state(kernel: str) -> None:
    model = random_model()
    ids = text_for(model, 100)
    found = score(model, random_windows(ids, count=6, time=12, seed=3, rows=2), kernel)
    places = np.random.default_rng(3).integers(88, size=6)
    parts = [plain_score(model, ids[place : place + 13]) for place in places]
    assert_same_score(found, sum(parts, NOTHING))


def test_a_row_that_is_not_reset_reads_on() -> None:
    model = random_model()
    ids = text_for(model, 20)
    batches = list(scan(ids, time=5))
    again = [Batch(b.inputs, b.targets, b.mask, np.array([True])) for b in batches]
    assert [b.reset.tolist() for b in batches] == [[True], [False], [False], [False]]
    assert_same_score(score(model, batches), plain_score(model, ids))
    assert score(model, again).nats != pytest.approx(score(model, batches).nats, rel=1e-3)


def test_only_unmasked_targets_count() -> None:
    model = random_model()
    ids = text_for(model, 13)
    (batch,) = scan(ids)
    halves = [np.zeros_like(batch.mask), np.zeros_like(batch.mask)]
    halves[0][::2] = batch.mask[::2]
    halves[1][1::2] = batch.mask[1::2]
    parts = [score(model, [Batch(batch.inputs, batch.targets, m, batch.reset)]) for m in halves]
    assert [part.num_tokens for part in parts] == [6, 6]
    assert_same_score(parts[0] + parts[1], plain_score(model, ids))


def test_nothing_asked_for_is_no_score() -> None:
    model = random_model()
    (batch,) = scan(text_for(model, 5))
    nothing = Batch(batch.inputs, batch.targets, np.zeros_like(batch.mask), batch.reset)
    assert score(model, [nothing]) == NOTHING
    assert score(model, []) == NOTHING


@pytest.mark.parametrize("vocabulary", ["a", "ab", "abcdefgh", None])
def test_to_a_uniform_model_a_token_is_log_v_bits(vocabulary: str | None) -> None:
    model = uniform_model(vocabulary)
    size = model.tokenizer.vocab_size
    found = score(model, scan(text_for(model, 500) % min(size, 128)))
    assert found.bits_per_char == pytest.approx(math.log2(size))
    assert found.perplexity == pytest.approx(size)


def test_of_equally_likely_tokens_the_lowest_id_is_the_guess() -> None:
    model = uniform_model("abcd")
    assert score(model, scan(np.array([3, 0, 0, 1, 2, 0]))).num_correct == 3


def test_log_softmax_is_of_probabilities() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 3, 7)).astype(np.float32) * 10
    found = log_softmax(logits)
    assert found.dtype == np.float64
    assert found.shape == logits.shape
    np.testing.assert_allclose(np.exp(found).sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(
        found[..., 0] - found[..., 1], logits[..., 0].astype(float) - logits[..., 1], rtol=1e-9
    )


def test_log_softmax_of_far_logits_stays_finite_and_leaves_them_as_they_are() -> None:
    logits = np.array([[1e30, -1e30, 0.0], [1e4, 1e4, -1e4]], dtype=np.float32)
    before = logits.copy()
    found = log_softmax(logits)
    assert np.isfinite(found).all()
    assert found[0, 0] == 0
    assert found[1, 0] == found[1, 1] == pytest.approx(-math.log(2))
    assert np.array_equal(logits, before)
