"""`burble bench`."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from dataclasses import dataclass
from typing import Annotated

import tyro

from burble import api
from burble.cli.options import parse
from burble.evaluation.speed import Speed, measure_speed


@dataclass(frozen=True)
class BenchCommand:
    """Measure how fast a model loads and writes on this machine."""

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="MODEL")]
    """A model file, or the folder of a run."""

    json: bool = False
    """Print one JSON object."""


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Measure, and print the figures."""
    command = parse(BenchCommand, "bench", args)
    before = time.perf_counter()
    model = api.load(command.model)
    load_seconds = time.perf_counter() - before
    speed = measure_speed(model.engine, model.file.tokenizer)
    if command.json:
        figures = dataclasses.asdict(speed) | {"load_seconds": load_seconds}
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write(_table(speed, load_seconds))


def _table(speed: Speed, load_seconds: float) -> str:
    one = _rate(speed.one_stream_chars_per_second, speed.one_stream_limit, "reading the weights")
    many = _rate(speed.streams_64_chars_per_second, speed.streams_64_limit, "the products")
    lines = [
        f"one stream   {one}",
        f"64 streams   {many}",
        f"load         {1000 * load_seconds:.1f} ms",
        f"kernel       {speed.kernel}, {speed.threads} {_threads(speed.threads)} for many streams",
    ]
    return "\n".join(lines) + "\n"


def _rate(rate: float, limit: float | None, of_what: str) -> str:
    shown = f"{rate:>12,.0f} characters a second"
    if limit is None:
        return shown
    return f"{shown}, {rate / limit:.0%} of the limit that {of_what} sets here ({limit:,.0f})"


def _threads(count: int) -> str:
    return "thread" if count == 1 else "threads"
