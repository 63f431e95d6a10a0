"""What every tokenizer offers."""

from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from burble.config import UnknownPolicy

Ids = np.ndarray[tuple[int, ...], np.dtype[np.integer[Any]]]


class StreamDecoder(Protocol):
    """Turns ids into text as they come, never splitting a character."""

    def push(self, ids: Ids) -> str:
        """The characters that these ids, (tokens,), complete; may be none."""

    def finish(self) -> str:
        """What is left at the end."""


class Tokenizer(Protocol):
    """Text ↔ ids."""

    kind: ClassVar[str]  # what it is called in files and on the command line
    unit: ClassVar[str]  # what a token is, in words: a character, a byte

    @classmethod
    def from_characters(cls, characters: AbstractSet[str]) -> Self:
        """The tokenizer for a text that is made of these characters."""

    @classmethod
    def from_json(cls, mapping: dict[str, Any]) -> Self:
        """Read back `to_json`; raises `ValueError` where it is not that."""

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` takes, `kind` among them."""

    def encode(self, text: str, unknown: UnknownPolicy = "error") -> Ids:
        """Ids of `text`, shape (tokens,). Raises `TextError` for characters never seen."""

    def count_unknown(self, text: str) -> int:
        """Count the characters never seen, which `encode` refuses, leaves out or replaces."""

    def decode(self, ids: Ids) -> str:
        """The text of `ids`."""

    def stream_decoder(self) -> StreamDecoder:
        """A fresh decoder for ids that come bit by bit."""

    def token_bytes(self, token: int) -> bytes:
        """Return the UTF-8 bytes of one token, which may be only a part of a character."""

    def label(self, token: int) -> str:
        """Return one token as text; of a part of a character its bytes, such as <E2>."""
        data = self.token_bytes(token)
        try:
            return data.decode()
        except UnicodeDecodeError:
            return "".join(f"<{byte:02X}>" for byte in data)

    def count_characters(self, ids: Ids) -> int:
        """How many characters begin in `ids`."""

    def cut_before(self, ids: Ids, place: int) -> int:
        """Return the last place up to `place` where a cut of `ids` splits no character."""

    def check(self, ids: Ids) -> None:
        """Raise `ValueError` unless `ids`, from 0 on, are what `encode` makes of some text."""


def smallest_dtype(vocab_size: int) -> np.dtype[Any]:
    """The smallest unsigned type that holds every id."""
    return np.min_scalar_type(max(vocab_size - 1, 0))
