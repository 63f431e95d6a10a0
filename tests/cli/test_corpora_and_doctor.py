from __future__ import annotations

import json
import re

import pytest

from burble.engine.kernels import KERNEL_VARIABLE
from burble.version import __version__
from tests.cli.command import burble, burble_json, burble_process
from tests.engine.engines import ENGINES, native_kernels


def test_the_known_texts_are_listed() -> None:
    shown = burble("corpora").stdout.decode()
    assert shown.startswith("python-docs      Python's language reference")
    assert "\nalice" in shown
    assert set(burble_json("corpora")) == {"python-docs", "alice", "tinyshakespeare"}


def test_the_doctor_tells_what_is_installed() -> None:
    found = burble_json("doctor")
    assert found["burble"] == __version__
    assert found["kernel"].split(maxsplit=1)[0].removesuffix(":") in ENGINES
    assert re.fullmatch(r"native(, kernel \w+|: .*)|torch on cuda", found["learner"])
    assert found["torch"][0].isdigit() or found["torch"].startswith("not installed")
    shown = burble("doctor").stdout.decode()
    assert all(name in shown for name in found)


@pytest.mark.skipif(not native_kernels(), reason="no compiler built the native kernels here")
def test_the_doctor_tells_which_kernel_is_in_use_and_which_could_be() -> None:
    available = ", ".join([*native_kernels(), "numpy"])
    best, named = (
        json.loads(burble_process("doctor", "--json", **environment).stdout)["kernel"]
        for environment in ({KERNEL_VARIABLE: ""}, {KERNEL_VARIABLE: "numpy"})
    )
    assert best == f"{native_kernels()[0]} (of {available})"
    assert named == f"numpy (of {available})"


@pytest.mark.skipif(not native_kernels(), reason="no compiler built the native kernels here")
def test_the_doctor_tells_the_kernel_that_would_learn() -> None:
    environment = {KERNEL_VARIABLE: "portable", "CUDA_VISIBLE_DEVICES": ""}
    found = json.loads(burble_process("doctor", "--json", **environment).stdout)
    assert found["learner"] == "native, kernel portable"
