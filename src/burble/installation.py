"""How burble was installed, and what to type to install more beside it.

burble is in no package index, so its name is never a thing to install: it may be a stranger's. What
an extra needs is named instead. The distribution's own metadata lists it, and it is the same
wherever burble came from: sources, a wheel, an address.
"""

import importlib.metadata
import importlib.util
import re
import shlex
import sys
from pathlib import Path

DISTRIBUTION = "burble"

# `torch>=2.4; extra == "torch"`
_REQUIREMENT = re.compile(r"""(?P<package>[^;]+?)\s*;\s*extra\s*==\s*["'](?P<extra>[\w.-]+)["']""")


def install_line(extra: str) -> str | None:
    """Return what to type to get an extra's packages; None where burble has no metadata."""
    packages = extra_packages(extra)
    return shlex.join([*_installer(), *packages]) if packages else None


def how_to_install(extra: str) -> str:
    """Return a sentence that says what to do to get an extra's packages."""
    line = install_line(extra)
    if line is None:
        return f"Install burble from its sources, with the extra {extra}."
    return f"Install it: {line}"


def extra_packages(extra: str) -> list[str]:
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # sources that were never installed
        return []
    found = [_REQUIREMENT.fullmatch(line.strip()) for line in lines]
    return [match["package"] for match in found if match and match["extra"] == extra]


def _installer() -> list[str]:
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists():
        return ["pipx", "inject", prefix.name]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install"]
    if _is_of_uv(prefix):
        return ["uv", "pip", "install", "--python", sys.executable]
    # A pip from elsewhere, 22.3 or newer.
    return ["pip", "--python", sys.executable, "install"]


def _is_of_uv(prefix: Path) -> bool:
    if (prefix / "uv-receipt.toml").exists():
        return True
    try:
        lines = (prefix / "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError:
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)
