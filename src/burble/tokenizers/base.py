"""`Tokenizer`: the interface of every tokenizer."""

from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from burble.config import UnknownPolicy

Ids = np.ndarray[tuple[int, ...], np.dtype[np.integer[Any]]]


class StreamDecoder(Protocol):
    """Decode ids one piece at a time without ever splitting a character."""

    def push(self, ids: Ids) -> str:
        """Return the characters that these ids, (tokens,), complete. It can be none."""

    def finish(self) -> str:
        """Return the text of the ids that are left at the end."""


class Tokenizer(Protocol):
    """Turn text into ids and back."""

    kind: ClassVar[str]  # its name in files and on the command line
    unit: ClassVar[str]  # the word for a token: character, byte

    @classmethod
    def from_characters(cls, characters: AbstractSet[str]) -> Self:
        """Return a tokenizer for a text that is made of these characters."""

    @classmethod
    def from_json(cls, mapping: dict[str, Any]) -> Self:
        """Return the tokenizer that `to_json` described. Raises `ValueError` for anything else."""

    @property
    def vocab_size(self) -> int:
        """The number of ids."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values for `from_json`, including `kind`."""

    def encode(self, text: str, unknown: UnknownPolicy = "error") -> Ids:
        """Return the ids of `text`, (tokens,). Raises `TextError` for unknown characters.

        unknown: replace unknown characters by the nearest known ones, or skip them, instead.
        """

    def count_unknown(self, text: str) -> int:
        """Count the characters that are not in the vocabulary."""

    def decode(self, ids: Ids) -> str:
        """Return the text of `ids`."""

    def stream_decoder(self) -> StreamDecoder:
        """Return a fresh decoder for ids that arrive one piece at a time."""

    def token_bytes(self, token: int) -> bytes:
        """Return the UTF-8 bytes of one token, which may be only a part of a character."""

    def label(self, token: int) -> str:
        """Return one token as text. Show a part of a character by its bytes, such as <E2>."""
        data = self.token_bytes(token)
        try:
            return data.decode()
        except UnicodeDecodeError:
            return "".join(f"<{byte:02X}>" for byte in data)

    def count_characters(self, ids: Ids) -> int:
        """Return how many characters begin in `ids`."""

    def cut_before(self, ids: Ids, place: int) -> int:
        """Return the last place up to `place` where cutting `ids` splits no character."""

    def check(self, ids: Ids) -> None:
        """Raise `ValueError` unless these are the ids of some text. They must not be negative."""


def smallest_dtype(vocab_size: int) -> np.dtype[Any]:
    """Return the smallest unsigned type that can represent every id."""
    return np.min_scalar_type(max(vocab_size - 1, 0))
