"""`burble.train` as a user of the library calls it."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

import burble
from burble.config import PRESETS, from_toml
from burble.engine.kernels import MAX_INT8_COST
from burble.errors import BurbleError, TextError, UsageError
from tests.training.runs import TINY, made_up_text, write_text

if TYPE_CHECKING:
    from pathlib import Path


def test_a_model_is_trained_writes_scores_and_is_saved(tmp_path: Path) -> None:
    model = burble.train(write_text(tmp_path), **TINY)
    written = model.generate("Ba", length=50, temperature=0.7, seed=1)
    assert len(written) == 50
    assert "".join(model.stream("Ba", length=50, temperature=0.7, seed=1)) == written
    assert model.score("Bada ba.").bits_per_char > 0
    model.save(tmp_path / "model.safetensors")
    again = burble.load(tmp_path / "model.safetensors")
    assert again.generate("Ba", length=50, temperature=0.7, seed=1) == written


def test_without_a_folder_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write_text(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    burble.train(text, **TINY)
    assert list(scratch.iterdir()) == []


def test_with_a_folder_the_run_is_there(tmp_path: Path) -> None:
    model = burble.train(write_text(tmp_path), out=tmp_path / "run", **TINY)
    assert model.folder == tmp_path / "run"
    assert model.random_prompt(20, seed=0) in made_up_text()
    cost = model.file.provenance.int8_cost_bits
    assert cost is not None
    assert 0 < abs(cost) < MAX_INT8_COST
    with pytest.raises(UsageError, match="already holds a run"):
        burble.train(tmp_path / "text.txt", out=tmp_path / "run", **TINY)
    burble.train(tmp_path / "text.txt", out=tmp_path / "run", overwrite=True, **TINY)


def test_several_sources_and_a_preset(tmp_path: Path) -> None:
    first = write_text(tmp_path)
    second = tmp_path / "second.txt"
    second.write_text(made_up_text(20, seed=1))
    tutorial = PRESETS["tutorial"]
    options = {"steps": 1, "hidden_size": 8}
    burble.train([first, str(second)], preset=tutorial, out=tmp_path / "run", **options)
    saved = from_toml((tmp_path / "run" / "run.toml").read_text(), "run.toml")
    settled = {"sources": [str(first), str(second)], "device": saved.training.device}
    assert saved == tutorial.with_options({**settled, **options})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hiden_size": 8}, "no option 'hiden_size'"),
        ({"hidden_size": "8"}, "hidden_size must be a whole number"),
        ({"cell": "transformer"}, "cell must be one of lstm, gru, rnn"),
        ({"minutes": -1}, "minutes must be between"),
    ],
)
def test_a_wrong_option_is_one_message(
    tmp_path: Path, options: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        burble.train(write_text(tmp_path), **options)


def test_no_place_for_a_run_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc")
    with pytest.raises(BurbleError, match=r"/proc cannot be written.*TMPDIR"):
        burble.train("python-docs", steps=1)


def test_a_missing_text_is_one_message() -> None:
    with pytest.raises(TextError, match="no file or folder"):
        burble.train("nothing-here.txt", minutes=0.1)


def test_public_names_are_these() -> None:
    assert burble.__all__ == ["Model", "__version__", "load", "train"]
    assert all(hasattr(burble, name) for name in burble.__all__)
