"""The signals that ask a process to end well."""

import signal

# SIGHUP comes when a terminal is closed; Windows has none.
STOP_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def heard_signals() -> list[signal.Signals]:
    """Return those that this process was not started to ignore, as under nohup."""
    return [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
