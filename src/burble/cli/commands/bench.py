"""`burble bench`."""

import dataclasses
import json
import sys
import time
from dataclasses import dataclass

from burble import api
from burble.cli.options import command, json_option, model_argument
from burble.evaluation.speed import Speed, measure_speed


@dataclass(frozen=True)
class BenchCommand:
    """Measure how fast a model loads and writes on this machine."""

    model: str = model_argument()
    json: bool = json_option()


@command(BenchCommand)
def main(asked: BenchCommand) -> None:
    before = time.perf_counter()
    model = api.load(asked.model)
    load_seconds = time.perf_counter() - before
    speed = measure_speed(model.engine, model.file.tokenizer)
    if asked.json:
        figures = dataclasses.asdict(speed) | {"load_seconds": load_seconds}
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write(_table(speed, load_seconds))


def _table(speed: Speed, load_seconds: float) -> str:
    one = _rate(speed.one_stream_chars_per_second, speed.one_stream_limit, "reading the weights")
    many = _rate(speed.streams_64_chars_per_second, speed.streams_64_limit, "the products")
    plural = "" if speed.threads == 1 else "s"
    lines = [
        f"one stream   {one}",
        f"64 streams   {many}",
        f"load         {1000 * load_seconds:.1f} ms",
        f"kernel       {speed.kernel}, {speed.threads} thread{plural} for many streams",
    ]
    return "\n".join(lines) + "\n"


def _rate(rate: float, limit: float | None, of_what: str) -> str:
    shown = f"{rate:>12,.0f} characters a second"
    if limit is None:
        return shown
    return f"{shown}, {rate / limit:.0%} of the limit that {of_what} sets here ({limit:,.0f})"
