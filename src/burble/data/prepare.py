"""From documents to ids on disk, in two passes and bounded memory.

The first pass decodes and normalises into one UTF-8 file and collects the characters; the second
encodes that file. So a pipe or an address is read once, and any tokenizer can see the whole text.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from burble.data.prepared import FACTS_FILE, IDS_FILE, PreparedText, TextFacts, write_facts
from burble.errors import TextError
from burble.system_errors import guard_write
from burble.text.decoding import read_text
from burble.text.normalization import normalize_stream
from burble.text.sources import find_documents
from burble.tokenizers.base import smallest_dtype
from burble.tokenizers.registry import TOKENIZERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from burble.config import RunConfig, TextConfig, TokenizerKind, UnknownPolicy
    from burble.text.sources import Document
    from burble.tokenizers.base import Tokenizer

# From this many documents on, whole documents are held out where that hits the asked share.
MANY_DOCUMENTS = 10

_CHUNK_CHARACTERS = 1 << 20
_CODE_POINTS = 0x110000


@dataclass(frozen=True)
class WholeText:
    """What the first pass finds out about a text."""

    fingerprint: str
    """SHA-256 of the normalised text in UTF-8."""

    num_characters: int
    document_starts: tuple[int, ...]
    """The character at which each document begins."""


@dataclass
class _Spool:
    """The first pass: one normalised text in a file, and what was seen in it."""

    file: BinaryIO
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    seen: np.ndarray[tuple[int], np.dtype[np.bool_]] = field(
        default_factory=lambda: np.zeros(_CODE_POINTS, dtype=np.bool_)
    )
    starts: list[int] = field(default_factory=list)
    num_characters: int = 0
    last: str = ""

    def start_document(self) -> None:
        # Two documents never share a line.
        if self.last not in {"", "\n"}:
            self.write("\n")
        self.starts.append(self.num_characters)

    def write(self, text: str) -> None:
        if not text:
            return
        try:
            encoded = text.encode()
        except UnicodeEncodeError as error:
            # Only some codecs, such as utf-7, let this through.
            raise TextError(
                f"The text holds half a surrogate pair at character "
                f"{self.num_characters + error.start:,}. Is its --encoding the right one?"
            ) from error
        self.file.write(encoded)
        self.digest.update(encoded)
        self.seen[np.frombuffer(text.encode("utf-32-le"), dtype="<u4")] = True
        self.num_characters += len(text)
        self.last = text[-1]

    def characters(self) -> set[str]:
        return {chr(point) for point in np.flatnonzero(self.seen)}


def prepare(
    documents: Sequence[Document],
    normalization: TextConfig,
    tokenizer: TokenizerKind | Tokenizer,
    place_cut: Callable[[WholeText], int],
    folder: Path,
    *,
    say: Callable[[str], None],
    unknown: UnknownPolicy = "error",
) -> PreparedText:
    """Read all documents into `folder` and map the result.

    tokenizer: a kind, to make one for this text, or one that is there already; `unknown` is then
    what to do with characters it lacks. place_cut: tells at which character the held-out part
    begins. say: told, in a sentence each, what was changed on the way.
    Raises `TextError` for what cannot be read and for an empty text.
    """
    # Taken before they are read, so that a change while they are read shows later.
    stamp = _stamp(documents)
    spool_path = folder / "text.tmp"
    with guard_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FACTS_FILE).unlink(missing_ok=True)
    try:
        with guard_write(spool_path):
            with spool_path.open("wb") as file:
                spool = _read_documents(documents, normalization, _Spool(file), say)
            if isinstance(tokenizer, str):
                tokenizer = TOKENIZERS[tokenizer].from_characters(spool.characters())
            whole = WholeText(spool.digest.hexdigest(), spool.num_characters, tuple(spool.starts))
            cut = place_cut(whole)
            pieces = _pieces(spool_path, cut)
            num_ids, cut_ids = _write_ids(pieces, folder / IDS_FILE, tokenizer, cut, unknown)
    finally:
        with suppress(OSError):  # it is only in the way
            spool_path.unlink()
    facts = TextFacts(
        fingerprint=whole.fingerprint,
        num_documents=len(documents),
        num_characters=spool.num_characters,
        cut_characters=cut,
        num_ids=num_ids,
        cut_ids=cut_ids,
        stamp=stamp,
    )
    write_facts(folder, facts, tokenizer, normalization)
    return PreparedText.load(folder)


def _read_documents(
    documents: Sequence[Document],
    normalization: TextConfig,
    spool: _Spool,
    say: Callable[[str], None],
) -> _Spool:
    for document in documents:
        spool.start_document()
        chunks = read_text(document, normalization.encoding, say)
        for text in normalize_stream(chunks, normalization):
            spool.write(text)
    if spool.num_characters == 0:
        names = ", ".join(document.name for document in documents[:3])
        raise TextError(
            f"There is no text in {names}: found 0 characters. Give some to learn from."
        )
    return spool


def prepare_to_learn(config: RunConfig, folder: Path, say: Callable[[str], None]) -> PreparedText:
    """`prepare` what a run of this configuration learns from, its end held out."""
    return prepare(
        find_documents(config.sources),
        config.text,
        config.data.tokenizer,
        partial(held_out_tail, val_fraction=config.data.val_fraction),
        folder,
        say=say,
    )


def changed_sources(sources: Sequence[str], text: PreparedText) -> str | None:
    """Return how the files that `text` was read from differ now, as the start of a sentence.

    None where they do not, or where they were not all files.
    """
    try:
        documents = find_documents(sources)
    except TextError:
        return f"{', '.join(sources)} has been moved or deleted"
    if any(document.path is None for document in documents):
        return None
    if _stamp(documents) == text.facts.stamp:
        return None
    try:
        fingerprint = _fingerprint(documents, text.normalization)
    except (TextError, OSError):
        return f"{', '.join(sources)} can no longer be read"
    return None if fingerprint == text.facts.fingerprint else f"{', '.join(sources)} has changed"


def _fingerprint(documents: Sequence[Document], normalization: TextConfig) -> str:
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - it is no path
        spool = _read_documents(documents, normalization, _Spool(nowhere), lambda _: None)
    return spool.digest.hexdigest()


def _stamp(documents: Sequence[Document]) -> str:
    digest = hashlib.sha256()
    for document in documents:
        if document.path is not None:
            with suppress(OSError):  # reading it will say why
                found = document.path.stat()
                digest.update(f"{document.name}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def held_out_tail(text: WholeText, val_fraction: float) -> int:
    """Where the held-out tail begins: at `val_fraction` from the end.

    With many documents the cut moves to the nearest start of one, unless that would hold out
    less than half or more than one and a half times the share asked for.
    """
    starts = text.document_starts
    cut = int((1 - val_fraction) * text.num_characters)
    if val_fraction == 0 or len(starts) < MANY_DOCUMENTS:
        return cut
    place = bisect_left(starts, cut)
    nearest = min(starts[max(0, place - 1) : place + 1], key=lambda start: abs(start - cut))
    held_out = text.num_characters - cut
    return nearest if nearest > 0 and abs(nearest - cut) <= held_out / 2 else cut


def _write_ids(
    pieces: Iterator[tuple[int, str]],
    path: Path,
    tokenizer: Tokenizer,
    cut: int,
    unknown: UnknownPolicy,
) -> tuple[int, int]:
    """Encode the text; returns how many ids there are, and how many before the cut."""
    dtype = smallest_dtype(tokenizer.vocab_size)
    num_ids = cut_ids = 0
    with path.open("wb") as file:
        for start, text in pieces:
            ids = tokenizer.encode(text, unknown)
            file.write(ids.astype(dtype).tobytes())
            num_ids += len(ids)
            if start < cut:
                cut_ids = num_ids
        file.flush()
        os.fsync(file.fileno())
    if num_ids == 0:
        raise TextError("The model has never seen any character of this text.")
    return num_ids, cut_ids


def _pieces(spool: Path, cut: int) -> Iterator[tuple[int, str]]:
    """Pieces of the text with the place where each begins; none goes across the cut."""
    place = 0
    with spool.open(encoding="utf-8", newline="") as file:
        while True:
            limit = _CHUNK_CHARACTERS if place >= cut else min(_CHUNK_CHARACTERS, cut - place)
            text = file.read(limit)
            if not text:
                return
            yield place, text
            place += len(text)
