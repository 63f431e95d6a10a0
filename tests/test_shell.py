from __future__ import annotations

import shutil
import subprocess

import pytest

from burble.shell import burble_line

NAMES = ["alice", "my model", "it's", "a\nb c", "\x1b[2J\\'", "$(rm x)", "mädchen", "\udcff"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shell", ["bash", "zsh", "ksh"])
def test_a_shell_reads_a_printed_command_as_it_was_meant(name: str, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    line = burble_line("train", "--resume", name)
    assert line.isprintable()
    script = f'burble() {{ printf "%s\\0" "$@"; }}; {line}'
    found = subprocess.run([shell, "-c", script], stdout=subprocess.PIPE, check=True).stdout
    assert found.split(b"\0")[:-1] == [b"train", b"--resume", name.encode(errors="surrogateescape")]
