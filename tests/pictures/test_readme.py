"""The README shows pictures that are there, and its commands run in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("httpx")

from benchmarks.tables import write_between
from pictures.__main__ import PICTURES, README, ROOT, TRAIN, WRAP, WRITE, as_typed, sample_lines

LARGEST = 500_000
TEXT = README.read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("burble ")
]

BOOK = (
    "Alice saw The Hatter give a quick brown fox some jam, very lazily drop it, and burp.\n" * 400
)


def test_every_picture_is_shown_and_every_shown_one_is_there() -> None:
    shown = set(re.findall(r'(?:src|srcset)="([^"]+)"', TEXT))
    assert shown == {str(path.relative_to(ROOT)) for path in PICTURES.iterdir()}
    assert sum((ROOT / name).stat().st_size for name in shown) < LARGEST


def test_every_picture_is_there_in_light_and_dark() -> None:
    kept = [path.stem.rpartition("-")[::2] for path in PICTURES.iterdir()]
    light, dark = ({name for name, scheme in kept if scheme == one} for one in ("light", "dark"))
    assert light == dark
    assert len(kept) == len(light) + len(dark) == 6


def test_every_link_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_pictures_say_in_words_what_they_show() -> None:
    assert len(re.findall(r"<img [^>]*alt=\"[^\"]{40,}\"", TEXT)) == TEXT.count("<img ")


def test_what_the_film_types_is_what_the_readme_types() -> None:
    typed = [shlex.split(line, comments=True)[1:] for line in COMMANDS]
    for command in (TRAIN, WRITE):
        words = next(words for words in typed if words[0] == command[0])
        assert command[: len(words)] == words


def test_the_sample_is_wrapped_and_names_its_seed(tmp_path: Path) -> None:
    lines = sample_lines("word " * 50 + "\n\nend\n", "2 cores of an Abacus")
    assert max(map(len, lines)) <= WRAP <= 100
    assert lines[-3:] == ["", "end", "```"]
    assert " ".join(lines[4:-3]).split() == ["word"] * 50
    assert "first seed" in lines[0]
    assert f"$ {as_typed(WRITE)}" in lines
    copy = tmp_path / "README.md"
    copy.write_text(TEXT, "utf-8")
    write_between(copy, "sample", lines)
    assert "\n".join(lines) in copy.read_text("utf-8")


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    """An empty folder, beside a small book where burble keeps Alice."""
    kept = tmp_path / "cache/burble/alice.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text(BOOK, "utf-8")
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def run_python(folder: Path, *arguments: str) -> str:
    variables = {**os.environ, "XDG_CACHE_HOME": str(folder.parent / "cache")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env=variables, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_runs_one_after_another(empty_folder: Path) -> None:
    shorter = {"train": ["--steps", "3", "--hidden-size", "16"], "serve": ["--help"]}
    assert {"train", "generate", "serve", "inspect"} <= {line.split()[1] for line in COMMANDS}
    for line in COMMANDS:
        words = shlex.split(line, comments=True)
        run_python(empty_folder, "-m", *words, *shorter.get(words[1], []))
    for line in re.findall(r"`burble ([a-z]+[^`]*)`", TEXT):
        run_python(empty_folder, "-m", "burble", line.split()[0], "--help")
    assert (empty_folder / "look.html").exists()


def test_the_lines_of_python_run(empty_folder: Path) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert "minutes=1" in lines
    shown = run_python(empty_folder, "-c", lines.replace("minutes=1", "steps=3, hidden_size=16"))
    assert shown
    assert (empty_folder / "wonderland.safetensors").exists()
