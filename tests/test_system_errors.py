"""What the system refuses is reported with its reason and what to do, and the right exit code."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from burble.errors import ResourceError, UsageError
from burble.system_errors import guard_write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EDQUOT, "The disk is full"),
        (errno.EFBIG, "limit on the size of a file"),
        (errno.EACCES, "Change its permissions, or use another folder"),
        (errno.EPERM, "Change its permissions, or use another folder"),
        (errno.EROFS, "mounted read-only"),
        (errno.EMFILE, "limit on open files"),
        (errno.ENFILE, "limit on open files"),
        (errno.EIO, "The disk is failing"),
        (errno.EBUSY, "Use another folder"),
    ],
)
def test_a_refusal_names_path_reason_and_advice(tmp_path: Path, number: int, advice: str) -> None:
    path = tmp_path / "a"
    with pytest.raises(ResourceError) as caught, guard_write(path):
        raise OSError(number, os.strerror(number))
    assert caught.value.exit_code == 6
    for part in (str(path), os.strerror(number), advice):
        assert part in str(caught.value)


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG])
def test_a_wrong_name_is_a_mistake_of_use(tmp_path: Path, number: int) -> None:
    with pytest.raises(UsageError, match="cannot be written"), guard_write(tmp_path):
        raise OSError(number, os.strerror(number))


def test_a_file_beside_the_named_one_is_named_too(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"denied: .*inner"), guard_write(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "inner"))
