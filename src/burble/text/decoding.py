"""Decode bytes into characters: strictly, in pieces, and never with a silent loss."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator

from burble.errors import TextError
from burble.system_errors import advise_reader, describe_reason
from burble.text.sources import Document

CHUNK_BYTES = 1 << 20
_GUESS_BYTES = 1 << 16


def read_text(document: Document, say: Callable[[str], None]) -> Iterator[str]:
    """Yield a document's text with LF line ends and without a byte order mark.

    Call `say` with a message for each thing that was changed. Raises `TextError`.
    """
    newlines = io.IncrementalNewlineDecoder(decoder=None, translate=True)
    first = True
    for text in _decode(document):
        if first and text:
            first = False
            if text[0] == "\ufeff":
                say(f"{document.name}: dropped the byte order mark at its start.")
                text = text[1:]  # noqa: PLW2901
        yield newlines.decode(text)
    yield newlines.decode("", final=True)
    # Python reports one kind of line end as a string, several as a tuple.
    found = newlines.newlines
    endings = (found,) if isinstance(found, str) else found or ()
    names = [name for ending, name in (("\r\n", "CRLF"), ("\r", "CR")) if ending in endings]
    if names:
        say(f"{document.name}: turned {' and '.join(names)} line ends into LF.")


def _decode(document: Document) -> Iterator[str]:
    encoding = document.encoding
    decoder = _decoder(encoding)
    offset = 0
    for data in _read_bytes(document):
        if encoding is None and offset < _GUESS_BYTES and b"\0" in data[:_GUESS_BYTES]:
            raise TextError(
                f"{document.name} does not look like text: byte 0x00 at offset "
                f"{offset + data.index(0):,}.",
                *_advice(data[:_GUESS_BYTES], None),
            )
        pending = len(decoder.getstate()[0])
        try:
            yield decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            bad = offset - pending + error.start
            _raise_bad_bytes(document.name, encoding, error, bad)
        except UnicodeError as error:
            problem = f"{document.name} is not {encoding}: {error}."
            raise TextError(problem, *_advice(data[:_GUESS_BYTES], encoding)) from None
        offset += len(data)


def _decoder(encoding: str | None) -> codecs.IncrementalDecoder:
    try:
        "".encode(encoding or "utf-8")  # refuses codecs that do not make text, such as hex
        return codecs.getincrementaldecoder(encoding or "utf-8")(errors="strict")
    except LookupError as error:
        raise TextError(
            f"There is no encoding {encoding!r}. Try utf-8, cp1252 or utf-16."
        ) from error


def _read_bytes(document: Document) -> Iterator[bytes]:
    """Yield the document in pieces, then an empty one that marks the end."""
    try:
        with document.open() as stream:
            while data := stream.read(CHUNK_BYTES):
                yield data
            yield b""
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TextError(f"{document.name} is a broken gzip file: {error}.") from error
    except OSError as error:
        reason = describe_reason(error, document.name)
        raise TextError(
            f"{document.name} cannot be read: {reason}. {advise_reader(error)}"
        ) from error


def _raise_bad_bytes(
    name: str, encoding: str | None, error: UnicodeDecodeError, offset: int
) -> None:
    sample = error.object[max(0, error.start - _GUESS_BYTES // 2) :][:_GUESS_BYTES]
    raise TextError(
        f"{name} is not {encoding or 'UTF-8'}: byte {error.object[error.start]:#04x} at offset "
        f"{offset:,} does not fit ({error.reason}).",
        *_advice(sample, encoding),
    ) from None


def _advice(sample: bytes, tried: str | None) -> tuple[str, str]:
    """Return what to do, and the same with command-line flags."""
    guesses = {name: word for name, word in _guesses(sample).items() if name != tried}
    if not guesses:
        advice = "It may not be a text at all; leave it out, or name its encoding"
        return f"{advice}.", f"{advice} with --encoding."
    shown = " or ".join(
        f"{name} (as in {word!r})" if word else name for name, word in guesses.items()
    )
    advice = f"{next(iter(guesses))}, or convert the file to UTF-8."
    return f"It may be {shown}: try {advice}", f"It may be {shown}: try --encoding {advice}"


def _guesses(sample: bytes) -> dict[str, str]:
    """Return likely encodings, best first, each with a word of `sample` as it would read."""
    from charset_normalizer import from_bytes

    matches = from_bytes(sample)
    best = matches.best()
    if best is None or best.encoding in {"utf_8", "ascii"}:
        return {}
    # Among equals, from_bytes puts cp1250 first, by the alphabet. cp1252 is far more common.
    texts = {
        str(match): "cp1252"
        for match in matches
        if "cp1252" in match.could_be_from_charset and match.coherence >= best.coherence
    }
    texts.setdefault(str(best), best.encoding.replace("_", "-"))
    rows = zip(*(text.split() for text in texts), strict=False)
    different = (row for row in rows if len(set(row)) == len(row) and not row[0].isascii())
    words = next(different, ("",) * len(texts))
    return dict(zip(texts.values(), words, strict=True))
