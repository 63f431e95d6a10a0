from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from burble.cli.views import learning_speed
from burble.config import NetworkConfig
from burble.engine.kernels import choose_kernel
from burble.model_file import ModelFile
from burble.native.library import Found, learner_kernel_names, library
from burble.threads import usable_processors
from burble.training.learners.native.speed import PHASES
from tests.cli.command import assert_refused, burble, burble_json, burble_process, said

if TYPE_CHECKING:
    from pathlib import Path


def test_json_has_the_keys_that_stay(trained: Path) -> None:
    found = burble_json("bench", trained / "run")
    assert found["kernel"] == choose_kernel().name
    for key in ("one_stream_chars_per_second", "streams_64_chars_per_second", "load_seconds"):
        assert found[key] > 0


@pytest.mark.parametrize("kernel", choose_kernel().available)
def test_every_kernel_can_be_measured(trained: Path, kernel: str) -> None:
    result = burble_process("bench", trained / "run", BURBLE_KERNEL=kernel)
    assert result.returncode == 0, said(result)
    shown = result.stdout.decode()
    assert f"kernel       {kernel}," in shown
    assert ("of the limit" in shown) == (kernel != "numpy")


def test_without_a_model_only_learning_is_measured() -> None:
    assert_refused(burble("bench"), 2, "No model is named", "--learning")


def test_learning_is_measured_with_the_network_of_a_model(trained: Path) -> None:
    found = burble_json("bench", trained / "run", "--learning")
    file = ModelFile.load(trained / "run")
    network = f"{file.network.num_layers}×{file.network.hidden_size}"
    assert found["vocab_size"] == file.tokenizer.vocab_size
    assert [one["network"] for one in found["learning"]] == [network] * len(found["learning"])
    assert [one["threads"] for one in found["learning"]] == sorted({1, usable_processors()})
    for one in found["learning"]:
        assert one["batch"] == "16×32"
        assert list(one["phases_ms"]) == list(PHASES)
        assert 0 < one["gflops"] == pytest.approx(one["share"] * one["peak_gflops"])


def test_the_phases_of_learning_make_up_a_step(trained: Path) -> None:
    one, *_ = burble_json("bench", trained / "run", "--learning")["learning"]
    # Medians, one by one: their sum is near the median of the steps, not equal to it.
    assert sum(one["phases_ms"].values()) == pytest.approx(one["step_ms"], rel=0.5)


def test_learning_is_measured_with_usual_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    small = tuple(NetworkConfig(num_layers=1, hidden_size=hidden) for hidden in (16, 24))
    monkeypatch.setattr(learning_speed, "_USUAL", small)
    result = burble("bench", "--learning")
    assert result.returncode == 0, said(result)
    rows = {line[:14].strip(): line[14:].split() for line in result.stdout.decode().splitlines()}
    threads = [str(count) for count in sorted({1, usable_processors()})]
    assert rows["network"] == [name for name in ("1×16", "1×24") for _ in threads]
    assert rows["threads"] == threads * 2
    assert set(PHASES) < set(rows)
    assert all(share.endswith("%") for share in rows["share"])


@pytest.mark.parametrize("kernel", [*learner_kernel_names(library()), "numpy"])  # type: ignore[arg-type]
def test_learning_is_measured_with_the_kernel_that_is_asked_for(trained: Path, kernel: str) -> None:
    result = burble_process("bench", trained / "run", "--learning", "--json", BURBLE_KERNEL=kernel)
    assert result.returncode == 0, said(result)
    # NumPy can write, but not learn.
    best = learner_kernel_names(library())[0]  # type: ignore[arg-type]
    assert json.loads(result.stdout)["kernel"] == (best if kernel == "numpy" else kernel)


def test_learning_needs_the_compiled_library(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = "The compiled part of burble is missing. Run: make"
    monkeypatch.setattr(learning_speed, "find_library", lambda: Found(None, problem))
    result = burble("bench", "--learning")
    assert_refused(result, 2, "no learner in C to measure", problem)
    assert said(result).count("\n") == 1
