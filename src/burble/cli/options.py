"""The options of a command, made from the knobs of its dataclass, through click."""

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
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

T = TypeVar("T")

_PLACEHOLDERS = {int: "N", float: "NUMBER", str: "TEXT"}
_COLUMN = 26


def model_argument(**facts: Any) -> Any:
    return argument("MODEL", "A model file, or the folder of a run.", **facts)


def text_argument() -> Any:
    return argument(
        "SOURCE",
        "The text: files, folders, globs, addresses, - for standard input, or known texts.",
    )


def unknown_option() -> Any:
    return knob("error", UNKNOWN_HELP)


def json_option() -> Any:
    return knob(False, "Print one JSON object.")


def command(asked: type[T]) -> Callable[[Callable[[T], None]], Command]:
    """Make a command of a function: options from the dataclass `asked`, help from its docstring."""
    return lambda main: Command(asked, main)


def _show_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001, FBT001
    if value and not ctx.resilient_parsing:
        # click.echo looks for a stream of its own, which hides that this one is full.
        sys.stdout.write(f"{ctx.get_help()}\n")
        ctx.exit()


_HELP = click.Option(
    ["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, callback=_show_help
)


class Command(click.Command):
    def __init__(self, asked: type[T], main: Callable[[T], None]) -> None:
        self.knobs = _find_knobs(asked)  # under each heading, all of them

        super().__init__(
            None,
            params=[*(_parameter(one) for part in self.knobs.values() for one in part), _HELP],
            add_help_option=False,
            help=inspect.getdoc(asked),
            callback=lambda **values: main(_build(asked, _given(values))),
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

    def format_arguments(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Leave them to `format_options`."""

    def format_options(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        for heading, part in self.knobs.items():
            rows = [(spelling(one), f"{one.help} {one.facts}".rstrip()) for one in part]
            if heading == "Options":
                rows.append(("-h, --help", "Show this help."))
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows, _COLUMN)


def spelling(one: Knob) -> str:
    """Return how an option is given: `-o, --out FOLDER`."""
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


def _given(values: dict[str, Any]) -> dict[str, Any]:
    source = click.get_current_context().get_parameter_source
    return {
        name: value
        for name, value in values.items()
        if source(name) is ParameterSource.COMMANDLINE and value != ()
    }


def _parameter(one: Knob) -> click.Parameter:
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
