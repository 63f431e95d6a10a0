"""Open the library with one byte of a header changed, many times, each in a process of its own.

Arguments: the library, a file to write to, how many times, a seed. Prints how the openings ended.
"""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import sys
from collections import Counter
from pathlib import Path

from burble.native.library import LibraryError, kernel_names, open_library


def headers(data: bytes) -> list[range]:
    """Where the file's header, its segments and its sections are described."""
    segments, sections = struct.unpack_from("<QQ", data, 32)
    num_segments, _, num_sections = struct.unpack_from("<HHH", data, 56)
    return [
        range(64),
        range(segments, segments + 56 * num_segments),
        range(sections, sections + 64 * num_sections),
    ]


def ending(path: Path) -> str:
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        try:
            kernel_names(open_library(str(path)))
        except LibraryError:
            os._exit(3)
        except BaseException:  # noqa: BLE001 - whatever it is, it is not what was promised
            os._exit(4)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return {0: "opened", 3: "refused"}.get(os.WEXITSTATUS(status), "failed")


def main() -> None:
    library, target, times, seed = sys.argv[1:]
    data, draw = Path(library).read_bytes(), random.Random(int(seed))  # noqa: S311
    endings: Counter[str] = Counter()
    for _ in range(int(times)):
        changed = bytearray(data)
        changed[draw.choice(draw.choice(headers(data)))] ^= draw.randrange(1, 256)
        # A new file each time: what is mapped already must not change.
        Path(target).unlink(missing_ok=True)
        Path(target).write_bytes(changed)
        endings[ending(Path(target))] += 1
    sys.stdout.write(json.dumps(endings))


main()
