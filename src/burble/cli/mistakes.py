"""What was wrong with a command line, in plain words, and what was most likely meant."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from burble.errors import UsageError, brief
from burble.hints import models_in, nearest_name
from burble.shell import burble_line

if TYPE_CHECKING:
    from collections.abc import Iterable

# What other programs call an option, and what people type for a command.
_OPTIONS = {
    "--lr": "--learning-rate",
    "--rate": "--learning-rate",
    "--hidden": "--hidden-size",
    "--units": "--hidden-size",
    "--layers": "--num-layers",
    "--n-layers": "--num-layers",
    "--batch": "--batch-size",
    "--bs": "--batch-size",
    "--time": "--minutes",
    "--output": "--out",
    "--temp": "--temperature",
    "--max-tokens": "--length",
    "--max-new-tokens": "--length",
    "--num-samples": "--samples",
    "--gpu": "--device",
    "--continue": "--resume",
    "--force": "--overwrite",
    "--format": "--to",
}
_COMMANDS = {
    "learn": "train",
    "fit": "train",
    "resume": "train",
    "write": "generate",
    "sample": "generate",
    "complete": "generate",
    "run": "generate",
    "test": "eval",
    "score": "eval",
    "web": "serve",
    "server": "serve",
    "texts": "corpora",
}

# What is missing where an argument is, what to give, and an example.
_ARGUMENTS = {
    "SOURCE": (
        "No text is named.",
        "Name a file, a folder, an address or a known text",
        "my-text.txt",
    ),
    "TEXT": ("There is no text to read.", "Give one in quotes", "It was"),
    "RUN": ("No run is named.", "Name the folder of one", "my-model"),
}

_MODEL = "A model is the folder that burble train made, or the model.safetensors in it."
_SHOWN = 5  # models that a message lists


def no_command(typed: str, commands: Iterable[str]) -> UsageError:
    names = ", ".join(commands)
    if typed.startswith("-"):
        return UsageError(f"{brief(typed)} is no command.", f"Begin with one of these: {names}.")
    near = _COMMANDS.get(typed.lower()) or nearest_name(typed, commands)
    hint = f"Did you mean {near}? " if near else ""
    return UsageError(f"There is no command {brief(repr(typed))}.", f"{hint}Commands: {names}.")


def no_model_named(command: str, otherwise: str = "") -> UsageError:
    """Return the error of a command that needs a model, with those in the working folder.

    otherwise: a sentence on what the command can do without one.
    """
    if here := models_in():
        shown = ", ".join(map(brief, here[:_SHOWN]))
        advice = f"Here you have {shown}. Try: {burble_line(command, here[0])}"
    else:
        advice = f"Make one first: {burble_line('train', 'my-text.txt')}"
    known = f"{_MODEL} {otherwise}".rstrip()
    return UsageError("No model is named.", f"{known} {advice}")


def explain(error: click.UsageError, args: list[str]) -> UsageError:
    """Return the error of click's parser in our words."""
    name = args[0]
    lists = f"burble {name} --help lists what each option takes"
    match error:
        case click.NoSuchOption():
            return UsageError(
                f"There is no option {brief(error.option_name)}.", _meant(error, args)
            )
        case click.BadOptionUsage() if "not take a value" in error.message:
            return UsageError(
                f"{error.option_name} takes no value.", "Leave out the = sign and what follows it."
            )
        case click.BadOptionUsage():
            return UsageError(
                f"{error.option_name} lacks its value.", f"Give one after it; {lists}."
            )
        case click.MissingParameter(param=click.Argument(metavar=str(metavar))):
            return _missing(metavar.partition(" ")[0], args)
        case click.MissingParameter(param=click.Option() as option):
            return UsageError(f"{max(option.opts, key=len)} is missing.", f"Add it; {lists}.")
    return UsageError(f"{error.format_message().removesuffix('.')}.", f"{lists}.")


def _missing(metavar: str, args: list[str]) -> UsageError:
    if metavar == "MODEL":
        return no_model_named(args[0])
    problem, advice, example = _ARGUMENTS.get(
        metavar, (f"{metavar} is missing.", "Give it", metavar)
    )
    return UsageError(problem, f"{advice}: {burble_line(*args, example)}")


def _meant(error: click.NoSuchOption, args: list[str]) -> str:
    name, typed = args[0], error.option_name
    if name == "generate" and typed == "--prompt":
        model = next((word for word in args[1:] if not word.startswith("-")), "MODEL")
        line = burble_line("generate", model)
        return f'The prompt comes after the model, in quotes: {line} "It was"'
    known = [one for each in error.ctx.command.params for one in each.opts] if error.ctx else []
    other = _OPTIONS.get(typed)
    near = other if other in known else _nearest_option(typed, known)
    if near is not None:
        return f"Did you mean {near}? burble {name} --help lists them all."
    return f"burble {name} --help lists those there are."


def _nearest_option(typed: str, known: Iterable[str]) -> str | None:
    # Compared without the dashes, which would make all short options alike.
    long = (flag.removeprefix("--") for flag in known if flag.startswith("--"))
    near = nearest_name(typed.lstrip("-"), long)
    return None if near is None else f"--{near}"


def too_many_words(ctx: click.Context, extra: list[str], text: str | None) -> UsageError:
    """Return the error for words behind the last argument. text: that argument's name where it is
    text typed on one line: then the words are most likely part of it, and lack quotes.
    """
    words = " ".join([str(ctx.params[text]), *extra]) if text else ""
    if text and len(words.splitlines()) == 1:
        before = [str(ctx.params[p.name]) for p in ctx.command.params[:1] if p.name != text]
        line = burble_line(ctx.info_name or "", *before)
        return UsageError(
            f"{brief(' '.join(extra))} is more than one text.",
            f"Put the {text} in quotes: {line} {_in_quotes(words)}",
        )
    return UsageError(
        f"{brief(' '.join(extra))} is one word too many for burble {ctx.info_name}.",
        f"burble {ctx.info_name} --help shows what it takes.",
    )


def _in_quotes(text: str) -> str:
    is_plain = text.isprintable() and not set('"$\\`!') & set(text)
    return f'"{text}"' if is_plain else shlex.quote(text)
