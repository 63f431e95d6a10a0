"""Turn SIGINT, SIGTERM and SIGHUP into an end of set-up, then into a flag for the loop."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from burble.errors import TrainingInterruptedError
from burble.stop_signals import heard_signals


class _Stop(BaseException):  # so that `except Exception` does not catch it
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number, self.exit_code = number, 128 + number


class StopSignals:
    """The signals that ask a run to stop.

    During set-up, the first signal ends it. While `is_learning`, it only sets `requested`. A second
    signal has its normal effect.
    """

    def __init__(self) -> None:
        self.requested: int | None = None
        self.is_learning = False
        self._before: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        # In Python only the main thread can handle signals.
        if threading.current_thread() is threading.main_thread():
            self._before = {n: signal.signal(n, self._handle) for n in heard_signals()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore_handlers()
        if isinstance(error, _Stop):
            raise TrainingInterruptedError(
                "Stopped before the first step.",
                "Run the same command to start again.",
                error.number,
            ) from None

    def _handle(self, number: int, _: FrameType | None) -> None:
        self._restore_handlers()
        if not self.is_learning:
            raise _Stop(number)
        self.requested = number

    def _restore_handlers(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
