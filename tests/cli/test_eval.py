from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from burble.engine.kernels import MAX_INT8_COST
from burble.model_file import ModelFile
from tests.cli.command import assert_refused, burble, burble_json, succeed
from tests.training.runs import made_up_text

if TYPE_CHECKING:
    from pathlib import Path


def shown(*args: str | Path) -> str:
    return succeed("eval", *args).stdout.decode()


evaluated = partial(burble_json, "eval")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A text that the model did not learn from, of characters that it knows."""
    path = tmp_path / "other.txt"
    path.write_text(made_up_text(30, seed=5))
    return path


def test_json_has_the_keys_that_stay(trained: Path) -> None:
    found = evaluated(trained / "run", trained / "text.txt")
    keys = "bits_per_char nats_per_char perplexity accuracy num_chars protocol baselines"
    keys += " learned_share held_out sealed unknown unknown_chars unknown_share"
    assert list(found) == keys.split()
    assert found["sealed"] is None
    assert set(found["baselines"]) == {"ngram", "xz", "ngram_order"}


def test_of_the_training_text_only_the_held_out_end_is_scored(trained: Path) -> None:
    found = evaluated(trained / "run", trained / "text.txt")
    length = len((trained / "text.txt").read_text())
    assert found["num_chars"] == length - int(0.9 * length) - 1
    recorded = ModelFile.load(trained / "run").provenance.val_bits_per_char
    assert found["bits_per_char"] == pytest.approx(recorded, abs=0.01)


def test_int8_costs_next_to_nothing_against_float32(trained: Path) -> None:
    args = (trained / "run", trained / "text.txt", "--no-baselines", "--precision")
    whole, exact = (evaluated(*args, name)["bits_per_char"] for name in ("int8", "float32"))
    recorded = ModelFile.load(trained / "run").provenance.int8_cost_bits
    assert recorded is not None
    assert abs(recorded) < MAX_INT8_COST
    # Measured in lanes side by side, not in one pass.
    assert whole - exact == pytest.approx(recorded, abs=0.001)
    assert whole != exact
    assert evaluated(trained / "run", trained / "text.txt")["bits_per_char"] == whole


def test_a_training_text_with_one_word_changed_is_no_held_out_text(
    trained: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.txt"
    text = (trained / "text.txt").read_text()
    changed.write_text(text.replace(" ", " a ", 1))
    found = evaluated(trained / "run", changed)
    # The tenth that was held out was not learned.
    assert found["learned_share"] == pytest.approx(0.9, abs=0.02)
    assert found["held_out"] is False
    text_shown = shown(trained / "run", changed)
    assert "This is no held-out figure" in text_shown
    assert f"{found['learned_share']:.1%}" in text_shown


def test_the_held_out_end_and_another_text_were_not_learned(trained: Path, other: Path) -> None:
    for text in (trained / "text.txt", other):
        found = evaluated(trained / "run", text)
        assert found["learned_share"] == 0
        assert found["held_out"] is True
        assert "learned word for word: 0.0%" in shown(trained / "run", text)
    # Another text is scored whole, against baselines from the run.
    assert found["num_chars"] == len(other.read_text()) - 1
    assert found["baselines"]["ngram"] > 0


@pytest.mark.parametrize("name", ["run", "run/model.safetensors"])
def test_the_whole_of_a_training_text_was_learned_but_for_its_end(trained: Path, name: str) -> None:
    found = evaluated(trained / name, trained / "text.txt", "--whole")
    assert found["learned_share"] == pytest.approx(0.9, abs=0.001)
    assert found["held_out"] is False
    assert found["num_chars"] == len((trained / "text.txt").read_text()) - 1


def test_a_held_out_end_that_was_learned_is_not_called_held_out(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(2 * made_up_text(100))
    succeed("train", text, "-o", tmp_path / "run", "--steps", "3", "--hidden-size", "8")
    text_shown = shown(tmp_path / "run", text)
    assert "100.0% of this text is in the training text" in text_shown
    assert "the end of the training text" in text_shown
    assert "the held-out end" not in text_shown


def test_a_model_file_alone_has_nothing_to_hold_against_another_text(
    trained: Path, other: Path
) -> None:
    model = trained / "run" / "model.safetensors"
    found = evaluated(model, other)
    assert found["learned_share"] is found["held_out"] is found["baselines"] is None
    assert "cannot be checked" in shown(model, other)
    other.write_text("Bada.\n")
    assert "too short to search" in shown(trained / "run", other)


@pytest.mark.parametrize(
    ("unknown", "words"), [("skip", "left out"), ("nearest", "replaced by the nearest")]
)
def test_characters_that_it_has_never_seen_are_counted(
    trained: Path, other: Path, unknown: str, words: str
) -> None:
    text = other.read_text()
    other.write_text(f"É{text}éé{text}")
    args = (trained / "run", other, "--unknown", unknown)
    found = evaluated(*args)
    assert found["unknown"] == unknown
    assert found["unknown_chars"] == 3
    assert found["unknown_share"] == pytest.approx(3 / (2 * len(text) + 3))
    assert found["num_chars"] == 2 * len(text) - 1 + 3 * (unknown == "nearest")
    assert f"3 of {2 * len(text) + 3:,} (0.2%) characters were {words}" in shown(*args)
    assert "characters were" not in shown(trained / "run", trained / "text.txt")


def test_windows_are_a_protocol_of_their_own_and_always_the_same_ones(trained: Path) -> None:
    text = trained / "text.txt"
    stream, windows, again = (
        evaluated(trained / "run", text, "--protocol", protocol)
        for protocol in ("stream", "windows", "windows")
    )
    assert windows == again
    assert windows["protocol"] == "windows"
    assert windows["bits_per_char"] != stream["bits_per_char"]


def test_for_people_the_figures_stand_in_sentences(trained: Path) -> None:
    text_shown = shown(trained / "run", trained / "text.txt")
    assert "bits per character" in text_shown
    assert "the held-out end of the training text; protocol stream" in text_shown
    found = evaluated(trained / "run", trained / "text.txt")["baselines"]
    name = f"n-gram counts (Kneser–Ney, order {found['ngram_order']})"
    assert f"{name}: {found['ngram']:.4f} · xz: {found['xz']:.4f}\n" in text_shown


def test_unseen_characters_are_named_or_skipped(trained: Path, other: Path) -> None:
    other.write_text("Bada Ω ba.\n")
    assert_refused(burble("eval", trained / "run", other), 3, "'Ω' (U+03A9)")
    assert evaluated(trained / "run", other, "--unknown", "skip")["num_chars"] == 9


def test_a_text_in_another_encoding_is_read_where_that_is_named(trained: Path, other: Path) -> None:
    text = trained / "text.txt"
    other.write_text(text.read_text("utf-8"), "utf-16")
    assert_refused(burble("eval", trained / "run", other), 3, "--encoding")
    found = evaluated(trained / "run", other, "--no-baselines", "--encoding", "utf-16")
    assert found == evaluated(trained / "run", text, "--no-baselines")
