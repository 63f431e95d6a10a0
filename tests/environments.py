"""Virtual environments that hold burble, what it requires there, and nothing else.

Packages come from the environment that runs the tests, so none is fetched.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
ALONE = ("--no-deps", "--no-index", "--disable-pip-version-check", "-q")
NOT_SOURCES = shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__")


def build_wheel(folder: Path) -> Path:
    """Build burble's wheel out of a copy of the sources, so that nothing is left among them."""
    sources = folder / "sources"
    shutil.copytree(ROOT / "src", sources / "src", ignore=NOT_SOURCES)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    command = [sys.executable, "-m", "pip", "wheel", *ALONE, "--no-build-isolation"]
    subprocess.run([*command, "-w", folder, sources], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_environment(folder: Path, wheel: Path, *requirements: str) -> Path:
    """Make an environment without pip of a wheel and what is required; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin/python"
    run_pip(python, "install", *ALONE, str(wheel))
    if requirements:
        link_required(python, *requirements)
    return python


def link_required(python: Path, *requirements: str) -> None:
    """Link into an environment the packages that these requirements ask for, with all of theirs."""
    (site,) = (python.parent.parent / "lib").glob("python*/site-packages")
    for name in required_packages(site, *requirements):
        package = importlib.metadata.distribution(name)
        tops = {file.parts[0] for file in package.files or ()}
        for top in tops - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(package.locate_file(top))))
    run_pip(python, "check", "--disable-pip-version-check")


def required_packages(site: Path, *requirements: str) -> set[str]:
    """Return the names of all that is required; burble's own requirements are those in `site`."""
    pending = [Requirement(line) for line in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while pending:
        wanted = pending.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        where = [str(site)] if name == "burble" else sys.path
        (package, *_) = importlib.metadata.distributions(name=wanted.name, path=where)
        for line in package.requires or ():
            required = Requirement(line)
            extras = wanted.extras or {""}
            if required.marker is None or any(
                required.marker.evaluate({"extra": extra}) for extra in extras
            ):
                pending.append(required)
    return {name for name, _ in seen} - {"burble"}


def run_pip(python: Path, *args: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *args], check=True)
