"""`burble COMMAND ...`: find the command, turn every error into a message and an exit code."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import os
import sys
import time
import traceback
import warnings
from typing import TYPE_CHECKING

import click

from burble.cli.talk import ReaderGoneError, guard_stderr, guard_stdout
from burble.errors import BurbleError, OptionError, ResourceError, UsageError
from burble.knobs import flag_of
from burble.system_errors import advise, describe_reason
from burble.threads import settle_threads
from burble.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "train": "learn from texts and save a model",
    "plan": "show what would be trained, without training",
    "generate": "write with a model",
    "eval": "measure how well a model predicts a text",
    "inspect": "look inside a model while it reads a text",
    "cells": "find units that track something in a text",
    "gradients": "show how far back an RNN and an LSTM learn",
    "plot": "draw how runs learned",
    "serve": "write in the browser, and over HTTP",
    "bench": "measure how fast a model writes here",
    "export": "give a model another form: a page, ONNX, a folder to publish",
    "corpora": "list the texts that have a name",
    "doctor": "tell what this installation can do",
}

INTERRUPTED = 130

# Set by a shell that completes a command line.
_COMPLETE = "_BURBLE_COMPLETE"


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit."""
    started = time.monotonic()
    settle_threads()
    for stream in (sys.stdout, sys.stderr):
        # The same bytes everywhere, whatever the locale.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    guard_stderr()
    guard_stdout()
    # A warning is for the person who typed the command: no file name, no line number.
    warnings.showwarning = lambda message, *_: _tell(str(message))
    sys.exit(run(sys.argv[1:] if args is None else args, started))


def run(args: list[str], started: float | None = None) -> int:
    """Run one command; return its exit code. started: on time.monotonic, when the wait began."""
    try:
        code = _dispatch(args, started)
        sys.stdout.flush()
    except BurbleError as error:
        _tell(str(error.spelled(flag_of) if isinstance(error, OptionError) else error))
        return error.exit_code
    except click.UsageError as error:
        _tell(_explain(error))
        return UsageError.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError:
        _tell("Memory has run out. Try a smaller --batch-size, --seq-len or --hidden-size.")
        return ResourceError.exit_code
    except ReaderGoneError:
        return 0
    except OSError as error:
        _tell(f"The system refused something: {describe_reason(error)}. {advise(error)}")
        return ResourceError.exit_code
    except Exception:  # noqa: BLE001 - the last guard: whatever comes here is our mistake
        return _bug()
    return code


class Commands(click.Group):
    """All commands; each is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return their names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"burble.cli.{cmd_name}").main
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called. Raises `UsageError` where there is none."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UsageError(
                f"There is no command {args[0]!r}.{hint} Commands: {', '.join(COMMANDS)}."
            )
        return super().resolve_command(ctx, args)

    def format_help(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write what there is."""
        formatter.write(_help())

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Offer the commands without importing them."""
        from click.shell_completion import CompletionItem

        found = {name: COMMANDS[name] for name in COMMANDS if name.startswith(incomplete)}
        return [CompletionItem(name, help=purpose) for name, purpose in found.items()]


def _dispatch(args: list[str], started: float | None) -> int:
    commands = Commands(context_settings={"help_option_names": ["-h", "--help"]})
    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(commands, {}, "burble", _COMPLETE, instruction)
    if args == ["--version"]:
        sys.stdout.write(f"burble {__version__}\n")
        return 0
    try:
        asked = args if args and args != ["help"] else ["--help"]
        with commands.make_context("burble", asked, obj=started) as ctx:
            commands.invoke(ctx)
    except click.exceptions.Exit as end:  # help was asked for
        return end.exit_code
    return 0


def _explain(error: click.UsageError) -> str:
    """Return what click has to say, and where help is."""
    where = error.ctx.command_path if error.ctx else "burble"
    message = error.format_message()
    if isinstance(error, click.NoSuchOption):
        near = f" Did you mean {error.possibilities[0]}?" if error.possibilities else ""
        message = f"There is no option {error.option_name}.{near}"
    return f"{message} See {where} --help."


def _bug() -> int:
    traceback.print_exc()
    _tell("This is a bug in burble, not your mistake. Please report it with the lines above.")
    return 1


def _tell(message: str) -> None:
    sys.stderr.write(f"burble: {message}\n")


def _help() -> str:
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join(
        [
            "burble trains a text generator on your own words and writes with it.",
            "",
            "Usage: burble COMMAND ...",
            "",
            *lines,
            "",
            "First steps:  burble train my-text.txt -o my-model",
            '              burble generate my-model "Once upon a"',
            "Options:      burble COMMAND --help",
            "",
        ]
    )
