"""What xz makes of a text once it has seen another."""

from __future__ import annotations

import random

import pytest

from burble.evaluation.compression import WINDOW_BYTES, xz_bits


def noise(length: int, seed: int = 0, letters: str = "abcdefghijklmnop") -> str:
    draw = random.Random(seed)  # noqa: S311 - not a secret
    return "".join(draw.choices(letters, k=length))


def test_noise_takes_about_as_many_bits_as_it_holds() -> None:
    # Sixteen letters: 4 bits each, which no compressor can beat and xz comes near.
    per_letter = xz_bits(noise(5000), noise(20_000, seed=1)) / 20_000
    assert 3.95 < per_letter < 4.6


def test_what_was_seen_before_takes_next_to_nothing() -> None:
    text = noise(20_000)
    assert 0 <= xz_bits(text, text) < 0.05 * 20_000


def test_a_text_that_repeats_itself_takes_little() -> None:
    held_out = "the same again. " * 2000
    assert 0 < xz_bits("", held_out) / len(held_out) < 0.1


def test_the_training_text_helps() -> None:
    words = [noise(8, seed=seed) for seed in range(200)]
    draw = random.Random(1)  # noqa: S311 - not a secret
    train, held_out = (" ".join(draw.choices(words, k=1000)) for _ in range(2))
    assert xz_bits(train, held_out) < 0.8 * xz_bits("", held_out)


@pytest.mark.parametrize("train", ["", "abc", "é—\U0001f600"])
def test_nothing_takes_nothing(train: str) -> None:
    assert xz_bits(train, "") == 0


def test_what_lies_beyond_the_window_cannot_help() -> None:
    secret = noise(10_000)
    # Two-byte letters, so that the cut falls by bytes, not by letters.
    far, near = secret + "é" * (WINDOW_BYTES // 2), "é" * (WINDOW_BYTES // 2) + secret
    assert xz_bits(near, secret) < 1000
    assert xz_bits(far, secret) > 30_000
