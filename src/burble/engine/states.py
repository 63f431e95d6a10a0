"""The states a model goes through as it reads."""

from __future__ import annotations

from collections.abc import Iterator

from burble.engine.step_model import State, StepModel
from burble.tokenizers.base import Ids


def states_after(model: StepModel, ids: Ids, state: State) -> Iterator[State]:
    """The state after each time of ids, (time, rows)."""
    for tokens in ids:
        _, state = model.step(tokens, state)
        yield state
