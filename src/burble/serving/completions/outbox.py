"""`Outbox`: what is written for a client and not sent yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from burble.serving.completions.job import Piece

# Bytes, about. A client that reads is behind by a round's text, 20 KB; for one that does not, this
# much is written and no more.
_MAX_BEHIND = 64 << 10


class Outbox:
    """The pieces of one answer's texts, each with its text's index."""

    def __init__(self) -> None:
        self.behind = 0
        """Bytes, about, that are written and not taken; the scheduler's lock guards it."""

        self._pieces: asyncio.Queue[tuple[int, Piece]] = asyncio.Queue()

    @property
    def is_full(self) -> bool:
        return self.behind > _MAX_BEHIND

    def put(self, index: int, piece: Piece) -> None:
        self._pieces.put_nowait((index, piece))

    async def take(self) -> list[tuple[int, Piece]]:
        pieces = [await self._pieces.get()]
        while not self._pieces.empty():
            pieces.append(self._pieces.get_nowait())
        return pieces
