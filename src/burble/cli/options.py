"""Commands of click, made from dataclasses of knobs, and their help."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from burble.cli.mistakes import too_many_words
from burble.config import UNKNOWN_HELP
from burble.knobs import Knob, argument, knob, knobs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem

T = TypeVar("T")

_PLACEHOLDERS = {int: "N", float: "NUMBER", str: "TEXT"}
_COLUMN = 26

_HELP_ROWS = [
    ("-h, --help", "Show examples and the usual options."),
    ("--help-all", "Show every option, with its range."),
]


def model_argument(**facts: Any) -> Any:
    return argument("MODEL", "Model file, or folder of a run.", **facts)


def text_argument() -> Any:
    return argument(
        "SOURCE",
        "Text to read: files, folders, globs, addresses, - for standard input, or known texts.",
    )


def unknown_option() -> Any:
    return knob("error", UNKNOWN_HELP)


def json_option() -> Any:
    return knob(False, "Print one JSON object.")


def command(
    asked: type[T], *, examples: Sequence[str], common: Sequence[str] = ()
) -> Callable[[Callable[[T], None]], Command]:
    """Return a decorator that makes a command of a function.

    asked: the dataclass of the command's options; its docstring is the help
    examples: whole command lines
    common: names of the options that --help lists, in this order; without names, all
    """
    return lambda main: Command(asked, main, examples, common)


class Command(click.Command):
    """A command whose `--help` is short, and whose `--help-all` lists every option."""

    def __init__(
        self,
        asked: type[T],
        main: Callable[[T], None],
        examples: Sequence[str] = (),
        common: Sequence[str] = (),
    ) -> None:
        self.knobs = _find_knobs(asked)  # by heading
        self.examples = examples
        self.common = _choose_common(self.knobs, common)
        super().__init__(
            None,
            params=[
                *(_make_parameter(one) for part in self.knobs.values() for one in part),
                _help_option(["-h", "--help"], self.format_help),
                _help_option(["--help-all"], self.format_whole_help),
            ],
            add_help_option=False,
            help=inspect.getdoc(asked),
            callback=lambda **values: main(_build(asked, _keep_given(values))),
            context_settings={
                "max_content_width": 80,
                "allow_extra_args": True,  # `parse_args` refuses them
                "token_normalize_func": lambda name: name.replace("_", "-"),
            },
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse words behind the last argument."""
        extra = super().parse_args(ctx, args)
        if extra and not ctx.resilient_parsing:
            texts = [one.name for one in self.knobs["Arguments"] if one.escapes]
            raise too_many_words(ctx, extra, texts[0] if texts else None)
        return extra

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first paragraph of the help, the examples and the common options."""
        self._write_opening(ctx, formatter, (self.help or "").partition("\n\n")[0])
        _write_rows(formatter, "Arguments", [_short_row(one) for one in self.knobs["Arguments"]])
        _write_rows(formatter, "Options", [*map(_short_row, self.common), *_HELP_ROWS])

    def format_whole_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write all of the help, the examples and every option."""
        self._write_opening(ctx, formatter, self.help or "")
        for heading, part in self.knobs.items():
            rows = [(spelling(one), f"{one.help} {one.facts}".rstrip()) for one in part]
            if heading == "Options":
                rows += _HELP_ROWS
            _write_rows(formatter, heading, rows)

    def _write_opening(self, ctx: click.Context, formatter: click.HelpFormatter, text: str) -> None:
        self.format_usage(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text)
        with formatter.section("Examples"):
            for example in self.examples:
                # Not wrapped, so that it can be pasted.
                formatter.write(f"  {example}\n")


def _choose_common(knobs: dict[str, list[Knob]], names: Sequence[str]) -> list[Knob]:
    options = {one.name: one for part in knobs.values() for one in part if not one.positional}
    return [options[name] for name in names or options]


def _help_option(
    flags: list[str], write: Callable[[click.Context, click.HelpFormatter], None]
) -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001, FBT001
        if value and not ctx.resilient_parsing:
            formatter = ctx.make_formatter()
            write(ctx, formatter)
            # click.echo looks for a stream of its own, which hides that this one is full.
            sys.stdout.write(formatter.getvalue())
            ctx.exit()

    return click.Option(flags, is_flag=True, is_eager=True, expose_value=False, callback=show)


def _write_rows(formatter: click.HelpFormatter, heading: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(heading):
            formatter.write_dl(rows, _COLUMN)


def _short_row(one: Knob) -> tuple[str, str]:
    """Return an option and its help, without the range and the way to turn it off."""
    is_off = one.kind is bool and not one.default
    return one.flag if is_off else spelling(one), f"{one.help} {one.default_fact}".rstrip()


def spelling(one: Knob) -> str:
    """Return how an option is typed: `-o, --out FOLDER`."""
    if one.positional:
        return _placeholder(one)
    if one.kind is bool:
        return f"--[no-]{one.flag[2:]}"
    flags = f"{one.short}, {one.flag}" if one.short else one.flag
    return f"{flags} {_placeholder(one)}"


def _placeholder(one: Knob) -> str:
    name = one.metavar or "|".join(one.choices) or _PLACEHOLDERS[one.kind]
    if one.positional and one.many:
        name += " ..."
    return name if one.required or not one.positional else f"[{name}]"


def _find_knobs(asked: type) -> dict[str, list[Knob]]:
    own = knobs_of(asked).values()
    found = {
        "Arguments": [one for one in own if one.positional],
        "Options": [one for one in own if not one.positional],
    }
    for _, parts in _sections(asked):
        found |= {name.capitalize(): list(knobs_of(part).values()) for name, part in parts.items()}
    return found


def _sections(asked: Any) -> list[tuple[Any, dict[str, type]]]:
    fields = dataclasses.fields(asked)
    return [(each, each.metadata["sections"]) for each in fields if "sections" in each.metadata]


def _build(asked: type[T], given: dict[str, Any]) -> T:
    values = {name: given[name] for name in knobs_of(asked) if name in given}
    for field, parts in _sections(asked):
        names = [name for part in parts.values() for name in knobs_of(part) if name in given]
        values[field.name] = field.default_factory(**{name: given[name] for name in names})
    return asked(**values)


def _keep_given(values: dict[str, Any]) -> dict[str, Any]:
    source = click.get_current_context().get_parameter_source
    return {
        name: value
        for name, value in values.items()
        if source(name) is ParameterSource.COMMANDLINE and value != ()
    }


def _make_parameter(one: Knob) -> click.Parameter:
    if one.positional:
        return click.Argument(
            [one.name],
            type=_Value(one),
            required=one.required,
            nargs=-1 if one.many else 1,
            metavar=_placeholder(one),
        )
    if one.kind is bool:
        return click.Option([one.name, f"{one.flag}/--no-{one.flag[2:]}"])
    return click.Option(
        [one.name, one.flag, *([one.short] if one.short else [])],
        type=_Value(one),
        required=one.required,
        multiple=one.many,
        nargs=one.count or 1,
    )


class _Value(click.ParamType):  # type: ignore[type-arg] # older ones have none
    def __init__(self, known: Knob) -> None:
        self.name = known.name
        self._knob = known

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002
    ) -> Any:
        return self._knob.read(value)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        if self._knob.choices:
            found = [choice for choice in self._knob.choices if choice.startswith(incomplete)]
            return [CompletionItem(choice) for choice in found]
        return [CompletionItem(incomplete, type="file")] if self._knob.kind is str else []
