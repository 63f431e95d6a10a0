"""Continuous batching: one thread writes all texts together, round by round, each as if alone."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import groupby

from burble.engine.stream import CHUNK
from burble.serving.completions.job import Job
from burble.serving.completions.outbox import Chunk, Outbox

# A new text waits for one round, and each round costs some Python time for every text in it. With
# fewer tokens than `_LEAST` that cost would be most of a round, and a busy machine would get ever
# slower.
_ROUND_SECONDS = 0.02
_LEAST = 16

# Tokens after which a text yields its slot to one that waits.
_TURN = 1024


class Scheduler:
    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._jobs: deque[Job] = deque()
        self._parked: list[Job] = []  # waiting for their clients to read
        self._changed = threading.Condition()
        self._stopping = False
        self._count = _LEAST
        self._thread = threading.Thread(target=self._run, name="burble-scheduler", daemon=True)
        self._num_running = 0

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

    def send_first(self, job: Job, chunk: Chunk) -> None:
        """Put a chunk into the outbox of a job that is not submitted yet."""
        with self._changed:
            job.outbox.unread_bytes += chunk.size
        job.outbox.put(job.index, chunk)

    def acknowledge(self, outbox: Outbox, num_bytes: int) -> None:
        with self._changed:
            outbox.unread_bytes -= num_bytes
            if outbox.is_full or not self._parked:
                return
            self._jobs.extend(job for job in self._parked if job.outbox is outbox)
            self._parked = [job for job in self._parked if job.outbox is not outbox]
            self._changed.notify()

    @property
    def num_jobs(self) -> int:
        return self._num_running + len(self._jobs) + len(self._parked)

    def _run(self) -> None:
        while running := self._next_round():
            ordered = sorted(running, key=lambda job: id(job.engine))
            batches = groupby(ordered, key=lambda job: id(job.engine))
            self._send([item for _, batch in batches for item in self._write(list(batch))])
            self._requeue(running)

    def _next_round(self) -> list[Job]:
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._stopping)
            if self._stopping:
                return []
            self._num_running = min(self._rows, len(self._jobs))
            return [self._jobs.popleft() for _ in range(self._num_running)]

    def _write(self, jobs: list[Job]) -> list[tuple[Job, Chunk]]:
        """Write one round of the jobs of one engine. A job that fails does so alone."""
        failed: list[tuple[Job, Chunk]] = []
        ready = [
            job for job in jobs if self._try(job, lambda job: job.next_stream(self._count), failed)
        ]
        if not ready:
            return failed
        before = [job.stream.checkpoint() for job in ready]
        started = time.perf_counter()
        try:
            ready[0].engine.write([job.stream for job in ready])
        except Exception:  # noqa: BLE001 - any error: each job is tried by itself
            for job, checkpoint in zip(ready, before, strict=True):
                job.stream.rewind(checkpoint)
            ready = [job for job in ready if self._try(job, _write_alone, failed)]
        self._adapt(time.perf_counter() - started)
        chunks: list[tuple[Job, Chunk]] = []
        for job in ready:
            self._try(job, lambda job: chunks.append((job, job.collect())), failed)
        return chunks + failed

    def _try(self, job: Job, do: Callable[[Job], object], failed: list[tuple[Job, Chunk]]) -> bool:
        """Return whether `do` succeeded; if not, the error is sent to the job's client."""
        try:
            do(job)
        except Exception as error:  # noqa: BLE001 - any error must reach its client
            job.cancelled = True
            failed.append((job, Chunk(error=error)))
            return False
        return True

    def _send(self, chunks: list[tuple[Job, Chunk]]) -> None:
        ready = [(job, chunk) for job, chunk in chunks if chunk.text or chunk.is_last]
        if not ready:
            return
        with self._changed:
            for job, chunk in ready:
                job.outbox.unread_bytes += chunk.size
        self._loop.call_soon_threadsafe(_deliver, ready)

    def _adapt(self, seconds: float) -> None:
        factor = min(2.0, _ROUND_SECONDS / seconds)
        self._count = max(_LEAST, min(CHUNK, round(self._count * factor)))

    def _requeue(self, running: list[Job]) -> None:
        with self._changed:
            self._num_running = 0
            left = [job for job in running if not (job.done or job.cancelled)]
            self._parked += [job for job in left if job.outbox.is_full]
            left = [job for job in left if not job.outbox.is_full]
            self._jobs.extendleft(reversed([job for job in left if job.turn < _TURN]))
            for job in left:
                if job.turn >= _TURN:
                    job.turn = 0
                    self._jobs.append(job)


def _deliver(chunks: list[tuple[Job, Chunk]]) -> None:
    for job, chunk in chunks:
        job.outbox.put(job.index, chunk)


def _write_alone(job: Job) -> None:
    job.engine.write([job.stream])
