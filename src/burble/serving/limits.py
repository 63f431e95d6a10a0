"""What a server grants a client, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from burble.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """How much may be asked for at once."""

    streams: int = 64
    """Texts written side by side."""

    waiting: int = 64
    """Texts that may wait beyond those; further ones are told to come back later."""

    max_tokens: int = 100_000
    """Tokens in one text."""

    max_prompt: int = 100_000
    """Characters in one prompt."""

    max_choices: int = 64
    """Texts in one request: prompts times n."""

    max_kept: int = 4 << 20
    """Bytes of log-probabilities, of all requests, that cannot be sent as they are made."""

    def __post_init__(self) -> None:
        if self.streams < 1:
            raise UsageError(f"streams must be 1 or more; found {self.streams}.")
        if self.waiting < 0:
            raise UsageError(f"waiting must be 0 or more; found {self.waiting}.")
