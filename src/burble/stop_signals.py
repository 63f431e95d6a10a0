"""The signals that ask a process to save its work and end."""

import signal

# SIGHUP comes when a terminal is closed. Windows does not have it.
STOP_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def heard_signals() -> list[signal.Signals]:
    """Return the stop signals, without those that the process ignores, as SIGHUP under nohup."""
    return [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
