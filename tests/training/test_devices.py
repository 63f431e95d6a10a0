from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from burble.training.learners import devices

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = "int cuInit(unsigned flags) {{ return {init}; }}\n"
COUNTS += "int cuDeviceGetCount(int *count) {{ *count = {gpus}; return {counted}; }}\n"


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where packages and the driver are looked for."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(devices, "_DRIVER", str(tmp_path / "driver.so"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def build_driver(source: str, path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (cc) to build a driver")
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path)]
    subprocess.run(command, input=source.encode(), check=True)


@pytest.mark.parametrize(
    ("init", "gpus", "counted", "is_there"),
    [(0, 1, 0, True), (0, 8, 0, True), (0, 0, 0, False), (100, 1, 0, False), (0, 1, 3, False)],
)
def test_a_gpu_is_there_when_the_driver_counts_one(
    found: Path,
    init: int,
    gpus: int,
    counted: int,
    is_there: bool,  # noqa: FBT001
) -> None:
    build_driver(COUNTS.format(init=init, gpus=gpus, counted=counted), found / "driver.so")
    assert devices.has_nvidia_gpu() is is_there


def test_without_a_driver_there_is_no_gpu(found: Path) -> None:
    assert not devices.has_nvidia_gpu()


def test_what_only_has_the_name_of_a_driver_is_none(found: Path) -> None:
    (found / "driver.so").write_bytes(b"no library")
    assert not devices.has_nvidia_gpu()
    (found / "driver.so").unlink()
    build_driver("int cuInit(unsigned flags) { return 0; }", found / "driver.so")
    assert not devices.has_nvidia_gpu()


@pytest.mark.parametrize(
    ("version", "has_cuda"),
    [
        ("cuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n", True),
        ('cuda = "11.8"\n', True),
        ("__all__ = ['cuda']\ncuda: Optional[str] = None\nhip: Optional[str] = '6.2'\n", False),
        ("", False),
    ],
)
def test_a_torch_tells_whether_it_was_built_for_cuda(
    found: Path,
    version: str,
    has_cuda: bool,  # noqa: FBT001
) -> None:
    assert not devices.has_torch()
    assert not devices.has_cuda_torch()
    (found / "torch").mkdir()
    (found / "torch/__init__.py").write_text("raise SystemExit('it was imported')")
    assert not devices.has_cuda_torch()
    (found / "torch/version.py").write_text(version)
    assert devices.has_torch()
    assert devices.has_cuda_torch() is has_cuda


@pytest.mark.torch
def test_what_is_told_is_what_torch_itself_finds() -> None:
    import torch

    assert devices.has_cuda_torch() == (torch.version.cuda is not None)
    if torch.version.cuda is not None:
        assert devices.has_nvidia_gpu() == torch.cuda.is_available()
