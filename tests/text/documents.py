"""Documents made of bytes, for the tests of what reads them."""

from __future__ import annotations

import io
import random
from dataclasses import replace

from burble.text.decoding import read_text
from burble.text.sources import Document


class Trickle(io.BytesIO):
    """Gives fewer bytes than asked for, as pipes and sockets do: now 1, now up to 4."""

    def __init__(self, data: bytes, seed: int = 0) -> None:
        super().__init__(data)
        self._draw = random.Random(seed)  # noqa: S311 - not a secret

    def read(self, size: int | None = -1, /) -> bytes:
        few = self._draw.randint(1, 4)
        return super().read(few if size is None or size < 0 else min(few, size))


def document(data: bytes, name: str = "a.txt") -> Document:
    return Document(name, lambda: io.BytesIO(data))


def trickling(data: bytes, seed: int = 0) -> Document:
    return Document("a.txt", lambda: Trickle(data, seed))


def read(source: Document | bytes, encoding: str | None = None) -> tuple[str, list[str]]:
    said: list[str] = []
    if isinstance(source, bytes):
        source = document(source)
    return "".join(read_text(replace(source, encoding=encoding), said.append)), said
