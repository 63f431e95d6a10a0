"""Describe the machine that a benchmark ran on."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.instructions import HELD, instruction_sets
from burble.engine.kernels import choose_kernel
from burble.threads import usable_processors

PACKAGES = (
    "burble",
    "numpy",
    "torch",
    "onnxruntime",
    "onnx",
    "keras",
    "jax",
    "tensorflow",
    "tensorflow-cpu",
)


def keep_report(report: dict[str, Any], data: Path) -> dict[str, Any]:
    """Add the report to a file, in place of the same machine's, and return all reports by name."""
    data.parent.mkdir(parents=True, exist_ok=True)
    reports: dict[str, Any] = json.loads(data.read_text("utf-8")) if data.exists() else {}
    reports[name_machine(report["machine"])] = report
    data.write_text(json.dumps(reports, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return reports


def describe_machine(held_to: str | None = None) -> dict[str, Any]:
    """Return the processor, instruction sets, system, versions and load of this machine.

    held_to: the limit on instruction sets, a key of `instructions.HELD`.
    """
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "processor": processor_name(),
        "cores": usable_processors(),
        "instructions": instruction_sets(),
        "held_to": held_to,
        "kernels": list(choose_kernel().available),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def name_machine(machine: dict[str, Any]) -> str:
    """Return the name of a machine in tables: processor, cores, instruction sets."""
    if machine["held_to"] is None:
        known = ", ".join(machine["instructions"]) or machine["system"]
    else:
        known = f"held to {', '.join(HELD[machine['held_to']])}"
    return f"{machine['processor']}, {machine['cores']} cores, {known}"


def in_one_line(machine: dict[str, Any], when: str) -> str:
    """Return the result of `describe_machine` and the date in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {_known(machine)}{machine['system']}, "
        f"Python {machine['python']}, {versions}; {when}, load before {machine['load_before']}"
    )


def _known(machine: dict[str, Any]) -> str:
    """Return the instruction sets, each with a comma after it; older reports have none."""
    return "".join(f"{name}, " for name in machine.get("instructions", []))


def stay_on_few_cores(count: int) -> None:
    """Limit this process to `count` cores, if the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def processor_name() -> str:
    """Return the name of the processor."""
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
