"""Find out what this machine can compute on, without importing torch."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from pathlib import Path

from burble.installation import how_to_install

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"

# torch/version.py: `cuda: Optional[str] = '12.8'`, or None in a build for processors.
_BUILT_FOR_CUDA = re.compile(r"""^cuda\b[^=]*=\s*['"]""", re.MULTILINE)


def has_nvidia_gpu() -> bool:
    """Return whether NVIDIA's driver finds a GPU. CUDA_VISIBLE_DEVICES can hide it."""
    count = ctypes.c_int()
    try:
        driver = ctypes.CDLL(_DRIVER)
        is_working = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):  # there is no driver, or it is another library
        return False
    return is_working and count.value > 0


def has_torch() -> bool:
    """Return whether torch is installed."""
    return _torch_folder() is not None


def has_cuda_torch() -> bool:
    """Return whether the installed torch was built for CUDA."""
    folder = _torch_folder()
    try:
        return folder is not None and bool(
            _BUILT_FOR_CUDA.search((folder / "version.py").read_text("utf-8"))
        )
    except (OSError, ValueError):
        return False


def how_to_use_gpu() -> str:
    """Return what to install to train on the GPU, as the end of a sentence and advice."""
    if has_torch():
        return (
            "the installed torch computes on processors only. Install one for CUDA: "
            "https://pytorch.org/get-started/locally/"
        )
    return f"training on it needs torch. {how_to_install('torch')}"


def _torch_folder() -> Path | None:
    spec = importlib.util.find_spec("torch")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
