"""What the user names becomes documents: files, folders, globs, gzip, a pipe, an address."""

from __future__ import annotations

import gzip
import io
import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from burble.errors import TextError
from burble.text.corpora import CORPORA
from burble.text.sources import find_documents
from tests.text.serving import Handler, served

from .documents import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BIG = "".join(f"line {number}\n" for number in range(200_000)).encode()

READ_STANDARD_INPUT = """
from burble.text.decoding import read_text
from burble.text.sources import find_documents
from burble.errors import BurbleError
import sys
try:
    for document in find_documents(sys.argv[1:]):
        sys.stdout.write("".join(read_text(document, print)))
except BurbleError as error:
    sys.exit(f"{error.exit_code}: {error}")
"""


PAGES = {"/a.txt": b"from afar\n", "/a.gz": gzip.compress(b"zipped afar\n"), "/big": BIG}


class Site(Handler):
    """A small web site, some of whose answers break off."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        if self.path == "/short":
            self._answer({"Content-Length": "1000"}, b"cut off\n")
        elif self.path == "/chunks":
            self._answer({"Transfer-Encoding": "chunked"}, b"8\r\ncut off\n\r\n8\r\nha")
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/a.txt")
            self.end_headers()
        elif self.path == "/garbage":
            self.wfile.write(b"this is not http\r\n\r\n")
        elif self.path in PAGES:
            page = PAGES[self.path]
            self._answer({"Content-Length": str(len(page))}, page)
        else:
            self.send_error(404)

    def _answer(self, headers: dict[str, str], body: bytes) -> None:
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served(Site) as address:
        yield address


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder of texts, some of them hidden, one deep inside."""
    for name in ("b.txt", "a.txt", "deep/er/c.txt", "deep/d.md", ".hidden", ".git/config"):
        path = tmp_path / "library" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"in {name}\n")
    return tmp_path / "library"


def names(sources: Sequence[str], root: Path) -> list[str]:
    return [os.path.relpath(document.name, root) for document in find_documents(sources)]


def content(source: str) -> str:
    (document,) = find_documents([source])
    return read(document)[0]


def refusal(source: str) -> str:
    with pytest.raises(TextError) as caught:
        content(source)
    return str(caught.value)


def zipped(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        # Files come in the order given, those of folders and patterns sorted.
        (["b.txt", "a.txt", "b.txt"], ["b.txt", "a.txt", "b.txt"]),
        (["."], ["a.txt", "b.txt", "deep/d.md", "deep/er/c.txt"]),
        (["./deep/"], ["deep/d.md", "deep/er/c.txt"]),
        # What is hidden is read where it is named.
        ([".git"], [".git/config"]),
        (["*.txt"], ["a.txt", "b.txt"]),
        (["[b-z].txt"], ["b.txt"]),
        (["**/*.txt"], ["a.txt", "b.txt", "deep/er/c.txt"]),
        # A pattern takes files only.
        (["*"], ["a.txt", "b.txt"]),
    ],
)
def test_files_are_found_by_their_names_folders_and_patterns(
    library: Path, monkeypatch: pytest.MonkeyPatch, sources: list[str], expected: list[str]
) -> None:
    assert names([f"{library}/{source}" for source in sources], library) == expected
    monkeypatch.chdir(library)
    assert names(sources, library) == expected


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(library: Path) -> None:
    (library / "a[1]*.txt").write_text("odd\n")
    assert content(str(library / "a[1]*.txt")) == "odd\n"


def test_a_file_named_like_a_known_text_needs_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "python-docs").write_text("mine\n")
    assert content("./python-docs") == "mine\n"
    assert content("python-docs") != "mine\n"


def test_sources_of_every_kind_can_be_mixed(library: Path) -> None:
    found = find_documents([str(library / "b.txt"), "python-docs", f"{library}/deep/*", "-"])
    assert [document.name.removeprefix(f"{library}/") for document in found] == [
        "b.txt",
        "python-docs",
        "deep/d.md",
        "standard input",
    ]


def test_a_missing_file_is_named_along_with_the_known_texts() -> None:
    told = refusal("alcie.txt")
    assert "no file or folder 'alcie.txt'" in told
    assert all(name in told for name in CORPORA)


def test_a_pattern_without_a_match_is_refused(library: Path) -> None:
    assert refusal(f"{library}/*.rst").startswith(f"No file matches '{library}/*.rst'. ")


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    (tmp_path / "empty" / ".hidden").write_text("x")
    assert f"The folder {tmp_path}/empty holds no texts" in refusal(f"{tmp_path}/empty")


@pytest.mark.parametrize("source", ["x" * 100_000, "x/" * 50_000, "x*" * 10_000, "a\0b", "\udce9"])
def test_a_source_that_can_be_no_path_is_a_mistake_told(source: str) -> None:
    with pytest.raises(TextError):
        find_documents([source])


@pytest.mark.parametrize("source", ["", " "])
def test_an_empty_name_is_a_missing_file(source: str) -> None:
    assert "no file or folder" in refusal(source)


def test_no_source_at_all_is_refused() -> None:
    with pytest.raises(TextError, match="No text was given"):
        find_documents([])


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    assert content(zipped(tmp_path / "named.txt", gzip.compress(b"small\n"))) == "small\n"
    assert content(zipped(tmp_path / "plain.gz", b"not zipped\n")) == "not zipped\n"
    assert content(zipped(tmp_path / "empty.gz", b"")) == ""


def test_a_gzip_of_several_members_is_read_whole(tmp_path: Path) -> None:
    members = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    assert content(zipped(tmp_path / "a.gz", members)) == "one\ntwo\n"


def test_a_big_gzip_is_read_whole(tmp_path: Path) -> None:
    assert content(zipped(tmp_path / "a.gz", gzip.compress(BIG))) == BIG.decode()


def corrupt(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 0xFF
    return bytes(changed)


@pytest.mark.parametrize(
    "data",
    [
        *(gzip.compress(BIG)[:kept] for kept in (2, 9, 12, 1000, -1)),
        *(corrupt(gzip.compress(BIG, mtime=0), place) for place in (2, 20, 5000, -6, -2)),
        gzip.compress(b"good\n") + b"garbage",
    ],
    ids=len,
)
def test_a_broken_gzip_is_a_mistake_told(tmp_path: Path, data: bytes) -> None:
    assert f"{tmp_path}/a.gz is a broken gzip file" in refusal(zipped(tmp_path / "a.gz", data))


def test_a_file_that_vanished_is_a_mistake_told(library: Path) -> None:
    (document,) = find_documents([str(library / "a.txt")])
    (library / "a.txt").unlink()
    with pytest.raises(TextError, match=r"a\.txt cannot be read: No such file"):
        read(document)


def piped(data: bytes, *sources: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", READ_STANDARD_INPUT, *sources],
        input=data,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "data", [b"piped \xc3\xa9\n", gzip.compress(b"piped \xc3\xa9\n")], ids=["plain", "zipped"]
)
def test_a_pipe_is_read(data: bytes) -> None:
    ended = piped(data, "-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"piped \xc3\xa9\n", b"")


def test_standard_input_can_be_named_once_only() -> None:
    ended = piped(b"once\n", "-", "-")
    assert (ended.returncode, ended.stdout) == (1, b"once\n")
    assert b"3: Standard input is closed or was read already" in ended.stderr


def test_a_process_without_standard_input_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert "Standard input is closed" in refusal("-")


def test_a_replaced_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with io.TextIOWrapper(io.BytesIO(b"typed\n"), encoding="ascii") as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        assert content("-") == "typed\n"


def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(BIG),))
    writer.start()
    assert content(str(pipe)) == BIG.decode()
    writer.join()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/a.txt", "from afar\n"),
        ("/a.gz", "zipped afar\n"),
        ("/moved", "from afar\n"),
        ("/big", BIG.decode()),
    ],
)
def test_an_address_is_fetched(site: str, path: str, text: str) -> None:
    assert content(site + path) == text


def test_nothing_is_fetched_before_it_is_read() -> None:
    (document,) = find_documents(["https://nowhere.invalid/"])
    assert document.name == "https://nowhere.invalid/"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing", "could not be fetched: HTTP Error 404: Not Found. Save the text to a file"),
        *((path, "cannot be read: the download broke off") for path in ("/short", "/chunks")),
        *((path, "could not be fetched: ") for path in ("/garbage", "/é", "/a b")),
    ],
)
def test_what_cannot_be_fetched_whole_is_a_mistake_told(site: str, path: str, words: str) -> None:
    assert f"{site}{path} {words}" in refusal(site + path)


@pytest.mark.parametrize("address", ["http://", "http://[::1", "https:///a", "http://a:b/"])
def test_an_address_without_a_host_is_a_mistake_told(address: str) -> None:
    assert f"{address} could not be fetched: " in refusal(address)


def test_a_refused_connection_is_a_mistake_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/a.txt"
        assert f"{address} could not be fetched: " in refusal(address)
