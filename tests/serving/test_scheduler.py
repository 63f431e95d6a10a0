"""One text that cannot be written on leaves the others alone."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from burble.engine.generate import GenerationRequest
from burble.engine.kernels import KERNEL_VARIABLE
from burble.serving.completions.job import Job
from burble.serving.completions.models import ServedModel
from burble.serving.completions.outbox import Chunk, Outbox
from burble.serving.completions.scheduler import Scheduler
from tests.serving.server import burble_serve, until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def new_job(model: ServedModel, seed: int, logprobs: int | None = None) -> Job:
    request = GenerationRequest("a", None, max_tokens=400, seed=seed)
    job = Job(model, request, index=seed, outbox=Outbox(), logprobs=logprobs)
    for _ in job.read_prompt():
        pass
    return job


def break_token(job: Job) -> None:
    """The engine refuses to read it."""
    job.stream.tokens[job.stream.end - 1] = 1_000_000


def break_count(job: Job) -> None:
    """No such number of tokens can be allowed."""
    job._generation._tokens_left = -1


def break_labels(job: Job) -> None:
    """What was written cannot be named."""
    assert job._aligned is not None
    job._aligned._replay._labels = []


async def write(jobs: Sequence[Job]) -> list[str | Exception]:
    """The text of each, or what went wrong."""
    scheduler = Scheduler(len(jobs))
    scheduler.start(asyncio.get_running_loop())
    try:
        scheduler.submit(jobs)
        return list(await asyncio.gather(*(collect(job.outbox, scheduler) for job in jobs)))
    finally:
        await asyncio.to_thread(scheduler.stop)


async def collect(outbox: Outbox, scheduler: Scheduler) -> str | Exception:
    chunks: list[Chunk] = []
    while not (chunks and chunks[-1].is_last):
        new = [chunk for _, chunk in await outbox.take()]
        scheduler.acknowledge(outbox, sum(chunk.size for chunk in new))
        chunks += new
    return chunks[-1].error or "".join(chunk.text for chunk in chunks)


@pytest.mark.parametrize("kernel", ["native", "numpy"])
@pytest.mark.parametrize("fault", [break_token, break_count, break_labels])
def test_a_text_that_fails_does_so_alone(
    models: Path, fault: Callable[[Job], None], kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kernel == "numpy":
        monkeypatch.setenv(KERNEL_VARIABLE, "numpy")
    model = ServedModel.open(models / "letters.safetensors")
    expected = [asyncio.run(write([new_job(model, seed)]))[0] for seed in range(4)]
    jobs = [new_job(model, seed, logprobs=1 if seed == 2 else None) for seed in range(4)]
    fault(jobs[2])
    found = asyncio.run(write(jobs))
    assert isinstance(found.pop(2), Exception)
    expected.pop(2)
    assert found == expected


# A server whose second part of each answer, the names of tokens, is broken.
BROKEN = """
from burble.serving.completions.models import ServedModel
ServedModel.labels = []
from burble.cli.main import main
main()
"""


def test_its_client_is_told_of_a_failure_and_so_is_the_log(models: Path) -> None:
    model = models / "letters.safetensors"
    asked = {"prompt": "a", "seed": 3, "max_tokens": 20_000}
    with burble_serve(model, command=[sys.executable, "-c", BROKEN]) as server:
        alone = server.text(**asked)
        with ThreadPoolExecutor(1) as pool:
            beside = pool.submit(server.text, **asked)
            for _ in range(5):
                failed = server.complete(prompt="a", max_tokens=50, logprobs=1)
                assert failed.status_code == 500
                assert failed.json()["error"]["type"] == "server_error"
            assert beside.result() == alone
        with server.client.stream(
            "POST", "/v1/completions", json={**asked, "logprobs": 1, "stream": True}
        ) as answer:
            told = [line for line in answer.iter_lines() if line]
        assert "The server failed" in told[-1]
        # The client may read the last event before the server has cleared its place.
        until(lambda: server.gauge("burble_texts_held") == 0)
    assert server.said().count("IndexError") >= 6
