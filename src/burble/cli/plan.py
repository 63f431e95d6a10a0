"""`burble plan`."""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from pathlib import Path

from burble.cli.options import parse
from burble.cli.terminal import tell
from burble.cli.train import TrainCommand, request
from burble.config import RunConfig
from burble.errors import UsageError
from burble.mapping import to_mapping
from burble.run_folder.observer import Observer
from burble.runs import open_run


@dataclasses.dataclass(frozen=True)
class PlanCommand(TrainCommand):
    """Show what `burble train` with the same arguments would train, and do no more.

    What is given stays; the plan sets the other knobs, from the text, the machine and the time.
    """


class Teller(Observer):
    """Prints what a person should know."""

    def noted(self, message: str) -> None:
        """Print the message on standard error."""
        tell(message)


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Read the text, measure the machine, and print the plan."""
    command = parse(PlanCommand, "plan", args)
    if complete := [name for name in ("preset", "config", "resume") if getattr(command, name)]:
        raise UsageError(f"With --{complete[0]} every knob is set: there is nothing to plan.")
    asked = request(command, RunConfig(), args)
    with tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True) as scratch:
        plan = open_run(Path(scratch), [Teller()]).plan(asked)
    if command.json:
        described = {
            "expected_chars": plan.expected_chars,
            "epochs": plan.epochs,
            "config": to_mapping(plan.config),
        }
        sys.stdout.write(json.dumps(described) + "\n")
    else:
        sys.stdout.write(plan.line() + "\n")
