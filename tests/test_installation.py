from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import burble
from burble.errors import MissingExtraError
from burble.installation import extra_packages, install_line
from tests.environments import make_environment

ROOT = Path(__file__).parent.parent
ALONE = ("--no-deps", "--no-index", "--disable-pip-version-check")
TOLD = "from burble.errors import MissingExtraError as E; print(E('Training', 'torch'))"
METADATA = """Metadata-Version: 2.1
Name: burble
Version: {version}
Provides-Extra: torch
Requires-Dist: numpy>=1.26
Requires-Dist: torch>=2.4; extra == "torch"
"""


def make_wheel(folder: Path) -> Path:
    """The wheel that an install without a compiler has: the sources, and what is known of them."""
    wheel = folder / f"burble-{burble.__version__}-py3-none-any.whl"
    info = f"burble-{burble.__version__}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in (ROOT / "src/burble").rglob("*.py"):
            archive.write(path, path.relative_to(ROOT / "src"))
        archive.writestr(f"{info}/METADATA", METADATA.format(version=burble.__version__))
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("with a space")
    return make_environment(folder / "venv", make_wheel(folder))


def told_by(python: Path, *options: str) -> list[str]:
    """The line that an environment's burble tells, as the shell reads it."""
    result = subprocess.run(
        [python, *options, "-c", TOLD], capture_output=True, text=True, check=True, cwd="/"
    )
    return shlex.split(result.stdout.partition("Install it: ")[2])


def assert_pip_understands(line: list[str], requirement: str) -> None:
    """It finds nothing, for it may not look anywhere; but it has read what to look for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    result = subprocess.run(
        [*line, *ALONE, "--dry-run"],
        capture_output=True,
        text=True,
        check=False,
        env={**kept, "PIP_CONFIG_FILE": os.devnull},
    )
    assert f"No matching distribution found for {requirement}" in result.stderr, result.stderr


def test_each_extra_names_the_packages_that_the_metadata_lists() -> None:
    for extra, package in {"torch": "torch", "serve": "uvicorn", "plots": "matplotlib"}.items():
        message = str(MissingExtraError("It", extra))
        assert any(line.startswith(package) for line in extra_packages(extra))
        assert "burble" not in message.partition("install")[2].lower()


def test_the_line_of_an_environment_without_pip_is_understood(python: Path) -> None:
    line = told_by(python)
    assert line == ["pip", "--python", str(python), "install", "torch>=2.4"]
    assert_pip_understands([sys.executable, "-m", *line], "torch>=2.4")


def test_the_line_where_pip_is_at_hand_is_understood() -> None:
    line = shlex.split(install_line("torch") or "")
    assert line == [sys.executable, "-m", "pip", "install", "torch>=2.4"]
    # An extra of this environment's own is there already; one that no index has shows the same.
    assert_pip_understands(
        [*line[:-1], "no-such-package-of-burble>=2.4"], "no-such-package-of-burble>=2.4"
    )


def test_a_tool_of_uv_or_pipx_is_told_its_own_line(tmp_path: Path, python: Path) -> None:
    prefix = python.parent.parent
    settings = prefix / "pyvenv.cfg"
    before = settings.read_text()
    settings.write_text(before + "uv = 0.5.1\n")
    assert told_by(python) == ["uv", "pip", "install", "--python", str(python), "torch>=2.4"]
    settings.write_text(before)
    (prefix / "pipx_metadata.json").write_text("{}")
    assert told_by(python) == ["pipx", "inject", "venv", "torch>=2.4"]
    (prefix / "pipx_metadata.json").unlink()


def test_sources_that_were_never_installed_name_no_package(tmp_path: Path) -> None:
    wheel = tmp_path / "burble.zip"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in (ROOT / "src/burble").rglob("*.py"):
            archive.write(path, path.relative_to(ROOT / "src"))
    code = f"import sys; sys.path.insert(0, {str(wheel)!r}); {TOLD}"
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert "Install burble from its sources, with the extra torch." in result.stdout


def test_nothing_tells_to_install_a_name_that_is_not_ours() -> None:
    """burble is in no index: whoever took the name there would be installed."""
    wrong = re.compile(
        r"""(pip3?|pipx|uv tool|uv) (install|run|inject)[^\n]*?['" ]burble(\[|['"\s]|$)"""
    )
    texts = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("deploy/*"),
        ROOT / "Dockerfile",
        *(path for path in (ROOT / "src").rglob("*") if path.suffix in {".py", ".js", ".html"}),
    ]
    assert wrong.search("pip install 'burble[train]'")
    assert [path for path in texts if wrong.search(path.read_text("utf-8"))] == []
