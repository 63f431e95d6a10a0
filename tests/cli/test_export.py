from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import burble as library
from burble.errors import UsageError
from burble.model_file import Provenance
from tests.cli.command import assert_refused, burble, burble_json, said, succeed
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The folder of a run called alice, as far as an export reads it."""
    run = tmp_path / "alice"
    run.mkdir()
    random_model().save(run / "model.safetensors")
    return run


@pytest.mark.parametrize(
    ("kind", "name"), [("html", "alice.html"), ("onnx", "alice.onnx"), ("hub", "alice-hub")]
)
def test_the_result_is_named_after_the_model(
    model: Path, tmp_path: Path, kind: str, name: str
) -> None:
    if kind == "onnx":
        pytest.importorskip("onnx")
    result = succeed("export", model, "--to", kind, cwd=tmp_path)
    assert result.stdout == b""
    assert said(result).startswith(f"{name}: ")
    assert (tmp_path / name).exists()


def test_a_model_file_gives_its_own_name(model: Path, tmp_path: Path) -> None:
    (model / "model.safetensors").rename(tmp_path / "friend.safetensors")
    assert burble("export", "friend.safetensors", cwd=tmp_path).returncode == 0
    page = (tmp_path / "friend.html").read_text("utf-8")
    assert "<title>friend</title>" in page


def test_json_is_one_object(model: Path, tmp_path: Path) -> None:
    for kind, name in (("html", "out.html"), ("hub", "out")):
        found = burble_json("export", model, "--to", kind, "-o", name, cwd=tmp_path)
        assert list(found) == ["to", "path", "bytes"]
        assert (found["to"], found["path"]) == (kind, name)
        path = tmp_path / name
        files = list(path.iterdir()) if path.is_dir() else [path]
        assert found["bytes"] == sum(file.stat().st_size for file in files)


def test_what_is_there_is_replaced_only_when_asked(model: Path, tmp_path: Path) -> None:
    page = tmp_path / "alice.html"
    page.write_text("mine")
    refused = burble("export", model, cwd=tmp_path)
    assert_refused(refused, 2, "alice.html already exists", "--overwrite")
    assert page.read_text() == "mine"
    assert burble("export", model, "--overwrite", cwd=tmp_path).returncode == 0
    assert page.read_text() != "mine"


def test_a_hub_folder_is_replaced_only_when_asked(model: Path, tmp_path: Path) -> None:
    command = ("export", model, "--to", "hub", "-o", "out")
    assert burble(*command, cwd=tmp_path).returncode == 0
    assert_refused(burble(*command, cwd=tmp_path), 2, "out already exists")
    named = (*command, "--overwrite", "--license", "mit")
    assert burble(*named, cwd=tmp_path).returncode == 0
    assert 'license: "mit"' in (tmp_path / "out" / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-o", "nowhere/page.html"], ["there is no such folder"]),
        (["-o", "alice"], ["alice is a folder already"]),
        (["-o", "page"], ["must be called something.html", "found page"]),
        (["-o", "n" * 300 + ".html"], ["cannot be written"]),
        (["--license", "mit"], ["--to hub"]),
        (["--to", "hub", "--license", "a b"], ["short identifier", "'a b'"]),
        (["--to", "hub", "-o", "alice/model.safetensors"], ["is a file already"]),
        (["--to", "gif"], ["gif", "html", "onnx", "hub"]),
    ],
)
def test_a_mistake_is_one_message(
    model: Path, tmp_path: Path, args: list[str], words: list[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert_refused(burble("export", model, *args, cwd=tmp_path), 2, *words)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_model_that_int8_would_harm_becomes_no_page(tmp_path: Path) -> None:
    random_model(provenance=Provenance(int8_cost_bits=0.01)).save(tmp_path / "m.safetensors")
    result = burble("export", "m.safetensors", cwd=tmp_path)
    assert_refused(result, 2, "0.0100 bits per character", "--to onnx")
    assert not (tmp_path / "m.html").exists()


def test_python_exports_too(model: Path, tmp_path: Path) -> None:
    loaded = library.load(model)
    loaded.export("html", tmp_path / "page.html", name="a <name>")
    assert "<title>a &lt;name&gt;</title>" in (tmp_path / "page.html").read_text("utf-8")
    with pytest.raises(UsageError, match="already exists"):
        loaded.export("html", tmp_path / "page.html")
    with pytest.raises(UsageError, match="html, onnx, hub"):
        loaded.export("gif", tmp_path / "page.gif")  # type: ignore[arg-type]
