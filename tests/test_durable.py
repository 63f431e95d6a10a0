"""Files are replaced whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from burble.durable import write_durably
from burble.errors import ResourceError, UsageError
from tests.disk import disk_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A process that may not write files longer than 64 KiB: the system answers EFBIG.
LIMITED_WRITER = """
import resource, signal, sys
from pathlib import Path
from burble.durable import write_durably
from burble.errors import BurbleError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
try:
    write_durably(Path(sys.argv[1]), b"n" * 1_000_000)
except BurbleError as error:
    # The measurement of coverage writes at the end, too.
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with disk_of("64k", tmp_path / "disk") as disk:
        yield disk


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("old", [None, b"old and longer"])
def test_a_file_is_written_or_replaced(tmp_path: Path, old: bytes | None) -> None:
    if old is not None:
        (tmp_path / "a").write_bytes(old)
    write_durably(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names_in(tmp_path) == ["a"]


def test_a_reader_of_the_old_file_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with (tmp_path / "a").open("rb") as reader:
        write_durably(tmp_path / "a", b"new")
        assert reader.read() == b"old"


def test_a_full_disk_leaves_the_old_file(small_disk: Path) -> None:
    (small_disk / "a").write_bytes(b"old")
    with pytest.raises(ResourceError) as caught:
        write_durably(small_disk / "a", b"n" * 1_000_000)
    assert caught.value.exit_code == 6
    assert str(small_disk / "a") in str(caught.value)
    assert (small_disk / "a").read_bytes() == b"old"
    assert names_in(small_disk) == ["a"]
    # With room enough it is written.
    write_durably(small_disk / "a", b"n" * 30_000)
    assert (small_disk / "a").stat().st_size == 30_000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_file_size_limit_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED_WRITER, str(tmp_path / "a")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (6, "")
    assert "cannot be written" in ended.stdout
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_a_missing_folder_is_not_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory"):
        write_durably(tmp_path / "missing" / "a", b"new")


def test_a_path_that_is_a_folder_keeps_it_and_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(UsageError, match="Is a directory"):
        write_durably(tmp_path / "a", b"new")
    assert names_in(tmp_path) == ["a"]
