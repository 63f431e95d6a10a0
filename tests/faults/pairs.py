"""Start two trainings in one folder within a second of each other, and kill some of them.

python -m tests.faults.pairs --pairs 200
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.cases import Outcome, has_traceback, why_unusable
from tests.faults.child import Child, run
from tests.faults.every_call import report, scratch_folder, write_wrong
from tests.faults.scenarios import MODEL, begin, resume_at_once, train_at_once
from tests.faults.shim import start_over_preloaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.child import Ended

REFUSED = 2
SPAN = "learned at"

# A few seconds, so that two that start within one of each other meet.
STEPS = 1200
KILLED_SHARE = 0.3


def resume_from_page() -> None:
    """Do what the server does when the page asks it to resume, and wait for the run's end."""
    from burble.serving.http.errors import RefusalError
    from burble.serving.playground.supervisor import Supervisor

    supervisor = Supervisor(Path.cwd())
    try:
        supervisor.resume("run")
    except RefusalError as error:
        sys.stderr.write(f"refused: {error}\n")
        sys.exit(REFUSED)
    child = supervisor._child
    assert child is not None
    code = child.process.wait()
    sys.stderr.write(f"{child.last_word()}\n{SPAN} {time.monotonic()}\n")
    sys.exit(code)


def learn(act: Callable[..., object], **options: Any) -> None:
    """Do it with an observer that writes down when it learned."""
    from burble.run_folder.observer import Observer, RunFacts

    class Clock(Observer):
        def started(self, _: RunFacts) -> None:
            sys.stderr.write(f"{SPAN} {time.monotonic()}\n")

        def finished(self) -> None:
            sys.stderr.write(f"{SPAN} {time.monotonic()}\n")

    act(steps=STEPS, observers=[Clock()], **options)


def _span(said: str) -> tuple[float, float]:
    """When a training learned; of the page's only the end is known."""
    times = [float(line.split()[-1]) for line in said.splitlines() if line.startswith(SPAN)]
    return min(times), max(times)


KINDS = {
    "train": partial(learn, train_at_once),
    "resume": partial(learn, resume_at_once),
    "overwrite": partial(learn, train_at_once, overwrite=True),
    "page": resume_from_page,
}
# In a folder without a run, and in one with a run that was stopped on its way.
FRESH = [("train", "train"), ("train", "overwrite"), ("overwrite", "overwrite")]
STOPPED = [(one, other) for one in KINDS for other in KINDS if (one, other) != ("train", "train")]


@dataclass(frozen=True)
class Pair:
    """Two trainings, and which of them is killed when."""

    kinds: tuple[str, str]
    apart: float
    kills: tuple[float | None, float | None]
    is_fresh: bool

    @classmethod
    def draw(cls, draw: random.Random) -> Pair:
        is_fresh = draw.random() < 0.25
        kinds = draw.choice(FRESH if is_fresh else STOPPED)
        kills: list[float | None] = [None, None]
        if draw.random() < KILLED_SHARE:
            # A killed server leaves its child to go on; that has tests of its own.
            which = draw.randrange(2)
            if kinds[which] != "page":
                kills[which] = draw.uniform(0, 2)
        return cls(kinds, draw.uniform(0, 1), (kills[0], kills[1]), is_fresh)

    def __str__(self) -> str:
        killed = [kind for kind, kill in zip(self.kinds, self.kills, strict=True) if kill]
        place = "an empty folder" if self.is_fresh else "a stopped run"
        return f"{self.kinds[0]}, {self.apart:.2f} s, {self.kinds[1]} in {place}; killed: {killed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-page", action="store_true", help="it takes seconds to start")
    parser.add_argument("--json", help="a file for what was wrong")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pairs-") as scratch:
        start_over_preloaded(Path(scratch), "tests.faults.pairs")
    draw = random.Random(options.seed)  # noqa: S311 - not a secret
    with scratch_folder() as scratch:
        bench = PairBench(Path(scratch).resolve())
        outcomes: list[Outcome] = []
        while len(outcomes) < options.pairs:
            pair = Pair.draw(draw)
            if not (options.without_page and "page" in pair.kinds):
                outcomes.append(bench.case(pair))
    report("pairs", outcomes)
    if options.json:
        write_wrong(Path(options.json), outcomes)
    sys.exit(any(outcome.faults for outcome in outcomes))


class PairBench:
    """Folders to start pairs in."""

    def __init__(self, scratch: Path) -> None:
        self.folder = scratch / "case"
        self._stopped = scratch / "stopped"
        begin(self.folder, book=False)
        child = Child(KINDS["train"], self.folder)
        while (ended_at := saved_step(self.folder / "run")) < 1:
            time.sleep(0.01)
        child.kill_after(0)
        assert ended_at < STEPS
        self.folder.rename(self._stopped)

    def case(self, pair: Pair) -> Outcome:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self._stopped, self.folder)
        if pair.is_fresh:
            shutil.rmtree(self.folder / "run")
        ends = self._start(pair)
        outcome = Outcome("pairs", str(pair), "", max(end.code for end in ends))
        outcome.said = "\n".join(f"{end.code}: {end.stderr[-300:]}" for end in ends)
        self._judge(outcome, pair, ends)
        return outcome

    def _start(self, pair: Pair) -> list[Ended]:
        children = []
        for label, kind in enumerate(pair.kinds):
            if children:
                time.sleep(pair.apart)
            children.append(Child(KINDS[kind], self.folder, label=str(label)))
        # One at most is killed: that one is waited for first.
        order = sorted(range(2), key=lambda one: pair.kills[one] is None)
        ends = {}
        for one in order:
            kill = pair.kills[one]
            ends[one] = children[one].wait() if kill is None else children[one].kill_after(kill)
        return [ends[0], ends[1]]

    def _judge(self, outcome: Outcome, pair: Pair, ends: list[Ended]) -> None:
        for end in ends:
            if has_traceback(end.stderr):
                outcome.faults["traceback"] = end.stderr.strip().splitlines()[-1]
            elif end.is_stuck:
                outcome.faults["stuck"] = "it did not end"
            elif end.code not in {0, REFUSED, -9}:
                outcome.faults["code"] = f"exit code {end.code}: {end.stderr[-200:]}"
        codes = [end.code for end in ends]
        if 0 not in codes and -9 not in codes:
            outcome.faults["none"] = "both were refused"
        if codes == [0, 0] and not self._took_turns(ends):
            outcome.faults["both"] = "both learned at once"
        self._judge_remains(outcome, pair, learned=0 in codes)

    def _took_turns(self, ends: list[Ended]) -> bool:
        """Whether one began when the other had ended: each says so with a line of its own."""
        spans = sorted(_span(end.stderr) for end in ends)
        return spans[0][1] <= spans[1][0]

    def _judge_remains(self, outcome: Outcome, pair: Pair, *, learned: bool) -> None:
        model = self.folder / MODEL
        reason = why_unusable(model)
        if reason and (learned or not pair.is_fresh):
            outcome.faults["lost"] = reason
        # In a folder where the only one was killed before it saved, the same command starts over.
        for act in (partial(resume_at_once, steps=2 * STEPS), train_at_once):
            if (ended := run(act, self.folder)).code == 0:
                break
        else:
            outcome.faults["stuck"] = ended.stderr.strip()[-300:]
            return
        if reason := why_unusable(model):
            outcome.faults["stuck"] = f"done again, and {reason}"


def saved_step(run_folder: Path) -> int:
    """Return the step of the saved state of a run; 0 without one."""
    from burble.run_folder.folder import RunFolder

    return RunFolder(run_folder).saved_step()


if __name__ == "__main__":
    main()
