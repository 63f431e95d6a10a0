"""One training at a time in a folder, whatever becomes of the others."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from burble.errors import BurbleError, UsageError
from burble.folder_names import LOCK_NAME
from burble.run_folder.lock import Holder, find_holder, lock_folder

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from burble.run_folder.lock import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

# Adds 1 to a number in a file, again and again; only a lock keeps others from adding in between.
COUNT = """
import sys, time
from pathlib import Path
from burble.errors import UsageError
from burble.run_folder.lock import lock_folder
folder, times = Path(sys.argv[1]), int(sys.argv[2])
while times:
    try:
        with lock_folder(folder):
            counter = folder / "counter"
            number = int(counter.read_text())
            time.sleep(0.001)
            counter.write_text(str(number + 1))
            times -= 1
    except UsageError:
        pass
"""


def run_python(code: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def hold(folder: Path) -> subprocess.Popen[str]:
    process = run_python(HOLD, folder, "--with", "a b")
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_training_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    with hold(tmp_path) as process:
        with (
            pytest.raises(UsageError, match=rf"process {process.pid} .*is training there"),
            lock_folder(tmp_path),
        ):
            pass
        assert find_holder(tmp_path) == Holder(process.pid, f"-c {tmp_path} --with 'a b'")
        process.kill()


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    with hold(tmp_path) as process:
        process.kill()
        process.wait()
        assert (tmp_path / LOCK_NAME).exists()
        assert find_holder(tmp_path) is None
        with lock_folder(tmp_path):
            assert find_holder(tmp_path) is not None


def test_a_lock_leaves_no_file(tmp_path: Path) -> None:
    assert find_holder(tmp_path) is None
    with lock_folder(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]
    assert not list(tmp_path.iterdir())


def test_within_one_process_two_are_two(tmp_path: Path) -> None:
    with lock_folder(tmp_path), pytest.raises(UsageError, match="is in use"), lock_folder(tmp_path):
        pass


def test_of_many_that_come_and_go_never_two_hold_it(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    counting = [run_python(COUNT, tmp_path, 50) for _ in range(4)]
    assert [process.wait(120) for process in counting] == [0] * 4
    for process in counting:
        process.communicate()
    assert (tmp_path / "counter").read_text() == "200"


def test_asking_who_holds_it_never_keeps_a_training_out(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).touch()
    asking = run_python(
        "import sys; from pathlib import Path; from burble.run_folder.lock import find_holder\n"
        "print(flush=True)\n"
        "while True: find_holder(Path(sys.argv[1]))",
        tmp_path,
    )
    with asking:
        assert asking.stdout is not None
        asking.stdout.readline()
        for _ in range(100):
            with lock_folder(tmp_path):
                pass
        asking.kill()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "diary").write_text("dear")
    (tmp_path / "run" / LOCK_NAME).symlink_to(tmp_path / "diary")
    with pytest.raises(BurbleError), lock_folder(tmp_path / "run"):
        pass
    assert (tmp_path / "diary").read_text() == "dear"


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / LOCK_NAME)
    with pytest.raises(BurbleError), lock_folder(tmp_path):
        pass


def test_what_a_stranger_wrote_there_is_made_readable(tmp_path: Path) -> None:
    with hold(tmp_path) as process:
        (tmp_path / LOCK_NAME).write_text("12\n\x1b[31mburble\x07 train\n")
        assert find_holder(tmp_path) == Holder(12, "[31mburble train")
        (tmp_path / LOCK_NAME).write_bytes(b"\xff" * 5000)
        assert find_holder(tmp_path) is None
        process.kill()
