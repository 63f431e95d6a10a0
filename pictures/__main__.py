"""Train a minute on Alice, write, look inside, and make the README's pictures and sample of it.

    make pictures                     # trains; needs chromium, chromedriver and the extra dev
    python -m pictures --again        # draws once more what the last run left in build/pictures

burble fetches the book by its name. Without a network, put it where burble keeps it and name that
folder: XDG_CACHE_HOME=FOLDER with FOLDER/burble/alice.txt. The letters of the pages are in the
fonts of the machine.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import processor_name
from benchmarks.tables import write_between
from burble.threads import usable_processors
from pictures.film import THEMES, Pace, draw, shoot
from pictures.pages import photograph_inside, photograph_playground
from pictures.recording import Recording, load, record, save

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURES = ROOT / "docs/images/readme"
WORK = ROOT / "build/pictures"
RECORDINGS, SAMPLE, MACHINE = (
    WORK / name for name in ("recordings.json", "sample.txt", "machine.txt")
)

# What is typed, as the README has it. One is the first seed, and no other was tried.
TRAIN = ["train", "alice", "-o", "wonderland", "--seed", "1"]
WRITE = ["generate", "wonderland", "Alice ", "--seed", "1", "--temperature", "0.5"]
LOOK = "The Hatter gave the computer some tea."

SCREEN = (98, 20)
"""Columns and rows of the recorded terminal: as wide as a README on GitHub shows it."""

WRAP = 92
"""Columns of the sample: so many fit into a block of code on GitHub."""

PACE = Pace(speed=6)


def main() -> None:
    """Train unless that was done before, then make every picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", action="store_true", help="draw the last training once more")
    if not parser.parse_args().again:
        run_session()
    recordings = load(RECORDINGS)
    PICTURES.mkdir(parents=True, exist_ok=True)
    draw_terminal(recordings)
    photograph_playground(WORK / "wonderland", "Alice ", seed=1, place=60, folder=PICTURES)
    photograph_inside(WORK / "look.html", place=LOOK.index("computer"), folder=PICTURES)
    write_between(
        README, "sample", sample_lines(*(path.read_text("utf-8") for path in (SAMPLE, MACHINE)))
    )


def run_session() -> None:
    """Train and write in a recorded terminal; keep the model, the text and the look inside."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    save(
        [record(command, as_typed(command), WORK, SCREEN) for command in (TRAIN, WRITE)], RECORDINGS
    )
    SAMPLE.write_text(ask_burble(*WRITE), "utf-8")
    MACHINE.write_text(f"{usable_processors()} cores of {processor_name()}", "utf-8")
    ask_burble("inspect", "wonderland", LOOK, "--html", "look.html")


def ask_burble(*arguments: str) -> str:
    """Run burble in the folder of the session and return what it prints."""
    command = [sys.executable, "-m", "burble", *arguments]
    return subprocess.run(command, cwd=WORK, check=True, stdout=subprocess.PIPE, text=True).stdout


def as_typed(arguments: Sequence[str]) -> str:
    """Return a command line as a person types it: in quotes what needs them."""
    return " ".join(["burble", *(f'"{word}"' if " " in word else word for word in arguments)])


def draw_terminal(recordings: Sequence[Recording]) -> None:
    """Write the session as an SVG in each theme."""
    frames = shoot(recordings, SCREEN, PACE)
    seconds = recordings[0].seconds
    title = f"{seconds:.0f} seconds in {seconds / PACE.speed:.0f}"
    described = "burble learning from Alice’s Adventures in Wonderland in a terminal, then writing"
    for name, theme in THEMES.items():
        path = PICTURES / f"terminal-{name}.svg"
        path.write_text(draw(frames, theme, title, described), "utf-8")


def sample_lines(text: str, machine: str) -> list[str]:
    """Return the README's block of text, and a line of where it comes from."""
    wrapped = [part for line in text.splitlines() for part in textwrap.wrap(line, WRAP) or [""]]
    return [
        f"The same minute, on {machine}, and the first seed that was tried:",
        "",
        "```text",
        f"$ {as_typed(WRITE)}",
        *wrapped,
        "```",
    ]


if __name__ == "__main__":
    main()
