from __future__ import annotations

import numpy as np
import pytest

from burble.engine.numpy_model import NumpyModel
from burble.errors import TextError
from burble.inspection.units.reading import read_whole
from burble.inspection.units.similarity import find_similar
from tests.models import random_model

FILE = random_model(num_layers=2, scale=0.4)
MODEL = NumpyModel(FILE, "float32")
IDS = np.random.default_rng(0).integers(FILE.tokenizer.vocab_size, size=3000)


def test_the_nearest_are_those_of_a_plain_computation() -> None:
    states = read_whole(MODEL, IDS).outputs[:, -1].astype(np.float64)
    mean, spread = states.mean(axis=0), states.std(axis=0)
    prompt = np.random.default_rng(1).integers(FILE.tokenizer.vocab_size, size=30)
    marked = (read_whole(MODEL, prompt).outputs[-4:, -1] - mean) / spread
    z = (states - mean) / spread
    lengths = np.outer(np.linalg.norm(z, axis=1), np.linalg.norm(marked, axis=1))
    cosine = z @ marked.T / lengths
    similarity = np.array([cosine[start : start + 4].trace() / 4 for start in range(2997)])
    found = find_similar(MODEL, IDS, prompt, span=4, count=1)[0]
    assert found.start == similarity.argmax()
    assert found.similarity == pytest.approx(similarity.max(), abs=1e-3)


def test_a_span_from_the_text_itself_is_found_where_it_stands() -> None:
    found = find_similar(MODEL, IDS, IDS[1000:1203], span=7, count=5)
    assert found[0].start == 1196
    assert found[0].similarity == pytest.approx(1, abs=1e-3)


def test_finds_come_nearest_first_and_do_not_overlap() -> None:
    found = find_similar(MODEL, IDS, IDS[500:560], span=50, count=40)
    figures = [match.similarity for match in found]
    assert figures == sorted(figures, reverse=True)
    starts = sorted(match.start for match in found)
    assert np.diff(starts).min() >= 50
    assert starts[-1] <= len(IDS) - 50


def test_no_more_are_found_than_there_are() -> None:
    assert len(find_similar(MODEL, IDS[:100], IDS[:10], span=5, count=9)) <= 3


def test_a_text_shorter_than_the_span_is_refused() -> None:
    with pytest.raises(TextError, match="shorter than the marked span"):
        find_similar(MODEL, IDS[:5], IDS[:9], span=6, count=1)
