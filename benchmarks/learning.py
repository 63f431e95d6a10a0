"""Compare how well burble and others learn in a given time, on the same split of the same texts.

    make bench-learning                      # benchmarks/results/learning.{json,md,svg}, README.md
    python -m benchmarks.learning            # everything, in tables; nothing is written
    python -m benchmarks.learning --write --only burble --budgets 10 --on alice
    python -m benchmarks.learning --write --instructions avx2    # as without AVX-512
    python -m benchmarks.learning --render   # write the pages again without measuring

With --write, new measurements are added to the file and replace the same ones of a machine of the
same name, so a run can be made in parts and on several machines. With --missing, only measurements
that the file lacks are made. Measurements run one after the other, each in its own process, on two
processors. The others' packages and two of the texts come with the extra `bench`.

burble learns with its defaults, and again with torch. Its seconds are those of `--minutes`, which
include the start, the set-up and the validations. The others' clocks start after their first update
and stop while they are validated. The PyTorch learners keep their best state on the held-out part,
as burble does.
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
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.contestants import UnavailableError, require, require_for_chart
from benchmarks.instructions import HELD, can_be_held, environment, instruction_sets
from benchmarks.learners.common import THREADS, Learned, Task
from benchmarks.learners.keras_tutorial import BACKENDS
from benchmarks.learning_chart import write_results
from benchmarks.learning_readme import readme_lines
from benchmarks.learning_report import (
    MIN_WIDTH,
    Run,
    add_machine,
    empty_report,
    load_report,
    print_tables,
    put,
    runs_of,
    write_data,
)
from benchmarks.machine import describe_machine, stay_on_few_cores
from benchmarks.tables import write_between
from benchmarks.texts import TEXTS, FoundText, find_text
from burble.errors import TextError
from burble.threads import set_thread_defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"

# How long each of Keras's back ends may learn before the faster one is taken.
PROBE_SECONDS = 5.0


@dataclass(frozen=True)
class Entry:
    """A contestant in the tables."""

    label: str
    module: str
    packages: tuple[str, ...] = ()
    learns: bool = True
    """If not, it is measured once for each text, whatever the seeds and budgets."""


ENTRIES = {
    "burble": Entry("burble", "burble_default"),
    "burble-torch": Entry("burble with torch", "burble_with_torch", ("torch",)),
    "torch-lstm": Entry("plain PyTorch loop", "torch_lstm", ("torch",)),
    "transformer": Entry("small transformer", "torch_transformer", ("torch",)),
    "keras": Entry("the Keras tutorial", "keras_tutorial", ("keras",)),
    "counts": Entry("n-gram counts", "counts", learns=False),
    "xz": Entry("xz", "xz", learns=False),
}


@dataclass(frozen=True)
class Step:
    """One measurement to make."""

    name: str
    text: FoundText
    budget: float
    seed: int

    @property
    def task(self) -> Task:
        """The task for the contestant."""
        return Task(str(self.text.path), self.text.lowercase, self.budget, self.seed)


def measure(name: str, task: Task, backend: str) -> Learned:
    """Let a contestant learn in this process."""
    module = importlib.import_module(f"benchmarks.learners.{ENTRIES[name].module}")
    learn: Callable[[Task], Learned] = module.learn_text
    if name == "keras":
        learn = functools.partial(module.learn_text, backend=backend)
    return learn(task)


def measure_apart(name: str, task: Task, backend: str, held_to: str | None) -> Learned:
    """Run `measure` in a new process."""
    command = [sys.executable, "-m", "benchmarks.learning", "--json", json.dumps(asdict(task))]
    command += ["--only", name, "--backend", backend]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(THREADS))
    variables = os.environ | threads | environment(held_to)
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} failed with {done.returncode}:\n{done.stderr}")
    return Learned(**json.loads(done.stdout))


def faster_backend(text: FoundText, held_to: str | None, console: Console) -> str:
    """Return the Keras back end that learns from more windows a second on this machine."""
    speeds = {}
    for backend in BACKENDS:
        try:
            require(backend)
        except UnavailableError as error:
            console.print(f"Keras on {backend} is left out: {error}", markup=False)
            continue
        task = Task(str(text.path), text.lowercase, PROBE_SECONDS, 0)
        found = measure_apart("keras", task, backend, held_to)
        speeds[backend] = found.targets / found.seconds
        console.print(f"Keras on {backend}: {speeds[backend]:.0f} windows/s", style="dim")
    if not speeds:
        raise UnavailableError(f"Keras has none of its back ends: {', '.join(BACKENDS)}")
    return max(speeds, key=speeds.__getitem__)


def usable(args: argparse.Namespace, texts: list[FoundText], console: Console) -> list[str]:
    """Return the contestants that can run here. Sets Keras's back end if none is given."""
    names = []
    for name in args.only:
        try:
            require(*ENTRIES[name].packages)
            if name == "keras" and args.backend is None:
                args.backend = faster_backend(texts[0], args.instructions, console)
        except UnavailableError as error:
            console.print(f"{ENTRIES[name].label} is left out: {error}", markup=False)
        else:
            names.append(name)
    return names


def find_texts(args: argparse.Namespace, scratch: Path, console: Console) -> list[FoundText]:
    """Return the texts that can be found, and print a line about each that cannot."""
    found = []
    for name in args.on:
        try:
            found.append(find_text(name, args.texts, scratch))
        except TextError as error:
            console.print(f"{TEXTS[name].title} is left out: {error}", markup=False)
            console.print(f"Or put {name}.txt into a folder: --texts DIR.", markup=False)
    if not found:
        sys.exit("None of the texts was found. Name a folder that has them: --texts DIR.")
    return found


def steps(args: argparse.Namespace, names: list[str], texts: list[FoundText]) -> Iterator[Step]:
    """Yield the measurements in order: seed by seed, so that a run can be stopped at any time."""
    for text in texts:
        yield from (Step(name, text, 0, 0) for name in names if not ENTRIES[name].learns)
    for seed in args.seeds:
        for budget in args.budgets:
            for text in texts:
                yield from (
                    Step(name, text, budget, seed) for name in names if ENTRIES[name].learns
                )


def run_all(
    args: argparse.Namespace, report: dict[str, Any], texts: list[FoundText], console: Console
) -> None:
    """Make all measurements, and write the report after each."""
    machine = add_machine(report, describe_machine(args.instructions))
    names = usable(args, texts, console)
    date = dt.datetime.now(tz=dt.UTC).date().isoformat()
    known = {run.key for run in runs_of(report)}
    for step in steps(args, names, texts):
        text = step.text
        if args.missing and (machine, text.name, step.name, step.budget, step.seed) in known:
            continue
        report["texts"][text.name] = text.facts()
        found = measure_apart(step.name, step.task, args.backend or BACKENDS[0], args.instructions)
        run = Run(
            machine=machine,
            text=text.name,
            contestant=step.name,
            label=ENTRIES[step.name].label,
            budget=step.budget,
            seed=step.seed,
            date=date,
            **asdict(found),
        )
        figures = f"{run.bits:.3f}, sealed {run.sealed_bits:.3f}"
        console.print(f"{text.name} {step.budget:g} s {step.name} seed {step.seed}: {figures}")
        put(report, run, list(ENTRIES))
        if args.write:
            write_data(report, args.write)


def begin_report(folder: Path | None, console: Console) -> dict[str, Any]:
    """Load the earlier report, if it has the same protocol, or return an empty one."""
    if folder is None:
        return empty_report()
    report = load_report(folder)
    if report is None and (folder / "learning.json").exists():
        console.print("The earlier results were measured by another protocol and are left out.")
    return report or empty_report()


def write_pages(report: dict[str, Any], folder: Path) -> None:
    """Write data, page and chart, and the README's part if these are the published results."""
    write_results(report, folder)
    if folder.resolve() == RESULTS.resolve():
        write_between(README, "learning", readme_lines(report))


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--texts",
        type=Path,
        metavar="DIR",
        help="a folder with alice.txt, …; a text that it lacks is found by its name",
    )
    parser.add_argument("--on", nargs="+", choices=TEXTS, default=list(TEXTS), metavar="TEXT")
    parser.add_argument("--only", nargs="+", choices=ENTRIES, default=list(ENTRIES), metavar="NAME")
    parser.add_argument("--budgets", nargs="+", type=float, default=[10, 60], help="seconds")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--instructions", choices=HELD, help="limit everything to these instruction sets"
    )
    parser.add_argument(
        "--backend", choices=BACKENDS, help="of Keras; by default the faster one on this machine"
    )
    parser.add_argument(
        "--write", nargs="?", type=Path, const=RESULTS, metavar="FOLDER", help="write the results"
    )
    parser.add_argument(
        "--missing", action="store_true", help="measure only what the results do not have yet"
    )
    parser.add_argument(
        "--render", action="store_true", help="write the pages again without measuring"
    )
    parser.add_argument("--json", metavar="TASK", help=argparse.SUPPRESS)
    return parser.parse_args()


def check(args: argparse.Namespace) -> None:
    """Exit now, not after hours of measuring, if the results could not be written."""
    if args.write or args.render:
        require_for_chart()
    if args.instructions and not can_be_held(args.instructions):
        found = ", ".join(instruction_sets()) or "none that are known"
        print(f"This processor cannot be limited to {args.instructions}. It has {found}.")
        sys.exit(0)


def main() -> None:
    """Measure, print and, if asked, write."""
    args = parse()
    if args.json:
        found = measure(args.only[0], Task(**json.loads(args.json)), args.backend)
        print(json.dumps(asdict(found)))
        return
    check(args)
    console = Console(highlight=False)
    console.width = max(console.width, MIN_WIDTH)
    if args.render:
        write_pages(begin_report(args.write or RESULTS, console), args.write or RESULTS)
        return
    report = begin_report(args.write, console)
    # JAX has no other way to limit its threads.
    stay_on_few_cores(THREADS)
    # Give all contestants burble's own settings, with which torch's threads share a busy machine.
    set_thread_defaults()
    with tempfile.TemporaryDirectory(prefix="burble-texts-") as scratch:
        run_all(args, report, find_texts(args, Path(scratch), console), console)
    print_tables(report, console)
    if args.write:
        write_pages(report, args.write)


if __name__ == "__main__":
    main()
