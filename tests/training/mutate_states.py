"""Resume mutated runs, each in a process that may crash, and count what becomes of them.

    python -m tests.training.mutate_states 100000 --seed 0

Each case is a copy of a small run with something in it changed. It is resumed as
`burble train --resume` does, for a step or more. It must be refused with one message and the right
exit code, or go on; a traceback, a native crash, a hang, or a change outside of the folder is a
failure, and the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

# A library for matrices that has threads may wait for ever in a child that was forked, and reads
# how many it shall have when it is imported.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

from burble import progress  # noqa: F401 - once, before all children
from burble.cli import main as command_line
from burble.cli.views import train as train_view  # noqa: F401 - once, too
from burble.errors import BurbleError
from burble.run_folder.observer import Observer
from burble.run_hooks import open_run
from burble.training.learners.devices import has_torch
from burble.training.learners.native import backend as _backend  # noqa: F401 - once, too
from tests.training.runs import tiny_config, train_run
from tests.training.state_mutations import Places, mutate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burble.run_folder.metrics import ValidationMetrics

if has_torch():
    # Imported late, and once here, before all children.
    import torch
    import torch._dynamo

    from burble.training.learners.torch import backend as _torch_backend  # noqa: F401

# A run is stopped after so long; one that then does not end within the other time hangs.
STOP_SECONDS = 0.5
HANG_SECONDS = 30.0

# A case in so many goes through the command line, options and all, which takes a tenth of a second.
COMMAND_LINE = 20
CASES_A_PROCESS = 200
MEMORY = 2 << 30
EXIT_CODES = {2, 3, 4, 5, 6}
LONGEST_MESSAGE = 1500

TINY: dict[str, Any] = {
    "hidden_size": 5,
    "embedding_size": 3,
    "seq_len": 4,
    "batch_size": 3,
    "steps": 40,
    "sample_length": 3,
    "precision": "float32",
    "threads": 1,
    "device": "cpu",
}
KINDS: list[dict[str, Any]] = [
    {"cell": "lstm", "num_layers": 2, "residual": True},
    {"cell": "gru", "input": "one-hot", "batching": "windows", "stride": 7},
    {"cell": "rnn", "input": "scalar", "batching": "sentences", "averaging": 0.0},
    {"cell": "lstm", "tokenizer": "byte", "schedule": "constant"},
]
TEXT = "Où est la clé? Ici.\nIt is here, no? Yes! And é is a letter of two bytes.\n" * 6


class Snapshots(Observer):
    """Keeps a run as it was at its first validations, and so at its first steps."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._kept = 0

    def validated(self, metrics: ValidationMetrics) -> None:
        # The state on disk is that of the validation before.
        if metrics.step > 0 and self._kept < 2:
            shutil.copytree(self._run, self._run.with_name(f"{self._run.name}-{self._kept}"))
            self._kept += 1


def make_runs(folder: Path) -> list[Path]:
    """Train a run of each kind; keep it as it was at step 0, soon after, and at its end."""
    text = folder / "text.txt"
    text.write_text(TEXT, "utf-8")
    runs = folder / "runs"
    runs.mkdir()
    for number, options in enumerate(KINDS):
        run = runs / f"run{number}"
        train_run(tiny_config(text, **TINY, **options), run, [Snapshots(run)])
    return sorted(runs.iterdir())


def case_of(seed: int, number: int) -> int:
    return seed * 1_000_000_007 + number


def look(outside: Path) -> list[tuple[str, int, int]]:
    """What is outside, and when it was changed."""
    found = [(path, path.lstat()) for path in sorted(outside.rglob("*"))]
    return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in found]


def run_case(case: int, folder: Path, places: Places) -> tuple[str, str]:
    """Mutate a run, resume it, and return what became of it, and how it was changed."""
    draw = random.Random(case)  # noqa: S311 - not a secret
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(draw.choice(places.runs), run)
    ways = mutate(case, run, places)
    before = look(places.outside)
    steps = draw.choice([None, 3, 41, 60])
    go = by_command if draw.randrange(COMMAND_LINE) == 0 else by_function
    if has_torch():
        # An interrupt in the moment when torch.no_grad ends leaves gradients off in this process.
        torch.set_grad_enabled(True)
    signal.signal(signal.SIGALRM, interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS, STOP_SECONDS)
    try:
        outcome = go(run, steps)
    except KeyboardInterrupt:
        outcome = "went on"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if look(places.outside) != before:
        outcome = "CHANGED OUTSIDE"
    return outcome, "+".join(ways)


def interrupt(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def by_function(run: Path, steps: int | None) -> str:
    """Resume as the command does once its options are read."""
    try:
        open_run(run).resume({} if steps is None else {"steps": steps})
    except BurbleError as error:
        return judged(error.exit_code, str(error))
    except MemoryError:
        return judged(6, "no memory")
    except Exception:  # noqa: BLE001 - this is what is looked for
        return f"TRACEBACK {traceback.format_exc()}"
    return "went on"


def by_command(run: Path, steps: int | None) -> str:
    args = ["train", "--resume", str(run), *([] if steps is None else ["--steps", str(steps)])]
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(io.StringIO()):
        try:
            code = command_line.run(args, time.monotonic())
        except SystemExit as error:  # options that cannot be read
            code = int(error.code or 0)
    if code == 1:
        return f"TRACEBACK {said.getvalue()}"
    return judged(code, said.getvalue().strip().rpartition("burble: ")[2]) if code else "went on"


def judged(code: int, message: str) -> str:
    if code in {130, 143}:
        return "went on"
    if code not in EXIT_CODES or len(message) > LONGEST_MESSAGE:
        return f"ODD MESSAGE {code}: {message[:3000]}"
    if not message.replace("\n", " ").isprintable():
        return f"ODD MESSAGE {code}: {message!r}"
    return f"refused {code}"


def work(cases: list[int], scratch: Path, places: Places, pipe: int) -> None:
    """In a child: run the cases, and tell of each before and after."""
    limit = memory_used() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    devnull = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2) if len(cases) > 1 else ():
        os.dup2(devnull, number)
    os.chdir(scratch)
    (scratch / "work").mkdir(exist_ok=True)
    for case in cases:
        tell(pipe, {"begun": case})
        try:
            outcome, ways = run_case(case, scratch / "work", places)
        except KeyboardInterrupt:  # it came while the one before it was dealt with
            outcome, ways = "went on", "late"
        if os.listdir(scratch) != ["work"]:  # noqa: PTH208 - hidden files too
            outcome = "CHANGED THE WORKING FOLDER"
        tell(pipe, {"case": case, "outcome": outcome, "ways": ways})


def memory_used() -> int:
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[0])
    return pages * resource.getpagesize()


def tell(pipe: int, what: dict[str, Any]) -> None:
    os.write(pipe, json.dumps(what).encode() + b"\n")


def fork(cases: list[int], scratch: Path, places: Places) -> tuple[int, int]:
    """Start a child on the cases; return its number and the pipe that it tells through."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(read)
            work(cases, scratch, places, write)
            code = 0
        except BaseException:  # noqa: BLE001 - the parent must see that this script has failed
            tell(write, {"failed": traceback.format_exc()})
        finally:
            os._exit(code)
    os.close(write)
    return child, read


def lines_of(pipe: int) -> Iterator[dict[str, Any] | None]:
    """What the child tells; None where it has been silent for too long."""
    pending = b""
    while True:
        if not select.select([pipe], [], [], HANG_SECONDS)[0]:
            yield None
            return
        data = os.read(pipe, 1 << 16)
        if not data:
            return
        *whole, pending = (pending + data).split(b"\n")
        yield from map(json.loads, whole)


def outcomes(cases: list[int], scratch: Path, places: Places) -> Iterator[tuple[int, str, str]]:
    """Run the cases in children, a new one after each that crashed or hangs."""
    while cases:
        child, pipe = fork(cases[:CASES_A_PROCESS], scratch, places)
        begun, hangs = None, False
        for line in lines_of(pipe):
            if line is None:
                hangs = True
                os.kill(child, signal.SIGKILL)
            elif "begun" in line:
                begun = line["begun"]
            elif "failed" in line:
                raise RuntimeError(line["failed"])
            else:
                yield line["case"], line["outcome"], line["ways"]
                cases = cases[1:]
                begun = None
        os.close(pipe)
        _, status = os.waitpid(child, 0)
        if begun is not None:
            code = os.waitstatus_to_exitcode(status)
            yield begun, "HANG" if hangs else f"CRASH {code}", ""
            cases = cases[1:]


def make_places(folder: Path) -> Places:
    """The runs, made in a child: a parent that has used torch's threads could not be forked."""
    child = os.fork()
    if child == 0:
        try:
            make_runs(folder)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, "the runs to mutate could not be made"
    outside = folder / "outside"
    runs = sorted((folder / "runs").iterdir())
    shutil.copytree(runs[0], outside / "run")
    (outside / "secret").write_text("what only the owner may read", "utf-8")
    return Places(runs, outside)


def report(counts: Counter[str], ways: Counter[str], seconds: float) -> None:
    total = sum(counts.values())
    print(f"{total:,} cases in {seconds:.0f} s, {total / seconds:.0f} a second")
    for name, count in sorted(counts.items()):
        print(f"  {count:7,}  {name}")
    print("  went on: " + ", ".join(f"{way} {count}" for way, count in ways.most_common(20)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, action="append", help="run this one alone")
    options = parser.parse_args()
    cases = options.case or [case_of(options.seed, n) for n in range(options.count)]
    counts: Counter[str] = Counter()
    ways: Counter[str] = Counter()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a fast disk
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="burble-states-", dir=memory) as name:
        folder = Path(name)
        places = make_places(folder)
        (folder / "scratch").mkdir()
        for case, outcome, way in outcomes(cases, folder / "scratch", places):
            counts[outcome.partition(" ")[0] if outcome[0].isupper() else outcome] += 1
            if outcome == "went on":
                ways[way] += 1
            if outcome[0].isupper():
                print(f"case {case} ({way}): {outcome}", flush=True)
            if sum(counts.values()) % 1000 == 0:
                report(counts, ways, time.monotonic() - started)
                sys.stdout.flush()
    report(counts, ways, time.monotonic() - started)
    sys.exit(any(name[0].isupper() for name in counts))


if __name__ == "__main__":
    main()
