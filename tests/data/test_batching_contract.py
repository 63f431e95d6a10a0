"""What every way of batching promises."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from burble.config import BatchingKind, DataConfig, TokenizerKind
from burble.data.registry import BATCHINGS
from burble.errors import TextError

from .texts import asked, made_up_text, pairs, prepared

if TYPE_CHECKING:
    from burble.data.batch import Batch, Batching
    from burble.data.prepared import PreparedText

CONFIG = DataConfig(seq_len=9, batch_size=7, stride=3)

every_batching = pytest.mark.parametrize("kind", BATCHINGS)
every_tokenizer = pytest.mark.parametrize("tokenizer", ["char", "byte"])


def a_text(tokenizer: TokenizerKind = "char") -> PreparedText:
    train, val = made_up_text(60), made_up_text(20, letters="ijklmñ")
    return prepared(train, val, tokenizer)


def batching_of(kind: BatchingKind, text: PreparedText, seed: int = 0) -> Batching:
    return BATCHINGS[kind](text, CONFIG, seed)


def equal(one: Batch, other: Batch) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("inputs", "targets", "mask", "reset")
    )


@every_batching
def test_a_batch_depends_on_its_step_alone(kind: BatchingKind) -> None:
    batching, again = (batching_of(kind, a_text()) for _ in range(2))
    first = [batching.batch(step) for step in range(30)]
    for step in (29, 3, 17, 3, 0):
        assert equal(first[step], batching.batch(step))
        assert equal(first[step], again.batch(step))


@every_batching
def test_steps_far_apart_may_be_asked_for_in_any_order(kind: BatchingKind) -> None:
    text = prepared(made_up_text(3000), made_up_text(20))
    batching = batching_of(kind, text)
    epoch = batching.steps_per_epoch
    assert epoch > 300
    for step in (0, 299, 63, 64, 255, 256, epoch - 1, epoch, 256, 0):
        assert equal(batching.batch(step), batching_of(kind, text).batch(step))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("stream", "d8b8f1fbf845bfa6"),
        ("windows", "809bcd88d01a9ba4"),
        ("sentences", "7f503f76bd654d12"),
    ],
)
def test_a_seed_gives_these_batches(kind: BatchingKind, expected: str) -> None:
    batching = batching_of(kind, prepared("One. Two three. Four, five, six! Seven? Eight… " * 9), 7)
    digest = hashlib.sha256()
    for step in range(2 * batching.steps_per_epoch):
        batch = batching.batch(step)
        for array in (batch.inputs, batch.targets, batch.mask, batch.reset):
            digest.update(array.astype("<i8").tobytes())
    assert digest.hexdigest()[:16] == expected


@every_batching
def test_it_knows_how_many_targets_a_batch_has(kind: BatchingKind) -> None:
    batching = batching_of(kind, a_text())
    found = [batching.batch(step).num_targets for step in range(batching.steps_per_epoch)]
    if kind == "sentences":  # of which most are shorter than a row
        assert max(found) <= batching.targets == batching.rows * CONFIG.seq_len
    else:
        assert max(found) == batching.targets


@every_batching
def test_what_is_done_to_a_batch_does_not_reach_the_next(kind: BatchingKind) -> None:
    batching = batching_of(kind, a_text())
    spoilt, clean = batching.batch(2), batching.batch(2)
    for array in (spoilt.inputs, spoilt.mask, spoilt.reset):
        array[:] = 0
    assert equal(batching.batch(2), clean)


@every_batching
def test_seeds_and_epochs_differ(kind: BatchingKind) -> None:
    batching = batching_of(kind, a_text())
    assert not equal(batching.batch(0), batching_of(kind, a_text(), seed=1).batch(0))
    assert not equal(batching.batch(0), batching.batch(batching.steps_per_epoch))


@every_batching
@every_tokenizer
def test_all_batches_have_one_shape(kind: BatchingKind, tokenizer: TokenizerKind) -> None:
    batching = batching_of(kind, a_text(tokenizer))
    shape = (CONFIG.seq_len, batching.rows)
    for step in range(2 * batching.steps_per_epoch):
        batch = batching.batch(step)
        assert batch.inputs.shape == batch.targets.shape == batch.mask.shape == shape
        assert batch.reset.shape == (batching.rows,)
        assert (batch.inputs.dtype, batch.targets.dtype) == (np.int64, np.int64)
        assert (batch.mask.dtype, batch.reset.dtype) == (np.bool_, np.bool_)


@every_batching
@every_tokenizer
def test_a_target_is_what_follows_its_input_in_the_text(
    kind: BatchingKind, tokenizer: TokenizerKind
) -> None:
    text = a_text(tokenizer)
    batching = batching_of(kind, text)
    known = set(pairs(text.train_ids, ring=kind == "stream"))
    for step in range(2 * batching.steps_per_epoch):
        batch = batching.batch(step)
        assert set(asked(batch)) <= known
        assert np.array_equal(batch.inputs[1:], batch.targets[:-1])


@every_batching
@every_tokenizer
def test_no_epoch_asks_for_anything_twice(kind: BatchingKind, tokenizer: TokenizerKind) -> None:
    text = a_text(tokenizer)
    batching = batching_of(kind, text)
    there = Counter(pairs(text.train_ids, ring=kind == "stream"))
    for epoch in range(3):
        steps = range(epoch * batching.steps_per_epoch, (epoch + 1) * batching.steps_per_epoch)
        found = Counter(pair for step in steps for pair in asked(batching.batch(step)))
        assert found <= there


@every_batching
@every_tokenizer
def test_validation_reads_the_held_out_text_alone(
    kind: BatchingKind, tokenizer: TokenizerKind
) -> None:
    text = a_text(tokenizer)
    batching = batching_of(kind, text)
    batches = list(batching.validation())
    found = Counter(pair for batch in batches for pair in asked(batch))
    assert found
    assert found <= Counter(pairs(text.val_ids))
    assert all(map(equal, batches, batching.validation()))
    assert len({batch.inputs.shape for batch in batches}) == 1


@every_batching
@pytest.mark.parametrize("val", ["", "."])
def test_without_a_held_out_text_nothing_is_validated(kind: BatchingKind, val: str) -> None:
    assert list(batching_of(kind, prepared(made_up_text(60), val)).validation()) == []


@every_batching
@pytest.mark.parametrize("step", [10**6, 10**12])
def test_a_far_step_can_be_asked_for_at_once(kind: BatchingKind, step: int) -> None:
    batching = batching_of(kind, a_text())
    assert asked(batching.batch(step - step % batching.steps_per_epoch))


@every_batching
@pytest.mark.parametrize("train", ["", "a"])
def test_too_short_a_text_says_how_much_is_needed(kind: BatchingKind, train: str) -> None:
    needed = {"stream": 10, "windows": 10, "sentences": 2}[kind]
    with pytest.raises(TextError, match=f"too short: {len(train)} characters .* needs? {needed}"):
        batching_of(kind, prepared(train, "a longer text to validate on"))


@every_batching
def test_the_least_text_is_enough(kind: BatchingKind) -> None:
    needed = {"stream": 10, "windows": 10, "sentences": 2}[kind]
    batching = batching_of(kind, prepared("abcdefghij"[:needed]))
    assert batching.steps_per_epoch == 1
    assert asked(batching.batch(0))
