"""Decode bytes into characters: strictly, in pieces, and never with a silent loss."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

from burble.errors import TextError
from burble.system_errors import advise_reader, describe_reason
from burble.text.kinds import MARKUP_CHARACTERS, Kind, find_kind, markup_note
from burble.text.sources import Document

CHUNK_BYTES = 1 << 20
_GUESS_BYTES = 1 << 16
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_LATIN = frozenset(map(chr, range(0xC0, 0x250)))
_FEW = 3  # bytes that may be wrong in a text that is UTF-8 all the same

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_JOINED = (
    "UTF-16 begins there: two files in different encodings were joined. Convert each to UTF-8, "
    "then join them.",
    "UTF-16 begins there: two files in different encodings were joined. Convert each to UTF-8, "
    "then join them: --encoding is for a text that has one.",
)

# Where the zeros of Latin letters are in four bytes, and the shares of places that show it.
_WIDE = {"x0x0": "utf-16-le", "0x0x": "utf-16-be", "x000": "utf-32-le", "000x": "utf-32-be"}
_MOSTLY, _RARELY = 0.6, 0.1


def read_text(document: Document, say: Callable[[str], None]) -> Iterator[str]:
    """Yield a document's text with LF line ends and without a byte order mark.

    Call `say` with a message for each thing that was changed. Raises `TextError`.
    """
    newlines = io.IncrementalNewlineDecoder(decoder=None, translate=True)
    first = True
    for text in _decode(document):
        if first and text:
            first = False
            if text[0] == _BOM:
                say(f"{document.name}: dropped the byte order mark at its start.")
                text = text[1:]  # noqa: PLW2901
            if note := markup_note(document.name, text[:MARKUP_CHARACTERS]):
                say(note)
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
    offset = num_lines = 0
    head = b""
    for data in _read_bytes(document):
        head = head or data
        if encoding is None and offset < _GUESS_BYTES and b"\0" in data[:_GUESS_BYTES]:
            _raise_nul(document.name, head, data, offset)
        pending = len(decoder.getstate()[0])
        try:
            yield decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            kind = find_kind(head) if encoding is None else None
            if kind is not None:
                raise _other_kind(document.name, kind) from None
            bad = offset - pending + error.start
            line = num_lines + error.object[: error.start].count(b"\n") + 1
            _raise_bad_bytes(document.name, encoding, error, bad, line)
        except UnicodeError as error:
            problem = f"{document.name} is not {encoding}: {error}."
            raise TextError(problem, *_advice(data[:_GUESS_BYTES], encoding)) from None
        offset += len(data)
        num_lines += data.count(b"\n")


def _other_kind(name: str, kind: Kind) -> TextError:
    return TextError(f"{name} is {kind.name}, not plain text. {kind.advice}")


def _raise_nul(name: str, head: bytes, data: bytes, offset: int) -> None:
    kind = find_kind(head)
    if kind is not None:
        raise _other_kind(name, kind)
    marks = [data.find(mark, 1, data.index(0)) for mark in _UTF16_MARKS]
    if (place := max(marks)) > 0:
        line = data.count(b"\n", 0, place) + 1
        raise TextError(
            f"{name} is not UTF-8: byte {data[place]:#04x} at offset {offset + place:,} does not "
            f"fit, in line {line:,}.",
            *_JOINED,
        )
    raise TextError(
        f"{name} does not look like text: byte 0x00 at offset {offset + data.index(0):,}.",
        *_advice(data[:_GUESS_BYTES], None),
    )


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
        raise TextError(
            f"{document.name} is a broken gzip file: {error}. Get an unbroken copy of it."
        ) from error
    except OSError as error:
        reason = describe_reason(error, document.name)
        raise TextError(
            f"{document.name} cannot be read: {reason}. {advise_reader(error)}"
        ) from error


def _raise_bad_bytes(
    name: str, encoding: str | None, error: UnicodeDecodeError, offset: int, line: int
) -> None:
    place = max(0, error.start - _GUESS_BYTES // 2)
    sample = error.object[place:][:_GUESS_BYTES]
    raise TextError(
        f"{name} is not {encoding or 'UTF-8'}: byte {error.object[error.start]:#04x} at offset "
        f"{offset:,} does not fit, in line {line:,}.",
        *(_advice_on_utf8(sample, error.start - place, encoding) or _advice(sample, encoding)),
    ) from None


def _advice_on_utf8(sample: bytes, place: int, tried: str | None) -> tuple[str, str] | None:
    """Return what to do about a text in UTF-8 but for a few bytes; None where it is none."""
    if sample.startswith(_UTF16_MARKS, place):
        return _JOINED
    shown = sample.decode("utf-8", "replace")
    good = sum(not c.isascii() for c in shown) - (bad := shown.count("\N{REPLACEMENT CHARACTER}"))
    if tried is not None or bad > _FEW or good <= _FEW * bad:
        return None
    advice = "The rest is UTF-8, so that the file may be damaged there: mend that line"
    return f"{advice}, or name another encoding.", f"{advice}, or name another with --encoding."


def _advice(sample: bytes, tried: str | None) -> tuple[str, str]:
    """Return what to do, and the same with command-line flags."""
    guesses = {name: word for name, word in _guesses(sample).items() if name != tried}
    if not guesses:
        advice = "It may not be a text at all; leave it out, or name its encoding"
        return f"{advice}.", f"{advice} with --encoding."
    shown = " or ".join(
        f"{name} (as in {word!r})" if word else name for name, word in guesses.items()
    )
    first, convert = next(iter(guesses)), "or convert the file to UTF-8."
    return (
        f'It may be {shown}: try encoding="{first}", {convert}',
        f"It may be {shown}: try --encoding {first}, {convert}",
    )


def _guesses(sample: bytes) -> dict[str, str]:
    """Return likely encodings, best first, each with a word of `sample` as it would read."""
    if (wide := _wide_encoding(sample)) is not None:
        return {wide: ""}
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
    if all(c.isascii() or not c.isalpha() or c in _LATIN for c in set(str(best))):
        with suppress(UnicodeDecodeError):
            texts.setdefault(sample.decode("cp1252"), "cp1252")
    rows = zip(*(text.split() for text in texts), strict=False)
    different = (row for row in rows if len(set(row)) == len(row) and not row[0].isascii())
    words = next(different, ("",) * len(texts))
    return dict(zip(texts.values(), words, strict=True))


def _wide_encoding(sample: bytes) -> str | None:
    """Return the encoding of two or four bytes a character that `sample` is in, by its zeros."""
    if sample.startswith(_UTF16_MARKS):  # its own encoding drops the mark
        return None
    shares = [sample[place::4].count(0) / max(1, len(sample) // 4) for place in range(4)]
    if any(_RARELY < share < _MOSTLY for share in shares):
        return None
    return _WIDE.get("".join("0" if share >= _MOSTLY else "x" for share in shares))
