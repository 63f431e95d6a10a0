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
from burble.training import trainer
from burble.training.budget import Clock

if TYPE_CHECKING:
    from burble.training.checkpoint import Position

learn = trainer.Trainer.run


def learn_and_tell(self: trainer.Trainer) -> Position:
    position = learn(self)
    weights = b"".join(tensor.numpy().tobytes() for tensor in self._network.state_dict().values())
    fingerprints = Path(os.environ["FINGERPRINTS"])
    (fingerprints / os.environ.get("RANK", "0")).write_text(hashlib.sha256(weights).hexdigest())
    return position


def break_at(step: int) -> None:
    """Let this process break down at a step, as a bug would."""
    count_one = trainer.Trainer._count

    def count(self: trainer.Trainer, *args: object, **kwargs: object) -> None:
        assert self.position.step < step, "broken for the test"
        count_one(self, *args, **kwargs)  # type: ignore[arg-type]

    trainer.Trainer._count = count  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    readings = itertools.count()
    Clock.seconds = lambda _: float(next(readings))  # type: ignore[method-assign]
    # The clock runs fast; what is saved in between is for slow runs.
    trainer._SAVE_SECONDS = 1e9
    trainer.Trainer.run = learn_and_tell  # type: ignore[method-assign]
    if os.environ.get("BROKEN_RANK") == os.environ.get("RANK", "0"):
        break_at(15)
    main(sys.argv[1:])
