"""Known texts by name: one is part of every Python, the others are downloaded once."""

import hashlib
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from burble.durable import write_durably
from burble.errors import TextError
from burble.system_errors import describe_failure, guard_write

ALICE_ADDRESS = "https://www.gutenberg.org/files/11/11-0.txt"

SHAKESPEARE_ADDRESS = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"

# Project Gutenberg wraps each book between two such lines.
_GUTENBERG_START = re.compile(
    r"^\*\*\* ?START OF TH(?:E|IS) PROJECT GUTENBERG EBOOK.*$", re.MULTILINE
)
_GUTENBERG_END = re.compile(r"^\*\*\* ?END OF TH(?:E|IS) PROJECT GUTENBERG EBOOK", re.MULTILINE)
_ALICE_CHAPTERS = 12


@dataclass(frozen=True)
class KnownText:
    description: str
    open: Callable[[], BinaryIO]


def cache_folder() -> Path:
    """Return the folder for downloaded texts (XDG base directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "burble"


def _open_python_docs() -> BinaryIO:
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n"
    return io.BytesIO(text.encode())


def open_alice(address: str = ALICE_ADDRESS) -> BinaryIO:
    """Open Alice's Adventures in Wonderland; download and check it the first time.

    Raises `TextError`.
    """
    cached = cache_folder() / "alice.txt"
    if not cached.exists():
        book = strip_gutenberg(_fetch_alice(address), address)
        check_alice(book, address)
        with guard_write(cached, "Set XDG_CACHE_HOME to a folder that can be written."):
            cached.parent.mkdir(parents=True, exist_ok=True)
            write_durably(cached, book.encode())
    return cached.open("rb")


def _fetch_alice(address: str) -> str:
    try:
        return _fetch("Alice", address).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextError(
            f"{address} does not hold Alice: it is not UTF-8 ({error}). Nothing was kept. Give a "
            "file of your own instead."
        ) from error


def open_shakespeare(
    address: str = SHAKESPEARE_ADDRESS, sha256: str = SHAKESPEARE_SHA256
) -> BinaryIO:
    """Open the 1.1 MB of Shakespeare that published results use; download it the first time.

    Raises `TextError`.
    """
    cached = cache_folder() / "tinyshakespeare.txt"
    if not cached.exists() or _sha256(cached.read_bytes()) != sha256:
        text = _fetch("tinyshakespeare", address)
        if _sha256(text) != sha256:
            raise TextError(
                f"{address} does not hold tinyshakespeare: its SHA-256 is {_sha256(text)}, and "
                f"should be {sha256}. Nothing was kept. Give a file of your own instead."
            )
        cached.parent.mkdir(parents=True, exist_ok=True)
        write_durably(cached, text)
    return cached.open("rb")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fetch(title: str, address: str) -> bytes:
    from burble.text.fetch import open_address

    try:
        with open_address(address) as response:
            return response.read()
    except OSError as error:
        raise TextError(
            f"{title} could not be fetched from {address}: {describe_failure(error)}. Without a "
            "network, give a file of your own, or use python-docs, which every Python has."
        ) from error


def strip_gutenberg(page: str, address: str) -> str:
    """Return a book without Project Gutenberg's header and footer. Raises `TextError`."""
    page = page.replace("\r\n", "\n")
    start, end = _GUTENBERG_START.search(page), _GUTENBERG_END.search(page)
    if start is None or end is None or end.start() < start.end():
        raise TextError(
            f"{address} has no Project Gutenberg header and footer. Nothing was kept. Give a file "
            "of your own instead."
        )
    return page[start.end() : end.start()].strip("\n") + "\n"


def check_alice(book: str, address: str) -> None:
    """Raise `TextError` unless this is the whole book: 12 chapters, about 144,000 characters."""
    chapters = re.findall(r"^CHAPTER [IVX]+\.", book, re.MULTILINE)
    if not 130_000 <= len(book) <= 180_000 or len(set(chapters)) != _ALICE_CHAPTERS:
        raise TextError(
            f"{address} does not hold the whole of Alice: found {len(book):,} characters and "
            f"{len(set(chapters))} chapters. Give a file of your own instead."
        )


CORPORA: dict[str, KnownText] = {
    "python-docs": KnownText(
        "Python's language reference, from inside your Python; needs no network",
        _open_python_docs,
    ),
    "alice": KnownText(
        "Alice's Adventures in Wonderland, Lewis Carroll 1865, from Project Gutenberg; "
        "fetched once, then kept",
        open_alice,
    ),
    "tinyshakespeare": KnownText(
        "1.1 MB of Shakespeare's plays, on which small models are compared; fetched once, checked "
        "and kept",
        open_shakespeare,
    ),
}
