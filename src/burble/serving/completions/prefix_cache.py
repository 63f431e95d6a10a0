"""`PrefixCache`: states of prompts, so that an equal beginning is read only once."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Generator

from burble.engine.step_model import State, StepModel
from burble.tokenizers.base import Ids

# States are kept at every multiple: a prompt with a known beginning is read from shortly before
# the place where it differs.
_BLOCK = 512

# 25 MB for a network of 3 × 1,024 units.
_MOST = 1024


class PrefixCache:
    def __init__(self, model: StepModel, most: int = _MOST) -> None:
        self._model = model
        self._most = most
        self._states: OrderedDict[bytes, State] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, ids: Ids) -> Generator[None, None, State]:
        """Return the state of one row after `ids`, (time,), yielding between parts."""
        ends = [*range(_BLOCK, len(ids), _BLOCK), len(ids)]
        keys = _digests(ids, ends)
        known, state = self._longest(keys)
        begin = ends[known - 1] if known else 0
        for end, key in zip(ends[known:], keys[known:], strict=True):
            if end > begin:
                _, state = self._model.prefill(ids[begin:end], state)
            self._keep(key, state)
            begin = end
            if end < len(ids):
                yield
        return state

    def _longest(self, keys: list[bytes]) -> tuple[int, State]:
        with self._lock:
            for count in range(len(keys), 0, -1):
                if (state := self._states.get(keys[count - 1])) is not None:
                    self._states.move_to_end(keys[count - 1])
                    return count, state
        return 0, self._model.start(1)

    def _keep(self, key: bytes, state: State) -> None:
        with self._lock:
            self._states[key] = state
            if len(self._states) > self._most:
                self._states.popitem(last=False)


def _digests(ids: Ids, ends: list[int]) -> list[bytes]:
    digest, begin, found = hashlib.sha256(), 0, []
    for end in ends:
        digest.update(ids[begin:end].tobytes())
        found.append(digest.digest())
        begin = end
    return found
