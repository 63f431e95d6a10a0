"""burble installs with a C compiler and without: then it runs on NumPy and writes the same."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from burble.engine.kernels import KERNEL_VARIABLE
from tests.models import random_model

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "generation.json"
SOURCE = ["src", "pyproject.toml", "README.md", "LICENSE"]
BUILT = ["*.so", "*.pyd", "*.egg-info", "__pycache__"]

# Each kind of filter and of cell.
TEXTS = ["all filters", "greedy gru", "rnn"]

needs_setuptools = pytest.mark.skipif(
    importlib.util.find_spec("setuptools") is None,
    reason="setuptools is not installed: building without the network needs it",
)
pytestmark = needs_setuptools


def outside() -> dict[str, str]:
    """The environment, without what has coverage measure this burble too."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


@dataclass(frozen=True)
class Installation:
    """burble in a folder of its own, not the one that is worked on."""

    folder: Path
    wheel: Path

    @property
    def kernels(self) -> list[str]:
        return [path.name for path in self.folder.rglob("_library*")]

    def python(self, *arguments: str) -> str:
        environment = {**outside(), "PYTHONPATH": str(self.folder)}
        environment.pop(KERNEL_VARIABLE, None)
        result = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=environment,
            cwd=self.folder,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def burble(self, *arguments: str) -> Any:
        return json.loads(self.python("-m", "burble", *arguments, "--json"))


def pip(*arguments: str | Path, **environment: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    result = subprocess.run(
        command, capture_output=True, text=True, env={**outside(), **environment}, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def copy_source(target: Path) -> Path:
    """What a build needs: it leaves files behind, which do not belong to where one works."""
    target.mkdir()
    for name in SOURCE:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, target / name, ignore=shutil.ignore_patterns(*BUILT))
        else:
            shutil.copy(path, target)
    return target


def pack(source: Path) -> Path:
    """The archive of sources that a release has; a header it lacked would cost the kernel."""
    command = "import setuptools.build_meta as b; b.build_sdist('dist')"
    subprocess.run([sys.executable, "-c", command], cwd=source, check=True, capture_output=True)
    (archive,) = (source / "dist").iterdir()
    return archive


def install(room: Path, **environment: str) -> Installation:
    """Build a wheel from the packed sources as `pip install` does, and install it."""
    alone = ("--no-deps", "--no-index")
    source = pack(copy_source(room / "source"))
    wheels, folder = room / "wheels", room / "installed"
    pip("wheel", *alone, "--no-build-isolation", "--wheel-dir", wheels, source, **environment)
    (wheel,) = wheels.iterdir()
    pip("install", *alone, "--target", folder, wheel)
    return Installation(folder, wheel)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("plain"), CC="false")


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    if shutil.which("cc") is None:
        pytest.skip("cc is not installed")
    return install(tmp_path_factory.mktemp("native"))


def golden_text(installation: Installation, name: str, folder: Path) -> tuple[str, str]:
    case = json.loads(GOLDEN.read_text("utf-8"))[name]
    model = folder / "model.safetensors"
    random_model(**case["model"]).save(model)
    request = dict(case["request"])
    prompt = request.pop("prompt")
    options = options_of({**request, **case["sampling"]})
    told = installation.burble("generate", str(model), prompt, *options)
    return told["text"], case["text"]


def options_of(settings: dict[str, Any]) -> Sequence[str]:
    return [
        part
        for name, value in settings.items()
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]


def assert_runs_from_its_folder(installation: Installation) -> None:
    found = installation.python("-c", "import burble; print(burble.__file__)").strip()
    assert Path(found).is_relative_to(installation.folder)


def test_without_a_compiler_the_install_succeeds_and_has_no_kernel(plain: Installation) -> None:
    assert_runs_from_its_folder(plain)
    assert plain.kernels == []
    kernel = plain.burble("doctor")["kernel"]
    assert kernel.startswith("numpy: The compiled part of burble is missing")


def test_with_a_compiler_the_kernel_is_there(native: Installation) -> None:
    assert_runs_from_its_folder(native)
    assert len(native.kernels) == 1
    assert "portable, numpy)" in native.burble("doctor")["kernel"]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("installed", ["plain", "native"])
def test_with_a_compiler_and_without_the_text_is_the_same(
    installed: str, name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    written, expected = golden_text(request.getfixturevalue(installed), name, tmp_path)
    assert written == expected


def test_the_wheel_serves_every_python_from_3_11_on(native: Installation) -> None:
    assert native.wheel.stem.split("-")[2:4] == ["cp311", "abi3"]


def test_the_pages_parts_are_installed(plain: Installation, tmp_path: Path) -> None:
    model, page = tmp_path / "model.safetensors", tmp_path / "page.html"
    random_model().save(model)
    plain.python("-m", "burble", "inspect", str(model), "bad", "--html", str(page))
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
