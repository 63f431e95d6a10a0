"""Let every call fail once, or kill at every call, and judge what is left.

python -m tests.faults.every_call                     all scenarios, one error in turn a call
python -m tests.faults.every_call --errors all        … with every error
python -m tests.faults.every_call --errors KILL       … killed at every call
python -m tests.faults.every_call --calls looks       calls that read: read, stat, list, lock, map
python -m tests.faults.every_call overwrite --sample 40
"""

from __future__ import annotations

import argparse
import errno
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.cases import Bench, Outcome
from tests.faults.scenarios import SCENARIOS
from tests.faults.shim import CHANGES, KILL, LOOKS, Calls, Strike, start_over_preloaded

if TYPE_CHECKING:
    from collections.abc import Iterator

ERRORS = (errno.EACCES, errno.EIO, errno.EMFILE, errno.ENOSPC, errno.EROFS)
KINDS = {"changes": CHANGES, "looks": LOOKS}

# Looking can fail so; that a disk is full is never the answer to it.
LOOK_ERRORS = (errno.EACCES, errno.EIO, errno.EMFILE)


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        start_over_preloaded(Path(scratch), "tests.faults.every_call")
    started = time.monotonic()
    with scratch_folder() as scratch:
        outcomes: list[Outcome] = []
        for name in options.scenarios or SCENARIOS:
            found = list(cases(name, Path(scratch).resolve(), options))
            outcomes += found
            report(name, found)
    report("all", outcomes)
    sys.stderr.write(f"{len(outcomes)} cases in {time.monotonic() - started:.0f} s\n")
    if options.json:
        write_wrong(Path(options.json), outcomes)
    sys.exit(any(outcome.faults for outcome in outcomes))


def write_wrong(path: Path, outcomes: list[Outcome]) -> None:
    """Write the number of cases, and those that went wrong, as JSON."""
    wrong = [asdict(outcome) for outcome in outcomes if outcome.faults]
    path.write_text(json.dumps({"cases": len(outcomes), "wrong": wrong}, indent=1), "utf-8")


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder in memory where there is one: no test waits for a disk then."""
    memory = Path("/dev/shm")  # noqa: S108 - a name nobody can foresee is made in it
    return tempfile.TemporaryDirectory(prefix="faults-", dir=memory if memory.is_dir() else None)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], metavar="SCENARIO")
    parser.add_argument("--calls", choices=KINDS, default="changes")
    parser.add_argument("--errors", default="turns", help="turns, all, KILL, or one such as EIO")
    parser.add_argument("--sample", type=int, help="so many cases of each scenario, evenly")
    parser.add_argument("--seed", type=int, default=0, help="moves the sample by so many calls")
    parser.add_argument("--json", help="a file for what was wrong")
    return parser.parse_args()


def cases(name: str, scratch: Path, options: argparse.Namespace) -> Iterator[Outcome]:
    bench = Bench(SCENARIOS[name], scratch)
    kinds = KINDS[options.calls]
    strikes = list(_strikes(kinds, len(bench.calls(kinds)), options.errors))
    # Evenly over the whole, so that a stretch where something is lost is not missed.
    number = min(options.sample or len(strikes), len(strikes))
    chosen = [
        strikes[(options.seed + nth * len(strikes) // number) % len(strikes)]
        for nth in range(number)
    ]
    for strike in chosen:
        outcome = bench.case(strike)
        if outcome is not None:
            yield outcome


def _strikes(kinds: Calls, number: int, errors: str) -> Iterator[Strike]:
    possible = LOOK_ERRORS if kinds == LOOKS else ERRORS
    for nth in range(1, number + 1):
        match errors:
            case "turns":
                yield Strike(kinds, nth, possible[nth % len(possible)])
            case "all":
                yield from (Strike(kinds, nth, error) for error in possible)
            case "KILL":
                yield Strike(kinds, nth, KILL)
            case _:
                yield Strike(kinds, nth, getattr(errno, errors))


def report(name: str, outcomes: list[Outcome]) -> None:
    """Print how many cases there were, and how many were wrong in which way."""
    counts = Counter(kind for outcome in outcomes for kind in outcome.faults)
    wrong = ", ".join(f"{kind} {number}" for kind, number in sorted(counts.items())) or "none wrong"
    sys.stdout.write(f"{name}: {len(outcomes)} cases; {wrong}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
