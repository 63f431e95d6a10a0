"""Measure and print the speed of learning for `burble bench --learning`."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

from burble import api
from burble.config import DataConfig, NetworkConfig, RunConfig
from burble.errors import UsageError
from burble.native.library import find_library
from burble.threads import usable_processors
from burble.training.learners.native.backend import NativeBackend
from burble.training.learners.native.kernels import choose_kernel
from burble.training.learners.native.speed import PHASES, LearningSpeed, measure_learning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# As in tinyshakespeare.
_VOCAB_SIZE = 65

_USUAL = tuple(
    NetworkConfig(num_layers=layers, hidden_size=hidden)
    for layers, hidden in ((1, 256), (1, 384), (1, 512), (2, 256))
)
_BATCH = DataConfig(batch_size=16, seq_len=32)

_LABEL, _COLUMN = 14, 9


def show_learning(path: str | None, *, as_json: bool) -> None:
    """Time the network of this model, or the usual ones, and print a table or JSON."""
    found = find_library()
    if found.library is None:
        raise UsageError(f"There is no learner in C to measure. {found.problem}")
    networks, vocab_size = _USUAL, _VOCAB_SIZE
    if path is not None:
        file = api.load(path).file
        networks, vocab_size = (file.network,), file.tokenizer.vocab_size
    speeds = list(_measure(networks, vocab_size))
    kernel = choose_kernel(found.library)
    if as_json:
        shown = [dataclasses.asdict(speed) | {"share": speed.share} for speed in speeds]
        report = {"kernel": kernel, "vocab_size": vocab_size, "learning": shown}
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        lines = [*_rows(speeds), "", f"Kernel {kernel}; {vocab_size} different characters."]
        if networks[0].input == "one-hot":
            lines.append("A one-hot vector counts as a product, though a column is picked.")
        sys.stdout.write("\n".join(lines) + "\n")


def _measure(networks: tuple[NetworkConfig, ...], vocab_size: int) -> Iterator[LearningSpeed]:
    processors = usable_processors()
    for network in networks:
        config = RunConfig(network=network, data=_BATCH)
        learner = NativeBackend().build(config, vocab_size, _BATCH.batch_size)
        for threads in sorted({1, processors}):
            yield measure_learning(learner, config, vocab_size, threads)


def _rows(speeds: list[LearningSpeed]) -> Iterator[str]:
    shown: dict[str, Callable[[LearningSpeed], Any]] = {
        "network": lambda speed: speed.network,
        "batch": lambda speed: speed.batch,
        "threads": lambda speed: speed.threads,
        "ms a step": lambda speed: f"{speed.step_ms:.2f}",
        **{f"  {phase}": _phase(phase) for phase in PHASES},
        "GFLOP/s": lambda speed: f"{speed.gflops:.1f}",
        "at most": lambda speed: f"{speed.peak_gflops:.1f}",
        "share": lambda speed: f"{speed.share:.0%}",
    }
    for label, cell in shown.items():
        cells = "".join(f"{cell(speed):>{_COLUMN}}" for speed in speeds)
        yield f"{label:<{_LABEL}}{cells}"


def _phase(name: str) -> Callable[[LearningSpeed], str]:
    return lambda speed: f"{speed.phases_ms[name]:.2f}"
