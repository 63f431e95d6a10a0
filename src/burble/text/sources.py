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

from burble.errors import TextError
from burble.folder_names import CONFIG_NAME
from burble.system_errors import MISSING, advise_reader, describe_reason
from burble.text.corpora import CORPORA

_GZIP_MAGIC = b"\x1f\x8b"
_MANY_FILES = 10_000


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
        raise TextError("No text was given. Name a file, a folder, an address, or a known text.")
    return [replace(document, encoding=encoding) for document in documents]


def _find(source: str) -> list[Document]:
    if source == "-":
        return [Document("standard input", lambda: _unzip(_open_standard_input()))]
    if source.startswith(("http://", "https://")):
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
                f"The folder {source} holds no texts. Name a folder that has some in it."
            )
        return files
    if mode is not None:
        return [path]
    if glob.has_magic(source):
        names = glob.glob(source, recursive=True)  # noqa: PTH207 - Path.glob wants a root
        files = sorted(path for path in map(Path, names) if path.is_file())
        if not files:
            raise TextError(f"No file matches {source!r}.")
        return files
    known = ", ".join(CORPORA)
    raise TextError(
        f"There is no file or folder {source!r}, and no known text of that name (known: {known})."
    )


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
            f"{address} could not be fetched: {error}. Save the text to a file and name that."
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
