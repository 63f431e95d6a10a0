"""The learners of this installation: what one promises, the other does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from burble.native.library import library
from burble.training.learners.choice import Choice
from burble.training.learners.devices import has_torch
from burble.training.learners.registry import open_backend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burble.config import LearnerKind, RunConfig
    from burble.training.learner import Learner
    from burble.training.learners.native.learner import NativeLearner

needs_native = pytest.mark.skipif(library() is None, reason="without the C library")
needs_torch = pytest.mark.skipif(not has_torch(), reason="torch is an extra")

every_learner = pytest.mark.parametrize(
    "kind",
    [
        pytest.param("native", marks=needs_native),
        pytest.param("torch", marks=[needs_torch, pytest.mark.torch]),
    ],
)


@contextmanager
def build_learner(
    kind: LearnerKind, config: RunConfig, vocab_size: int, rows: int
) -> Iterator[Learner]:
    """Build a fresh learner on the processor."""
    assert kind != "auto"
    config = config.with_options({"learner": kind, "device": "cpu", "precision": "float32"})
    with open_backend(Choice(kind, "cpu")) as backend:
        yield backend.build(config, vocab_size, rows)


def native_learner(
    config: RunConfig, vocab_size: int, rows: int, threads: int, kernel: str | None = None
) -> NativeLearner:
    """Build a native learner of so many threads, with this kernel or the best one."""
    from burble.training.learners.native.learner import NativeLearner
    from burble.training.learners.native.network import NativeNetwork

    opened = library()
    assert opened is not None
    kernel = kernel or native_kernels()[0]
    network = NativeNetwork(opened, kernel, config.network, vocab_size, threads)
    return NativeLearner(config, network, rows, threads)


def native_kernels() -> list[str]:
    """Return the names of the kernels that this machine can learn with, best first."""
    opened, names = library(), []
    while opened is not None and (name := opened.burble_learner_kernel(len(names))):
        names.append(name.decode())
    return names
