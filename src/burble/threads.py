"""Count usable processors, and set defaults that threaded libraries read when they load."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SPIN_VARIABLE = "GOMP_SPINCOUNT"
_BLAS_VARIABLE = "OPENBLAS_NUM_THREADS"

# torch's OpenMP threads spin while they wait for each other, by default without end, and starve
# whatever else runs. On 2 cores, two trainings at once took 1,500 ms a step each, with this count
# 28 ms; alone a step takes 4 to 5 ms with either (docs/log.md).
_SPIN_COUNT = "2000"

# The NumPy engine multiplies one row by a matrix: too little work for several threads.
_BLAS_THREADS = "1"

# A container's share of the processors: microseconds of computing in a period, and the period.
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_processors() -> int:
    """Return how many processors this process may use, by its affinity and container quota."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return min(count, _quota() or count)


def _quota() -> int | None:
    try:
        computing, period = map(int, _QUOTA.read_text().split())
    except (OSError, ValueError):  # no container, or "max"
        return None
    return max(1, computing // period)


def set_thread_defaults() -> None:
    """Set environment variables of threaded libraries, unless the user has set them.

    Works only before NumPy and torch are imported.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault(_SPIN_VARIABLE, _SPIN_COUNT)
    os.environ.setdefault(_BLAS_VARIABLE, _BLAS_THREADS)


@contextmanager
def thread_defaults() -> Iterator[None]:
    """Set the thread defaults for imports inside the block, and restore the environment after."""
    unset = {_SPIN_VARIABLE, _BLAS_VARIABLE} - os.environ.keys()
    set_thread_defaults()
    try:
        yield
    finally:
        for name in unset:
            os.environ.pop(name, None)
