"""Find the command that builds the C library again, for the way burble was installed."""

import importlib.metadata
import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

_COMPILERS = ("cc", "gcc", "clang")


def how_to_rebuild(broken: str | None = None) -> str:
    """Return a sentence with the steps that build the library.

    broken: a damaged library to delete first, because a build keeps a file that is newer than its
    sources.
    """
    steps = []
    if not any(map(shutil.which, _COMPILERS)):
        steps.append("install a C compiler (gcc or clang)")
    if broken is not None:
        steps.append("delete that file")
    command = _install_command()
    steps.append(f"run: {command}" if command else "install burble again from where you got it.")
    sentence = ", then ".join(steps)
    return sentence[0].upper() + sentence[1:]


def _install_command() -> str | None:
    try:
        installed = importlib.metadata.distribution("burble")
    except importlib.metadata.PackageNotFoundError:
        return None
    origin = installed.read_text("direct_url.json")
    source = _source(json.loads(origin)) if origin else None
    if source is None:
        return None
    by_uv = (installed.read_text("INSTALLER") or "").strip() == "uv"
    tool = ["uv", "pip"] if by_uv else [sys.executable, "-m", "pip"]
    fresh = "--reinstall" if by_uv else "--force-reinstall"
    return shlex.join([*tool, "install", fresh, "--no-deps", *source])


def _source(origin: dict[str, Any]) -> list[str] | None:
    url = origin["url"]
    if "vcs_info" in origin:
        info = origin["vcs_info"]
        return [f"{info['vcs']}+{url}@{info['commit_id']}"]
    if not url.startswith("file:"):
        return [url]
    path = Path(unquote(urlsplit(url).path))
    if not path.exists():
        return None
    return ["-e", str(path)] if origin.get("dir_info", {}).get("editable") else [str(path)]
