"""Open the C library, after checks that it is complete and fits this Python code."""

import ctypes
import functools
import importlib.util
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from burble.errors import UsageError
from burble.native.elf import find_fault
from burble.native.structures import SIGNATURES, STRUCTS

INTERFACE = 5  # `BURBLE_INTERFACE` in interface.h
# How much slower NumPy writes: benchmarks/results/generation.json, LSTM 2×256.
TIMES_SLOWER = 42
# And what it costs where a network learns: 4.2 at 1×256, 3.5 at 1×512, in processor time.
_LEARNS_SLOWER = 4

_WITH_NUMPY = (
    f"NumPy runs instead, which writes about {TIMES_SLOWER} times and learns about "
    f"{_LEARNS_SLOWER} times slower."
)

KERNEL_VARIABLE = "BURBLE_KERNEL"
"""Environment variable that names the kernel to use instead of the best."""

_MODULE = "burble.native._library"
# No build has more kernels, so a larger number is not a count of kernels.
_MOST_KERNELS = 64


class NativeLibraryWarning(UserWarning):
    """burble runs on NumPy, because its C library is missing or does not fit."""


class LibraryError(Exception):
    """The file is not the C library of this burble. The message completes "The file …"."""


@dataclass(frozen=True)
class Found:
    library: ctypes.CDLL | None
    problem: str | None = None  # without a library: the problem, its cost, and what to do


def library() -> ctypes.CDLL | None:
    """Return the C library, or None if it is missing or does not fit."""
    return find_library().library


@functools.cache
def find_library() -> Found:
    """Open the C library beside this module. The result is kept for the process."""
    found = importlib.util.find_spec(_MODULE)
    if found is None or found.origin is None:
        return Found(None, _describe_missing())
    try:
        return Found(open_library(found.origin))
    except LibraryError as error:
        return Found(None, _describe_fault(found.origin, str(error)))


@functools.cache
def warn_without_library() -> None:
    """Warn, once in a process, if the C library is missing or does not fit."""
    problem = find_library().problem
    if problem is not None:
        warnings.warn(problem, NativeLibraryWarning, stacklevel=2)


def open_library(path: str) -> ctypes.CDLL:
    """Open a library and check its interface. Raises `LibraryError`."""
    try:
        fault = find_fault(Path(path).read_bytes())
        if fault is not None:
            raise LibraryError(fault)
        opened = ctypes.CDLL(path)
    except (OSError, UnicodeDecodeError) as error:
        # The system's message may quote broken bytes of the file, which ctypes cannot decode.
        reason = getattr(error, "strerror", None) or str(error).removeprefix(f"{path}: ")
        raise LibraryError(f"cannot be opened ({reason})") from error
    _check_interface(opened)
    _declare(opened)
    return opened


def kernel_names(opened: ctypes.CDLL) -> list[str]:
    """Return the names of the kernels that can write on this machine, best first."""
    return _names(opened.burble_kernel_name)


def learner_kernel_names(opened: ctypes.CDLL) -> list[str]:
    """Return the names of the kernels that can learn on this machine, best first."""
    return _names(opened.burble_learner_kernel)


def find_asked_kernel(known: Iterable[str]) -> str | None:
    """Return the kernel that `BURBLE_KERNEL` names, or None. Raises `UsageError` if unknown."""
    asked = os.environ.get(KERNEL_VARIABLE)
    if not asked:
        return None
    names = list(known)
    if asked not in names:
        problem = find_library().problem
        raise UsageError(
            f"{KERNEL_VARIABLE} must name a kernel that can run here, {', '.join(names)}; "
            f"found {asked!r}." + (f" {problem}" if problem else "")
        )
    return asked


def _names(name_at: Callable[[int], bytes | None]) -> list[str]:
    names: list[str] = []
    while (name := name_at(len(names))) is not None:
        names.append(name.decode())
    return names


def _check_interface(opened: ctypes.CDLL) -> None:
    expected = [(0, INTERFACE, "interface")]
    expected += [
        (place, ctypes.sizeof(struct), f"size of {name}")
        for place, (name, struct) in enumerate(STRUCTS.items(), start=2)
    ]
    facts = _read_facts(opened)
    for place, wanted, name in expected:
        if facts[place] != wanted:
            raise LibraryError(
                f"is from another version of burble ({name} {facts[place]}, expected {wanted})"
            )
    if not 0 < facts[1] <= _MOST_KERNELS:
        raise LibraryError(f"is damaged (it names {facts[1]} kernels)")


def _read_facts(opened: ctypes.CDLL) -> list[int]:
    try:
        function = opened.burble_interface
    except AttributeError:
        raise LibraryError("is from another version of burble, or not burble's at all") from None
    function.restype, *function.argtypes = SIGNATURES["burble_interface"]
    facts = (ctypes.c_int64 * (2 + len(STRUCTS)))()
    count = function(facts, len(facts))
    if count != len(facts):
        raise LibraryError(
            f"is from another version of burble ({count} facts, expected {len(facts)})"
        )
    return list(facts)


def _declare(opened: ctypes.CDLL) -> None:
    for name, (result, *arguments) in SIGNATURES.items():
        try:
            function = getattr(opened, name)
        except AttributeError:
            raise LibraryError(f"is damaged (it has no {name})") from None
        function.restype, function.argtypes = result, arguments


def _describe_missing() -> str:
    from burble.native.rebuild import how_to_rebuild

    return (
        f"The compiled part of burble is missing from {Path(__file__).parent}: {_WITH_NUMPY} "
        f"{how_to_rebuild()}"
    )


def _describe_fault(path: str, fault: str) -> str:
    from burble.native.rebuild import how_to_rebuild  # a slow import, for a rare message

    return f"The compiled part of burble, {path}, {fault}: {_WITH_NUMPY} {how_to_rebuild(path)}"
