"""`burble bench`."""

import dataclasses
import json
import sys
import time
from dataclasses import dataclass

from burble import api
from burble.cli.mistakes import no_model_named
from burble.cli.options import command, json_option, model_argument
from burble.evaluation.speed import Speed, measure_speed
from burble.knobs import knob


@dataclass(frozen=True)
class BenchCommand:
    """Measure how fast a model loads and writes on this machine, or how fast networks learn."""

    model: str | None = model_argument(default=None)
    learning: bool = knob(
        False, "Time training steps instead: of MODEL's network, or of four usual ones."
    )
    json: bool = json_option()


@command(BenchCommand, examples=("burble bench my-model", "burble bench --learning"))
def main(asked: BenchCommand) -> None:
    if asked.learning:
        # Imported here: it imports the learner, which writing does not need.
        from burble.cli.views.learning_speed import show_learning

        show_learning(asked.model, as_json=asked.json)
    elif asked.model is None:
        raise no_model_named("bench", "With --learning, bench needs none.")
    else:
        _show_writing(asked.model, as_json=asked.json)


def _show_writing(path: str, *, as_json: bool) -> None:
    before = time.perf_counter()
    model = api.load(path)
    load_seconds = time.perf_counter() - before
    speed = measure_speed(model.engine, model.file.tokenizer)
    if as_json:
        figures = dataclasses.asdict(speed) | {"load_seconds": load_seconds}
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write(_format_table(speed, load_seconds))


def _format_table(speed: Speed, load_seconds: float) -> str:
    one = _format_rate(
        speed.one_stream_chars_per_second, speed.one_stream_limit, "reading the weights"
    )
    many = _format_rate(speed.streams_64_chars_per_second, speed.streams_64_limit, "the products")
    plural = "" if speed.threads == 1 else "s"
    lines = [
        f"one stream   {one}",
        f"64 streams   {many}",
        f"load         {1000 * load_seconds:.1f} ms",
        f"kernel       {speed.kernel}, {speed.threads} thread{plural} for many streams",
    ]
    return "\n".join(lines) + "\n"


def _format_rate(rate: float, limit: float | None, of_what: str) -> str:
    shown = f"{rate:>12,.0f} characters a second"
    if limit is None:
        return shown
    return f"{shown}, {rate / limit:.0%} of the limit set here by {of_what} ({limit:,.0f})"
