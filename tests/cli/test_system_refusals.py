"""Places that cannot be written, as a user comes upon them: a message and a code, no traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import assert_refused, burble
from tests.training.runs import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


def without_privileges(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the command line so that permissions hold for it, for root's too."""
    command = [sys.executable, "-m", "burble", *map(str, args)]
    if sys.platform == "win32":
        pytest.skip("Windows has other permissions")
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and setpriv is not there to change that")
        command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]
    return subprocess.run(command, capture_output=True, cwd=cwd, check=False, timeout=120)


def train_args(text: Path, *more: str | Path) -> list[str | Path]:
    return ["train", text, "--steps", "2", "--hidden-size", "8", *more]


@contextmanager
def forbidden(path: Path, mode: int) -> Iterator[None]:
    """Take permissions away, and give them back so that pytest can clean up."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def test_a_run_in_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    text = write_text(tmp_path)
    place = tmp_path / "place"
    place.mkdir()
    with forbidden(place, 0o555):
        result = without_privileges(*train_args(text, "-o", place / "run"), cwd=tmp_path)
    assert_refused(result, 6, "run cannot be written", "Permission denied", "another folder")
    assert list(place.iterdir()) == []


def test_an_export_into_a_read_only_folder_is_refused(trained: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    with forbidden(place, 0o555):
        result = without_privileges(
            "export", trained / "run", "--to", "hub", "-o", place / "hub", cwd=tmp_path
        )
    assert_refused(result, 6, "hub cannot be written", "Permission denied", "another folder")


def test_a_source_that_may_not_be_read_is_a_bad_text(tmp_path: Path) -> None:
    text = write_text(tmp_path)
    with forbidden(text, 0):
        result = without_privileges(*train_args(text, "-o", "run"), cwd=tmp_path)
    assert_refused(result, 3, "text.txt cannot be read", "Permission denied")
    assert not (tmp_path / "run").exists()


def test_a_folder_of_texts_that_may_not_be_looked_into_is_not_left_out(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    (texts / "secret").mkdir(parents=True)
    write_text(texts)
    with forbidden(texts / "secret", 0):
        result = without_privileges(*train_args(texts, "-o", "run"), cwd=tmp_path)
    assert_refused(result, 3, "cannot be read", "Permission denied", "secret")


@pytest.mark.parametrize(
    ("out", "code", "words"),
    [
        ("/proc/run", 2, ["/proc/run cannot be written"]),
        ("text.txt/run", 2, ["text.txt/run cannot be written", "Not a directory"]),
        ("/dev/full", 2, ["/dev/full is a file, not a folder"]),
    ],
)
def test_a_place_that_is_no_folder_is_refused(
    tmp_path: Path, out: str, code: int, words: list[str]
) -> None:
    write_text(tmp_path)
    result = burble(*train_args(Path("text.txt"), "-o", out), cwd=tmp_path)
    assert_refused(result, code, *words)


def with_stdout(name: str, *args: str | Path) -> subprocess.CompletedProcess[bytes]:
    with Path(name).open("wb") as stdout:
        return subprocess.run(
            [sys.executable, "-m", "burble", *map(str, args)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            check=False,
            timeout=120,
        )


@needs_full
@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["corpora"],
        ["eval", "--help"],
        ["generate", "RUN", "--length", "10", "--seed", "1"],
        ["generate", "RUN", "--length", "10", "--seed", "1", "--json"],
    ],
)
def test_a_full_standard_output_is_reported(trained: Path, args: list[str]) -> None:
    named = [str(trained / "run") if arg == "RUN" else arg for arg in args]
    result = with_stdout("/dev/full", *named)
    said = result.stderr.decode()
    assert result.returncode == 6, said
    assert said == (
        "burble: Standard output cannot be written: No space left on device. Send it to a place "
        "that can be written.\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX closes it")
def test_a_closed_standard_output_is_reported() -> None:
    command = f"exec {sys.executable} -m burble corpora >&-"
    result = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, check=False, timeout=120)
    assert result.returncode == 6
    assert b"Standard output cannot be written" in result.stderr
    assert b"Traceback" not in result.stderr
