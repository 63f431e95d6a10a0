"""Continuous batching: one thread writes on all texts, a round at a time, each as if alone."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import groupby

from burble.engine.stream import CHUNK
from burble.serving.completions.job import Job
from burble.serving.completions.outbox import Outbox, Piece

# The engine writes about this long in a round: a newcomer waits for one, and each costs Python's
# time for every text in it. Below the least count that cost would be most of the round, and a busy
# machine would get slower and slower.
_ROUND_SECONDS = 0.02
_LEAST = 16

# Tokens after which a text makes way for one that waits.
_TURN = 1024


class Scheduler:
    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._jobs: deque[Job] = deque()
        self._parked: list[Job] = []  # those whose clients have to read first what is written
        self._changed = threading.Condition()
        self._stopping = False
        self._count = _LEAST
        self._thread = threading.Thread(target=self._run, name="burble-scheduler", daemon=True)
        self._going = 0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def submit(self, jobs: Iterable[Job]) -> None:
        with self._changed:
            self._jobs.extend(jobs)
            self._changed.notify()

    def cancel(self, jobs: Iterable[Job]) -> None:
        with self._changed:
            for job in jobs:
                job.cancelled = True
            self._jobs = deque(job for job in self._jobs if not job.cancelled)
            self._parked = [job for job in self._parked if not job.cancelled]

    def send_first(self, job: Job, piece: Piece) -> None:
        """Put a piece into the outbox of a job that is not submitted yet."""
        with self._changed:
            job.outbox.behind += piece.size
        job.outbox.put(job.index, piece)

    def taken(self, outbox: Outbox, num_bytes: int) -> None:
        with self._changed:
            outbox.behind -= num_bytes
            if outbox.is_full or not self._parked:
                return
            self._jobs.extend(job for job in self._parked if job.outbox is outbox)
            self._parked = [job for job in self._parked if job.outbox is not outbox]
            self._changed.notify()

    @property
    def num_jobs(self) -> int:
        return self._going + len(self._jobs) + len(self._parked)

    def _run(self) -> None:
        while going := self._next_round():
            ordered = sorted(going, key=lambda job: id(job.engine))
            batches = groupby(ordered, key=lambda job: id(job.engine))
            self._hand_over([item for _, batch in batches for item in self._write(list(batch))])
            self._return(going)

    def _next_round(self) -> list[Job]:
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._stopping)
            if self._stopping:
                return []
            self._going = min(self._rows, len(self._jobs))
            return [self._jobs.popleft() for _ in range(self._going)]

    def _write(self, jobs: list[Job]) -> list[tuple[Job, Piece]]:
        """Let these write, of one engine. Where one of them fails, it fails alone."""
        failed: list[tuple[Job, Piece]] = []
        ready = [job for job in jobs if self._try(job, lambda job: job.go_on(self._count), failed)]
        if not ready:
            return failed
        before = [job.stream.checkpoint() for job in ready]
        started = time.perf_counter()
        try:
            ready[0].engine.write([job.stream for job in ready])
        except Exception:  # noqa: BLE001 - whatever it is, each is tried by itself
            for job, checkpoint in zip(ready, before, strict=True):
                job.stream.rewind(checkpoint)
            ready = [job for job in ready if self._try(job, _write_alone, failed)]
        self._adapt(time.perf_counter() - started)
        pieces: list[tuple[Job, Piece]] = []
        for job in ready:
            self._try(job, lambda job: pieces.append((job, job.take())), failed)
        return pieces + failed

    def _try(self, job: Job, do: Callable[[Job], object], failed: list[tuple[Job, Piece]]) -> bool:
        """Whether it could be done; where not, the client of this job hears of it."""
        try:
            do(job)
        except Exception as error:  # noqa: BLE001 - whatever it is, its client must hear of it
            job.cancelled = True
            failed.append((job, Piece(error=error)))
            return False
        return True

    def _hand_over(self, pieces: list[tuple[Job, Piece]]) -> None:
        told = [(job, piece) for job, piece in pieces if piece.text or piece.is_last]
        if not told:
            return
        with self._changed:
            for job, piece in told:
                job.outbox.behind += piece.size
        self._loop.call_soon_threadsafe(_deliver, told)

    def _adapt(self, seconds: float) -> None:
        factor = min(2.0, _ROUND_SECONDS / seconds)
        self._count = max(_LEAST, min(CHUNK, round(self._count * factor)))

    def _return(self, going: list[Job]) -> None:
        with self._changed:
            self._going = 0
            left = [job for job in going if not (job.done or job.cancelled)]
            self._parked += [job for job in left if job.outbox.is_full]
            left = [job for job in left if not job.outbox.is_full]
            self._jobs.extendleft(reversed([job for job in left if job.turn < _TURN]))
            for job in left:
                if job.turn >= _TURN:
                    job.turn = 0
                    self._jobs.append(job)


def _deliver(pieces: list[tuple[Job, Piece]]) -> None:
    for job, piece in pieces:
        job.outbox.put(job.index, piece)


def _write_alone(job: Job) -> None:
    job.engine.write([job.stream])
