"""Find the command that installs burble's optional packages in this environment.

burble is in no package index, where its name could belong to somebody else. So the command names
the packages of an extra, never burble itself. They come from the metadata of the installed
distribution, which is the same for sources, a wheel or an address.
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
    """Return the command that installs an extra's packages; None if burble has no metadata."""
    packages = extra_packages(extra)
    return shlex.join([*_installer(), *packages]) if packages else None


def how_to_install(extra: str) -> str:
    """Return a sentence with the command that installs an extra's packages."""
    line = install_line(extra)
    if line is None:
        return f"Install burble from its sources, with the extra {extra}."
    return f"Install it: {line}"


def extra_packages(extra: str) -> list[str]:
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # run from sources, not installed
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
    # pip 22.3 or newer, outside this environment, can install into it.
    return ["pip", "--python", sys.executable, "install"]


def _is_of_uv(prefix: Path) -> bool:
    if (prefix / "uv-receipt.toml").exists():
        return True
    try:
        lines = (prefix / "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError:
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)
