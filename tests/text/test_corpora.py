"""The known texts: the one in every Python, and the one fetched once, checked and kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from burble.errors import TextError
from burble.text.corpora import (
    CORPORA,
    SHAKESPEARE_SHA256,
    cache_folder,
    check_alice,
    open_alice,
    open_shakespeare,
    strip_gutenberg,
)
from tests.text.serving import Handler, served

if TYPE_CHECKING:
    from collections.abc import Iterator

ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
# Of the right size and shape, and of made-up words.
BOOK = "".join(f"CHAPTER {number}.\n" + "bibble babble\n" * 900 for number in ROMAN)
HEADER = "Some words of the licence.\n*** START OF THE PROJECT GUTENBERG EBOOK A ***\n\n"
FOOTER = "\n\n*** END OF THE PROJECT GUTENBERG EBOOK A ***\nThe licence, at length.\n"


class Shelf(Handler):
    """Serves one book and counts how often it was asked for."""

    page = b""
    asked = 0

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        type(self).asked += 1
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page if self.path == "/book" else self.page[:1000])


@pytest.fixture
def shelf() -> Iterator[str]:
    Shelf.page = ("\ufeff" + (HEADER + BOOK + FOOTER).replace("\n", "\r\n")).encode()
    Shelf.asked = 0
    with served(Shelf) as address:
        yield address


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "burble" / "alice.txt"


def fetched(address: str) -> str:
    with open_alice(address) as book:
        return book.read().decode()


def test_the_python_docs_are_always_there() -> None:
    with CORPORA["python-docs"].open() as stream:
        text = stream.read().decode()
    assert len(text) > 300_000
    assert "lambda" in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_the_book_is_fetched_stripped_and_kept(shelf: str, cache: Path) -> None:
    assert fetched(f"{shelf}/book") == BOOK
    assert cache.read_text("utf-8") == BOOK


def test_the_book_is_fetched_once(shelf: str, cache: Path) -> None:
    assert fetched(f"{shelf}/book") == fetched(f"{shelf}/book")
    assert Shelf.asked == 1


@pytest.mark.parametrize("path", ["cut", "missing"])
def test_a_download_that_fails_or_breaks_off_is_not_kept(
    shelf: str, cache: Path, path: str
) -> None:
    with pytest.raises(TextError, match=r"could not be fetched.*python-docs"):
        fetched(f"{shelf}/{path}")
    assert not cache.exists()


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ((HEADER + BOOK[:1000] + FOOTER).encode(), "does not hold the whole of Alice: found 1,001"),
        ((HEADER + BOOK + FOOTER).encode() + b"\xff", "does not hold Alice: it is not UTF-8"),
    ],
)
def test_a_page_that_is_another_book_is_not_kept(
    shelf: str, cache: Path, page: bytes, words: str
) -> None:
    Shelf.page = page
    with pytest.raises(TextError, match=words):
        fetched(f"{shelf}/book")
    assert not cache.exists()


def test_without_a_network_the_way_out_is_told(cache: Path) -> None:
    with pytest.raises(
        TextError, match=r"could not be fetched.*a file of your own, or use python-docs"
    ):
        fetched("http://127.0.0.1:9/book")


PLAY = b"First Citizen:\nBefore we proceed any further, hear me speak.\n" * 30
PLAYS_SHA256 = hashlib.sha256(PLAY).hexdigest()


@pytest.fixture
def kept_play(cache: Path) -> Path:
    return cache.with_name("tinyshakespeare.txt")


def played(address: str, sha256: str = PLAYS_SHA256) -> bytes:
    with open_shakespeare(address, sha256) as play:
        return play.read()


def test_a_text_with_the_right_checksum_is_fetched_once_and_kept(
    shelf: str, kept_play: Path
) -> None:
    Shelf.page = PLAY
    assert played(f"{shelf}/book") == played(f"{shelf}/book") == kept_play.read_bytes() == PLAY
    assert Shelf.asked == 1


@pytest.mark.parametrize("page", [PLAY[:-1], PLAY + b"\n", b"", b"<html>Sign in</html>"])
def test_a_text_with_another_checksum_is_not_kept(shelf: str, kept_play: Path, page: bytes) -> None:
    Shelf.page = page
    with pytest.raises(TextError, match=r"SHA-256 is .*should be .*Nothing was kept"):
        played(f"{shelf}/book")
    assert not kept_play.exists()
    # Nor is what was refused taken for the text the next time.
    Shelf.page = PLAY
    assert played(f"{shelf}/book") == PLAY


def test_a_cache_that_was_changed_is_fetched_again(shelf: str, kept_play: Path) -> None:
    kept_play.parent.mkdir(parents=True)
    kept_play.write_bytes(PLAY[:100])
    Shelf.page = PLAY
    assert played(f"{shelf}/book") == kept_play.read_bytes() == PLAY


def test_tinyshakespeare_is_the_text_that_everybody_uses(
    tinyshakespeare: Path, kept_play: Path
) -> None:
    kept_play.parent.mkdir(parents=True)
    kept_play.write_bytes(tinyshakespeare.read_bytes())
    # Port 9 answers nobody: it is taken from the cache.
    assert len(played("http://127.0.0.1:9/", SHAKESPEARE_SHA256)) == 1_115_394


@pytest.mark.parametrize(
    "page", ["no marks at all", HEADER + "no end", "no start" + FOOTER, FOOTER + HEADER]
)
def test_a_page_without_both_marks_is_refused(page: str) -> None:
    with pytest.raises(TextError, match="no Project Gutenberg header and footer"):
        strip_gutenberg(page, "http://a")


def test_older_marks_are_known_too() -> None:
    old = HEADER.replace("*** START OF THE", "***START OF THIS").replace("A ***", "A***")
    assert strip_gutenberg(old + "words\n" + FOOTER, "http://a") == "words\n"


def test_a_chapter_too_few_is_refused() -> None:
    check_alice(BOOK, "http://a")
    with pytest.raises(TextError, match="11 chapters"):
        check_alice(BOOK.replace("CHAPTER XII.", "CHAPTER XI."), "http://a")


@pytest.mark.parametrize("value", ["", "relative/path"])
def test_a_cache_variable_that_is_no_absolute_path_is_ignored(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache_folder() == Path.home() / ".cache" / "burble"
