"""The weights that native learns are a function of text, options and seed alone."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from burble.config import RunConfig
from burble.data.registry import BATCHINGS
from burble.training.learners.native.backend import NativeBackend
from burble.training.learners.native.learner import power
from tests.cli.command import assert_refused, burble, said
from tests.data.texts import made_up_text, prepared
from tests.training.both_learners import native_kernels, native_learner, needs_native
from tests.training.runs import TINY, saved_state, train_tiny, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from burble.training.checkpoint import Checkpoint

pytestmark = needs_native

STEPS = 30
# Odd sizes; more than one group of 16 rows, and more units than 7 threads part evenly.
SIZES: dict[str, Any] = {
    "hidden_size": 45,
    "embedding_size": 19,
    "seq_len": 6,
    "batch_size": 19,
    "seed": 3,
    "averaging": 0.9,
}
NETWORKS: dict[str, dict[str, Any]] = {
    "lstm": {"num_layers": 2, "residual": True, "dropout": 0.3, "input_dropout": 0.2},
    "gru": {"cell": "gru", "input": "one-hot", "input_dropout": 0.2, "locked_dropout": False},
    "rnn": {"cell": "rnn", "input": "scalar", "batching": "sentences", "num_layers": 3},
}


def learned(config: RunConfig, threads: list[int], kernel: str) -> bytes:
    """Return all that 30 steps leave, each made with one of these numbers of threads."""
    text = prepared(made_up_text(80))
    batching = BATCHINGS[config.data.batching](text, config.data, config.training.seed)
    sizes = (text.tokenizer.vocab_size, batching.rows)
    learner = native_learner(config, *sizes, threads=max(threads), kernel=kernel)
    for step in range(STEPS):
        taken = threads[step % len(threads)]
        learner.step(batching.batch(step), 0.01, 1.0, threads=taken)
    figures = [found for _, found in learner.score([batching.batch(0)])]
    return repr(figures).encode() + b"".join(
        name.encode() + array.tobytes() for name, array in learner.state().items()
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_threads_and_kernels_learn_the_same_bits(name: str) -> None:
    config = RunConfig().with_options(SIZES | NETWORKS[name])
    best, *others = native_kernels()
    expected = learned(config, [1], best)
    assert learned(config.with_options({"seed": 4}), [1], best) != expected
    for threads in ([2], [3], [7], [7, 1, 2, 3, 1]):
        assert learned(config, threads, best) == expected
    for kernel in others:
        assert learned(config, [1], kernel) == learned(config, [3], kernel) == expected


def test_the_pace_decides_nothing_but_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[Checkpoint] = []
    for name, seed in (("one", None), ("other", 1)):
        if seed is not None:
            draw = random.Random(seed)  # noqa: S311 - not a secret
            pace = "burble.training.learners.native.pace.Pace.threads"
            monkeypatch.setattr(pace, property(lambda _, draw=draw: draw.randint(1, 3)))
        (tmp_path / name).mkdir()
        train_tiny(tmp_path / name, learner="native", steps=40, threads=3)
        states.append(saved_state(tmp_path / name / "run"))
    assert_same(*states)


def test_the_command_learns_the_same_with_one_thread_and_with_two(tmp_path: Path) -> None:
    text = write_text(tmp_path)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
    states = []
    for threads in (1, 2):
        run = tmp_path / str(threads)
        words = ("train", text, "-o", run, "--learner=native", f"--threads={threads}", *options)
        result = burble(*words)
        assert result.returncode == 0, said(result)
        states.append(saved_state(run))
    assert_same(*states)


def assert_same(one: Checkpoint, other: Checkpoint) -> None:
    assert one.position.best_bits == other.position.best_bits
    assert one.tensors.keys() == other.tensors.keys()
    for name, tensor in one.tensors.items():
        assert tensor.tobytes() == other.tensors[name].tobytes(), name


@pytest.mark.parametrize(
    ("base", "steps"), [(0.9, 0), (0.9, 1), (0.99, 1000), (0.9999, 200_000), (0.0, 5)]
)
def test_a_power_is_the_product_that_steps_make(base: float, steps: int) -> None:
    product = 1.0
    for _ in range(steps):
        product *= base
    assert power(base, steps) == product
    assert 1 - power(base, 10**12) == 1


def test_many_steps_restored_go_on_like_many_steps_made() -> None:
    # The second power is nothing long before the first one is.
    rates = {"beta1": 0.999, "beta2": 0.3, "hidden_size": 3, "embedding_size": 2}
    config = RunConfig().with_options(SIZES | rates)
    batching = BATCHINGS["stream"](prepared(made_up_text(80)), config.data, 0)
    made, restored = (native_learner(config, 15, batching.rows, threads=1) for _ in range(2))
    for step in range(1200):
        made.step(batching.batch(step), 1e-3, 1.0)
    restored.restore(made.state(), 1200)
    for learner in (made, restored):
        learner.step(batching.batch(1200), 1e-3, 1.0)
    for name, array in made.state().items():
        assert array.tobytes() == restored.state()[name].tobytes(), name


@pytest.mark.parametrize("num_layers", [2, 64])
def test_a_network_that_no_memory_holds_is_refused(num_layers: int) -> None:
    config = RunConfig().with_options({"hidden_size": 16_384, "num_layers": num_layers})
    with pytest.raises(MemoryError):
        native_learner(config, 256, rows=65_536, threads=1)


def test_batches_that_no_memory_holds_are_refused() -> None:
    config = RunConfig().with_options({"hidden_size": 512, "seq_len": 65_536})
    with pytest.raises(MemoryError):
        native_learner(config, 256, rows=65_536, threads=1)


def test_the_command_tells_that_there_is_too_little_memory(tmp_path: Path) -> None:
    options = {"hidden-size": 16_384, "num-layers": 64, "dropout": 0, "input-dropout": 0}
    options |= {"weight-decay": 0, "precision": "float32", "steps": 1}
    words = [f"--{name}={value}" for name, value in options.items()]
    result = burble("train", write_text(tmp_path), "-o", tmp_path / "m", "--learner=native", *words)
    assert_refused(result, 6, "Memory has run out")


LEARNER = """
import gc, os, signal
from burble.config import RunConfig
from burble.data.batch import random_batch
from burble.training.learners.native.backend import NativeBackend

config = RunConfig().with_options({"hidden_size": 32})
batch = random_batch(config.data, 65)

def learn():
    learner = NativeBackend().build(config, 65, config.data.batch_size)
    learner.step(batch, 0.01, 1.0)
    return learner
"""
# As where somebody keeps an error whose traceback leads to the learner.
CYCLE = """
for _ in range(20):
    cycle = [learn()]
    cycle.append(cycle)
    del cycle
    gc.collect()
"""
FORK = """
learner = learn()
child = os.fork()
learner.step(batch, 0.01, 1.0)
if child:
    status = os.waitpid(child, 0)[1]
    assert os.waitstatus_to_exitcode(status) == 0
else:
    signal.alarm(20)
    del learner
    gc.collect()
    os._exit(0)
"""


@pytest.mark.parametrize("then", [CYCLE, FORK], ids=["a cycle holds it", "a process is forked"])
def test_a_learner_can_be_let_go(then: str) -> None:
    # Freed memory is overwritten, so that reading it is an error.
    environment = {**os.environ, "MALLOC_PERTURB_": "90"}
    command = [sys.executable, "-c", LEARNER + then]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_machine_is_measured_with_little_work_whatever_is_asked() -> None:
    # A step of so many characters would not fit into any memory.
    config = RunConfig().with_options({"batch_size": 1 << 16, "seq_len": 1 << 16})
    _, speed = NativeBackend().measure(config, 65)
    assert speed.work(60, 128) > 0


def test_an_unknown_kernel_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURBLE_KERNEL", "avx215")
    result = burble("train", write_text(tmp_path), "-o", tmp_path / "m", "--steps", "2")
    assert_refused(result, 2, "BURBLE_KERNEL must name a kernel that can run here")
    assert not (tmp_path / "m").exists()
