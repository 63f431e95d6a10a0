"""What instruction sets a processor has, and how to hold everything to fewer."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from burble.engine.kernels import KERNEL_VARIABLE

# Flags as Linux names them, and how the tables name them. Of x86 and of ARM.
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

# What a machine is held to by name, and what it then uses at most.
HELD = {"avx2": ("AVX2",)}


def instruction_sets() -> list[str]:
    """Return those that matter for learning and writing, by name; none where they are not known."""
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
    """Whether the processor has these instructions, and more of which to do without."""
    return set(HELD[held_to]) < set(instruction_sets())


def environment(held_to: str | None) -> dict[str, str]:
    """Return the variables that hold torch, its libraries, NumPy and burble to these instructions.

    Each library reads its own as it starts, so this is for a new process.
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
    """What NumPy would use of AVX-512 here; it refuses names that it does not know."""
    from numpy._core import _multiarray_umath as numpy_core

    return [
        name
        for name in numpy_core.__cpu_dispatch__
        if name.startswith(("AVX512", "X86_V4")) and numpy_core.__cpu_features__.get(name)
    ]
