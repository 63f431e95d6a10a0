from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from burble.cells import CELLS, MEANINGS, CellKind
from burble.engine.trace import trace
from burble.errors import UsageError
from burble.inspection.trace.document import document
from burble.inspection.trace.guesses import guesses_before
from burble.inspection.trace.series import Choice, chosen_series, surprisal_series
from burble.inspection.trace.tokens import running_text, token_label
from tests.inspection.readings import HOSTILE, read
from tests.models import random_model, uniform_model

if TYPE_CHECKING:
    from typing import Any

MODEL = random_model(num_layers=2)
TEXT = "a bad\nhag"
SEEN = read(MODEL, TEXT)


def described(choice: Choice | None = None, top: int = 3) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(document(MODEL, SEEN, choice or Choice(), top)))
    return found


# The document.


def test_a_document_has_every_token_with_what_was_expected_in_its_place() -> None:
    found = described()
    assert found["text"] == TEXT
    assert [token["text"] for token in found["tokens"]] == list(TEXT)
    assert found["tokens"][0]["surprisal_bits"] is None
    assert found["tokens"][0]["guesses"] == []
    for token in found["tokens"][1:]:
        assert token["probability"] == pytest.approx(2 ** -token["surprisal_bits"])
        assert len(token["guesses"]) == 3
    assert len(found["next"]) == 3
    bits = [token["surprisal_bits"] for token in found["tokens"][1:]]
    assert found["bits_per_char"] == pytest.approx(np.mean(bits))


def test_in_context_the_first_token_was_predicted_too() -> None:
    ids = SEEN.ids
    end = document(MODEL, trace(MODEL, ids[4:], ids[:4]), Choice(), 3)
    for token, whole in zip(end["tokens"], described()["tokens"][4:], strict=True):
        assert token["surprisal_bits"] == pytest.approx(whole["surprisal_bits"])
        assert [guess["text"] for guess in token["guesses"]] == [
            guess["text"] for guess in whole["guesses"]
        ]
    bits = [token["surprisal_bits"] for token in end["tokens"]]
    assert end["bits_per_char"] == pytest.approx(np.mean(bits))


def test_all_guesses_together_are_certain() -> None:
    for guesses in guesses_before(SEEN, MODEL.tokenizer, 99)[1:]:
        assert sum(probability for _, probability in guesses) == pytest.approx(1)


def test_a_guess_that_came_has_the_probability_of_what_came() -> None:
    found = described(top=10)
    for token in found["tokens"][1:]:
        label = token_label(MODEL.tokenizer, token["id"])
        of_it = [guess["probability"] for guess in token["guesses"] if guess["text"] == label]
        assert of_it == [pytest.approx(token["probability"])]


def test_values_are_those_of_the_trace_by_gate_token_layer_and_unit() -> None:
    found = described()
    assert (found["layers"], found["units"]) == ([0, 1], list(range(12)))
    for gate, values in SEEN.values.items():
        np.testing.assert_allclose(found["values"][gate], values, atol=1e-5)


def test_of_the_values_only_the_chosen_are_given() -> None:
    found = described(Choice(layer=1, gate="forget", unit=7))
    assert (found["layers"], found["units"]) == ([1], [7])
    assert list(found["values"]) == ["forget"]
    np.testing.assert_allclose(
        np.array(found["values"]["forget"])[:, 0, 0], SEEN.values["forget"][:, 1, 7], atol=1e-5
    )


def test_one_token_alone_has_no_bits_per_character() -> None:
    assert document(MODEL, read(MODEL, "a"), Choice(), 3)["bits_per_char"] is None


# What can be chosen.


@pytest.mark.parametrize("cell", get_args(CellKind))
def test_every_value_of_every_cell_is_explained(cell: CellKind) -> None:
    values = read(random_model(cell=cell), "ab").values
    assert set(values) == set(CELLS[cell].values) <= set(MEANINGS)


@pytest.mark.parametrize("cell", get_args(CellKind))
def test_values_lie_where_they_are_said_to(cell: CellKind) -> None:
    model = random_model(cell=cell, scale=3.0)
    for name, values in read(model, TEXT * 9).values.items():
        assert values.max() <= 1 or not MEANINGS[name].is_bounded
        assert (
            values.min() >= (-1 if MEANINGS[name].is_signed else 0) or not MEANINGS[name].is_bounded
        )


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(gate="reset"), "forget, input, candidate, output, cell, hidden"),
        (Choice(layer=2), "no layer 2. It has layers 0 to 1"),
        (Choice(layer=-1), "no layer -1"),
        (Choice(unit=12), "no unit 12. It has units 0 to 11"),
    ],
)
def test_what_is_not_there_is_refused(choice: Choice, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choice.check(SEEN)


# Series.


def test_a_series_is_a_unit_or_the_mean_of_its_layer() -> None:
    of_unit = chosen_series(SEEN, Choice(layer=0, gate="input", unit=4), "cell")
    assert np.array_equal(of_unit.values, SEEN.values["input"][:, 0, 4])
    assert of_unit.title == "input, unit 4 of layer 0"
    mean = chosen_series(SEEN, Choice(gate="input"), "cell")
    np.testing.assert_allclose(mean.values, SEEN.values["input"][:, 1].mean(axis=1))
    assert mean.title == "input, mean of layer 1"
    assert chosen_series(SEEN, Choice(unit=4), "cell").name == "cell"


def test_shares_are_the_whole_range_of_what_is_shown() -> None:
    memory = chosen_series(SEEN, Choice(unit=4), "cell")
    assert memory.is_signed
    assert np.abs(memory.shares()).max() == pytest.approx(1)
    mean = chosen_series(SEEN, Choice(gate="input"), "cell").shares()
    assert (mean.min(), mean.max()) == pytest.approx((0, 1))
    gate = chosen_series(SEEN, Choice(gate="input", unit=4), "cell")
    np.testing.assert_allclose(gate.shares(), gate.values)


def test_a_surprise_beyond_the_range_is_cut_to_it() -> None:
    shares = surprisal_series(read(random_model(head_scale=90.0), TEXT)).shares()
    assert np.isnan(shares[0])
    assert np.nanmax(shares) == 1
    level = surprisal_series(read(uniform_model(), TEXT)).shares()[1:]
    np.testing.assert_allclose(level, np.log2(10) / 8)


# Tokens.


def test_what_has_no_shape_is_shown_by_its_code_point() -> None:
    model = random_model(vocabulary=HOSTILE)
    labels = {c: token_label(model.tokenizer, int(model.tokenizer.encode(c)[0])) for c in HOSTILE}
    assert (labels[" "], labels["\n"], labels["\t"], labels["<"]) == ("␣", "⏎", "⇥", "<")
    assert (labels["\u202e"], labels["\x1b"], labels["\u2028"]) == ("U+202E", "U+001B", "U+2028")
    assert (labels["\u0301"], labels["\u05e9"]) == ("◌\u0301", "\u05e9")
    assert all(label.isprintable() for label in labels.values())


def test_the_running_text_keeps_its_layout() -> None:
    tokenizer = random_model(vocabulary=HOSTILE).tokenizer
    shown = running_text(tokenizer, tokenizer.encode("<a \n\t\u200f\x07s"[:1] + " \n\t\u200f\x07s"))
    assert shown == ["<", " ", "\n", "\t", "U+200F", "U+0007", "s"]


def test_bytes_are_shown_until_their_character_is_whole() -> None:
    tokenizer = random_model(vocabulary=None).tokenizer
    ids = tokenizer.encode("aé\ufffd")
    assert running_text(tokenizer, ids) == ["a", "<C3>", "é", "<EF>", "<BF>", "\ufffd"]
    assert [token_label(tokenizer, token) for token in (65, 0xA9, 10)] == ["A", "<A9>", "⏎"]


def test_a_vocabulary_may_hold_the_replacement_character() -> None:
    tokenizer = random_model(vocabulary="a\ufffd").tokenizer
    assert token_label(tokenizer, 1) == "\ufffd"
