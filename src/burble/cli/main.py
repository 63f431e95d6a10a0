"""The program `burble`: its commands, and the message and exit code of every error."""

import contextlib
import os
import sys
import time
import warnings

from burble.cli.standard_streams import ReaderGoneError, guard_stderr, guard_stdout
from burble.errors import WITHOUT_FLAGS, BurbleError, OptionError, ResourceError
from burble.knobs import flag_of
from burble.system_errors import advise, describe_reason
from burble.threads import set_thread_defaults
from burble.version import __version__

# In the order in which one needs them.
COMMANDS = {
    "train": "train a model on texts",
    "plan": "show what train would do",
    "generate": "write text with a model",
    "serve": "write in the browser",
    "eval": "measure how well it predicts",
    "inspect": "watch it read a text",
    "cells": "find what single units track",
    "plot": "draw learning curves of runs",
    "gradients": "see how far gradients reach",
    "export": "save as page or ONNX",
    "bench": "measure its speed here",
    "corpora": "list texts to start with",
    "doctor": "check what is installed",
}

FIRST_STEPS = (
    "burble train alice -o my-model",
    'burble generate my-model "Once upon a"',
    'burble inspect my-model "Once upon a time"',
    "burble eval my-model alice",
    "burble export my-model -o my-model.html",
)

_HELP = """\
burble trains a text generator on your own words and writes with it.

Start here (alice is a book; any text file or folder will do):
{steps}

Commands:
{commands}

Examples and options: burble COMMAND --help. More: README.md and docs/.
"""

INTERRUPTED = 130

# The shell sets it to ask for completions of a command line.
_COMPLETE = "_BURBLE_COMPLETE"


def main(args: list[str] | None = None) -> None:
    started = time.monotonic()
    set_thread_defaults()
    for stream in (sys.stdout, sys.stderr):
        # The same bytes in every locale.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(  # type: ignore[union-attr]
                encoding="utf-8", newline="\n", errors="backslashreplace"
            )
    guard_stderr()
    guard_stdout()
    # A user has no use for the file name and the line number of a warning.
    warnings.showwarning = lambda message, *_: _tell(str(message))
    sys.exit(run(sys.argv[1:] if args is None else args, started))


def run(args: list[str], started: float | None = None) -> int:
    """Run one command and return its exit code. started: time.monotonic() at the start."""
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
    except Exception:  # noqa: BLE001 - every other error is a bug in burble
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
    if not args or args[0] in {"-h", "--help", "--help-all", "help"}:
        sys.stdout.write(_format_help())
        return 0
    from burble.cli.dispatch import dispatch

    return dispatch(COMMANDS, args, started)


def _format_help() -> str:
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    steps = [f"  {step}" for step in FIRST_STEPS]
    return _HELP.format(steps="\n".join(steps), commands="\n".join(lines))


def _message(error: BurbleError) -> str:
    if WITHOUT_FLAGS in os.environ:
        return str(error)
    return str(error.spelled(flag_of)) if isinstance(error, OptionError) else error.command_line


def _tell(message: str) -> None:
    sys.stderr.write(f"burble: {message}\n")
