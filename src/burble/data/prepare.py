"""Turn documents into ids on disk, in two passes and bounded memory.

The first pass decodes and normalises everything into one UTF-8 file and collects its characters.
The second pass encodes that file. So a pipe or an address is read only once, and a tokenizer can be
built from the whole text.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from burble.config import NormalizationConfig, RunConfig, UnknownPolicy
from burble.data.prepared import FACTS_FILE, IDS_FILE, PreparedText, TextFacts, write_facts
from burble.errors import TextError, brief
from burble.system_errors import guard_write
from burble.text.decoding import read_text
from burble.text.normalization import normalize_stream
from burble.text.sources import Document, find_documents, is_quick_to_search
from burble.tokenizers.base import Tokenizer, smallest_dtype
from burble.tokenizers.registry import TOKENIZERS

# With at least this many documents, the cut moves to the start of one. See `cut_tail`.
MANY_DOCUMENTS = 10

_GIVE_MORE = (
    "Give a text of at least a few pages: from about 10,000 characters on, a model can learn "
    "something."
)

_TOO_SHORT = 100

_CHUNK_CHARACTERS = 1 << 20
_CODE_POINTS = 0x110000

# The most bytes a character can take: in a source (decomposed and in UTF-32), and in our UTF-8.
_MAX_SOURCE_BYTES = 16
_MAX_UTF8_BYTES = 4


@dataclass(frozen=True)
class WholeText:
    """What is known about a text before it is encoded."""

    fingerprint: str  # SHA-256 of the normalised text in UTF-8
    num_characters: int
    document_starts: tuple[int, ...]  # the character at which each document begins


@dataclass(frozen=True)
class Cuts:
    """Where the held-out and the sealed part of a text begin, in characters."""

    held_out: int
    sealed: int  # the length of the text if nothing is sealed


@dataclass
class _Spool:
    file: BinaryIO
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    seen: np.ndarray[tuple[int], np.dtype[np.bool_]] = field(
        default_factory=lambda: np.zeros(_CODE_POINTS, dtype=np.bool_)
    )
    starts: list[int] = field(default_factory=list)
    num_characters: int = 0
    last: str = ""

    def start_document(self) -> None:
        # A document must not continue the last line of the one before it.
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
                "The text has half a character (a lone surrogate) at place "
                f"{self.num_characters + error.start:,}.",
                "Its encoding is most likely another one.",
                "Its --encoding is most likely another one.",
            ) from error
        self.file.write(encoded)
        self.digest.update(encoded)
        self.seen[np.frombuffer(text.encode("utf-32-le"), dtype="<u4")] = True
        self.num_characters += len(text)
        self.last = text[-1]

    def characters(self) -> set[str]:
        return {chr(point) for point in np.flatnonzero(self.seen)}


@dataclass(frozen=True)
class SpooledText:
    """The result of the first pass: one normalised text in a file, and facts about it."""

    path: Path
    whole: WholeText
    characters: set[str]
    normalization: NormalizationConfig
    num_documents: int
    stamp: str


@contextmanager
def spool_text(
    documents: Sequence[Document],
    normalization: NormalizationConfig,
    folder: Path,
    message: Callable[[str], None],
) -> Iterator[SpooledText]:
    """Read all documents into one file in `folder`, and remove it at the end.

    Raises `TextError`. Call `message` with each thing that was changed on the way.
    """
    # The stamp is taken before reading, so that it reveals a change made while reading.
    stamp = _compute_stamp(documents)
    path = folder / "text.tmp"
    with guard_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FACTS_FILE).unlink(missing_ok=True)
    try:
        with guard_write(path):
            with path.open("wb") as file:
                spool = _read_documents(documents, normalization, _Spool(file), message)
            whole = WholeText(spool.digest.hexdigest(), spool.num_characters, tuple(spool.starts))
            characters, count = spool.characters(), len(documents)
            yield SpooledText(path, whole, characters, normalization, count, stamp)
    finally:
        with suppress(OSError):  # a leftover file does no harm
            path.unlink()


def encode_spooled(
    text: SpooledText, tokenizer: Tokenizer, cuts: Cuts, unknown: UnknownPolicy = "error"
) -> PreparedText:
    """Encode a text, write the ids beside it and map them into memory. Raises `TextError`."""
    folder = text.path.parent
    pieces = _pieces(text.path, cuts)
    try:
        counts = _write_ids(pieces, folder / IDS_FILE, tokenizer, cuts, unknown)
    except TextError as error:
        number = sum(tokenizer.count_unknown(piece) for _, piece in _pieces(text.path, cuts))
        if unknown == "skip" or not number:
            raise
        problem, *advice = error.parts
        share = f"That is {number:,} of its {text.whole.num_characters:,} characters."
        raise TextError(f"{problem} {share}", *advice) from error
    facts = TextFacts(
        fingerprint=text.whole.fingerprint,
        num_documents=text.num_documents,
        num_characters=text.whole.num_characters,
        cut_characters=cuts.held_out,
        num_ids=counts.all,
        cut_ids=counts.train,
        sealed_characters=text.whole.num_characters - cuts.sealed,
        sealed_ids=counts.sealed,
        unknown_characters=counts.unknown,
        stamp=text.stamp,
    )
    write_facts(folder, facts, tokenizer, text.normalization)
    return PreparedText.load(folder)


def _read_documents(
    documents: Sequence[Document],
    normalization: NormalizationConfig,
    spool: _Spool,
    message: Callable[[str], None],
) -> _Spool:
    for document in documents:
        spool.start_document()
        chunks = read_text(document, message)
        for text in normalize_stream(chunks, normalization):
            spool.write(text)
    if spool.num_characters == 0:
        names = ", ".join(document.name for document in documents[:3])
        raise TextError(
            f"There is no text in {names}: found 0 characters. Name something with text in it; to "
            "learn from, give a few pages at least."
        )
    return spool


def prepare_to_learn(
    config: RunConfig, folder: Path, message: Callable[[str], None]
) -> PreparedText:
    """Read and encode the text of a run into `folder`. Raises `TextError`."""
    data = config.data
    documents = find_documents(config.sources, config.reading.encoding)
    with spool_text(documents, config.normalization, folder, message) as spooled:
        _check_varied(spooled)
        tokenizer = TOKENIZERS[data.tokenizer].from_characters(spooled.characters)
        cuts = cut_tail(spooled.whole, data.val_fraction, data.test_fraction)
        text = encode_spooled(spooled, tokenizer, cuts)
    if data.test_fraction and text.tokenizer.count_characters(text.test_ids[1:]) < 1:
        raise TextError(
            f"The text is too short to seal {data.test_fraction:g} of it: of "
            f"{text.facts.num_characters:,} characters that is {text.facts.sealed_characters}, and "
            "a score needs 2.",
            "Give more text, or seal a larger part of it.",
            "Give more text, or a larger --test-fraction.",
        )
    return text


def _check_varied(text: SpooledText) -> None:
    """Raise `TextError` for a text in which there is nothing to predict."""
    if text.whole.num_characters < _TOO_SHORT:
        return  # which is refused by how many are needed
    found = f"all of its {text.whole.num_characters:,} characters are"
    if all(map(str.isspace, text.characters)):
        raise TextError(
            f"There is too little in the text to learn from: {found} blanks.", _GIVE_MORE
        )
    if len(text.characters) == 1:
        (only,) = text.characters
        raise TextError(
            f"There is too little in the text to learn from: {found} {only!r}.", _GIVE_MORE
        )


def describe_changed_sources(config: RunConfig, text: PreparedText) -> str | None:
    """Return how the sources have changed since `text` was prepared, as the start of a sentence.

    Return None if they have not, or if that cannot be checked. A run made by somebody else may name
    any sources, so this searches no large folder and reads no pipe, device or endless file.
    """
    if not all(map(is_quick_to_search, config.sources)):
        return None
    names = brief(", ".join(config.sources))
    try:
        documents = find_documents(config.sources, config.reading.encoding)
    except TextError:
        return f"{names} has been moved or deleted, or cannot be read,"
    try:
        paths = [document.path for document in documents]
        if not all(path and path.is_file() and path.stat().st_size > 0 for path in paths):
            return None
        if _compute_stamp(documents) == text.facts.stamp:
            return None
        fingerprint = _compute_fingerprint(documents, text)
    except (TextError, OSError):
        return f"{names} can no longer be read"
    return None if fingerprint == text.facts.fingerprint else f"{names} has changed"


def _compute_fingerprint(documents: Sequence[Document], text: PreparedText) -> str | None:
    most = text.facts.num_characters
    sizes = (document.path.stat().st_size for document in documents if document.path)
    if sum(sizes) > _MAX_SOURCE_BYTES * most + _MAX_SOURCE_BYTES:
        return None
    try:
        sink = cast("BinaryIO", _BoundedSink(_MAX_UTF8_BYTES * most))
        spool = _read_documents(documents, text.normalization, _Spool(sink), lambda _: None)
    except _TooLongError:
        return None
    return spool.digest.hexdigest()


class _TooLongError(Exception):
    """The text is longer than the one that was prepared."""


class _BoundedSink:
    """Discard what is written, up to `most` bytes: a small file may unpack to an endless one."""

    def __init__(self, most: int) -> None:
        self._left = most

    def write(self, data: bytes) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise _TooLongError
        return len(data)


def _compute_stamp(documents: Sequence[Document]) -> str:
    digest = hashlib.sha256()
    for document in documents:
        if document.path is not None:
            with suppress(OSError):  # reading the file reports the error
                found = document.path.stat()
                digest.update(f"{document.name}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def cut_tail(text: WholeText, val_fraction: float, test_fraction: float = 0.0) -> Cuts:
    """Seal `test_fraction` of the text at its end, and hold out `val_fraction` before that.

    With many documents, each cut moves to the nearest start of one, unless its part would become
    less than half or more than 1.5 times as long as asked for.
    """
    starts = text.document_starts if len(text.document_starts) >= MANY_DOCUMENTS else ()
    # Rounded as others do it, so that 0.05 + 0.05 leaves as much training text as 0.1 + 0.
    train = int((1 - (val_fraction + test_fraction)) * text.num_characters)
    asked = int((1 - test_fraction) * text.num_characters) if test_fraction else text.num_characters
    # The sealed part must not take more than half of the training text, either.
    sealed = _nearest_start(starts, asked, min(text.num_characters - asked, train) / 2)
    held_out = sealed - (asked - train)
    return Cuts(_nearest_start(starts, held_out, (asked - train) / 2), sealed)


def _nearest_start(starts: Sequence[int], cut: int, reach: float) -> int:
    place = bisect_left(starts, cut)
    near = starts[max(0, place - 1) : place + 1]
    nearest = min(near, key=lambda start: abs(start - cut), default=cut)
    return nearest if nearest > 0 and abs(nearest - cut) <= reach else cut


@dataclass
class _Counts:
    all: int = 0
    train: int = 0
    sealed: int = 0
    unknown: int = 0  # characters


def _write_ids(
    pieces: Iterator[tuple[int, str]],
    path: Path,
    tokenizer: Tokenizer,
    cuts: Cuts,
    unknown: UnknownPolicy,
) -> _Counts:
    dtype = smallest_dtype(tokenizer.vocab_size)
    counts = _Counts()
    with path.open("wb") as file:
        for start, text in pieces:
            counts.unknown += tokenizer.count_unknown(text)
            ids = tokenizer.encode(text, unknown)
            file.write(ids.astype(dtype).tobytes())
            counts.all += len(ids)
            counts.train += len(ids) * (start < cuts.held_out)
            counts.sealed += len(ids) * (start >= cuts.sealed)
        file.flush()
        os.fsync(file.fileno())
    if counts.all == 0:
        raise TextError(
            "The model has never seen any character of this text. Use a model of a text in the "
            "same script."
        )
    return counts


def _pieces(spool: Path, cuts: Cuts) -> Iterator[tuple[int, str]]:
    """Yield pieces of the text and where each begins. No piece crosses a cut."""
    place = 0
    with spool.open(encoding="utf-8", newline="") as file:
        while True:
            ends = [cut for cut in (cuts.held_out, cuts.sealed) if cut > place]
            text = file.read(min([place + _CHUNK_CHARACTERS, *ends]) - place)
            if not text:
                return
            yield place, text
            place += len(text)
