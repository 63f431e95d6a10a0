"""How many threads make sense, and settings of the threaded libraries, which they read once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SPIN_VARIABLE = "GOMP_SPINCOUNT"
_BLAS_VARIABLE = "OPENBLAS_NUM_THREADS"

# torch's OpenMP threads wait for each other by spinning, without end by default. Where anything
# else runs, that is ruin: on 2 cores, two trainings at once took 1,500 ms a step each, with this
# count 28 ms; alone both take 4 to 5 ms (docs/log.md).
_SPIN_COUNT = "2000"

# The NumPy engine's products are of one row by a matrix: too small to share between threads.
_BLAS_THREADS = "1"


# A container's share of the processors: microseconds of computing in so many that go by.
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_processors() -> int:
    """Return the processors of this process, by its affinity and its container's quota."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return min(count, _quota() or count)


def _quota() -> int | None:
    try:
        computing, going_by = map(int, _QUOTA.read_text().split())
    except (OSError, ValueError):  # no container, or "max"
        return None
    return max(1, computing // going_by)


def set_thread_defaults() -> None:
    """Set what the user has not; works only before NumPy and torch are imported."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault(_SPIN_VARIABLE, _SPIN_COUNT)
    os.environ.setdefault(_BLAS_VARIABLE, _BLAS_THREADS)


@contextmanager
def thread_defaults() -> Iterator[None]:
    """Settle them for what is imported meanwhile, and leave the environment as it was."""
    unset = {_SPIN_VARIABLE, _BLAS_VARIABLE} - os.environ.keys()
    set_thread_defaults()
    try:
        yield
    finally:
        for name in unset:
            os.environ.pop(name, None)
