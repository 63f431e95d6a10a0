from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from burble.cli.main import COMMANDS
from burble.model_file import Provenance
from burble.version import __version__
from tests.cli.command import assert_refused, burble, burble_process, said
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path

# As on a machine where torch is not installed.
WITHOUT_TORCH: Final = """
import sys
sys.modules["torch"] = None
from burble.cli.main import main
main(sys.argv[1:])
"""


def without_torch(*args: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", WITHOUT_TORCH, *args]
    return subprocess.run(command, capture_output=True, check=False)


def test_help_names_every_command() -> None:
    result = burble("--help")
    assert result.returncode == 0
    assert all(name in result.stdout.decode() for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_80_columns(name: str) -> None:
    result = burble(name, "--help")
    assert result.returncode == 0, said(result)
    shown = result.stdout.decode()
    assert shown.startswith(f"Usage: burble {name} ")
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_no_command_needs_torch_for_its_help() -> None:
    every = f"""
import sys
from burble.cli.main import run
codes = [run([name, "--help"]) for name in {list(COMMANDS)}]
sys.exit(any(codes) or "torch" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", every], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_version_is_told() -> None:
    assert burble("--version").stdout.decode() == f"burble {__version__}\n"


def test_a_misspelt_command_is_guessed() -> None:
    assert_refused(burble("trian"), 2, "no command 'trian'", "Did you mean train?")


def test_a_misspelt_option_is_guessed() -> None:
    assert_refused(burble("generate", "m", "--temprature", "1"), 2, "--temperature")


def test_a_mistake_says_where_help_is() -> None:
    assert_refused(burble("generate"), 2, "Missing argument 'MODEL'", "See burble generate --help.")


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


@pytest.mark.parametrize("module", ["burble", "burble.api", "burble.cli.commands.generate"])
def test_torch_is_not_imported(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_burble_imports_nothing_heavy() -> None:
    code = "import sys, burble; sys.exit(bool({'numpy', 'rich', 'click'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_training_without_torch_names_the_extra_to_install() -> None:
    result = without_torch("train", "python-docs", "-o", "/nonexistent/run")
    assert_refused(result, 2, "-m pip install 'torch>=2.4'")


def test_a_warning_is_one_line_for_a_person(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    random_model(provenance=Provenance(int8_cost_bits=0.25)).save(path)
    result = burble_process("generate", path, "a", "--seed", "1", "--length", "5")
    assert result.returncode == 0
    assert said(result).startswith("burble: In int8 this model would lose 0.2500 bits")
    assert said(result).count("\n") == 1
