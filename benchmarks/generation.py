"""Compare how many characters a second burble and other programs write with the same network.

    python -m benchmarks.generation            # a table
    python -m benchmarks.generation --write    # and benchmarks/results/generation.{json,md,svg}
    python -m benchmarks.generation --render   # write the pages again without measuring
    python -m benchmarks.generation --only burble onnx-int8 --models 1x512 --repeats 3

All but Keras have the same random weights, and before they are timed, their logits are compared.
One character is one step of the network, a softmax at temperature 0.8 and a draw. Every
measurement runs in its own process, on one processor unless its name has another number, and the
contestants take turns. Their packages come with the extra `bench`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks.contestants import (
    ENTRIES,
    TEMPERATURE,
    Contestant,
    Entry,
    UnavailableError,
    logit_error,
    random_model,
    require_for_chart,
)
from benchmarks.generation_report import (
    MIN_WIDTH,
    Result,
    describe_run,
    print_tables,
    readme_lines,
    write_results,
)
from benchmarks.machine import describe_machine
from benchmarks.tables import write_between

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Measurement:
    """The measurements of one process."""

    chars_per_second: float
    greedy_chars_per_second: float
    """With the likeliest character instead of a draw: nearly the network alone."""

    logit_error: float | None
    detail: str


def measure(entry: Entry, shape: str, seconds: float) -> Measurement:
    """Build, check and time a contestant in this process."""
    if entry.one_core:
        stay_on_one_core()
    model = random_model(shape)
    contestant = entry.make(model)
    error = None
    if entry.tolerance is not None:
        error = logit_error(contestant, model)
        assert error <= entry.tolerance, f"{entry.label}: logits are off by {error}"
    greedy = chars_per_second(contestant, 0.0, seconds)
    drawn = chars_per_second(contestant, TEMPERATURE, seconds) if entry.draws else greedy
    return Measurement(drawn, greedy, error, contestant.detail)


def chars_per_second(contestant: Contestant, temperature: float, seconds: float) -> float:
    """Double the length until writing takes `seconds`; return the speed of the last time."""
    contestant.write(1, temperature)  # warm up: Keras compiles
    count = 1
    while True:
        started = time.perf_counter()
        written = contestant.write(count, temperature)
        taken = time.perf_counter() - started
        if taken >= seconds:
            return written / taken
        count *= 2


def stay_on_one_core() -> None:
    """Pin this process to the second core, if the system can; the first serves interrupts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[:2][-1]})


def measure_apart(name: str, shape: str, seconds: float) -> Measurement:
    """Run `measure` in a new process. Raises `UnavailableError`."""
    command = [sys.executable, "-m", "benchmarks.generation", "--json"]
    command += ["--only", name, "--models", shape, "--seconds", str(seconds)]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | ONE_THREAD,
    )
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} failed with {done.returncode}:\n{done.stderr}")
    found = json.loads(done.stdout)
    if "unavailable" in found:
        raise UnavailableError(found["unavailable"])
    return Measurement(**found)


def summarize(model: str, name: str, found: Sequence[Measurement]) -> Result:
    """Return the medians of several measurements, and the lowest and highest speed."""
    speeds = [one.chars_per_second for one in found]
    speed = statistics.median(speeds)
    greedy = statistics.median(one.greedy_chars_per_second for one in found)
    return Result(
        model=model,
        contestant=name,
        label=ENTRIES[name].label,
        detail=found[0].detail,
        repeats=len(found),
        chars_per_second=speed,
        lowest=min(speeds),
        highest=max(speeds),
        microseconds=1e6 / speed,
        greedy_microseconds=1e6 / greedy,
        logit_error=found[0].logit_error,
    )


def run_all(args: argparse.Namespace, console: Console) -> list[Result]:
    """Measure the contestants in turns. Returns the results, the fastest of each model first."""
    found: dict[tuple[str, str], list[Measurement]] = {}
    left_out: set[str] = set()
    for repeat in range(args.repeats):
        for shape in args.models:
            for name in args.only:
                if name in left_out or repeat >= (ENTRIES[name].max_repeats or args.repeats):
                    continue
                console.print(f"{repeat + 1}/{args.repeats} {shape} {name}", style="dim")
                try:
                    one = measure_apart(name, shape, args.seconds)
                except UnavailableError as error:
                    console.print(f"{ENTRIES[name].label} is left out: {error}", markup=False)
                    left_out.add(name)
                else:
                    found.setdefault((shape, name), []).append(one)
    results = [summarize(*key, measured) for key, measured in found.items()]
    results.sort(key=lambda result: (args.models.index(result.model), result.microseconds))
    return with_ratios(results)


def with_ratios(results: list[Result]) -> list[Result]:
    """Add to each result its time as a multiple of burble's on the same model, if measured."""
    own = {r.model: r.chars_per_second for r in results if r.contestant == "burble"}
    return [
        Result(**asdict(r) | {"times_burble": own[r.model] / r.chars_per_second})
        if r.model in own
        else r
        for r in results
    ]


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["2x256", "1x256"], help="layers x units")
    parser.add_argument("--only", nargs="+", choices=ENTRIES, default=list(ENTRIES), metavar="NAME")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="shortest time of a measurement")
    parser.add_argument(
        "--write", nargs="?", type=Path, const=RESULTS, metavar="FOLDER", help="write the results"
    )
    parser.add_argument(
        "--render", action="store_true", help="write the pages again without measuring"
    )
    parser.add_argument("--json", action="store_true", help="measure once, in this process")
    return parser.parse_args()


def main() -> None:
    """Measure, print and, if asked, write."""
    args = parse()
    if args.json:
        try:
            found = asdict(measure(ENTRIES[args.only[0]], args.models[0], args.seconds))
        except UnavailableError as error:
            found = {"unavailable": str(error)}
        print(json.dumps(found))
        return
    if args.write or args.render:
        require_for_chart()
    if args.render:
        folder = args.write or RESULTS
        report = json.loads((folder / "generation.json").read_text("utf-8"))
        write_pages(report, folder)
        return
    console = Console(highlight=False)
    console.width = max(console.width, MIN_WIDTH)
    machine = describe_machine()
    results = run_all(args, console)
    report = {
        "command": shlex.join(["python", "-m", "benchmarks.generation", *sys.argv[1:]]),
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine,
        "repeats": args.repeats,
        "seconds": args.seconds,
        "temperature": TEMPERATURE,
        "results": [asdict(result) for result in results],
    }
    print_tables(results, args.models, console)
    console.print(describe_run(report), soft_wrap=True)
    if args.write:
        write_pages(report, args.write)


def write_pages(report: dict[str, Any], folder: Path) -> None:
    """Write data, page and chart, and the README's part if these are the published results."""
    results = [Result(**result) for result in report["results"]]
    write_results(report, results, folder)
    if folder.resolve() == RESULTS.resolve():
        write_between(README, "generation", readme_lines(report, results))


if __name__ == "__main__":
    main()
