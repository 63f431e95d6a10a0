"""`burble plan`."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from burble import api
from burble.cli.options import command
from burble.cli.terminal import tell
from burble.cli.train import TrainCommand
from burble.config import RunConfig
from burble.data.prepare import prepare_to_learn
from burble.errors import UsageError
from burble.mapping import to_mapping


@dataclass(frozen=True)
class PlanCommand(TrainCommand):
    """Show what `burble train` with the same arguments would train, and do no more.

    What is given stays; the plan sets the other knobs, from the text, the machine and the time.
    """


@command(PlanCommand)
def main(asked: PlanCommand) -> None:
    """Read the text, measure the machine, and print the plan."""
    if complete := asked.base():
        raise UsageError(f"With --{complete} every knob is set: there is nothing to plan.")
    given = asked.given()
    config = RunConfig().with_options(given)
    with tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True) as scratch:
        text = prepare_to_learn(config, Path(scratch), tell)
        plan = api.plan_training(config, set(given), text)
    if asked.json:
        described = {
            "expected_chars": plan.expected_chars,
            "epochs": plan.epochs,
            "config": to_mapping(plan.config),
        }
        sys.stdout.write(json.dumps(described) + "\n")
    else:
        sys.stdout.write(plan.line() + "\n")
