"""Detect a processor's instruction sets, and limit libraries to fewer of them."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from burble.engine.kernels import KERNEL_VARIABLE

# Flags of x86 and ARM in Linux's names, and their names in the tables.
NAMES = {
    "avx2": "AVX2",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_tile": "AMX",
    "asimd": "NEON",
    "asimddp": "dot products",
    "bf16": "BF16",
    "sve": "SVE",
}

# The limits by name, and the instruction sets in use under each.
HELD = {"avx2": ("AVX2",)}


def instruction_sets() -> list[str]:
    """Return the names of the instruction sets that matter for speed; empty if unknown."""
    found = _flags()
    return [name for flag, name in NAMES.items() if flag in found]


def _flags() -> set[str]:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return set(line.partition(":")[2].split())
    if platform.system() == "Darwin":
        return _flags_of_a_mac()
    return set()


def _flags_of_a_mac() -> set[str]:
    if platform.machine() == "arm64":
        return {"asimd", "asimddp"}
    asked = ["sysctl", "-n", "machdep.cpu.leaf7_features"]
    listed = subprocess.run(asked, check=False, capture_output=True, text=True)
    return {flag.lower() for flag in listed.stdout.split()}


def can_be_held(held_to: str) -> bool:
    """Return whether the processor has these instructions and more, so that the limit matters."""
    return set(HELD[held_to]) < set(instruction_sets())


def environment(held_to: str | None) -> dict[str, str]:
    """Return the variables that limit torch, its libraries, NumPy and burble to a set.

    Each library reads them when it loads, so they are for a new process.
    """
    if held_to is None:
        return {}
    return {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": " ".join(_beyond_avx2()),
        KERNEL_VARIABLE: "avx2",
    }


def _beyond_avx2() -> list[str]:
    """Return the AVX-512 features that NumPy uses here; it refuses unknown names."""
    from numpy._core import _multiarray_umath as numpy_core

    return [
        name
        for name in numpy_core.__cpu_dispatch__
        if name.startswith(("AVX512", "X86_V4")) and numpy_core.__cpu_features__.get(name)
    ]
