"""Guesses at what a person meant: names near the one that was typed, and models near by."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

from burble.folder_names import MODEL_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_ENTRIES = 2000
_MAX_NAME = 255


def nearest_name(typed: str, names: Iterable[str]) -> str | None:
    """Return the name that `typed` was most likely meant for; None if none is near."""
    import difflib  # a slow import, for rare messages

    known = {name.lower(): name for name in names}
    found = difflib.get_close_matches(typed.lower()[:_MAX_NAME], known, n=1)
    return known[found[0]] if found else None


def nearest_path(typed: str, names: Iterable[str] | None = None) -> str | None:
    """Return the path beside `typed` whose name is most like it, as it would be typed.

    names: the names to choose from; None means all in the folder.
    """
    folder, name = os.path.split(typed)
    # An ending that many names share would make all of them alike.
    known = {_root(each): each for each in (entries(folder) if names is None else names)}
    near = nearest_name(_root(name), known)
    return None if near is None else os.path.join(folder, known[near])  # noqa: PTH118 - as typed


def _root(name: str) -> str:
    return os.path.splitext(name)[0]  # noqa: PTH122


def entries(folder: str) -> list[str]:
    """Return the names in a folder, sorted, but some of a huge one; empty if it is unreadable."""
    try:
        with os.scandir(folder or ".") as found:
            return sorted(entry.name for entry in itertools.islice(found, _MAX_ENTRIES))
    except (OSError, ValueError):
        return []


def models_in(folder: str = "") -> list[str]:
    """Return the names of the run folders and the model files that are directly in `folder`."""
    return [name for name in entries(folder) if _is_model(os.path.join(folder, name))]  # noqa: PTH118


def _is_model(path: str) -> bool:
    if os.path.isdir(path):  # noqa: PTH112 - raises nothing
        return os.path.isfile(os.path.join(path, MODEL_NAME))  # noqa: PTH113, PTH118
    return path.endswith(".safetensors")
