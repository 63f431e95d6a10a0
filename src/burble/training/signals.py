"""Turn SIGINT, SIGTERM and SIGHUP into an end of set-up, then into a flag for the loop."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from burble.errors import TrainingInterruptedError
from burble.stop_signals import heard_signals


class _Stop(BaseException):  # not for those who catch errors
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number, self.exit_code = number, 128 + number


class StopSignals:
    """The first signal ends set-up, or is noted once `is_learning`; a second one acts as always."""

    def __init__(self) -> None:
        self.requested: int | None = None
        self.is_learning = False
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
        if isinstance(error, _Stop):
            raise TrainingInterruptedError(
                "Stopped before the first step.",
                "Give the same command to start again.",
                error.number,
            ) from None

    def _note(self, number: int, _: FrameType | None) -> None:
        self._put_back()
        if not self.is_learning:
            raise _Stop(number)
        self.requested = number

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
