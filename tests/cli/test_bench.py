from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from burble.engine.kernels import choose_kernel
from tests.cli.command import burble_json, burble_process, said

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
