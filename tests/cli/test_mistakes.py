"""The mistakes that a newcomer makes, and what the answer must name; one row each.

Rows are run as they were typed, in a folder that has what their words name. Nothing in it may be
lost by a mistake.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import zipfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from burble.model_file import ModelFile
from burble.version import __version__
from tests.cli.command import burble, burble_process, said
from tests.cli.test_system_refusals import forbidden, without_privileges
from tests.training.runs import made_up_text, train_tiny

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BRIEF = "--steps 2 --hidden-size 8 --batch-size 4 --sample-length 0"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89" + bytes(
    200
)


@dataclass(frozen=True)
class Mistake:
    number: str
    typed: str
    code: int
    names: tuple[str, ...]
    how: str = "here"

    @property
    def id(self) -> str:
        return f"{self.number}: {self.typed[:60]}"


def rows(
    code: int, *lines: tuple[str, str, tuple[str, ...] | str], how: str = "here"
) -> list[Mistake]:
    return [
        Mistake(number, typed, code, (names,) if isinstance(names, str) else names, how)
        for number, typed, names in lines
    ]


CASES = [
    # Finding the way in.
    *rows(
        0,
        ("1", "", ("burble train", "burble generate", "--help")),
        ("5", "version", __version__),
        ("6", "-V", __version__),
        ("7", "help train", "Usage: burble train"),
    ),
    *rows(
        2,
        ("2", "trian text.txt", ("'trian'", "Did you mean train?")),
        ("3", "help trian", ("'trian'", "Did you mean train?")),
        ("4", "generat model", ("'generat'", "Did you mean generate?")),
        ("4 learn", "learn text.txt", ("'learn'", "Did you mean train?")),
        ("8", "train --hlep", ("--hlep", "Did you mean --help?")),
    ),
    # Options of training.
    *rows(
        2,
        ("9", "train text.txt --minutes 1m", ("--minutes", "'1m'", "For 1m give 1.", "1 or 0.5")),
        ("9 s", "train text.txt --minutes 30s", ("'30s'", "For 30s give 0.5.")),
        ("10", "train text.txt --minutes abc", ("--minutes", "'abc'", "1 or 0.5")),
        ("11", "train text.txt --minutes 0", ("--minutes", "found 0.", "1 or 0.5")),
        ("12", "train text.txt --minutes -1", ("--minutes", "found -1.", "1 or 0.5")),
        ("13", "train text.txt --lr 0.01", ("--lr", "Did you mean --learning-rate?")),
        ("14", "train text.txt --hidden 256", ("--hidden", "Did you mean --hidden-size?")),
        ("15", "train text.txt --layers 2", ("--layers", "Did you mean --num-layers?")),
        ("16", "train text.txt --epoch 3", ("--epoch", "Did you mean --epochs?")),
        ("16 none near", "train --data text.txt", ("no option --data. burble train --help lists",)),
        ("17", "train text.txt --hidden-size 0", ("--hidden-size", "between 1 and", "found 0")),
        ("18", "train text.txt --dropout 1.5", ("--dropout", "below 1", "found 1.5")),
        (
            "19",
            "train text.txt --batch-size 1e3",
            ("--batch-size", "a whole number", "'1e3'", "give 1000"),
        ),
    ),
    # Texts.
    *rows(
        0,
        (
            "20",
            f"train -o docs {BRIEF}",
            ("No text is named", "file, a folder, an address", "known"),
        ),
    ),
    *rows(
        3,
        ("21", "train missing.txt", ("'missing.txt'", "text file", "a folder", "python-docs")),
        ("22", "train texd.txt", ("'texd.txt'", "Did you mean text.txt?")),
        ("22 known", "train alic", ("'alic'", "Did you mean alice?")),
        ("23", "train folder-without-text/", ("holds no texts", ".hidden", "Name a file")),
        ("24", "train empty.txt", ("empty.txt", "0 characters", "a few pages")),
        ("25", "train tiny.txt", ("too short", "needs 33", "--seq-len")),
        ("26", "train blanks.txt", ("too little", "blanks", "a few pages", "10,000")),
        ("27", "train same.txt", ("too little", "'a'", "a few pages", "10,000")),
        ("28", "train letter.docx", ("letter.docx is a Word document", "plain text", "Word")),
        ("29", "train book.epub", ("book.epub is an EPUB book", "plain text", "Calibre")),
        ("30", "train texts.zip", ("texts.zip is a ZIP archive", "Unpack")),
        ("31", "train paper.pdf", ("paper.pdf is a PDF", "plain text", "pdftotext")),
        ("32", "train cat.png", ("cat.png is a PNG picture", "OCR")),
        ("33", "train cat.gz", ("cat.gz is a PNG picture", "OCR")),
        ("34", "train utf16.txt", ("offset 1", "utf-16-le", "--encoding utf-16-le")),
        ("35", "train stray.txt", ("0xff at offset", "line 3", "UTF-8", "--encoding")),
        (
            "36",
            "train latin.txt",
            ("0xe9 at offset", "line 1", "cp1252 (as in 'élève')", "--encoding"),
        ),
        ("37", "train joined.txt", ("0xff at offset", "line 3", "UTF-16", "--encoding")),
    ),
    *rows(
        0,
        ("38", f"train page.txt -o html {BRIEF}", ("page.txt looks like HTML", "plain text first")),
        (
            "39",
            f"train letter.txt -o rtf {BRIEF}",
            ("letter.txt looks like RTF", "plain text first"),
        ),
        ("40", f"train data.txt -o json {BRIEF}", ("data.txt looks like JSON", "plain text first")),
    ),
    # Where the run goes.
    *rows(
        6,
        ("41", f"train text.txt -o locked/run {BRIEF}", ("locked/run", "Permission denied")),
        how="no rights",
    ),
    *rows(
        2,
        ("42", "train text.txt -o text.txt/run", ("text.txt/run", "Not a directory")),
        ("43", "train text.txt -o ''", ("--out must not be empty", "Name a FOLDER")),
        ("45", "train text.txt -o model", ("model/", "--resume model", "--overwrite", "-o")),
        ("46", "train text.txt -o other-files", ("other-files", "not a run", "-o")),
        ("47", "train text.txt -o text.txt", ("text.txt is a file", "-o")),
        # Going on with a run.
        ("48", "train --resume folder-without-model", ("no run in", "run.toml", "such as", "-o")),
        ("48 run", "train --resume modle", ("no such folder", "model", "-o")),
        (
            "49",
            "train --resume killed",
            ("killed/", "before it began", "burble train", "-o killed"),
        ),
        (
            "50",
            "train other.txt --resume model",
            ("another text", "--resume model", "other.txt -o"),
        ),
        ("52", "train --resume model --steps 10", ("--steps", "at least 30", "found 10", "more")),
    ),
    *rows(
        0,
        (
            "51",
            "train --resume changed --steps 31",
            ("changed.txt has changed", "its own copy"),
        ),
    ),
    # Models.
    *rows(
        2,
        (
            "53",
            "generate",
            ("No model is named", "folder that burble train made", "generate changed"),
        ),
        ("57", "generate model It was", ('in quotes: burble generate model "It was"',)),
        (
            "58",
            "generate model 'It was' again",
            ('in quotes: burble generate model "It was again"',),
        ),
        ("58 look", "inspect model It was", ('in quotes: burble inspect model "It was"',)),
        ("59", "generate model --prompt", ("--prompt", 'burble generate model "It was"')),
        (
            "60",
            "generate model --temperature -1",
            ("--temperature", "between 0 and 100", "found -1"),
        ),
        ("61", "generate model --temperature hot", ("--temperature", "between 0 and 100", "'hot'")),
        ("63", "generate model --top-k 0", ("--top-k", "between 1 and", "found 0")),
        ("64", "generate model --top-p 1.5", ("--top-p", "at most 1", "found 1.5")),
        ("65", "generate model --length -5", ("--length", "at least 0", "found -5")),
        ("66", "generate model --length abc", ("--length", "at least 0", "'abc'")),
        ("67", f"generate model --length {'9' * 400}", ("--length", "at most 2⁶³-1", "999…")),
    ),
    *rows(
        4,
        ("54", "generate missing", ("no model at missing", "burble train", "model")),
        ("54 near", "generate modle", ("no model at modle", "Did you mean model?")),
        ("55", "generate text.txt", ("text.txt is a text", "burble train text.txt")),
        ("56", "generate folder-without-model", ("folder-without-model", "burble train", "model")),
    ),
    *rows(
        0,
        ("62", "generate model Ba --temperature 0 --length 5", ()),
        ("68", r"generate model Ba --stop '\n' --length 500 --seed 1", ()),
    ),
    *rows(
        3,
        (
            "69",
            "generate model Bœ",
            ("'œ' (U+0153)", "Change the text", "--unknown nearest", "--unknown skip"),
        ),
        ("70", "generate model Ba😀", ("'😀' (U+1F600)", "--unknown nearest", "--unknown skip")),
        (
            "71",
            "generate model Ba😀 --unknown nearest",
            ("'😀'", "nor anything near", "--unknown skip"),
        ),
    ),
    *rows(0, ("71 é", "generate model Bé --unknown nearest --length 5", "replaced by the nearest")),
    # Serving.
    *rows(
        2,
        ("72", "serve", ("No model is named", "folder that burble train made", "--runs")),
        ("74", "serve model --port 99999", ("--port", "between 0 and 65,535", "found 99999")),
        ("76", "serve model --host 0.0.0.0 --port 0", ("0.0.0.0", "BURBLE_API_KEY", "--insecure")),
    ),
    *rows(6, ("73", "serve model --port 80", ("Port 80", "rights", "--port 80")), how="low port"),
    *rows(
        6, ("75", "serve model --port BUSY", ("Port BUSY", "in use", "--port ")), how="busy port"
    ),
    *rows(
        2, ("77", "serve model", ("Serving", "optional", "Install", "fastapi")), how="no fastapi"
    ),
    # Other commands.
    *rows(
        2,
        ("72 first", "--minutes 1", ("--minutes is no command", "train, plan")),
        ("53 text", "eval model", ("No text is named", "burble eval model my-text.txt")),
        ("53 look", "inspect model", ("no text to read", "burble inspect model 'It was'")),
        ("78", "export model --to gguf", ("--to", "html, onnx, hub", "'gguf'")),
        ("79", "plot model -o p.gif", (".png, .svg or .pdf", "'p.gif'")),
        ("80", "export model -o page.html", ("page.html already exists", "--overwrite")),
        ("81", "inspect model Ba --unit 999", ("no unit 999", "0 to 23")),
        ("82", "inspect model Ba --gate forgot", ("'forgot'", "Did you mean forget?")),
        ("82 cells", "cells model text.txt --property quote", ("'quote'", "Did you mean quotes?")),
    ),
    *rows(
        3,
        ("83", "cells model tiny.txt", ("at least 1,000", "found", "Give more text")),
        (
            "84",
            "eval model other.txt",
            ("'é' (U+00E9)", "That is 4 of its", "--unknown skip"),
        ),
    ),
    *rows(0, ("84 skip", "eval model other.txt --unknown skip", "4 of")),
    # Pipes.
    *rows(0, ("85", f"train text.txt -o piped {BRIEF} 2>&1 | head -3", ()), how="pipe"),
    *rows(0, ("86", "generate model --length 2000 | head -1", ()), how="pipe"),
]

# Words of the parser, of Python and of the system that a message may not have.
NOT_OURS = re.compile(
    r"Traceback|Usage:|Try '|Missing |No such option|Got unexpected|requires an argument|Error:|"
    r"\[Errno|invalid (start|continuation)|codec|None\b",
)


def write_texts(folder: Path) -> None:
    text = made_up_text(200)
    accented = "Élève à l'école, déjà vu: où ça ?\n"
    files = {
        "empty.txt": b"",
        "tiny.txt": b"Bada bago. Bada bago la.",
        "blanks.txt": b" \n" * 500,
        "same.txt": b"a" * 2000,
        "other.txt": f"{made_up_text(20, seed=5)}éé{made_up_text(2, seed=6)}üü\n".encode(),
        "changed.txt": f"{text}More.\n".encode(),
        "paper.pdf": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Length 9>>stream\n\x80\x81\xff\n",
        "cat.png": PNG,
        "cat.gz": gzip.compress(PNG),
        "utf16.txt": text.encode("utf-16-le"),
        "stray.txt": f"{accented * 2}Été ".encode() + b"\xff" + f"là.\n{accented * 9}".encode(),
        "latin.txt": (accented * 40).replace("É", "é").encode("cp1252"),
        "joined.txt": (accented * 2).encode() + accented.encode("utf-16"),
        "page.txt": f"<!DOCTYPE html>\n<html><body><p>{text}</p></body></html>".encode(),
        "letter.txt": rf"{{\rtf1\ansi {text}}}".encode(),
        "data.txt": f'{{"title": "B", "text": "{text}"}}'.replace("\n", " ").encode(),
        "page.html": b"mine",
        "letter.docx": zipped({"[Content_Types].xml": "<a/>", "word/document.xml": text}),
        "book.epub": zipped({"mimetype": "application/epub+zip", "OEBPS/1.xhtml": text}),
        "texts.zip": zipped({"one.txt": text}),
        "folder-without-text/.hidden": b"x",
        "folder-without-model/notes.txt": b"x",
        "other-files/diary.txt": b"dear",
        "killed/.burble-new/data/ids.bin": b"x",
        "locked/.keep": b"",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that the rows name."""
    folder = tmp_path_factory.mktemp("mistakes")
    train_tiny(folder, steps=30, dropout=0.0)
    (folder / "run").rename(folder / "model")
    shutil.copytree(folder / "model", folder / "changed")
    config = folder / "changed" / "run.toml"
    config.write_text(config.read_text().replace(str(folder / "text.txt"), "changed.txt"))
    write_texts(folder)
    return folder


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


Answer = subprocess.CompletedProcess[bytes]


def run_here(words: list[str], place: Path) -> Answer:
    return burble(*words, cwd=place)


def run_without_rights(words: list[str], place: Path) -> Answer:
    with forbidden(place / "locked", 0o555):
        return without_privileges(*words, cwd=place)


def run_with_busy_port(words: list[str], place: Path) -> Answer:
    return burble(*words, cwd=place)


def run_without_fastapi(words: list[str], place: Path) -> Answer:
    code = "import sys; sys.modules['fastapi'] = None; from burble.cli.main import main; main()"
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, capture_output=True, cwd=place, check=False, timeout=60)


def run_with_low_port(words: list[str], place: Path) -> Answer:
    bind = socket.socket.bind

    def refuse(self: socket.socket, address: tuple[str, int]) -> None:
        if address[1] == 80:
            raise PermissionError(13, "Permission denied")
        bind(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "bind", refuse)
        return burble(*words, cwd=place)


WAYS: dict[str, Callable[[list[str], Path], Answer]] = {
    "here": run_here,
    "no rights": run_without_rights,
    "no fastapi": run_without_fastapi,
    "low port": run_with_low_port,
    "busy port": run_with_busy_port,
}


@contextmanager
def busy_port() -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield str(taken.getsockname()[1])


def answer_to(mistake: Mistake, place: Path) -> tuple[Answer, list[str]]:
    """Return the answer, and what it must name."""
    with ExitStack() as stack:
        typed, names = mistake.typed, list(mistake.names)
        if mistake.how == "busy port":
            port = stack.enter_context(busy_port())
            typed, names = typed.replace("BUSY", port), [n.replace("BUSY", port) for n in names]
        if mistake.how == "pipe":
            return run_piped(typed, place), names
        return WAYS[mistake.how](shlex.split(typed), place), names


def run_piped(typed: str, place: Path) -> Answer:
    line = f"{shlex.quote(sys.executable)} -m burble {typed}; exit ${{PIPESTATUS[0]}}"
    command = ["bash", "-c", line]
    return subprocess.run(command, capture_output=True, cwd=place, check=False, timeout=60)


def assert_is_plain(message: str) -> None:
    """What was wrong with what was found, and what to do, in our own words."""
    assert not NOT_OURS.search(message), message
    has_range = "must " in message and "; found" in message
    assert has_range or len(re.findall(r"[.?:]( |$)", message)) >= 2, message
    is_command = re.search(
        r": (burble|\S*python\S* -m pip|pip|uv|pipx) [^:]*$|--port \d+$", message
    )
    assert message.endswith((".", "?")) or is_command, message


@pytest.mark.parametrize("mistake", CASES, ids=lambda mistake: mistake.id)
def test_a_mistake_is_answered(mistake: Mistake, place: Path) -> None:
    before = snapshot(place)
    answer, names = answer_to(mistake, place)
    told = said(answer)
    assert answer.returncode == mistake.code, told
    shown = told + (answer.stdout.decode() if mistake.code == 0 else "")
    for name in names:
        assert name in shown, shown
    assert "Traceback" not in shown
    if mistake.code:
        assert answer.stdout == b""
        *notes, last = told.splitlines()
        assert last.startswith("burble: ")
        assert not notes or mistake.how == "here", told
        assert_is_plain(last.removeprefix("burble: "))
        assert snapshot(place) == before


def test_a_name_that_is_not_utf8_is_written_or_refused(place: Path) -> None:
    # Row 44.
    name = os.fsdecode(b"caf\xe9")
    answer = burble_process("train", "text.txt", "-o", name, *BRIEF.split(), cwd=place)
    assert answer.returncode in {0, 2, 6}, said(answer)
    assert "Traceback" not in said(answer)
    if answer.returncode == 0:
        assert ModelFile.load(place / name).provenance.steps == 2


def test_a_run_without_a_reader_is_saved(place: Path) -> None:
    # Row 85, after `test_a_mistake_is_answered` or alone.
    if not (place / "piped").exists():
        run_piped(f"train text.txt -o piped {BRIEF} 2>&1 | head -3", place)
    assert ModelFile.load(place / "piped").provenance.steps == 2


def test_every_mistake_of_the_list_has_a_row() -> None:
    numbers = {int(mistake.number.split()[0]) for mistake in CASES} | {44}
    assert numbers == set(range(1, 87))
