"""`burble.train` as a user of the library calls it."""

from __future__ import annotations

import inspect
import tempfile
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

import burble
from burble import errors
from burble.config import PRESETS, SECTIONS, SamplingConfig
from burble.engine.kernels import MAX_INT8_COST
from burble.errors import BurbleError, TextError, UsageError
from burble.folder_names import CONFIG_NAME
from burble.run_toml import from_toml, read_config
from burble.training.request import NOT_GIVEN
from tests.training.runs import TINY, made_up_text, write_text

if TYPE_CHECKING:
    from collections.abc import Callable
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
    chosen = {"learner": saved.training.learner, "device": saved.training.device}
    settled = {"sources": [str(first), str(second)], **chosen}
    assert saved == tutorial.with_options({**settled, **options})


@pytest.mark.parametrize(
    ("options", "words"),
    [
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


def test_public_names_are_the_functions_the_model_and_every_error() -> None:
    found = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert set(burble.__all__) == {"Model", "__version__", "load", "train"} | found
    assert all(hasattr(burble, name) for name in burble.__all__)


def typed(function: Callable[..., object]) -> dict[str, tuple[object, object]]:
    """The type of each parameter, as it is written, and its default."""
    found = inspect.signature(function).parameters.values()
    return {parameter.name: (parameter.annotation, parameter.default) for parameter in found}


def test_train_has_a_typed_parameter_for_each_option() -> None:
    knobs = [knob for section in SECTIONS.values() for knob in fields(section)]
    found = typed(burble.train)
    assert {knob.name: (knob.type, NOT_GIVEN) for knob in knobs}.items() <= found.items()
    others = {"sources", "out", "preset", "overwrite", "progress"}
    assert found.keys() == others | {knob.name for knob in knobs}


@pytest.mark.parametrize("function", [burble.Model.generate, burble.Model.stream])
def test_generate_has_a_typed_parameter_for_each_way_to_choose(
    function: Callable[..., object],
) -> None:
    knobs = fields(SamplingConfig)
    found = typed(function)
    assert {knob.name: (knob.type, knob.default) for knob in knobs}.items() <= found.items()
    others = {"self", "prompt", "length", "stop", "seed", "window", "unknown"}
    assert found.keys() == others | {knob.name for knob in knobs}


def test_a_trained_model_knows_its_run_and_its_verdict(tmp_path: Path) -> None:
    model = burble.train(write_text(tmp_path), out=tmp_path / "run", **TINY)
    assert model.run is not None
    assert model.run.folder == tmp_path / "run"
    assert model.run.config == read_config(tmp_path / "run" / CONFIG_NAME)
    assert model.run.result.steps == TINY["steps"]
    assert model.run.metrics().validations[-1].step == TINY["steps"]
    assert model.verdict == model.run.result.diagnosis
    assert model.verdict
    bits = model.run.result.val_bits_per_char
    vocab_size = model.file.tokenizer.vocab_size
    name = f"<burble.Model lstm 1×24, {vocab_size} characters, {bits:.2f} bits per character>"
    assert repr(model) == name
    loaded = burble.load(tmp_path / "run")
    assert repr(loaded) == name
    assert loaded.run is loaded.verdict is None


def test_progress_is_shown_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write_text(tmp_path)
    burble.train(text, **TINY)
    assert capsys.readouterr() == ("", "")
    burble.train(text, progress=True, **TINY)
    out, err = capsys.readouterr()
    assert out == ""
    assert "100% · step 80" in err


def test_training_leaves_the_global_random_numbers_of_torch_alone(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is an extra")
    before = torch.get_rng_state()
    burble.train(write_text(tmp_path), **TINY)
    assert torch.get_rng_state().equal(before)
