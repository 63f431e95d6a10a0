"""Find the command of a command line and run it, through click."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from burble.cli.mistakes import explain, no_command

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def dispatch(purposes: dict[str, str], args: list[str], started: float | None) -> int:
    """Run a command and return its exit code. started: time.monotonic() at the start."""
    if args[0].startswith("-"):
        raise no_command(args[0], purposes)
    commands = Commands(purposes)
    try:
        with commands.make_context("burble", args, obj=started) as ctx:
            commands.invoke(ctx)
    except click.exceptions.Exit as end:  # after --help
        return end.exit_code
    except click.UsageError as error:
        raise explain(error, args) from error
    return 0


def complete(purposes: dict[str, str], variable: str, instruction: str) -> int:
    """Print completions of the command line in the environment; return the exit code."""
    from click.shell_completion import shell_complete

    return shell_complete(Commands(purposes), {}, "burble", variable, instruction)


class Commands(click.Group):
    """The commands by name, each imported when it is called."""

    def __init__(self, purposes: dict[str, str]) -> None:
        super().__init__("burble", add_help_option=False)
        self._purposes = purposes

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._purposes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._purposes:
            return None
        command: click.Command = importlib.import_module(f"burble.cli.commands.{cmd_name}").main
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self._purposes and not ctx.resilient_parsing:
            raise no_command(args[0], self._purposes)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Offer the commands without importing them."""
        from click.shell_completion import CompletionItem

        found = [name for name in self._purposes if name.startswith(incomplete)]
        return [CompletionItem(name, help=self._purposes[name]) for name in found]
