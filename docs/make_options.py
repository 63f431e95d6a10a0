"""Write docs/options.md from the knobs: `make options`."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from burble.cli.main import COMMANDS
from burble.cli.options import Command, spelling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burble.knobs import Knob

PAGE = Path(__file__).with_name("options.md")
HEAD = r"""# Options

What `burble COMMAND --help-all` shows, made from the same knobs by `make options`.

- A switch `--[no-]echo` is turned on by `--echo` and off by `--no-echo`.
- `none` removes a number or a choice that `--preset` or `--config` sets: `--minutes none`.
- In a text that is typed on one line (PROMPT, TEXT, `--stop`, `--like`, a line of `--interactive`,
  a line of *Stop before* in an exported page), `\n` is a line break, `\t` a tab, `\\` a backslash.
  Text from a file, from standard input or in JSON is taken as it is.
- Tab completes commands, options and choices after `eval "$(_BURBLE_COMPLETE=bash_source burble)"`
  (in zsh `zsh_source`; in fish `_BURBLE_COMPLETE=fish_source burble | source`).
"""


def make_page() -> str:
    """Return the page in Markdown."""
    return "\n".join([HEAD, *(line for name in COMMANDS for line in _describe(name))])


def _describe(name: str) -> Iterator[str]:
    command: Command = importlib.import_module(f"burble.cli.commands.{name}").main
    yield f"## burble {name}\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    yield "\n".join(["```sh", *command.examples, "```", ""])
    if name == "plan":
        yield "The options are those of `burble train`.\n"
        return
    for heading, knobs in command.knobs.items():
        if knobs:
            yield f"| {heading} | | |\n|---|---|---|"
            yield from map(_row, knobs)
            yield ""


def _row(knob: Knob) -> str:
    cells = (f"`{spelling(knob)}`", knob.help, knob.facts.strip("[]"))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
