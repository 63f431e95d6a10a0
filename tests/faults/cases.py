"""One fault in one scenario: set up, done, judged."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.faults import child
from tests.faults.scenarios import begin
from tests.faults.shim import KILL, Calls, Strike

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.child import Ended
    from tests.faults.scenarios import Act, Scenario

DISK = 6
READ_CODES = {3, 4, DISK}
_READS = {"open-to-read", "read", "stat", "list", "map"}
_LITTER = re.compile(r"\.tmp$|/tmp/.|\.burble-|\.old-")


@dataclass
class Outcome:
    """A case: which call failed how, and what was wrong afterwards, by kind."""

    scenario: str
    call: str
    error: str
    code: int
    faults: dict[str, str] = field(default_factory=dict)
    said: str = ""


class Bench:
    """A scenario, ready to be done again and again in folders that are alike."""

    def __init__(self, scenario: Scenario, scratch: Path) -> None:
        self.scenario = scenario
        self.folder = scratch / "case"
        self._template = scratch / f"template-{scenario.name}"
        self._prepare()
        self._import_what_it_imports()
        ended = self.do(Strike(Calls(0)))
        assert ended.code == 0, ended.stderr
        self.whole = names_in(self.folder)

    def _prepare(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        begin(self.folder, book=self.scenario.book)
        for act in self.scenario.before:
            ended = child.run(act, self.folder)
            assert ended.code == 0, ended.stderr
        shutil.rmtree(self._template, ignore_errors=True)
        self.folder.rename(self._template)

    def _import_what_it_imports(self) -> None:
        """So that a fork has it already."""
        self.lay_out()
        names = self.folder / "modules"
        child.run(partial(_note_modules, self.scenario.act, names), self.folder)
        for name in names.read_text().split():
            if name not in sys.modules:
                with contextlib.suppress(Exception):  # some are made, not imported
                    importlib.import_module(name)

    def lay_out(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self._template, self.folder)

    def do(self, strike: Strike) -> Ended:
        self.lay_out()
        return child.run(self.scenario.act, self.folder, strike)

    def calls(self, kinds: Calls) -> tuple[str, ...]:
        return self.do(Strike(kinds)).calls

    def case(self, strike: Strike) -> Outcome | None:
        """Do one case and judge it; None where the call never came."""
        ended = self.do(strike)
        if len(ended.calls) < strike.nth:
            return None
        call = ended.calls[strike.nth - 1].partition(" ")[2]
        name = "SIGKILL" if strike.error == KILL else errno.errorcode[strike.error]
        outcome = Outcome(self.scenario.name, call, name, ended.code, said=ended.stderr[-2000:])
        self._judge_end(outcome, ended, strike.error)
        self.judge_remains(outcome)
        return outcome

    def _judge_end(self, outcome: Outcome, ended: Ended, error: int) -> None:
        if error == KILL:
            return
        said = ended.stderr
        if ended.is_stuck:
            outcome.faults["stuck"] = "it did not end"
        if has_traceback(said):
            outcome.faults["traceback"] = said.strip().splitlines()[-1]
        elif ended.code == 0:
            self._judge_success(outcome)
        elif ended.code not in self._right_codes(outcome.call):
            outcome.faults["code"] = f"exit code {ended.code}"
        elif not _names_the_reason(said, outcome.call, error):
            outcome.faults["message"] = said.strip().splitlines()[-1] if said.strip() else "none"

    def _judge_success(self, outcome: Outcome) -> None:
        names = names_in(self.folder)
        if missing := self.whole - names:
            outcome.faults["missing"] = f"exit code 0 without {sorted(missing)}"
        litter = [name for name in names - self.whole if _LITTER.search(name)]
        if litter and not outcome.call.startswith(("unlink", "list", "open-to-read", "stat")):
            outcome.faults["litter"] = f"left {litter}"

    def _right_codes(self, call: str) -> set[int]:
        kind, _, path = call.partition(" ")
        if path in self.scenario.sources and kind in _READS:
            return {3}
        return READ_CODES if kind in _READS else {DISK}

    def judge_remains(self, outcome: Outcome) -> None:
        """See that every model is there, and that one further command goes on."""
        for model in self.scenario.models:
            if reason := why_unusable(self.folder / model):
                outcome.faults["lost"] = f"{model}: {reason}"
        for act in self.scenario.again:
            ended = child.run(act, self.folder)
            if ended.code == 0:
                break
        else:
            outcome.faults["stuck"] = f"afterwards: {ended.stderr.strip()[-300:]}"
            return
        if missing := self.whole - names_in(self.folder):
            outcome.faults["stuck"] = f"done again, and still without {sorted(missing)}"
        elif reason := self._why_no_model():
            outcome.faults["stuck"] = f"done again, and {reason}"

    def _why_no_model(self) -> str | None:
        models = (name for name in self.whole if name.endswith("model.safetensors"))
        return next(filter(None, (why_unusable(self.folder / name) for name in models)), None)


def _note_modules(act: Act, path: Path) -> None:
    try:
        act()
    finally:
        path.write_text("\n".join(name for name in list(sys.modules) if name != "__main__"))


def _names_the_reason(said: str, call: str, error: int) -> bool:
    """Whether a message has the system's reason, and something of the path in it."""
    place = call.partition(" /")[2].partition("/")[0]
    # A file that is written aside is reported under its own name.
    place = re.sub(r"^\.(.+)\.\d+\.tmp$", r"\1", place)
    # What is kept of a known text is reported under the text's name.
    place = "alice" if "/cache/burble/alice" in call and " cannot be read" in said else place
    return os.strerror(error) in said and place in said


def has_traceback(said: str) -> bool:
    return any(sign in said for sign in ("Traceback", "bug in burble", "Exception ignored"))


def names_in(folder: Path) -> set[str]:
    """Return the files under `folder`, alike for two runs that did alike."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = (str(path.relative_to(folder)) for path in files)
    names = (re.sub(r"state-[\d-]+", "state", name) for name in names)
    return {re.sub(r"tfevents.*", "tfevents", name) for name in names}


def why_unusable(path: Path) -> str | None:
    from burble.errors import BurbleError
    from burble.model_file import ModelFile

    try:
        ModelFile.load(path)
    except BurbleError as error:
        return str(error)
    return None
