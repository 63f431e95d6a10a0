from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from burble.cli.main import COMMANDS
from burble.model_file import Provenance
from burble.version import __version__
from tests.cli.command import assert_refused, burble, burble_process, said
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path


def test_the_version_is_told() -> None:
    assert burble("--version").stdout.decode() == f"burble {__version__}\n"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["trian"], ["no command 'trian'", "Did you mean train?"]),
        (["generate", "m", "--temprature", "1"], ["--temperature"]),
        (["generate", "m", "--length"], ["--length lacks its value.", "burble generate --help"]),
        (["generate", "a", "b", "c"], ['in quotes: burble generate a "b c"']),
        (["generate"], ["No model is named.", "burble train my-text.txt"]),
    ],
)
def test_a_mistake_says_what_was_meant_and_where_help_is(args: list[str], words: list[str]) -> None:
    assert_refused(burble(*args), 2, *words)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("burble tr", {"plain,train"}),
        ("burble generate --top", {"plain,--top-k", "plain,--top-p"}),
        ("burble train --cell l", {"plain,lstm"}),
    ],
)
def test_a_shell_can_complete(words: str, offered: set[str]) -> None:
    typed = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = burble_process(_BURBLE_COMPLETE="bash_complete", **typed)
    assert set(result.stdout.decode().split()) == offered


@pytest.mark.parametrize(
    ("modules", "never"),
    [
        ("burble", {"numpy", "rich", "click"}),
        ("burble.api, burble.run_hooks", {"torch"}),
        (", ".join(f"burble.cli.commands.{name}" for name in COMMANDS), {"torch", "matplotlib"}),
        ("burble.serving.app, burble.serving.playground.inside", {"torch", "matplotlib"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(modules: str, never: set[str]) -> None:
    code = f"import sys, {modules}; sys.exit(str({never} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.stderr.strip() == b"set()"


@pytest.mark.parametrize(
    ("package", "args", "line"),
    [
        ("torch", ["train", "python-docs", "--learner", "torch", "-o", "OUT"], "'torch>=2.4'"),
        ("onnx", ["export", "MODEL", "--to", "onnx", "-o", "OUT.onnx"], "'onnx>=1.16'"),
        ("matplotlib", ["inspect", "MODEL", "bad", "--png", "OUT.png"], "'matplotlib>=3.8'"),
        (
            "fastapi",
            ["serve", "MODEL"],
            "'fastapi>=0.115' 'httptools>=0.6.3' 'uvicorn<0.55,>=0.54'",
        ),
    ],
)
def test_without_a_package_the_line_that_installs_it_is_told(
    tmp_path: Path, package: str, args: list[str], line: str
) -> None:
    random_model().save(tmp_path / "MODEL")
    # As where it is not installed.
    code = f"import sys; sys.modules['{package}'] = None; from burble.cli.main import main; main()"
    command = [sys.executable, "-c", code, *args]
    result = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False)
    assert_refused(result, 2, f"-m pip install {line}")
    assert [path.name for path in tmp_path.iterdir()] == ["MODEL"]


def test_a_warning_is_one_line_for_a_person(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    random_model(provenance=Provenance(int8_cost_bits=0.25)).save(path)
    result = burble_process("generate", path, "a", "--seed", "1", "--length", "5")
    assert result.returncode == 0
    assert said(result).startswith("burble: In int8 this model would lose 0.2500 bits")
    assert said(result).count("\n") == 1
