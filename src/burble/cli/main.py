"""`burble COMMAND ...`: find the command, turn every error into a message and an exit code."""

import contextlib
import os
import sys
import time
import warnings

from burble.cli.talk import ReaderGoneError, guard_stderr, guard_stdout
from burble.errors import WITHOUT_FLAGS, BurbleError, OptionError, ResourceError
from burble.knobs import flag_of
from burble.system_errors import advise, describe_reason
from burble.threads import settle_threads
from burble.version import __version__

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

_HELP = """\
burble trains a text generator on your own words and writes with it.

Usage: burble COMMAND ...

{commands}

First steps:  burble train my-text.txt -o my-model
              burble generate my-model "Once upon a"
Options:      burble COMMAND --help
"""

INTERRUPTED = 130

# Set by a shell that completes a command line.
_COMPLETE = "_BURBLE_COMPLETE"


def main(args: list[str] | None = None) -> None:
    started = time.monotonic()
    settle_threads()
    for stream in (sys.stdout, sys.stderr):
        # The same bytes everywhere, whatever the locale; a file's name may be no UTF-8.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(  # type: ignore[union-attr]
                encoding="utf-8", newline="\n", errors="backslashreplace"
            )
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
        _tell(_message(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError:
        flags = "Try a smaller --batch-size, --seq-len or --hidden-size."
        _tell(_message(ResourceError("Memory has run out.", flags=flags)))
        return ResourceError.exit_code
    except ReaderGoneError:
        return 0
    except OSError as error:
        _tell(f"The system refused something: {describe_reason(error)}. {advise(error)}")
        return ResourceError.exit_code
    except Exception:  # noqa: BLE001 - the last guard: whatever comes here is our mistake
        import traceback

        traceback.print_exc()
        _tell("This is a bug in burble, not your mistake. Please report it with the lines above.")
        return 1
    return code


def _dispatch(args: list[str], started: float | None) -> int:
    if instruction := os.environ.get(_COMPLETE):
        from burble.cli.dispatch import complete

        return complete(COMMANDS, _COMPLETE, instruction)
    if args in (["--version"], ["-V"], ["version"]):
        sys.stdout.write(f"burble {__version__}\n")
        return 0
    if len(args) > 1 and args[0] in {"-h", "--help", "help"}:
        args = [args[1], "--help"]  # burble help train
    if not args or args[0] in {"-h", "--help", "help"}:
        width = max(len(name) for name in COMMANDS)
        lines = [f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items()]
        sys.stdout.write(_HELP.format(commands="\n".join(lines)))
        return 0
    from burble.cli.dispatch import dispatch

    return dispatch(COMMANDS, args, started)


def _message(error: BurbleError) -> str:
    if WITHOUT_FLAGS in os.environ:
        return str(error)
    return str(error.spelled(flag_of)) if isinstance(error, OptionError) else error.command_line


def _tell(message: str) -> None:
    sys.stderr.write(f"burble: {message}\n")
