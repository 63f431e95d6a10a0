"""Bits per character against seconds of learning: burble and others, on the same split.

    python benchmarks/learning.py            # tables; about three hours
    python benchmarks/learning.py --write    # and benchmarks/results/learning.{json,md,svg}
    python benchmarks/learning.py --write --only burble --budgets 10 --texts alice

With --write, what is measured joins what the file has already, and takes the place of the same
measurement; so a whole run can be made in parts. Every measurement is a process of its own, one
after the other, on two processors. The others come with the extra `bench`.

burble's seconds are those of `--minutes`: start, set-up and validations are part of them. The
others are spared that: their clock starts after their first update and stops while they are looked
at. Of the PyTorch learners the best state on the held-out tenth is kept, as burble keeps its own.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import importlib
import json
import os
import shlex
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from burble.threads import settle_threads
from contestants import UnavailableError, require, require_for_chart
from learners.common import THREADS, Learned, Task
from learners.keras_tutorial import BACKENDS
from learning_report import (
    MIN_WIDTH,
    Run,
    describe_run,
    load_report,
    print_tables,
    write_data,
    write_results,
)
from machine import describe_machine

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).parent / "results"
CORPORA = Path("../shared/corpora")
TEXTS = {"alice": True, "tinyshakespeare": False}
"""The texts, and whether they are put in lower case."""

# How long each of Keras's back ends may learn before the faster one is taken.
PROBE_SECONDS = 5.0


@dataclass(frozen=True)
class Entry:
    """A contestant as the tables have it."""

    label: str
    module: str
    packages: tuple[str, ...] = ()


ENTRIES = {
    "burble": Entry("burble", "burble_default"),
    "torch-lstm": Entry("PyTorch LSTM 2×256, plain", "torch_lstm"),
    "transformer": Entry("transformer 4×128", "torch_transformer"),
    "keras": Entry("the Keras tutorial", "keras_tutorial", ("keras",)),
}


def measure(name: str, task: Task, backend: str) -> Learned:
    """Let a contestant learn in this process."""
    module = importlib.import_module(f"learners.{ENTRIES[name].module}")
    learn: Callable[[Task], Learned] = module.learn_text
    if name == "keras":
        learn = functools.partial(module.learn_text, backend=backend)
    return learn(task)


def measure_apart(name: str, task: Task, backend: str) -> Learned:
    """`measure` in a new process."""
    command = [sys.executable, __file__, "--json", json.dumps(asdict(task))]
    command += ["--only", name, "--backend", backend]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(THREADS))
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | threads
    )
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} failed with {done.returncode}:\n{done.stderr}")
    return Learned(**json.loads(done.stdout))


def stay_on_few_cores() -> None:
    """As many as `THREADS`, where the system allows it; JAX cannot be told otherwise."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


def faster_backend(path: Path, console: Console) -> str:
    """The one of Keras's back ends that learns from more windows a second here."""
    speeds = {}
    for backend in BACKENDS:
        try:
            require(backend)
        except UnavailableError as error:
            console.print(f"Keras on {backend} is left out: {error}", markup=False)
            continue
        found = measure_apart("keras", Task(str(path), True, PROBE_SECONDS, 0), backend)
        speeds[backend] = found.targets / found.seconds
        console.print(f"Keras on {backend}: {speeds[backend]:.0f} windows/s", style="dim")
    if not speeds:
        raise UnavailableError(f"Keras has none of its back ends: {', '.join(BACKENDS)}")
    return max(speeds, key=speeds.__getitem__)


def usable(args: argparse.Namespace, console: Console) -> list[str]:
    """Those of the contestants that can run here; sets the back end where none is given."""
    names = []
    for name in args.only:
        try:
            require(*ENTRIES[name].packages)
            if name == "keras" and args.backend is None:
                args.backend = faster_backend(getattr(args, args.texts[0]), console)
        except UnavailableError as error:
            console.print(f"{ENTRIES[name].label} is left out: {error}", markup=False)
        else:
            names.append(name)
    return names


def run_all(args: argparse.Namespace, report: dict[str, Any], console: Console) -> None:
    """Measure one after the other, seed by seed, and keep the report up to date."""
    names = usable(args, console)
    date = dt.datetime.now(tz=dt.UTC).date().isoformat()
    for seed in args.seeds:
        for budget in args.budgets:
            for text in args.texts:
                for name in names:
                    task = Task(str(getattr(args, text)), TEXTS[text], budget, seed)
                    found = measure_apart(name, task, args.backend or BACKENDS[0])
                    label = ENTRIES[name].label
                    run = Run(
                        text=text,
                        contestant=name,
                        label=label,
                        budget=budget,
                        seed=seed,
                        date=date,
                        **asdict(found),
                    )
                    console.print(f"{text} {budget:g} s {name} seed {seed}: {run.bits:.3f}")
                    put(report, run)
                    if args.write:
                        write_data(report, args.write)


def put(report: dict[str, Any], run: Run) -> None:
    """Add a run in the place of the same one before, all in the order of the tables."""
    runs = [other for other in report["runs"] if Run(**other).key != run.key] + [asdict(run)]
    names, texts = list(ENTRIES), list(TEXTS)
    runs.sort(
        key=lambda one: (
            texts.index(one["text"]),
            names.index(one["contestant"]),
            one["budget"],
            one["seed"],
        )
    )
    report["runs"] = runs


def begin_report(args: argparse.Namespace) -> dict[str, Any]:
    """What was written before, if it was measured on such a machine; else an empty report."""
    machine = describe_machine()
    report = load_report(args.write) if args.write else None
    if report is None:
        return {"machine": machine, "runs": []}
    for fact in ("processor", "cores", "system"):
        if report["machine"][fact] != machine[fact]:
            sys.exit(
                f"{args.write}/learning.json was measured on another machine ({fact}: "
                f"{report['machine'][fact]}, here {machine[fact]}). Give another folder."
            )
    return report | {"machine": machine}


def parse() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for text in TEXTS:
        parser.add_argument(f"--{text}", type=Path, default=CORPORA / f"{text}.txt", metavar="FILE")
    parser.add_argument("--texts", nargs="+", choices=TEXTS, default=list(TEXTS), metavar="TEXT")
    parser.add_argument("--only", nargs="+", choices=ENTRIES, default=list(ENTRIES), metavar="NAME")
    parser.add_argument("--budgets", nargs="+", type=float, default=[10, 60, 300], help="seconds")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--backend", choices=BACKENDS, help="of Keras; the faster one here where none is given"
    )
    parser.add_argument(
        "--write", nargs="?", type=Path, const=RESULTS, metavar="FOLDER", help="write the results"
    )
    parser.add_argument("--json", metavar="TASK", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure, print and, if asked, write."""
    args = parse()
    if args.json:
        found = measure(args.only[0], Task(**json.loads(args.json)), args.backend)
        print(json.dumps(asdict(found)))
        return
    if args.write:
        require_for_chart()
    for text in args.texts:
        if not getattr(args, text).is_file():
            sys.exit(f"There is no file {getattr(args, text)}. Name it with --{text} FILE.")
    stay_on_few_cores()
    # What burble sets for itself, for all: torch's threads share a busy machine better so.
    settle_threads()
    console = Console(highlight=False)
    console.width = max(console.width, MIN_WIDTH)
    report = begin_report(args)
    run_all(args, report, console)
    print_tables(report, console)
    console.print(describe_run(report), soft_wrap=True)
    if args.write:
        write_results(report, args.write)


if __name__ == "__main__":
    main()
