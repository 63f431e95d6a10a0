"""Turn SIGINT, SIGTERM and SIGHUP into a flag that the training loop checks between steps."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Self

from burble.stop_signals import heard_signals

if TYPE_CHECKING:
    from types import FrameType, TracebackType


class StopSignals:
    """While entered, the first signal is only noted; a second one acts as it always does."""

    def __init__(self) -> None:
        self.requested: int | None = None
        self._before: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        # Python lets only the main thread handle signals; elsewhere the caller decides.
        if threading.current_thread() is threading.main_thread():
            self._before = {n: signal.signal(n, self._note) for n in heard_signals()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._put_back()

    def _note(self, number: int, _: FrameType | None) -> None:
        self.requested = number
        self._put_back()

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
