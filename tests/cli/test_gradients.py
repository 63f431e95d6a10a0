from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from burble.cli.views.gradients import Measured, Report, first_below
from tests.cli.command import assert_refused, burble, burble_json, succeed
from tests.models import random_model
from tests.training.runs import made_up_text, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from burble.cells import CellKind

VOCABULARY = "".join(sorted(set(made_up_text())))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pair")
    write_text(folder)
    cells: tuple[CellKind, ...] = ("rnn", "lstm", "gru")
    for cell in cells:
        random_model(cell=cell, vocabulary=VOCABULARY).save(folder / f"{cell}.safetensors")
    random_model(vocabulary=VOCABULARY, hidden_size=9).save(folder / "small.safetensors")
    return folder


def test_two_models_are_measured(pair: Path) -> None:
    models = ("--models", pair / "lstm.safetensors", pair / "rnn.safetensors")
    found = burble_json("gradients", pair / "text.txt", *models)
    states = [(curve["state"], curve["trained"]) for curve in found["curves"]]
    names = ["rnn hidden", "lstm hidden", "lstm cell"]
    assert states == [(name, trained) for name in names for trained in (False, True)]
    assert all(len(curve["relative_norm"]) == 201 for curve in found["curves"])
    assert found["hidden_size"] == 12
    assert "100 characters back" in found["conclusion"]


def test_both_are_trained_on_a_text_and_drawn(tmp_path: Path) -> None:
    text, figure = write_text(tmp_path, sentences=150), tmp_path / "flow.svg"
    options = ("--steps", "3", "--hidden-size", "8", "--png", figure)
    result = succeed("gradients", text, *options)
    shown = result.stdout.decode()
    assert all(len(line) <= 80 for line in shown.splitlines()[1:8])
    assert "lstm cell, trained" in shown
    assert "rnn on held-out text:" in shown
    assert "lstm cell, trained" in figure.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flow.svg", "text.txt"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("rnn", "gru"), "must be an rnn and an lstm; found rnn, gru"),
        (("lstm", "lstm"), "found lstm, lstm"),
        (("rnn", "small"), "found rnn 1×12 (embedding) and lstm 1×9 (embedding)"),
    ],
)
def test_an_unfair_pair_is_refused(pair: Path, names: tuple[str, str], words: str) -> None:
    models = [pair / f"{name}.safetensors" for name in names]
    assert_refused(burble("gradients", pair / "text.txt", "--models", *models), 2, words)


def test_what_cannot_be_done_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    text = write_text(tmp_path)
    assert_refused(burble("gradients", text, "--png", tmp_path / "x.gif"), 2, ".png, .svg or .pdf")
    assert_refused(burble("gradients", "-", stdin=b"abc"), 2, "can be read only once")
    assert_refused(burble("gradients", tmp_path / "none.txt"), 3, "none.txt")
    assert_refused(burble("gradients", text, "--steps", "0"), 2, "--steps must be between")


def test_a_held_out_part_too_short_to_go_back_in_is_told(tmp_path: Path) -> None:
    text = write_text(tmp_path, sentences=20)
    options = ("--steps", "1", "--hidden-size", "4", "--seq-len", "8")
    assert_refused(burble("gradients", text, *options), 3, "at least 252 characters")


def faded(by: float, start: float = 1.0) -> list[float]:
    return [1.0] + [start * by**back for back in range(1, 201)]


def concluded(rnn: list[float], cell: list[float]) -> str:
    lstm_hidden = faded(0.1)
    one, other = random_model(cell="rnn"), random_model()
    rnn_flow, lstm_flow = {"hidden": rnn}, {"hidden": lstm_hidden, "cell": cell}
    return Report(
        Measured(one, rnn_flow, rnn_flow), Measured(other, lstm_flow, lstm_flow)
    ).conclusion()


@pytest.mark.parametrize(
    ("rnn", "cell", "words"),
    [
        (faded(0.5), faded(0.999), "is what these networks show"),
        (faded(0.5), faded(0.97), "nearly what these networks show"),
        (faded(0.5), faded(0.9), "only half true here: it vanishes in both, in the lstm more"),
        (faded(0.9), faded(0.9), "not what these networks show: it vanishes in both"),
        (faded(0.99), faded(0.999), "does not show here: the rnn has not lost it"),
        (faded(1.1), faded(0.999), "explodes: at its peak it is 2e+08 times"),
    ],
)
def test_the_verdict_follows_from_the_figures(
    rnn: list[float], cell: list[float], words: str
) -> None:
    assert words in concluded(rnn, cell)


def test_the_reach_is_told_in_characters() -> None:
    told = concluded(faded(0.5), faded(0.999))
    assert "trained rnn hidden state half of the gradient is gone after 2 characters, 99% " in told
    assert "99% after 7 characters" in told
    assert "trained lstm cell state half of the gradient is gone nowhere in reach" in told


def test_a_share_counts_from_where_the_gradient_stays_below_it() -> None:
    assert first_below([1, 0.4, 0.6, 0.4, 0.3], 0.5) == 3
    assert first_below([1, 0.9, 0.8], 0.5) is None
    assert first_below([1, 0.1], 0.5) == 1
