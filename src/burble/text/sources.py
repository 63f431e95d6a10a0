"""Find the documents of SOURCE: files, folders, globs, `.gz`, `-`, addresses, known texts."""

import glob
import gzip
import io
import itertools
import os
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from burble.errors import TextError, brief
from burble.folder_names import CONFIG_NAME
from burble.hints import entries, nearest_name, nearest_path
from burble.system_errors import MISSING, advise_reader, describe_failure, describe_reason
from burble.text.corpora import CORPORA

_GZIP_MAGIC = b"\x1f\x8b"
_MANY_FILES = 10_000

_ADDRESSES = ("http://", "https://")
_WHAT_IT_MAY_BE = (
    "Name a text file, a folder of them, an address that begins with https://, or a known text: "
    f"{', '.join(CORPORA)}."
)
_LISTED = 5  # names in a folder that a message shows
_SHOWN = 60  # characters of a text that a message shows
_LONGEST_NAME, _LONGEST_PATH = 255, 1000
_WORDS_OF_A_NAME = 6


@dataclass(frozen=True)
class Document:
    """A text that is not read yet."""

    name: str  # for messages
    open: Callable[[], BinaryIO]
    path: Path | None = None  # its file; None for standard input, addresses and known texts
    encoding: str | None = None  # Python's name of the encoding; None means UTF-8


def find_documents(sources: Sequence[str], encoding: str | None = None) -> list[Document]:
    """Return the documents of all sources, in order. Folders and globs are sorted.

    Raises `TextError`.
    """
    documents = [document for source in sources for document in _find(source)]
    if not documents:
        raise TextError(f"No text was given. {_WHAT_IT_MAY_BE}")
    return [replace(document, encoding=encoding) for document in documents]


def check_sources(sources: Sequence[str]) -> None:
    """Raise `TextError` for a source that is neither there nor a pattern, an address or a name."""
    for source in sources:
        is_other = source == "-" or source.startswith(_ADDRESSES) or source in CORPORA
        if not (is_other or glob.has_magic(source) or _find_mode(source) is not None):
            raise _not_found(source)


def _find(source: str) -> list[Document]:
    if source == "-":
        return [Document("standard input", lambda: _unzip(_open_standard_input()))]
    if source.startswith(_ADDRESSES):
        return [Document(source, lambda: _unzip(_fetch(source)))]
    if source in CORPORA:
        return [Document(source, CORPORA[source].open)]
    return [
        Document(str(path), lambda path=path: _unzip(_open_file(path)), path)  # type: ignore[misc]
        for path in _find_files(source)
    ]


def _find_files(source: str) -> list[Path]:
    path, mode = Path(source), _find_mode(source)
    if mode is not None and stat.S_ISDIR(mode):
        # The files of earlier runs in the folder are not part of the text.
        found = _walk(path)
        runs = {file.parent for file in found if file.name == CONFIG_NAME}
        files = [file for file in found if runs.isdisjoint(file.parents)]
        if not files:
            raise TextError(
                f"The folder {source} holds no texts: {_describe_folder(source)}.",
                "Name a file, or a folder with text files in it.",
            )
        return files
    if mode is not None:
        return [path]
    if glob.has_magic(source):
        names = glob.glob(source, recursive=True)  # noqa: PTH207 - Path.glob wants a root
        files = sorted(path for path in map(Path, names) if path.is_file())
        if not files:
            raise TextError(f"No file matches {source!r}.", "Check the pattern, or name the files.")
        return files
    raise _not_found(source)


def _describe_folder(folder: str) -> str:
    names = entries(folder)
    if not names:
        return "it is empty"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"in it there is only {brief(', '.join(names[:_LISTED]))}{more}"


def _not_found(source: str) -> TextError:
    """Return the error for a source that is no file, with what was most likely meant."""
    if _looks_like_text(source):
        start = brief(repr(source[:_SHOWN])) + ("…" if len(source) > _SHOWN else "")
        return TextError(
            f"There is no file or folder {start}: that looks like a text, not like its name.",
            "Save the text to a file, and give the name of that file.",
            "Save the text to a file and name that, or pipe it: burble train - < FILE",
        )
    near = nearest_path(source) or nearest_name(source, CORPORA)
    if source.startswith("www."):
        near = f"https://{source}"
    advice = _WHAT_IT_MAY_BE if near is None else f"Did you mean {brief(near)}?"
    shown = brief(repr(source))
    return TextError(f"There is no file or folder {shown}, and no known text of that name.", advice)


def _looks_like_text(source: str) -> bool:
    name = os.path.basename(source)  # noqa: PTH119
    is_long = len(name) > _LONGEST_NAME or len(source) > _LONGEST_PATH
    return "\n" in source or is_long or len(name.split()) > _WORDS_OF_A_NAME


def is_quick_to_search(source: str) -> bool:
    """Return False for folders of more than 10,000 entries and for patterns of folders."""
    if os.path.isdir(source):  # noqa: PTH112
        entries = (name for _, folders, files in os.walk(source) for name in (*folders, *files))
        return sum(1 for _ in itertools.islice(entries, _MANY_FILES)) < _MANY_FILES
    return "**" not in source and not glob.has_magic(os.path.dirname(source))  # noqa: PTH120


def _find_mode(source: str) -> int | None:
    """Return the file's mode, or None if there is no such file. Raises `TextError`."""
    try:
        return os.stat(source).st_mode  # noqa: PTH116 - exactly as it was typed
    except ValueError:  # it cannot be the name of a file
        return None
    except OSError as error:
        if error.errno in MISSING:
            return None
        raise _unreadable(source, error) from error


def _walk(folder: Path) -> list[Path]:
    """Return all files that are not hidden, sorted. Raises `TextError` for unreadable folders."""
    found: list[Path] = []
    try:
        for parent, folders, names in os.walk(folder, onerror=_raise):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [Path(parent, name) for name in names if not name.startswith(".")]
        return sorted(file for file in found if file.is_file())
    except OSError as error:
        raise _unreadable(folder, error) from error


def _raise(error: OSError) -> None:
    raise error


def _unreadable(name: Path | str, error: OSError) -> TextError:
    return TextError(
        f"{name} cannot be read: {describe_reason(error, name)}. {advise_reader(error)}"
    )


def _open_standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise TextError("Standard input is closed or was read already; name - once only.")
    return sys.stdin.buffer


def _open_file(path: Path) -> BinaryIO:
    try:
        return cast("BinaryIO", path.open("rb", buffering=0))
    except OSError as error:
        raise _unreadable(path, error) from error


def _fetch(address: str) -> BinaryIO:
    from burble.text.fetch import open_address

    try:
        return open_address(address)
    except OSError as error:
        raise TextError(
            f"{address} could not be fetched: {describe_failure(error)}. Save the text to a file "
            "and name that."
        ) from error


def _unzip(raw: BinaryIO) -> BinaryIO:
    """Decompress `raw` if its first bytes are those of gzip, whatever the file is called."""
    buffered = io.BufferedReader(cast("io.RawIOBase", raw))
    try:
        magic = buffered.peek(2)[:2]
    except OSError:
        buffered.close()
        raise
    if magic != _GZIP_MAGIC:
        return cast("BinaryIO", buffered)
    unzipped = gzip.GzipFile(fileobj=buffered)
    unzipped.myfileobj = buffered  # type: ignore[assignment]  # closing the one closes the other
    return cast("BinaryIO", unzipped)
