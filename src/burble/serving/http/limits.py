"""The limits of a server."""

from dataclasses import dataclass

from burble.knobs import check_knobs, knob


@dataclass(frozen=True)
class Limits:
    streams: int = knob(64, "Texts to write side by side.", low=1)
    waiting: int = knob(
        64, "Texts that may wait for a slot; further ones are refused with 429.", low=0
    )

    max_tokens: int = 100_000  # tokens in one text
    max_prompt: int = 100_000  # characters in one prompt
    max_choices: int = 64  # texts in one request: prompts times n
    max_kept: int = 4 << 20  # bytes of log-probabilities, of all requests, sent in one piece

    def __post_init__(self) -> None:
        check_knobs(self)
