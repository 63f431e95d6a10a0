"""Without torch, everything works that does not need a GPU, bfloat16 or several processes."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

nbformat = pytest.importorskip("nbformat")
for needed in ("nbclient", "ipykernel", "matplotlib"):
    pytest.importorskip(needed)

from burble import load
from docs.make_tutorial import DOCS, NOTEBOOK, pictures
from tests.environments import build_wheel, make_environment
from tests.lesson import assert_traced, read_printed
from tests.serving.server import train_on_the_page
from tests.training.runs import write_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Burble = Callable[..., str]

RUN_NOTEBOOK = """
import sys
import nbformat
from make_tutorial import execute
notebook = nbformat.read(sys.argv[1], as_version=4)
execute(notebook, ".")
nbformat.write(notebook, sys.argv[2])
"""
# The first one waits for the compiler, and the lesson trains nine networks.
pytestmark = pytest.mark.timeout(900)

SMALL = ("--hidden-size", "32", "--batch-size", "4", "--seq-len", "16")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Python of an environment that holds what `pip install burble` brings."""
    return make_environment(tmp_path_factory.mktemp("core"), wheel, "burble")


@pytest.fixture
def burble(python: Path, tmp_path: Path) -> Burble:
    """Run a command of that environment; it must succeed, and what it printed is returned."""

    def run(*args: str | Path, code: int = 0) -> str:
        result = subprocess.run(
            [python.parent / "burble", *args],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONWARNINGS": "error"},
            check=False,
            timeout=120,
        )
        assert result.returncode == code, result.stderr
        return result.stdout if code == 0 else result.stderr

    return run


def imports(python: Path, name: str) -> bool:
    command = [python, "-c", f"import {name}"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_plain_install_has_no_optional_package(python: Path) -> None:
    assert imports(python, "burble.native.library")
    for name in ("torch", "matplotlib", "tensorboard", "onnx", "fastapi"):
        assert not imports(python, name), name


def test_it_trains_resumes_writes_and_scores(burble: Burble, tmp_path: Path) -> None:
    text = write_text(tmp_path)
    trained = json.loads(burble("train", text, *SMALL, "--steps", "30", "-o", "run", "--json"))
    assert trained["steps"] == 30
    resumed = json.loads(burble("train", "--resume", "run", "--steps", "60", "--json"))
    assert resumed["steps"] == 60
    assert resumed["val_bits_per_char"] < trained["val_bits_per_char"]
    assert len(burble("generate", "run", "B", "--length", "50", "--seed", "1").strip()) >= 50
    assert json.loads(burble("eval", "run", text, "--json"))["bits_per_char"] > 0
    assert "hidden_size" in burble("plan", text, "--json")


def test_its_doctor_names_the_learner_that_it_has(burble: Burble) -> None:
    found = json.loads(burble("doctor", "--json"))
    assert found["learner"].startswith("native, kernel ")
    assert found["torch"].startswith("not installed")


def test_what_torch_alone_can_do_names_the_line_that_installs_it(
    burble: Burble, tmp_path: Path
) -> None:
    told = burble("train", write_text(tmp_path), "--learner", "torch", "-o", "run", code=2)
    assert "'torch>=2.4'" in told
    assert not (tmp_path / "run").exists()


def test_the_page_trains(tmp_path: Path, wheel: Path) -> None:
    python = make_environment(tmp_path / "venv", wheel, "burble[serve]")
    train_on_the_page(tmp_path, [str(python), "-m", "burble"])
    assert not imports(python, "torch")


def test_the_lesson_runs_from_top_to_bottom(tmp_path: Path, wheel: Path) -> None:
    python = make_environment(
        tmp_path / "venv", wheel, "burble[plots]", "ipykernel", "nbclient", "nbformat"
    )
    before = nbformat.read(NOTEBOOK, as_version=4)
    ran = tmp_path / "ran.ipynb"
    subprocess.run(
        [python, "-c", RUN_NOTEBOOK, NOTEBOOK, ran],
        env=os.environ | {"PYTHONPATH": str(DOCS), "BURBLE_TUTORIAL_MINUTES": "0.05"},
        cwd=tmp_path,
        check=True,
    )
    after = nbformat.read(ran, as_version=4)
    outputs = [output for cell in after.cells for output in cell.get("outputs", [])]
    assert outputs
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert pictures(after).keys() == pictures(before).keys()
    assert not imports(python, "torch")
    printed = read_printed(after)
    small = load(tmp_path / "runs" / "tutorial" / "small.safetensors")
    assert_traced(printed, small.trace(printed.word))
