"""What this machine has to compute on, found without importing torch."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from pathlib import Path

from burble.installation import how_to_install

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"

# `cuda: Optional[str] = '12.8'`; None in a torch that was built for processors.
_BUILT_FOR_CUDA = re.compile(r"""^cuda\b[^=]*=\s*['"]""", re.MULTILINE)


def has_nvidia_gpu() -> bool:
    """Return whether NVIDIA's driver answers and has a GPU that CUDA_VISIBLE_DEVICES shows."""
    count = ctypes.c_int()
    try:
        driver = ctypes.CDLL(_DRIVER)
        answers = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):  # no driver, or something else of its name
        return False
    return answers and count.value > 0


def has_torch() -> bool:
    """Return whether torch is installed."""
    return _torch_folder() is not None


def has_cuda_torch() -> bool:
    """Return whether the torch that is installed was built for CUDA."""
    folder = _torch_folder()
    try:
        return folder is not None and bool(
            _BUILT_FOR_CUDA.search((folder / "version.py").read_text("utf-8"))
        )
    except (OSError, ValueError):
        return False


def how_to_use_gpu() -> str:
    """Return what to install so that learning uses the GPU."""
    if has_torch():
        return (
            "the torch that is installed computes on processors only. "
            "https://pytorch.org/get-started/locally/ has one for CUDA."
        )
    return f"training on it needs torch. {how_to_install('torch')}"


def _torch_folder() -> Path | None:
    spec = importlib.util.find_spec("torch")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
