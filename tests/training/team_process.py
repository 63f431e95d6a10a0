"""One process of a team, for the tests: `burble train` on a clock that goes on by a second whenever
it is read, so that every step is logged; at the end it leaves a fingerprint of its weights.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from burble.cli.main import main
from burble.training import loop, store
from burble.training.budget import Clock

if TYPE_CHECKING:
    from burble.training.position import Position

learn = loop.Loop.run


def learn_and_tell(self: loop.Loop) -> Position:
    position = learn(self)
    weights = b"".join(
        array.tobytes() for name, array in self.learner.state().items() if "network." in name
    )
    fingerprints = Path(os.environ["FINGERPRINTS"])
    (fingerprints / os.environ.get("RANK", "0")).write_text(hashlib.sha256(weights).hexdigest())
    return position


def break_at(step: int) -> None:
    """Let this process break down at a step, as a bug would."""
    make_step = loop.Loop._step

    def step_or_break(self: loop.Loop) -> None:
        assert self.position.step < step, "broken for the test"
        make_step(self)

    loop.Loop._step = step_or_break  # type: ignore[method-assign]


if __name__ == "__main__":
    readings = itertools.count()
    Clock.seconds = lambda _: float(next(readings))  # type: ignore[method-assign]
    # The clock runs fast; what is saved in between is for slow runs.
    store._SAVE_SECONDS = 1e9
    loop.Loop.run = learn_and_tell  # type: ignore[method-assign]
    if os.environ.get("BROKEN_RANK") == os.environ.get("RANK", "0"):
        break_at(15)
    main(sys.argv[1:])
