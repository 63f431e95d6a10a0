"""The C library's file, and others in its place."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "burble"


def library_file() -> Path:
    """The library that was built here; the test skips where there is none."""
    found = importlib.util.find_spec("burble.native._library")
    if found is None or found.origin is None:
        pytest.skip("no compiler built the C library here")
    return Path(found.origin)


def compile_library(folder: Path, source: str, name: str = "other") -> Path:
    if shutil.which("cc") is None:
        pytest.skip("cc is not installed")
    code, library = folder / f"{name}.c", folder / f"{name}.so"
    code.write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", code, "-o", library], check=True)
    return library


def copy_package(folder: Path, library: bytes | None) -> Path:
    """burble's Python in `folder`, with these bytes as its C library, or without one."""
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(SOURCE, folder / "burble", ignore=ignored)
    path = folder / "burble" / "native" / "_library.abi3.so"
    if library is not None:
        path.write_bytes(library)
    return path
