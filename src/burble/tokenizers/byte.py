"""`ByteTokenizer`: one id for each byte of UTF-8, so that no character is unknown."""

import codecs
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Self

import numpy as np

from burble.config import UnknownPolicy
from burble.errors import TextError
from burble.tokenizers.base import Ids, StreamDecoder, Tokenizer

_CHUNK_BYTES = 1 << 20


class ByteTokenizer(Tokenizer):
    kind: ClassVar[str] = "byte"
    unit: ClassVar[str] = "byte"
    vocab_size: int = 256

    @classmethod
    def from_characters(cls, characters: AbstractSet[str]) -> Self:  # noqa: ARG003 - it needs none
        return cls()

    @classmethod
    def from_json(cls, mapping: dict[str, Any]) -> Self:  # noqa: ARG003 - there is nothing to read
        return cls()

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}

    def encode(self, text: str, unknown: UnknownPolicy = "error") -> Ids:
        try:
            data = text.encode("utf-8", "ignore" if unknown == "skip" else "strict")
        except UnicodeEncodeError as error:
            raise TextError(
                f"The text holds {text[error.start]!r}, which is half a character.",
                'Change the text, or use unknown="skip" to leave it out.',
                "Change the text, or use --unknown skip to leave it out.",
                'Change the text, or set unknown to "skip" to leave it out.',
            ) from None
        return np.frombuffer(data, dtype=np.uint8)

    def count_unknown(self, text: str) -> int:
        """Count the halves of surrogate pairs: nothing else is unknown in UTF-8."""
        return len(text) - len(text.encode("utf-8", "ignore").decode("utf-8"))

    def decode(self, ids: Ids) -> str:
        return np.asarray(ids, dtype=np.uint8).tobytes().decode("utf-8", "replace")

    def stream_decoder(self) -> StreamDecoder:
        return _ByteDecoder()

    def token_bytes(self, token: int) -> bytes:
        return bytes([token])

    def count_characters(self, ids: Ids) -> int:
        return sum(int(np.count_nonzero((chunk & 0xC0) != 0x80)) for chunk in _chunks(ids))

    def cut_before(self, ids: Ids, place: int) -> int:
        while place and place < len(ids) and ids[place] & 0xC0 == 0x80:
            place -= 1
        return place

    def check(self, ids: Ids) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        for chunk in _chunks(ids):
            decoder.decode(chunk.astype(np.uint8).tobytes())
        decoder.decode(b"", final=True)


def _chunks(ids: Ids) -> Iterator[Ids]:
    for start in range(0, len(ids), _CHUNK_BYTES):
        yield np.asarray(ids[start : start + _CHUNK_BYTES])


class _ByteDecoder:
    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, ids: Ids) -> str:
        return self._decoder.decode(np.asarray(ids, dtype=np.uint8).tobytes())

    def finish(self) -> str:
        return self._decoder.decode(b"", final=True)
