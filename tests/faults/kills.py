"""Kill runs at random moments; see that no model is lost and that one command goes on.

python -m tests.faults.kills --kills 500
(kills at every call: python -m tests.faults.every_call train resume overwrite --errors KILL)
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.faults.cases import Bench, Outcome
from tests.faults.child import Child
from tests.faults.every_call import report, scratch_folder, write_wrong
from tests.faults.scenarios import SCENARIOS, resume_at_once, train_at_once
from tests.faults.shim import start_over_preloaded

# Enough steps that a run is long beside its start, and saves a score of times.
STEPS = 60
BEGIN = partial(train_at_once, steps=STEPS)
REPLACE = partial(train_at_once, steps=STEPS, overwrite=True)
CONTINUE = partial(resume_at_once, steps=2 * STEPS)
# What is killed, and the commands of which one must succeed afterwards.
RUNS = {
    "train": (BEGIN, (BEGIN, CONTINUE)),
    "resume": (partial(resume_at_once, steps=STEPS), (CONTINUE,)),
    "overwrite": (REPLACE, (REPLACE,)),
    "overwrite-then-resume": (REPLACE, (CONTINUE,)),
}


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="kills-") as scratch:
        start_over_preloaded(Path(scratch), "tests.faults.kills")
    draw = random.Random(options.seed)  # noqa: S311 - not a secret
    outcomes: list[Outcome] = []
    with scratch_folder() as scratch:
        for name in RUNS:
            found = kill_often(name, Path(scratch).resolve(), options.kills // len(RUNS), draw)
            report(name, found)
            outcomes += found
    report("all", outcomes)
    if options.json:
        write_wrong(Path(options.json), outcomes)
    sys.exit(any(outcome.faults for outcome in outcomes))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", help="a file for what was wrong")
    return parser.parse_args()


def kill_often(name: str, scratch: Path, kills: int, draw: random.Random) -> list[Outcome]:
    """Kill one kind of run `kills` times, at moments over the whole of it."""
    act, again = RUNS[name]
    bench = Bench(replace(SCENARIOS[name], act=act, again=again), scratch)
    bench.lay_out()
    started = time.monotonic()
    ended = Child(bench.scenario.act, bench.folder).wait()
    assert ended.code == 0, ended.stderr
    seconds = time.monotonic() - started
    return [_kill_once(bench, draw.uniform(0, seconds)) for _ in range(kills)]


def _kill_once(bench: Bench, moment: float) -> Outcome:
    bench.lay_out()
    ended = Child(bench.scenario.act, bench.folder).kill_after(moment)
    outcome = Outcome(bench.scenario.name, f"after {moment:.2f} s", "SIGKILL", ended.code)
    bench.judge_remains(outcome)
    return outcome


if __name__ == "__main__":
    main()
