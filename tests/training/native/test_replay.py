"""The C learner gives the reference's bits: as it is built, under sanitizers and on ARM."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.native.replay import SANITIZE, Cases, require
from tests.training.native.compiled import kernel_names
from tests.training.native.replay import write_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).with_name("replay.c")

CASES = 30
UNDER_TSAN = 8
UNDER_QEMU = 8

RACES = ("-O1", "-g", "-fsanitize=thread")


@pytest.fixture(scope="module")
def cases() -> Iterator[Cases]:
    require("cc")
    with tempfile.TemporaryDirectory(prefix="burble-replay-") as folder:
        file = Path(folder, "cases")
        yield Cases(file, write_cases(file, CASES), PROGRAM, "training/learners/native/")


def test_every_kernel_learns_what_the_reference_does_as_it_is_built(cases: Cases) -> None:
    names = cases.replay(cases.build("optimised")).split()
    assert names[-1] == "portable"
    assert names == (kernel_names() or names)


def test_the_learner_keeps_within_its_memory_and_the_language(cases: Cases) -> None:
    assert "portable" in cases.replay(cases.build("sanitized", *SANITIZE))


def test_threads_meet_before_they_read_what_others_wrote(cases: Cases) -> None:
    assert "portable" in cases.replay(cases.build("races", *RACES), most=UNDER_TSAN)


def test_the_learner_gives_the_same_bits_on_arm(cases: Cases) -> None:
    compiler = require("aarch64-linux-gnu-gcc")
    qemu = require("qemu-aarch64-static", "qemu-aarch64")
    program = cases.build("arm", "-static", compiler=compiler)
    assert cases.replay(qemu, "-cpu", "cortex-a53", program, most=UNDER_QEMU) == "neon portable"
