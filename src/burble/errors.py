"""The error tree: every mistake a user can make, with the exit code it leads to."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_SHOWN = 300

WITHOUT_FLAGS = "_BURBLE_WITHOUT_FLAGS"
"""Set in the environment of a command whose messages are read where there is no command line."""


class BurbleError(Exception):
    """A problem told in one message: what was wrong, what was found, what to do."""

    exit_code = 1

    def __init__(self, problem: str, advice: str = "", flags: str = "", fields: str = "") -> None:
        """advice: what to do. In its place, flags: at a command line; fields: over HTTP."""
        super().__init__(f"{problem} {advice}".strip())
        self.parts = (problem, advice, flags, fields)
        self.command_line = f"{problem} {flags or advice}".strip()
        """The message as it reads at a command line."""
        self.over_http = f"{problem} {fields or advice}".strip()
        """The message as it reads to a client of the server."""


class UsageError(BurbleError):
    """An option or a call that cannot be carried out as it stands."""

    exit_code = 2


class OptionError(UsageError):
    """A value that an option cannot have, told by the option's name as it is spelled there."""

    def __init__(self, problem: str, *names: str) -> None:
        """problem: the sentence after the names."""
        super().__init__(f"{' and '.join(names)} {problem}")
        self.problem, self.names = problem, names

    def spelled(self, spell: Callable[[str], str]) -> OptionError:
        """Return the same with other names."""
        return OptionError(self.problem, *map(spell, self.names))


class MissingExtraError(UsageError):
    """An optional package is needed and is not installed."""

    def __init__(self, need: str, extra: str) -> None:
        from burble.installation import how_to_install

        super().__init__(f"{need} needs an optional part. {how_to_install(extra)}")


class TextError(BurbleError):
    """A text that cannot be read, is empty, or holds what the model has never seen."""

    exit_code = 3


class ModelFileError(BurbleError):
    """A model file that is broken, hostile, or not a burble model."""

    exit_code = 4


class UnfinishedError(BurbleError):
    """A run that ended before its time."""

    model: Any = None  # the best so far, a `burble.Model`, where `train` keeps no folder

    def __init__(self, problem: str, left: str, advice: str = "", flags: str = "") -> None:
        """left: what there is of the run."""
        super().__init__(f"{problem} {left}", advice, flags)
        self._problem, self._advice = problem, advice

    def keep(self, model: Any) -> None:
        """Carry the model, in place of a folder that is removed."""
        self.model = model
        left = "The best model before that is the error's model." if model else "There is no model."
        BurbleError.__init__(self, f"{self._problem} {left}", self._advice)


class DivergedError(UnfinishedError):
    """Training produced infinite or undefined numbers and could not be mended."""

    exit_code = 5


class ResourceError(BurbleError):
    """The disk or the system refused something, or memory has run out."""

    exit_code = 6


class TrainingInterruptedError(UnfinishedError):
    """A signal stopped training after its state was saved."""

    def __init__(self, problem: str, left: str, signal_number: int) -> None:
        super().__init__(problem, left)
        self.exit_code = 128 + signal_number


def brief(text: str, longest: int = _MAX_SHOWN) -> str:
    """Return `text` so that it neither fills the terminal nor steers it, whoever wrote it."""
    shown = text if len(text) <= longest else text[:longest] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
