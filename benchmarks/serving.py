"""How a server holds under load: many streams at once, more clients than it takes, and leavers.

    python benchmarks/serving.py [MODEL]

Starts `burble serve` on the loopback and measures, with clients in a process of their own (which
share the cores with it): 64 streams at once; 512 clients at once; clients that leave in the middle.
Without MODEL, one of random weights, LSTM of 2 times 256, vocabulary 65.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import string
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from burble.config import NetworkConfig
from burble.model_file import ModelFile
from burble.tokenizers.char import CharTokenizer
from command import burble
from machine import describe_machine

_DEADLINE = 120


@dataclass
class Seen:
    """What one client saw."""

    status: int = 0
    first: float = 0.0
    """Seconds from the request to the first text; of a refusal, to the refusal."""

    gaps: list[float] = field(default_factory=list)
    characters: int = 0
    whole: bool = False


async def client(port: int, length: int, seed: int, leave_after: int | None = None) -> Seen:
    """Ask for one text over a socket of its own, and read it as it comes."""
    body = json.dumps({"prompt": "The ", "seed": seed, "max_tokens": length, "stream": True})
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    started = time.perf_counter()
    seen = Seen()
    try:
        writer.write((head + body).encode())
        seen.status = int((await reader.readline()).split()[1])
        if seen.status == 200:
            await _read_events(reader, seen, started, leave_after)
        else:
            seen.first = time.perf_counter() - started
    finally:
        writer.close()
    return seen


async def _read_events(
    reader: asyncio.StreamReader, seen: Seen, started: float, leave_after: int | None
) -> None:
    last = started
    async for line in reader:
        if not line.startswith(b"data: "):
            continue
        if line == b"data: [DONE]\n":
            seen.whole = True
            return
        now = time.perf_counter()
        seen.gaps.append(now - last)
        last = now
        seen.first = seen.first or now - started
        seen.characters += len(json.loads(line[6:])["choices"][0]["text"])
        if leave_after is not None and len(seen.gaps) >= leave_after:
            return


async def together(port: int, count: int, length: int) -> tuple[list[Seen], float]:
    """Many clients at once, and the seconds until the last was done."""
    started = time.perf_counter()
    async with asyncio.timeout(_DEADLINE):
        seen = await asyncio.gather(*(client(port, length, seed) for seed in range(count)))
    return list(seen), time.perf_counter() - started


async def leavers(port: int, count: int) -> float:
    """Clients that leave after the first event; the texts that are held a second later."""
    async with asyncio.timeout(_DEADLINE):
        for _ in range(0, count, 50):
            await asyncio.gather(*(client(port, 20_000, seed, 1) for seed in range(50)))
    await asyncio.sleep(1)
    return await held(port)


async def held(port: int) -> float:
    """Texts that the server says it holds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    found = re.search(rb"burble_texts_held (\d+)", await reader.read())
    writer.close()
    assert found is not None
    return float(found[1])


def random_model(path: Path) -> None:
    """An LSTM of 2 times 256 that learned nothing: as fast as one that did."""
    tokenizer = CharTokenizer.from_characters(set(string.ascii_letters + " .,;:!?'-\n\"()"))
    network = NetworkConfig(num_layers=2, hidden_size=256)
    numbers = np.random.default_rng(0)
    weights = {
        name: numbers.uniform(-0.1, 0.1, shape).astype(np.float32)
        for name, shape in network.tensor_shapes(tokenizer.vocab_size).items()
    }
    ModelFile(network, tokenizer, weights).save(path)


def percentile(values: list[float], share: float) -> float:
    """In milliseconds."""
    return 1000 * float(np.percentile(values, share)) if values else float("nan")


async def measure(port: int, length: int) -> dict[str, object]:
    """All figures."""
    await together(port, 8, 200)  # warm
    seen, seconds = await together(port, 64, length)
    # The gap before the first text is that to it, not one between characters.
    gaps = [gap for one in seen for gap in one.gaps[1:]]
    crowd, _ = await together(port, 512, 2000)
    admitted = [one for one in crowd if one.status == 200]
    refused = [one.first for one in crowd if one.status == 429]
    return {
        "streams_64": {
            "whole": sum(one.whole for one in seen),
            "chars_per_second": sum(one.characters for one in seen) / seconds,
            "gap_ms_p50": percentile(gaps, 50),
            "gap_ms_p99": percentile(gaps, 99),
            "first_ms_p50": percentile([one.first for one in seen], 50),
            "first_ms_p99": percentile([one.first for one in seen], 99),
        },
        "clients_512": {
            "admitted": len(admitted),
            "admitted_and_whole": sum(one.whole for one in admitted),
            "refused_429": len(refused),
            "refusal_ms_p50": percentile(refused, 50),
            "refusal_ms_max": 1000 * max(refused, default=float("nan")),
            "other": sum(one.status not in {200, 429} for one in crowd),
        },
        "leavers_1000": {"held_after": await leavers(port, 1000)},
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?")
    parser.add_argument("--length", type=int, default=30_000, help="characters in each stream")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = args.model or f"{folder}/random.safetensors"
        if args.model is None:
            random_model(Path(model))
        bench = burble("bench", model)
        command = [sys.executable, "-m", "burble", "serve", model, "--port", "0"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr is not None
            port = int(process.stderr.readline().rstrip("/\n").rpartition(":")[2])
            found = asyncio.run(measure(port, args.length))
        finally:
            process.terminate()
            process.wait(60)
    rate = found["streams_64"]["chars_per_second"]  # type: ignore[index]
    found["bench_streams_64_chars_per_second"] = bench["streams_64_chars_per_second"]
    found["share_of_bench"] = rate / bench["streams_64_chars_per_second"]
    print(json.dumps({"machine": describe_machine(), **found}, indent=1))


if __name__ == "__main__":
    main()
