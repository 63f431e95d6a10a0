"""The figures that follow from one total."""

from __future__ import annotations

import math

import pytest

from burble.score import NOTHING, Score


def test_figures_follow_from_the_total() -> None:
    score = Score(nats=8 * math.log(2), num_tokens=5, num_correct=2, num_characters=4)
    assert score.nats_per_char == pytest.approx(2 * math.log(2))
    assert score.bits_per_char == pytest.approx(2)
    assert score.perplexity == pytest.approx(4)
    assert score.accuracy == pytest.approx(0.4)


def test_a_text_predicted_with_certainty_has_no_surprise() -> None:
    score = Score(0.0, 3, 3, 3)
    assert (score.bits_per_char, score.perplexity, score.accuracy) == (0, 1, 1)


def test_scores_add_up_token_by_token() -> None:
    parts = [Score(1.5, 2, 1, 2), Score(2.5, 5, 0, 3), NOTHING]
    assert parts[0] + parts[1] == Score(4.0, 7, 1, 5)
    assert sum(parts, NOTHING) == Score(4.0, 7, 1, 5)
    assert parts[0] + NOTHING == NOTHING + parts[0] == parts[0]


def test_a_surprise_beyond_all_measure_is_infinite_perplexity() -> None:
    assert Score(1e6, 1, 0, 1).perplexity == math.inf
    assert Score(1e6, 1, 0, 1).bits_per_char == pytest.approx(1e6 / math.log(2))
