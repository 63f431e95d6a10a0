"""`burble.train` as a user of the library calls it."""

from __future__ import annotations

import ast
import inspect
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import Field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import burble
from burble import config, errors
from burble.config import PRESETS, SECTIONS, SamplingConfig
from burble.engine.kernels import MAX_INT8_COST
from burble.errors import BurbleError, TextError, UsageError
from burble.folder_names import CONFIG_NAME
from burble.model_file import ModelFile
from burble.run_toml import from_toml, read_config
from tests.models import random_model
from tests.training.runs import TINY, made_up_text, write_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_model_is_trained_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text, scratch = write_text(tmp_path), tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    model = burble.train(text, **TINY)
    assert list(scratch.glob("burble-*")) == []
    assert capfd.readouterr() == ("", "")
    assert model.run is not None
    assert model.run.result.model is None
    written = model.generate("Ba", length=50, temperature=0.7, seed=1)
    assert len(written) == 50
    assert "".join(model.stream("Ba", length=50, temperature=0.7, seed=1)) == written
    assert model.score("Bada ba.").bits_per_char > 0
    model.save(tmp_path / "model.safetensors")
    again = burble.load(tmp_path / "model.safetensors")
    assert again.generate("Ba", length=50, temperature=0.7, seed=1) == written


def test_with_a_folder_the_run_is_there_and_the_model_knows_it(tmp_path: Path) -> None:
    model = burble.train(write_text(tmp_path), out=tmp_path / "run", **TINY)
    assert model.folder == tmp_path / "run"
    assert model.random_prompt(20, seed=0) in made_up_text()
    cost = model.file.provenance.int8_cost_bits
    assert cost is not None
    assert 0 < abs(cost) < MAX_INT8_COST
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
    with pytest.raises(UsageError, match="already contains a run"):
        burble.train(tmp_path / "text.txt", out=tmp_path / "run", **TINY)
    burble.train(tmp_path / "text.txt", out=tmp_path / "run", overwrite=True, **TINY)


@pytest.mark.parametrize("preset", ["tutorial", PRESETS["tutorial"]], ids=["name", "config"])
def test_several_sources_and_a_preset(tmp_path: Path, preset: Any) -> None:
    first = write_text(tmp_path)
    second = tmp_path / "second.txt"
    second.write_text(made_up_text(20, seed=1))
    tutorial = PRESETS["tutorial"]
    options = {"steps": 1, "hidden_size": 8}
    burble.train([first, str(second)], preset=preset, out=tmp_path / "run", **options)
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
        ({"hidden_size": np.float64(8)}, "hidden_size must be a whole number"),
        ({"hidden_size": True}, "hidden_size must be a whole number"),
        ({"preset": "keras"}, "preset must be one of tutorial; found 'keras'"),
        ({"preset": {}}, "preset must be one of tutorial"),
    ],
)
def test_a_wrong_option_is_one_message(
    tmp_path: Path, options: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        burble.train(write_text(tmp_path), **options)


def test_a_text_in_place_of_its_name_is_not_echoed() -> None:
    with pytest.raises(TextError, match="looks like a text, not like its name") as caught:
        burble.train(made_up_text(50))
    assert len(str(caught.value)) < 250
    # In Python's voice.
    assert str(caught.value).endswith("Save the text to a file, and give the name of that file.")


class StoppingStream(io.StringIO):
    """Sends the signal of Ctrl-C when the first figures of the held-out text are shown."""

    def write(self, text: str) -> int:
        if "held-out" in text and "held-out" not in self.getvalue():
            os.kill(os.getpid(), signal.SIGINT)
        return super().write(text)


def test_a_run_stopped_without_a_folder_gives_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", StoppingStream())
    with pytest.raises(burble.TrainingInterruptedError) as stopped:
        burble.train(write_text(tmp_path), progress=True, **TINY)
    assert str(stopped.value) == "Stopped at step 1. The best model is in the error's `model`."
    assert stopped.value.exit_code == 130
    assert stopped.value.model is not None
    assert len(stopped.value.model.generate(length=10)) == 10


def test_a_run_that_diverges_without_a_folder_gives_its_model(tmp_path: Path) -> None:
    with pytest.raises(burble.UnfinishedError, match="diverged at step") as diverged:
        burble.train(write_text(tmp_path), learning_rate=1e38, warmup_steps=0, **TINY)
    assert str(diverged.value).endswith(
        "The best model is in the error's `model`. Try a smaller learning rate."
    )
    assert diverged.value.model is not None
    assert len(diverged.value.model.generate(length=10)) == 10


def test_a_run_stopped_before_it_learns_has_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("burble.training.run.prepare_to_learn", stop)
    with pytest.raises(burble.TrainingInterruptedError) as stopped:
        burble.train(write_text(tmp_path), **TINY)
    assert str(stopped.value) == "Stopped before the first step. There is no model."
    assert stopped.value.model is None


@pytest.mark.parametrize("sources", [3, [3], b"text.txt", []], ids=repr)
def test_what_is_no_source_is_one_message(sources: Any) -> None:
    with pytest.raises(UsageError, match="sources must be a path"):
        burble.train(sources)


def test_options_may_be_numbers_of_numpy(tmp_path: Path) -> None:
    options = TINY | {"steps": np.int64(1), "learning_rate": np.float32(0.5), "minutes": np.int8(5)}
    model = burble.train(write_text(tmp_path), **options)
    assert model.run is not None
    training = model.run.config.training
    assert (training.steps, training.learning_rate, training.minutes) == (1, 0.5, 5.0)
    assert all(type(one) in {int, float, str, bool, type(None)} for one in vars(training).values())


PROGRAM = """
import os, sys
import burble
sys.stderr = None  # as in a program without a console
burble.train(sys.argv[1], progress=True, steps=1, hidden_size=8)
print(os.environ.keys() & {"GOMP_SPINCOUNT", "OPENBLAS_NUM_THREADS"})
"""


def test_a_program_keeps_its_environment_and_needs_no_stderr(tmp_path: Path) -> None:
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    args = [sys.executable, "-c", PROGRAM, write_text(tmp_path)]
    done = subprocess.run(args, env=kept, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_no_place_for_a_run_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc")
    with pytest.raises(BurbleError, match=r"/proc cannot be written.*TMPDIR"):
        burble.train("python-docs", steps=1)


def test_a_missing_text_is_one_message() -> None:
    with pytest.raises(TextError, match="no file or folder"):
        burble.train("nothing-here.txt", minutes=0.1)


@pytest.mark.parametrize("text", ["It was a dark night. " * 20, "one line\nanother line"])
def test_a_text_in_place_of_its_name_is_not_echoed_whole(text: str) -> None:
    with pytest.raises(TextError, match="looks like a text, not like its name") as refused:
        burble.train(text)
    assert "Save the text to a file" in str(refused.value)
    assert len(str(refused.value)) < 250


def test_public_names_are_the_functions_the_model_and_every_error() -> None:
    found = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert set(burble.__all__) == {"Model", "__version__", "load", "train"} | found
    assert all(hasattr(burble, name) for name in burble.__all__)
    assert dir(burble) == sorted(burble.__all__)


def parameters(function: Callable[..., object]) -> dict[str, tuple[object, object]]:
    """The type of each parameter, as it is written, and its default."""
    found = inspect.signature(function).parameters.values()
    return {parameter.name: (parameter.annotation, parameter.default) for parameter in found}


OWN = {
    burble.train: {"sources", "out", "preset", "overwrite", "progress"},
    burble.Model.generate: {"self", "prompt", "length", "stop", "seed", "window", "unknown"},
    burble.Model.stream: {"self", "prompt", "length", "stop", "seed", "window", "unknown"},
}


def knobs_taken_by(function: Callable[..., object]) -> list[Field[Any]]:
    sections = SECTIONS.values() if function is burble.train else [SamplingConfig]
    return [knob for section in sections for knob in fields(section)]


@pytest.mark.parametrize("function", OWN)
def test_a_notebook_sees_a_parameter_for_each_knob(function: Callable[..., object]) -> None:
    knobs = {knob.name: (knob.type, knob.default) for knob in knobs_taken_by(function)}
    found = parameters(function)
    assert knobs.items() <= found.items()
    assert found.keys() == OWN[function] | knobs.keys()


@pytest.mark.parametrize("function", OWN)
def test_an_editor_sees_a_parameter_for_each_knob(function: Callable[..., object]) -> None:
    written = inspect.unwrap(function)
    (options,) = set(parameters(written)) - OWN[function]
    (name,) = re.findall(r"^Unpack\[(\w+)\]$", written.__annotations__[options])
    tree = ast.walk(ast.parse(inspect.getsource(config)))
    (typed,) = (node for node in tree if isinstance(node, ast.ClassDef) and node.name == name)
    names = [node for node in typed.body if isinstance(node, ast.AnnAssign)]
    assert [f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}" for node in names] == [
        f"{knob.name}: {ast.unparse(ast.parse(knob.type))}" for knob in knobs_taken_by(function)
    ]


@pytest.mark.parametrize("out", [5, b"run", ""], ids=repr)
def test_a_folder_that_is_no_path_is_told_before_anything_is_read(out: Any) -> None:
    with pytest.raises(UsageError, match="out must be a path; found"):
        burble.train("absent.txt", out=out)


def test_another_name_is_refused_as_python_does() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'minute'"):
        burble.train("python-docs", minute=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'lenght'"):
        burble.Model(random_model()).generate(lenght=1)


def test_progress_is_shown_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    burble.train(write_text(tmp_path), progress=True, **TINY)
    out, err = capsys.readouterr()
    assert out == ""
    assert "100% · step 80" in err


@pytest.mark.torch
def test_training_leaves_the_global_random_numbers_of_torch_alone(tmp_path: Path) -> None:
    import torch

    before = torch.get_rng_state()
    burble.train(write_text(tmp_path), learner="torch", **TINY)
    assert torch.get_rng_state().equal(before)


def test_the_number_of_threads_changes_no_bit_of_the_model(tmp_path: Path) -> None:
    text, saved = write_text(tmp_path), []
    for threads in (1, 2, 3, 7):
        path = tmp_path / f"{threads}.safetensors"
        burble.train(text, learner="native", threads=threads, **TINY).save(path)
        saved.append(ModelFile.load(path).weights)
    for weights in saved[1:]:
        assert weights.keys() == saved[0].keys()
        for name, values in weights.items():
            assert np.array_equal(values, saved[0][name]), name
