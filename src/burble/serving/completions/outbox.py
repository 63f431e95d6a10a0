"""`Outbox`: chunks that were written for a client and not sent yet."""

import asyncio
from dataclasses import dataclass, field

from burble.serving.completions.logprobs import TokenLogprob

# A client that reads is one round behind, 20 KB; for one that does not, writing pauses here.
_MAX_UNREAD = 64 << 10


@dataclass(frozen=True)
class Chunk:
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
        self.unread_bytes = 0  # about; guarded by the scheduler's lock
        self._chunks: asyncio.Queue[tuple[int, Chunk]] = asyncio.Queue()

    @property
    def is_full(self) -> bool:
        return self.unread_bytes > _MAX_UNREAD

    def put(self, index: int, chunk: Chunk) -> None:
        self._chunks.put_nowait((index, chunk))

    async def take(self) -> list[tuple[int, Chunk]]:
        chunks = [await self._chunks.get()]
        while not self._chunks.empty():
            chunks.append(self._chunks.get_nowait())
        return chunks
