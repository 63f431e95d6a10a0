"""The figures of `burble eval`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from burble.data.prepare import Cuts, WholeText
from burble.data.scan import random_windows
from burble.engine.numpy_model import NumpyModel
from burble.engine.scoring import score_batches
from burble.errors import TextError
from burble.evaluation.compression import xz_bits
from burble.evaluation.evaluate import (
    WINDOW,
    WINDOWS_SEED,
    Protocol,
    baselines,
    counts_name,
    evaluate,
    known_cuts,
    score_all,
)
from burble.model_file import Provenance
from burble.ngram.counts import count
from burble.ngram.order import choose_order
from burble.tokenizers.byte import ByteTokenizer
from burble.tokenizers.char import CharTokenizer
from tests.models import LETTERS, random_model

if TYPE_CHECKING:
    from burble.model_file import ModelFile
    from burble.score import Score
    from burble.tokenizers.base import Ids

# A whole batch of them.
FEW_WINDOWS = 64

both = pytest.mark.parametrize("protocol", ["stream", "windows"])


@pytest.fixture(autouse=True)
def few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burble.evaluation.evaluate.NUM_WINDOWS", FEW_WINDOWS)


def measured(model: ModelFile, ids: Ids, protocol: Protocol) -> Score:
    return evaluate(NumpyModel(model), model.tokenizer, ids, protocol)


def letters(length: int, seed: int = 0) -> Ids:
    return np.random.default_rng(seed).integers(len(LETTERS), size=length)


def test_stream_is_one_pass_over_everything() -> None:
    model = random_model()
    ids = letters(600)
    engine = NumpyModel(model)
    logits, _ = engine.forward(ids[:-1, None], engine.start(1))
    wide = logits[:, 0].astype(np.float64)
    log_p = wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))
    nats = -log_p[np.arange(599), ids[1:]].sum()
    score = measured(model, ids, "stream")
    assert score.nats == pytest.approx(nats, rel=1e-12)
    assert score.num_tokens == score.num_characters == 599
    assert score.num_correct == np.count_nonzero(wide.argmax(axis=1) == ids[1:])


def test_windows_are_the_same_random_ones_every_time() -> None:
    model = random_model(hidden_size=4)
    ids = letters(2000)
    windows = random_windows(ids, FEW_WINDOWS, WINDOW, WINDOWS_SEED)
    expected = score_batches(NumpyModel(model), model.tokenizer, windows)
    score = measured(model, ids, "windows")
    assert score == expected
    assert score.num_tokens == FEW_WINDOWS * WINDOW
    assert score.bits_per_char == pytest.approx(
        measured(model, ids, "stream").bits_per_char, rel=0.1
    )


@both
@pytest.mark.parametrize("length", [2, 3, WINDOW, WINDOW + 1, WINDOW + 2])
def test_a_short_text_is_scored(length: int, protocol: Protocol) -> None:
    model = random_model(hidden_size=2)
    score = measured(model, letters(length), protocol)
    assert score.num_tokens == min(length - 1, WINDOW if protocol == "windows" else length) * (
        FEW_WINDOWS if protocol == "windows" else 1
    )


@both
@pytest.mark.parametrize("vocabulary", ["aé\U0001f600", None], ids=["char", "byte"])
@pytest.mark.parametrize("text", ["", "a", "é", "\U0001f600"])
def test_one_character_is_too_short(text: str, vocabulary: str | None, protocol: Protocol) -> None:
    model = random_model(vocabulary=vocabulary, hidden_size=2)
    with pytest.raises(TextError, match=f"found {len(text)}"):
        measured(model, model.tokenizer.encode(text), protocol)


def test_baselines_are_the_models_on_the_same_characters() -> None:
    tokenizer = CharTokenizer(LETTERS)
    train, ids = letters(500) % 3, letters(300, seed=1) % 3
    order = choose_order(train, len(LETTERS))
    probabilities = count(train, len(LETTERS), order).probabilities(ids)[1:]
    found = baselines(tokenizer, train, ids)
    assert found.ngram_order == order >= 0
    assert found.ngram == pytest.approx(-np.log2(probabilities).mean())
    bits = xz_bits(tokenizer.decode(train), tokenizer.decode(ids))
    assert found.xz == pytest.approx(bits / 299)


def test_random_letters_leave_the_baselines_nothing_to_predict() -> None:
    tokenizer = CharTokenizer(LETTERS)
    found = baselines(tokenizer, letters(20_000), letters(5000, seed=1))
    assert found.ngram == pytest.approx(math.log2(10), rel=1e-12)
    assert math.log2(10) < found.xz < 1.35 * math.log2(10)


def test_baselines_measure_bytes_by_the_character() -> None:
    tokenizer = ByteTokenizer()
    train, ids = tokenizer.encode("é—" * 40), tokenizer.encode("é—" * 20)
    probabilities = count(train, 256, choose_order(train, 256)).probabilities(ids)[1:]
    found = baselines(tokenizer, train, ids)
    assert found.ngram == pytest.approx(-np.log2(probabilities).sum() / 39)


def test_counting_alone_has_one_name_with_its_order() -> None:
    assert counts_name(6) == "n-gram counts (Kneser–Ney, order 6)"
    assert counts_name(-1) == "n-gram counts (all tokens equal)"


# What of a text is held out.


def whole_text(fingerprint: str = "same", num_characters: int = 1000) -> WholeText:
    return WholeText(fingerprint, num_characters, (0,))


def learned(cut: int, sealed: int = 0, num_characters: int = 1000) -> Provenance:
    return Provenance("same", num_characters, cut, sealed_characters=sealed)


ALL = Cuts(0, 1000)
OUTSIDE = [(-1, 0), (-(10**30), 0), (1001, 0), (10**30, 0), (900, 101), (900, -1), (900, 10**30)]


@pytest.mark.parametrize(
    ("text", "origin", "cuts"),
    [
        (whole_text(), learned(900), Cuts(900, 1000)),
        (whole_text(), learned(1), Cuts(1, 1000)),
        (whole_text(), learned(900, sealed=50), Cuts(900, 950)),
        (whole_text(), learned(900, sealed=100), Cuts(900, 900)),
        # All of it, where it is another text or nothing was kept back.
        (whole_text("other"), learned(900, sealed=50), ALL),
        (whole_text("other"), Provenance(), ALL),
        (whole_text(), learned(1000), ALL),
        (whole_text(), learned(0), ALL),
        *((whole_text(), learned(cut, sealed), ALL) for cut, sealed in OUTSIDE),
    ],
)
def test_of_the_training_text_what_was_held_out_and_sealed_is_scored(
    text: WholeText, origin: Provenance, cuts: Cuts
) -> None:
    assert known_cuts(text, origin) == cuts
    assert score_all(text) == ALL
