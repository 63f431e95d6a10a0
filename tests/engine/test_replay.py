"""The kernels give NumPy's bits: as they are built, under sanitizers, valgrind and on ARM."""

from __future__ import annotations

import platform
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from burble.native.library import kernel_names, library
from tests.engine.replay import write_cases
from tests.native.replay import SANITIZE, VALGRIND, Cases, require

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).with_name("replay.c")

SMALL_CASES = 10_000
UNDER_VALGRIND = 300
UNDER_QEMU = 1_000

FUSE = "-ffp-contract=off"
X86 = platform.machine() in {"x86_64", "AMD64"}


@pytest.fixture(scope="module")
def cases() -> Iterator[Cases]:
    require("cc")
    # Some hundred MB: pytest's own folders would outlive the tests.
    with tempfile.TemporaryDirectory(prefix="burble-replay-") as folder:
        file = Path(folder, "cases")
        yield Cases(file, write_cases(file, SMALL_CASES), PROGRAM)


def test_every_kernel_gives_numpys_bits_as_it_is_built(cases: Cases) -> None:
    names = cases.replay(cases.build("optimised")).split()
    assert names[-1] == "portable"
    if (opened := library()) is not None:
        assert names == kernel_names(opened)


def test_the_kernels_keep_within_their_memory_and_the_language(cases: Cases) -> None:
    assert "portable" in cases.replay(cases.build("sanitized", *SANITIZE))


def test_valgrind_finds_nothing(cases: Cases) -> None:
    require("valgrind")
    program = cases.build("checked", "-g")
    # valgrind shows a processor that it can play: without AVX-512 in version 3.19.
    assert "portable" in cases.replay(*VALGRIND, program, most=UNDER_VALGRIND)


@pytest.mark.parametrize(
    ("processor", "kernels"),
    [("cortex-a53", "neon portable"), ("max", "dotprod neon portable")],
)
def test_the_kernels_of_arm_give_the_same_bits(cases: Cases, processor: str, kernels: str) -> None:
    compiler = require("aarch64-linux-gnu-gcc")
    qemu = require("qemu-aarch64-static", "qemu-aarch64")
    program = cases.build("arm", "-static", compiler=compiler)
    assert cases.replay(qemu, "-cpu", processor, program, most=UNDER_QEMU) == kernels


def test_a_fused_multiply_and_add_would_be_seen(cases: Cases) -> None:
    fusing = ("-mfma",) if X86 else ()
    program = cases.build("fused", "-ffp-contract=fast", *fusing, without=[FUSE])
    result = cases.run(program)
    if X86 and result.returncode == -signal.SIGILL:
        pytest.skip("this processor cannot fuse a multiplication and an addition")
    assert result.returncode == 1
    assert "differ" in result.stdout
