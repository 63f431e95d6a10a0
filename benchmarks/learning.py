"""Bits per character against seconds of learning: burble and others, on the same split.

    make bench-learning                      # benchmarks/results/learning.{json,md,svg}, README.md
    python -m benchmarks.learning            # all that there is, in tables; nothing is written
    python -m benchmarks.learning --write --only burble --budgets 10 --on alice
    python -m benchmarks.learning --write --instructions avx2    # as without AVX-512
    python -m benchmarks.learning --render   # the pages again from what was measured, nothing more

With --write, what is measured joins what the file has already, and takes the place of the same
measurement on a machine of the same name; so a whole run can be made in parts, on several machines.
With --missing only what the file lacks is measured. Every measurement is a process of its own, one
after the other, on two processors. The others come with the extra `bench`, and so do two texts.

burble learns with what it takes itself, on processors its own learner, and again with torch. Its
seconds are those of `--minutes`: start, set-up and validations are part of them. The others are
spared that: their clock starts after their first update and stops while they are looked at. Of the
PyTorch learners the best state on the held-out part is kept, as burble keeps its own.
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
    """A contestant as the tables have it."""

    label: str
    module: str
    packages: tuple[str, ...] = ()
    learns: bool = True
    """Or it is measured once for a text, whatever the seeds and budgets."""


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
    """One measurement that is to be made."""

    name: str
    text: FoundText
    budget: float
    seed: int

    @property
    def task(self) -> Task:
        """What the contestant needs to know."""
        return Task(str(self.text.path), self.text.lowercase, self.budget, self.seed)


def measure(name: str, task: Task, backend: str) -> Learned:
    """Let a contestant learn in this process."""
    module = importlib.import_module(f"benchmarks.learners.{ENTRIES[name].module}")
    learn: Callable[[Task], Learned] = module.learn_text
    if name == "keras":
        learn = functools.partial(module.learn_text, backend=backend)
    return learn(task)


def measure_apart(name: str, task: Task, backend: str, held_to: str | None) -> Learned:
    """`measure` in a new process."""
    command = [sys.executable, "-m", "benchmarks.learning", "--json", json.dumps(asdict(task))]
    command += ["--only", name, "--backend", backend]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(THREADS))
    variables = os.environ | threads | environment(held_to)
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} failed with {done.returncode}:\n{done.stderr}")
    return Learned(**json.loads(done.stdout))


def faster_backend(text: FoundText, held_to: str | None, console: Console) -> str:
    """The one of Keras's back ends that learns from more windows a second here."""
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
    """Those of the contestants that can run here; sets the back end where none is given."""
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
    """The texts that can be had; the others are left out, and a line says why."""
    found = []
    for name in args.on:
        try:
            found.append(find_text(name, args.texts, scratch))
        except TextError as error:
            console.print(f"{TEXTS[name].title} is left out: {error}", markup=False)
            console.print(f"Or have it as {name}.txt in a folder: --texts DIR.", markup=False)
    if not found:
        sys.exit("There is no text to learn from.")
    return found


def steps(args: argparse.Namespace, names: list[str], texts: list[FoundText]) -> Iterator[Step]:
    """What is to be measured, in its order: seed by seed, so that whatever ends it is whole."""
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
    """Measure one after the other, and keep the report up to date."""
    machine = add_machine(report, describe_machine(args.instructions))
    names = usable(args, texts, console)
    date = dt.datetime.now(tz=dt.UTC).date().isoformat()
    there = {run.key for run in runs_of(report)}
    for step in steps(args, names, texts):
        text = step.text
        if args.missing and (machine, text.name, step.name, step.budget, step.seed) in there:
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
    """What was written before by the same protocol; else an empty report."""
    if folder is None:
        return empty_report()
    report = load_report(folder)
    if report is None and (folder / "learning.json").exists():
        console.print("The results that are there were measured by another protocol: left out.")
    return report or empty_report()


def write_pages(report: dict[str, Any], folder: Path) -> None:
    """Write data, page and chart, and the README's part where the results are the published."""
    write_results(report, folder)
    if folder.resolve() == RESULTS.resolve():
        write_between(README, "learning", readme_lines(report))


def parse() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--texts",
        type=Path,
        metavar="DIR",
        help="a folder with alice.txt, …; texts that it has not come by their names",
    )
    parser.add_argument("--on", nargs="+", choices=TEXTS, default=list(TEXTS), metavar="TEXT")
    parser.add_argument("--only", nargs="+", choices=ENTRIES, default=list(ENTRIES), metavar="NAME")
    parser.add_argument("--budgets", nargs="+", type=float, default=[10, 60], help="seconds")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--instructions", choices=HELD, help="hold everything to these instruction sets"
    )
    parser.add_argument(
        "--backend", choices=BACKENDS, help="of Keras; the faster one here where none is given"
    )
    parser.add_argument(
        "--write", nargs="?", type=Path, const=RESULTS, metavar="FOLDER", help="write the results"
    )
    parser.add_argument("--missing", action="store_true", help="measure only what is not there yet")
    parser.add_argument("--render", action="store_true", help="write the pages again, no more")
    parser.add_argument("--json", metavar="TASK", help=argparse.SUPPRESS)
    return parser.parse_args()


def check(args: argparse.Namespace) -> None:
    """End here, before hours of measuring, what could not be ended well."""
    if args.write or args.render:
        require_for_chart()
    if args.instructions and not can_be_held(args.instructions):
        found = ", ".join(instruction_sets()) or "none that are known"
        print(f"There is nothing to hold to {args.instructions} here. Instruction sets: {found}.")
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
    # JAX knows no other way.
    stay_on_few_cores(THREADS)
    # What burble sets for itself, for all: torch's threads share a busy machine better so.
    set_thread_defaults()
    with tempfile.TemporaryDirectory(prefix="burble-texts-") as scratch:
        run_all(args, report, find_texts(args, Path(scratch), console), console)
    print_tables(report, console)
    if args.write:
        write_pages(report, args.write)


if __name__ == "__main__":
    main()
