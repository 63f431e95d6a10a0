"""A folder may hold files of strangers, named like what Python or burble imports."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models import random_model
from tests.serving.server import train_on_the_page

ROOT = Path(__file__).parent.parent

# Python itself loads these before it comes to burble under `python -m burble`; where only they are
# a stranger's, nothing that burble does could help.
PYTHONS_OWN = {
    *("importlib", "runpy", "pkgutil", "warnings", "contextlib", "collections", "keyword"),
    *("operator", "reprlib", "functools", "types", "abc", "os", "io", "stat", "codecs", "site"),
}
PACKAGES = {
    *("torch", "tensorboard", "fastapi", "uvicorn", "httptools", "starlette", "pydantic", "anyio"),
    *("numpy", "safetensors", "click", "rich", "charset_normalizer", "matplotlib", "onnx"),
    *("uvloop", "typing_extensions", "sitecustomize", "usercustomize", "dotenv", "h11"),
}
STRANGER = """import os
mark = os.open({marker!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(mark, b"{name} ")
raise SystemExit("a stranger: {name}")
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with a file of each name; whichever runs leaves its name in `ran`."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    add_strangers(folder, (PACKAGES | set(sys.stdlib_module_names)) - PYTHONS_OWN)
    (folder / "matplotlibrc").write_text("text.usetex: True\nsavefig.facecolor: red\n")
    return folder


def add_strangers(folder: Path, names: set[str]) -> None:
    for name in names:
        text = STRANGER.format(marker=str(folder / "ran"), name=name)
        (folder / f"{name}.py").write_text(text)


def begin(folder: Path, command: list[str]) -> list[str]:
    """The command; but for plain `-m` no name at all is safe to have."""
    if command != ["-m", "burble"]:
        add_strangers(folder, PYTHONS_OWN)
    return [console_script()] if command == ["script"] else [sys.executable, *command]


def ran(folder: Path) -> str:
    marker = folder / "ran"
    return marker.read_text() if marker.exists() else ""


def console_script() -> str:
    found = shutil.which("burble", path=Path(sys.executable).parent)
    assert found is not None
    return found


@pytest.mark.parametrize("command", [["-m", "burble"], ["-P", "-m", "burble"], ["script"]])
def test_no_file_of_the_working_folder_runs(hostile: Path, command: list[str]) -> None:
    start = begin(hostile, command)
    result = subprocess.run(
        [*start, "doctor", "--json"], cwd=hostile, capture_output=True, text=True, check=False
    )
    assert ran(hostile) == ""
    assert json.loads(result.stdout)["burble"]


def test_burble_is_found_in_the_folder_of_its_sources() -> None:
    """`python -m burble` beside the package, which is not installed there."""
    result = subprocess.run(
        [sys.executable, "-S", "-m", "burble", "--version"],
        cwd=ROOT / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.startswith("burble "), result.stderr


@pytest.mark.parametrize("command", [["-m", "burble"], ["script"]])
def test_training_on_the_page_runs_no_file_of_the_working_folder(
    hostile: Path, command: list[str]
) -> None:
    train_on_the_page(hostile, begin(hostile, command))
    assert ran(hostile) == ""


def test_a_child_of_a_server_whose_path_has_the_working_folder_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty entry of PYTHONPATH, and ".", are the working folder; others are kept."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "meant.py").write_text("")
    (tmp_path / "stranger.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "mine", "."]))
    from burble.isolation import python_command, python_environment

    code = "import meant, importlib.util as u; print(u.find_spec('stranger'))"
    result = subprocess.run(
        [*python_command(), "-c", code],
        env=python_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "None\n"


def test_a_child_finds_burble_that_only_its_parent_knows(tmp_path: Path) -> None:
    """As where it runs from an archive, or from sources that were never installed."""
    archive = shutil.make_archive(str(tmp_path / "burble"), "zip", ROOT / "src", "burble")
    code = (
        f"import sys; sys.path.insert(0, {archive!r})\n"
        "import subprocess\n"
        "from burble.isolation import python_command, python_environment\n"
        "command = [*python_command(), '-S', '-c', 'import burble; print(burble.__file__)']\n"
        "subprocess.run(command, env=python_environment(), check=True)"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert result.stdout.startswith(archive)


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="no matplotlib")
def test_figures_do_not_depend_on_a_matplotlibrc(hostile: Path, tmp_path: Path) -> None:
    random_model().save(tmp_path / "model.safetensors")
    figures = [draw(tmp_path, folder) for folder in (tmp_path, hostile)]
    assert figures[0] == figures[1]


def draw(model: Path, folder: Path) -> bytes:
    figure = model / f"{folder.name}.png"
    subprocess.run(
        [
            *(console_script(), "inspect", model / "model.safetensors", "bad"),
            *("--png", figure),
        ],
        cwd=folder,
        check=True,
    )
    return figure.read_bytes()
