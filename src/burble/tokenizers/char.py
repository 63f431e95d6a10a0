"""`CharTokenizer`: one id for each character that occurs in the text, in code point order."""

import sys
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Self

import numpy as np

from burble.config import UnknownPolicy
from burble.errors import TextError
from burble.tokenizers.base import Ids, StreamDecoder, Tokenizer, smallest_dtype
from burble.tokenizers.nearest import find_nearest

_UTF32 = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
_LISTED = 10


class CharTokenizer(Tokenizer):
    """Use a character's place in the vocabulary, a string of distinct characters, as its id."""

    kind: ClassVar[str] = "char"
    unit: ClassVar[str] = "character"

    def __init__(self, vocabulary: str) -> None:
        self.vocabulary = vocabulary
        self._points = _code_points(vocabulary)
        # Id + 1 of each code point up to the highest known one; 0 marks the unknown.
        self._table = np.zeros(int(self._points.max(initial=0)) + 2, dtype=np.int32)
        self._table[self._points] = np.arange(1, len(vocabulary) + 1)

    @classmethod
    def from_characters(cls, characters: AbstractSet[str]) -> Self:
        return cls("".join(sorted(characters)))

    @classmethod
    def from_json(cls, mapping: dict[str, Any]) -> Self:
        vocabulary = mapping.get("vocabulary")
        if not isinstance(vocabulary, str):
            raise ValueError(  # noqa: TRY004 - it comes from a file
                "a char tokenizer needs its vocabulary as a string"
            )
        if not vocabulary or list(vocabulary) != sorted(set(vocabulary)):
            raise ValueError("the vocabulary must be distinct characters in code point order")
        if any("\ud800" <= character <= "\udfff" for character in vocabulary):
            raise ValueError("the vocabulary contains half a surrogate pair")
        return cls(vocabulary)

    @property
    def vocab_size(self) -> int:
        return len(self.vocabulary)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "vocabulary": self.vocabulary}

    def encode(self, text: str, unknown: UnknownPolicy = "error") -> Ids:
        """Return the ids of `text`, (characters,). Raises `TextError` for unknown characters.

        unknown: "nearest" tries another case, accent or typographic form.
        """
        marked = self._mark(text)
        missing = sorted({text[place] for place in np.flatnonzero(marked == 0)})
        if missing and unknown == "nearest":
            nearest = {ord(c): find_nearest(c, self.vocabulary) for c in missing}
            text = text.translate(nearest)
            marked = self._mark(text)
            missing = [c for c in missing if c in text]
        if missing and unknown != "skip":
            raise _unseen(missing, unknown)
        return (marked[marked > 0] - 1).astype(smallest_dtype(self.vocab_size))

    def count_unknown(self, text: str) -> int:
        return int(np.count_nonzero(self._mark(text) == 0))

    def _mark(self, text: str) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        points = np.minimum(_code_points(text), len(self._table) - 1)
        return self._table[points]

    def decode(self, ids: Ids) -> str:
        return self._points[np.asarray(ids, dtype=np.int64)].tobytes().decode(_UTF32)

    def stream_decoder(self) -> StreamDecoder:
        return _CharDecoder(self.decode)

    def token_bytes(self, token: int) -> bytes:
        return self.vocabulary[token].encode()

    def count_characters(self, ids: Ids) -> int:
        return len(ids)

    def cut_before(self, ids: Ids, place: int) -> int:  # noqa: ARG002 - every cut is fine
        return place

    def check(self, ids: Ids) -> None:
        if ids.max(initial=0) >= self.vocab_size:
            raise ValueError(f"id {ids.max()} is beyond the {self.vocab_size:,} characters")


class _CharDecoder:
    def __init__(self, decode: Callable[[Ids], str]) -> None:
        self._decode = decode

    def push(self, ids: Ids) -> str:
        return self._decode(ids)

    def finish(self) -> str:
        return ""


def _code_points(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    # surrogatepass: half a pair in a prompt is an unknown character, not a crash.
    return np.frombuffer(text.encode(_UTF32, "surrogatepass"), dtype=np.uint32)


def _unseen(missing: list[str], unknown: UnknownPolicy) -> TextError:
    shown = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in missing[:_LISTED])
    more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
    seen = f"The model has never seen {shown}{more}"
    leave = "to leave it out."
    if unknown == "nearest":
        return TextError(
            f"{seen}, nor anything near.",
            f'Change the text, or use unknown="skip" {leave}',
            f"Change the text, or use --unknown skip {leave}",
            f'Change the text, or set unknown to "skip" {leave}',
        )
    put = "to put the nearest known character there, or"
    return TextError(
        f"{seen}.",
        f'Change the text, or use unknown="nearest" {put} unknown="skip" {leave}',
        f"Change the text, or use --unknown nearest {put} --unknown skip {leave}",
        f'Change the text, or set unknown to "nearest" {put} to "skip" {leave}',
    )
