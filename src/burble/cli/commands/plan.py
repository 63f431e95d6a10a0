"""`burble plan`."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from burble.cli.commands.train import COMMON, TrainCommand
from burble.cli.options import command
from burble.cli.terminal import print_message
from burble.errors import UsageError
from burble.mapping import to_mapping
from burble.run_folder.observer import Observer
from burble.run_hooks import open_run
from burble.scratch import scratch_folder
from burble.training.request import RunRequest


@dataclass(frozen=True)
class PlanCommand(TrainCommand):
    """Show what burble train would do with the same arguments, without training.

    The plan keeps the options that you give. It chooses the size of the network, dropout and
    weight decay from the text, the machine and the time.
    """


class MessagePrinter(Observer):
    def message(self, text: str) -> None:
        print_message(text)


@command(
    PlanCommand,
    examples=("burble plan my-text.txt", "burble plan my-text.txt --minutes 60 --num-layers 2"),
    common=[*(name for name in COMMON if name not in {"out", "resume", "overwrite"}), "json"],
)
def main(asked: PlanCommand) -> None:
    if complete := asked.base():
        raise UsageError(
            f"With --{complete} every option is set: there is nothing to plan. Leave it out."
        )
    with scratch_folder() as scratch:
        plan = open_run(Path(scratch), [MessagePrinter()]).plan(RunRequest(asked.given()))
    if asked.json:
        described = {
            "expected_chars": plan.expected_chars,
            "epochs": plan.epochs,
            "config": to_mapping(plan.config),
        }
        sys.stdout.write(json.dumps(described) + "\n")
    else:
        sys.stdout.write(plan.line() + "\n")
