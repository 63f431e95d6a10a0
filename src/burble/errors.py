"""The errors that burble raises, each with the exit code of the command line."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_SHOWN = 300

WITHOUT_FLAGS = "_BURBLE_WITHOUT_FLAGS"
"""Environment variable that makes a command's messages name no flags: a page shows them."""


class BurbleError(Exception):
    """Base class of burble's errors. The message names the problem and what to do about it."""

    exit_code = 1

    def __init__(self, problem: str, advice: str = "", flags: str = "", fields: str = "") -> None:
        """advice: what to do. In its place, flags: at a command line; fields: over HTTP."""
        super().__init__(f"{problem} {advice}".strip())
        self.parts = (problem, advice, flags, fields)
        self.command_line = f"{problem} {flags or advice}".strip()
        """The message for the command line, whose advice may name flags."""
        self.over_http = f"{problem} {fields or advice}".strip()
        """The message as it reads to a client of the server."""


class UsageError(BurbleError):
    """The call is wrong: an option, a path or a combination that does not work."""

    exit_code = 2


class OptionError(UsageError):
    """The value of an option is wrong. The message begins with the option's name."""

    def __init__(self, problem: str, *names: str) -> None:
        """problem: the rest of the sentence, after the names."""
        super().__init__(f"{' and '.join(names)} {problem}")
        self.problem, self.names = problem, names

    def spelled(self, spell: Callable[[str], str]) -> OptionError:
        """Return the same error with each option name replaced by `spell(name)`."""
        return OptionError(self.problem, *map(spell, self.names))


class MissingExtraError(UsageError):
    """An optional package is not installed. The message has the line that installs it."""

    def __init__(self, need: str, extra: str) -> None:
        from burble.installation import how_to_install

        super().__init__(f"{need} needs an optional part. {how_to_install(extra)}")


class TextError(BurbleError):
    """The text cannot be read, is too short, or has characters the model has never seen."""

    exit_code = 3


class ModelFileError(BurbleError):
    """There is no model, or the file is damaged, hostile or not a burble model."""

    exit_code = 4


class UnfinishedError(BurbleError):
    """The training run ended early.

    model: the best model so far, a `burble.Model`, if `burble.train` ran without a folder; else
    None.
    """

    model: Any = None

    def __init__(self, problem: str, left: str, advice: str = "", flags: str = "") -> None:
        """left: a sentence on what was saved of the run."""
        super().__init__(f"{problem} {left}", advice, flags)
        self._problem, self._advice = problem, advice

    def keep(self, model: Any) -> None:
        """Attach the best model, because the run's folder is about to be removed."""
        self.model = model
        left = "The best model is in the error's `model`." if model else "There is no model."
        BurbleError.__init__(self, f"{self._problem} {left}", self._advice)


class DivergedError(UnfinishedError):
    """Training produced infinite or undefined numbers and could not recover."""

    exit_code = 5


class ResourceError(BurbleError):
    """The disk or the system refused a request, or there is not enough memory."""

    exit_code = 6


class TrainingInterruptedError(UnfinishedError):
    """A signal, such as Ctrl-C, stopped training. The state was saved first."""

    def __init__(self, problem: str, left: str, signal_number: int) -> None:
        super().__init__(problem, left)
        self.exit_code = 128 + signal_number


def brief(text: str, longest: int = _MAX_SHOWN) -> str:
    """Return at most `longest` characters of `text`, with control characters replaced by �.

    So a text from anybody can be quoted in a message without filling or steering the terminal.
    """
    shown = text if len(text) <= longest else text[:longest] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
