"""The line that builds the library again fits how burble was installed."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from burble.native.rebuild import how_to_rebuild


def installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None, tool: str = "pip"
) -> None:
    """Let burble be found as if it was installed from there."""
    info = folder / "burble-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: burble\nVersion: 9.9\n")
    (info / "INSTALLER").write_text(f"{tool}\n")
    if origin is not None:
        (info / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(str(folder))


def command(sentence: str) -> list[str]:
    return shlex.split(re.split("[Rr]un: ", sentence, maxsplit=1)[1])


PIP = [sys.executable, "-m", "pip", "install", "--force-reinstall", "--no-deps"]


@pytest.mark.parametrize("editable", [True, False])
def test_from_a_folder(editable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    source = tmp_path / "my source"
    source.mkdir()
    installed(tmp_path, monkeypatch, {"url": source.as_uri(), "dir_info": {"editable": editable}})
    assert command(how_to_rebuild()) == [*PIP, *(["-e"] if editable else []), str(source)]


def test_from_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, monkeypatch, {"url": (tmp_path / "gone").as_uri(), "dir_info": {}})
    assert "nstall burble again from where you got it." in how_to_rebuild()


def test_from_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = {"vcs": "git", "commit_id": "abc123"}
    installed(tmp_path, monkeypatch, {"url": "https://example.org/b.git", "vcs_info": info})
    assert command(how_to_rebuild())[-1] == "git+https://example.org/b.git@abc123"


def test_from_an_archive_with_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://example.org/burble.whl"
    installed(tmp_path, monkeypatch, {"url": url, "archive_info": {}}, tool="uv")
    assert command(how_to_rebuild()) == ["uv", "pip", "install", "--reinstall", "--no-deps", url]


def test_of_unknown_origin_no_package_name_is_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch, None)
    assert "pip" not in how_to_rebuild()
    assert "nstall burble again from where you got it." in how_to_rebuild()


def test_without_a_compiler_one_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert how_to_rebuild("file").startswith(
        "Install a C compiler (gcc or clang), then delete that file, then "
    )
