"""A C library of another version, another program or a broken build is not used."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from burble.native.library import (
    INTERFACE,
    TIMES_SLOWER,
    LibraryError,
    find_library,
    kernel_names,
    open_library,
)
from burble.native.structures import STRUCTS
from tests.models import random_model
from tests.native.files import ROOT, compile_library, copy_package, library_file

SIZES = tuple(map(ctypes.sizeof, STRUCTS.values()))
GOOD = (INTERFACE, 1, *SIZES)

INTERFACE_OF = """#include <stdint.h>
int32_t burble_interface(int64_t *facts, int32_t room) {{
    static const int64_t all[] = {{{facts}}};
    int32_t count = sizeof all / sizeof *all;
    for (int32_t i = 0; i < count && i < room; i++) facts[i] = all[i];
    return count;
}}
"""


def test_the_library_that_was_built_fits() -> None:
    assert kernel_names(open_library(str(library_file())))[-1] == "portable"
    assert find_library().problem is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ((INTERFACE + 1, *GOOD[1:]), f"interface {INTERFACE + 1}, expected {INTERFACE}"),
        ((INTERFACE, 1, SIZES[0] + 4, *SIZES[1:]), "size of burble_shape"),
        ((INTERFACE, 1, SIZES[0], SIZES[1] - 8, *SIZES[2:]), "size of burble_stream"),
        ((INTERFACE, 1, *SIZES[:2], SIZES[2] - 8, *SIZES[3:]), "size of burble_sampling"),
        ((INTERFACE, 0, *SIZES), "0 kernels"),
        ((INTERFACE, 1 << 40, *SIZES), "kernels"),
        (GOOD[:4], "4 facts"),
        ((*GOOD, 0), f"{len(GOOD) + 1} facts"),
        (GOOD, "has no burble_kernel_name"),
    ],
)
def test_another_interface_is_refused(facts: tuple[int, ...], words: str, tmp_path: Path) -> None:
    source = INTERFACE_OF.format(facts=", ".join(map(str, facts)))
    with pytest.raises(LibraryError) as refused:
        open_library(str(compile_library(tmp_path, source)))
    assert words in str(refused.value)


def test_a_library_from_before_there_was_an_interface_is_refused(tmp_path: Path) -> None:
    # Asked for its kernels, it would answer for ever.
    source = 'const char *burble_kernel_name(int place) { return "endless"; }'
    with pytest.raises(LibraryError, match="another version of burble"):
        open_library(str(compile_library(tmp_path, source)))


@pytest.mark.parametrize("kind", ["missing", "a folder", "not readable as a library"])
def test_what_cannot_be_opened_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "library.so"
    if kind == "a folder":
        path.mkdir()
    elif kind != "missing":
        path.write_text("#!/bin/sh\n")
    with pytest.raises(LibraryError, match="cannot be opened"):
        open_library(str(path))


# As a user meets it.


TWO_MODELS = """
import sys, warnings, burble
warnings.simplefilter("always")
for _ in range(2):
    burble.load(sys.argv[1])
"""


def run(folder: Path, *arguments: str | Path, **settings: str) -> tuple[str, str]:
    result = subprocess.run(
        [sys.executable, "-m", "burble", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(folder), "BURBLE_KERNEL": "", **settings},
        cwd=folder,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout, result.stderr


def broken(kind: str, folder: Path) -> bytes | None:
    if kind == "missing":
        return None
    if kind == "cut":
        return library_file().read_bytes()[:50_000]
    return compile_library(folder, INTERFACE_OF.format(facts="0, 1, 2, 3, 4")).read_bytes()


@pytest.mark.parametrize("kind", ["missing", "cut", "stale"])
def test_without_a_fitting_library_the_text_is_the_same_and_one_line_says_so(
    kind: str, tmp_path: Path
) -> None:
    library = copy_package(tmp_path / "here", broken(kind, tmp_path))
    model = tmp_path / "model.safetensors"
    random_model().save(model)
    asked = ("generate", model, "--seed", "1", "--length", "50")
    expected = run(ROOT / "src", *asked)[0]
    text, told = run(library.parents[2], *asked)
    assert text == expected
    assert told.count("\n") == 1
    assert told.startswith("burble: The compiled part of burble")
    assert str(library if kind != "missing" else library.parent) in told
    assert f"about {TIMES_SLOWER} times and learns" in told
    assert "install" in told
    assert run(library.parents[2], *asked, BURBLE_KERNEL="numpy") == (text, "")


def test_a_process_is_warned_once(tmp_path: Path) -> None:
    library = copy_package(tmp_path / "here", None)
    model = tmp_path / "model.safetensors"
    random_model().save(model)
    result = subprocess.run(
        [sys.executable, "-c", TWO_MODELS, model],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(library.parents[2]), "BURBLE_KERNEL": ""},
        check=True,
    )
    assert result.stderr.count("The compiled part of burble") == 1


@pytest.mark.parametrize("kind", ["missing", "cut", "stale"])
def test_the_doctor_has_it_in_its_table(kind: str, tmp_path: Path) -> None:
    library = copy_package(tmp_path / "here", broken(kind, tmp_path))
    shown, told = run(library.parents[2], "doctor", "--json")
    kernel = json.loads(shown)["kernel"]
    assert kernel.startswith("numpy: The compiled part of burble")
    assert f"about {TIMES_SLOWER} times and learns" in kernel
    assert told == ""


def test_how_much_slower_numpy_is_was_measured() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "generation.json").read_text())
    (times,) = (
        result["times_burble"]
        for result in measured["results"]
        if (result["model"], result["contestant"]) == ("2x256", "burble-numpy")
    )
    assert pytest.approx(times, rel=0.1) == TIMES_SLOWER
