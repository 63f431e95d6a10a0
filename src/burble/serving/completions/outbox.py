"""`Outbox`: what is written for a client and not sent yet."""

import asyncio
from dataclasses import dataclass, field

from burble.serving.completions.logprobs import TokenLogprob

# Bytes, about. A client that reads is behind by a round's text, 20 KB; for one that does not, this
# much is written and no more.
_MAX_BEHIND = 64 << 10


@dataclass(frozen=True)
class Piece:
    text: str = ""
    tokens: list[TokenLogprob] = field(default_factory=list)
    finish_reason: str | None = None
    error: Exception | None = None

    @property
    def size(self) -> int:
        return len(self.text) + sum(token.size for token in self.tokens)

    @property
    def is_last(self) -> bool:
        return self.finish_reason is not None or self.error is not None


class Outbox:
    def __init__(self) -> None:
        self.behind = 0  # bytes written and not taken; the scheduler's lock guards it
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
