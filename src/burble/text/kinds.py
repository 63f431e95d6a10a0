"""What a file is that is no plain text, by its first bytes, and what makes plain text of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CONVERT = "Save it as plain text (.txt) first, with {program}, and give that."
_PICTURE = (
    "A picture has no letters to read: text recognition (OCR), such as tesseract, makes text of it."
)
_UNPACK = "Unpack it first, and name the folder with the texts."
_SOUND = "Leave it out, or name a transcript of it."
_PROGRAM = "Leave it out, or name its source code."


@dataclass(frozen=True)
class Kind:
    name: str  # what it is, after "is"
    advice: str  # what to do with it


_OFFICE = "Word or LibreOffice"

# Where each begins, by bytes. A text could begin with some of them, so this is asked only of a file
# that is no text.
STARTS: list[tuple[bytes, Kind]] = [
    (b"%PDF-", Kind("a PDF", _CONVERT.format(program="pdftotext"))),
    (b"\xd0\xcf\x11\xe0", Kind("an old Office document", _CONVERT.format(program=_OFFICE))),
    (b"\x89PNG", Kind("a PNG picture", _PICTURE)),
    (b"\xff\xd8\xff", Kind("a JPEG picture", _PICTURE)),
    (b"GIF8", Kind("a GIF picture", _PICTURE)),
    (b"II*\0", Kind("a TIFF picture", _PICTURE)),
    (b"MM\0*", Kind("a TIFF picture", _PICTURE)),
    (b"BZh", Kind("a bzip2 archive", _UNPACK)),
    (b"\xfd7zXZ\0", Kind("an xz archive", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", Kind("a zstd archive", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Kind("a 7z archive", _UNPACK)),
    (b"Rar!", Kind("a RAR archive", _UNPACK)),
    (b"\x1f\x8b", Kind("a gzip file in a gzip file", _UNPACK)),
    (b"ID3", Kind("an MP3 file", _SOUND)),
    (b"OggS", Kind("an Ogg file", _SOUND)),
    (b"fLaC", Kind("a FLAC file", _SOUND)),
    (b"\x7fELF", Kind("a program", _PROGRAM)),
    (
        b"SQLite format 3",
        Kind("an SQLite database", "Export its text to a .txt file, and give that."),
    ),
]
_INSIDE: list[tuple[bytes, int, Kind]] = [
    (b"WEBP", 8, Kind("a WebP picture", _PICTURE)),
    (b"WAVE", 8, Kind("a WAV file", _SOUND)),
    (b"ftyp", 4, Kind("a film or a picture", _SOUND)),
    (b"ustar", 257, Kind("a tar archive", _UNPACK)),
]

_ZIP = b"PK\x03\x04"
IN_ZIPS: list[tuple[bytes, Kind]] = [
    (b"application/epub+zip", Kind("an EPUB book", _CONVERT.format(program="Calibre or pandoc"))),
    (
        b"application/vnd.oasis.opendocument",
        Kind("an OpenDocument file", _CONVERT.format(program="LibreOffice")),
    ),
    (b"word/", Kind("a Word document (.docx)", _CONVERT.format(program=_OFFICE))),
    (b"xl/", Kind("an Excel table (.xlsx)", _CONVERT.format(program="Excel or LibreOffice"))),
    (b"ppt/", Kind("a PowerPoint file (.pptx)", _CONVERT.format(program="LibreOffice"))),
    (b"", Kind("a ZIP archive", _UNPACK)),
]

# A safetensors file begins with the length of its JSON header.
_SAFETENSORS = re.compile(rb'.{8}\{"', re.DOTALL)
_MODEL = Kind("a model", "Name the text to learn from, not a model.")


def find_kind(head: bytes) -> Kind | None:
    """Return what a file is that begins with `head` and is no text; None for an unknown kind."""
    if head.startswith(_ZIP):
        return next(kind for mark, kind in IN_ZIPS if mark in head)
    for start, kind in STARTS:
        if head.startswith(start):
            return kind
    for mark, place, kind in _INSIDE:
        if head.startswith(mark, place):
            return kind
    return _MODEL if _SAFETENSORS.match(head) else None


# Enough of a beginning to see what a text is written in.
MARKUP_CHARACTERS = 1000

_MARKUPS = [
    ("HTML", re.compile(r"\s*(<!doctype html|<html|<head|<body)", re.IGNORECASE), "a browser"),
    ("XML", re.compile(r"\s*<\?xml "), "a program that reads it"),
    ("RTF", re.compile(r"\{\\rtf"), _OFFICE),
    ("JSON", re.compile(r'\s*[\[{]\s*("[^"\n]*"\s*[:,\]]|\{\s*"|\[\s*["\d]|\})'), "a script"),
]


def markup_note(name: str, text: str) -> str | None:
    """Return a note where a text that begins with `text` looks like markup; else None."""
    for markup, start, program in _MARKUPS:
        if start.match(text):
            return (
                f"{name} looks like {markup}: its marks are learned as well, letter by letter. To "
                f"learn the text alone, save it as plain text first, with {program}."
            )
    return None
