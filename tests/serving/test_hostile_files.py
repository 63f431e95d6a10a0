"""Folders and files that nobody would make by mistake: a server goes on beside them, and what is
outside of its folder stays there.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.browser import browser
from tests.cli.command import assert_refused, burble
from tests.models import random_model
from tests.serving.server import burble_serve
from tests.serving.test_page import Page
from tests.serving.test_refusals import assert_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.serving.server import Server

SECRET = "what only the owner may read"  # noqa: S105 - it is none

# As bytes, since not all of them are text. A name with a slash there cannot be.
NAMES = [
    b"<img src=x onerror=alert(1)>",
    b"<option><script>alert(1)<!--",
    b"\"quotes\" and 'quotes'",
    b"two\nlines\r\n",
    b"..x",
    b"...",
    b"-o",
    b"$(id) `id` %2e%2e %00 %s {0} ?a=b#c",
    b"tab\tand\x1b[31mcolour\x07",
    "\u202eright to left\u2066 and \u200b nothing".encode(),
    "漢字 😀 é e\u0301".encode(),
    b"not UTF-8 \xff\xfe\xe9",
    b"\xed\xa0\x80 half a character",
    b" ",
    b"n" * 240,
    b"\xff" * 240,
]


def readable(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def make_run(folder: Path, seed: int = 0) -> Path:
    """The least that is a run with a model."""
    folder.mkdir(parents=True)
    (folder / "run.toml").touch()
    random_model(seed=seed).save(folder / "model.safetensors")
    return folder


def ids(server: Server) -> list[str]:
    return [model["id"] for model in server.client.get("/v1/models").json()["data"]]


def runs(server: Server) -> dict[str, str]:
    listed = server.client.get("/burble/runs").json()["runs"]
    return {run["name"]: run["state"] for run in listed}


def test_models_with_hostile_names_are_found_by_them(tmp_path: Path) -> None:
    paths = [tmp_path / os.fsdecode(name + b".safetensors") for name in NAMES]
    for path in paths:
        path.write_bytes(random_model().to_bytes())
    with burble_serve(*paths) as server:
        assert ids(server) == [readable(name) for name in NAMES]
        for name in map(readable, NAMES):
            found = server.client.get(f"/v1/models/{quote(name, safe='')}")
            assert found.json()["id"] == name
            answer = server.complete(model=name, prompt="a", max_tokens=3).json()
            assert answer["model"] == name
        assert_error(server.complete(model="none", prompt="a"), 404, param="model")


def test_runs_with_hostile_names_are_found_by_them(tmp_path: Path) -> None:
    for name in NAMES:
        make_run(tmp_path / os.fsdecode(name))
    with burble_serve("--runs", tmp_path) as server:
        expected = set(map(readable, NAMES))
        assert runs(server) == dict.fromkeys(expected, "stopped")
        assert set(ids(server)) == expected
        for name in expected:
            path = f"/burble/runs/{quote(name, safe='')}"
            assert server.client.get(path).json()["name"] == name
            assert server.client.post(f"{path}/stop").status_code == 202
            assert len(server.text(model=name, prompt="a", max_tokens=3)) == 3
            assert server.client.post(
                "/burble/copied", json={"model": name, "text": "a"}
            ).is_success


def test_the_page_shows_hostile_names_as_text(tmp_path: Path) -> None:
    for name in NAMES:
        make_run(tmp_path / os.fsdecode(name))
    expected = sorted(map(readable, NAMES))
    with browser() as driver, burble_serve("--runs", tmp_path) as server:
        page = Page(driver, f"{server.address}#train")
        page.until(lambda: len(page.all("#runs button")) == len(NAMES))
        # In one go: the page makes the buttons anew whenever it looks at the runs.
        buttons = "[...document.querySelectorAll('#runs button')]"
        shown = driver.execute_script(f"return {buttons}.map((button) => button.textContent)")
        assert sorted(text.removesuffix(" Stopped") for text in shown) == expected
        options = [option.get_property("value") for option in page.all("#model option")]
        assert sorted(options) == expected
        for name in expected:
            driver.execute_script(f"{buttons}[{shown.index(f'{name} Stopped')}].click()")
            page.until(
                lambda name=name: page.find("#run-title").get_property("textContent") == name
            )
        page.click("#write-run")
        page.find("#text").send_keys("a")
        page.go_on()
        assert page.all("img, #model script, #runs script") == []
        assert driver.title == "burble"
        assert driver.get_log("browser") == []


def link_file(name: str) -> Callable[[Path, Path], None]:
    def make(folder: Path, outside: Path) -> None:
        make_run(folder)
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(outside / "secret")

    return make


WAYS_OUT: dict[str, Callable[[Path, Path], None]] = {
    "folder": lambda folder, outside: folder.symlink_to(outside / "run"),
    **{name: link_file(name) for name in ("run.toml", "model.safetensors", "samples.txt")},
    "log": link_file("metrics.jsonl"),
    "data": lambda folder, outside: (make_run(folder) / "data").symlink_to(outside),
    "pipe": lambda folder, _: os.mkfifo(make_run(folder) / "samples.txt"),
    "loop": lambda folder, _: folder.symlink_to(folder),
}


def test_what_leads_out_of_the_folder_is_no_run(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "runs"
    make_run(outside / "run")
    (outside / "secret").write_text(SECRET, encoding="utf-8")
    make_run(folder / "good")
    for name, make in WAYS_OUT.items():
        make(folder / name, outside)
    before = sorted((path, path.stat().st_mtime_ns) for path in outside.rglob("*"))
    with burble_serve("--runs", folder) as server:
        assert runs(server) == {"good": "stopped"}
        assert ids(server) == ["good"]
        for name in WAYS_OUT:
            assert_error(server.client.get(f"/burble/runs/{name}"), 404, param="name")
            assert_error(server.client.get(f"/v1/models/{name}"), 404, param="model")
            for what in ("stop", "resume"):
                refused = server.client.post(f"/burble/runs/{name}/{what}")
                assert_error(refused, 404, param="name")
        assert SECRET not in server.client.get("/burble/runs/good").text
        assert len(server.text(prompt="a", max_tokens=3)) == 3
    assert before == sorted((path, path.stat().st_mtime_ns) for path in outside.rglob("*"))


STEP = {
    "step": 1,
    "seconds": 1.0,
    "progress": 0.5,
    "train_bits_per_char": 2.0,
    "accuracy": 0.5,
    "learning_rate": 0.01,
    "grad_norm": 1.0,
    "chars_per_second": 9.0,
    "epoch": 0.1,
}


def logged(**changes: Any) -> bytes:
    return json.dumps(STEP | changes).encode() + b"\n"


LOGS = {
    "no JSON": b"{\n",
    "no object": b"[1, 2]\nnull\n",
    "other names": b'{"a": 1}\n',
    "a text for a number": logged(progress="1"),
    "NaN": logged(progress=float("nan")),
    "a number without end": logged(seconds=0).replace(b'"seconds": 0', b'"seconds": ' + b"9" * 999),
    "digits without end": b"9" * 5000 + b"\n",
    "deep": b"[" * 100_000 + b"\n",
    "no text": b"\xff\xfe\x00\n",
    "a broken line among good ones": logged() + b"{}\n" + logged(),
}


def test_a_run_with_a_broken_log_has_failed_and_says_so(tmp_path: Path) -> None:
    for name, log in LOGS.items():
        (make_run(tmp_path / name) / "metrics.jsonl").write_bytes(log)
    (make_run(tmp_path / "good") / "metrics.jsonl").write_bytes(logged())
    with burble_serve("--runs", tmp_path) as server:
        assert runs(server) == {**dict.fromkeys(LOGS, "failed"), "good": "stopped"}
        for name in LOGS:
            bad = server.client.get(f"/burble/runs/{name}").json()
            assert "metrics.jsonl" in bad["said"]
            assert bad["metrics"] == []
        assert server.client.get("/burble/runs/good").json()["metrics"] == [STEP]


MODELS = {"empty": b"", "zeros": b"\0" * 100, "too long": b"\xff" * 8 + b"{}", "braces": b"{" * 99}


def test_a_run_with_a_broken_model_is_not_offered(tmp_path: Path) -> None:
    make_run(tmp_path / "good")
    for name, content in MODELS.items():
        (make_run(tmp_path / name) / "model.safetensors").write_bytes(content)
    with burble_serve("--runs", tmp_path) as server:
        assert ids(server) == ["good"]
        for name in MODELS:
            refused = server.complete(model=name, prompt="a")
            assert_error(refused, 404, param="model")
            assert "model.safetensors" in refused.json()["error"]["message"]
        assert len(server.text(prompt="a", max_tokens=3)) == 3
        # It is read again once it is whole.
        random_model().save(tmp_path / "empty" / "model.safetensors")
        assert len(server.text(model="empty", prompt="a", max_tokens=3)) == 3


def test_a_folder_where_a_file_should_be_harms_none(tmp_path: Path) -> None:
    make_run(tmp_path / "good")
    bad = make_run(tmp_path / "bad")
    (bad / "model.safetensors").unlink()
    for name in ("model.safetensors", "samples.txt", "metrics.jsonl"):
        (bad / name).mkdir()
    with burble_serve("--runs", tmp_path) as server:
        assert runs(server) == {"bad": "failed", "good": "stopped"}
        assert server.client.get("/burble/runs/bad").json()["samples"] == ""
        assert ids(server) == ["good"]


AB = b'{"tokenizer": {"kind": "char", "vocabulary": "ab"}'
FACTS = (
    b', "normalization": {}, "facts": {"fingerprint": "", "num_documents": 1, '
    b'"num_characters": 30, "cut_characters": 30, "num_ids": 30, "cut_ids": 30}}'
)
TEXTS = {
    "empty": (b"", b""),
    "deep": (b"[" * 100_000, b""),
    "no object": (b"[]", b""),
    "without facts": (AB + b"}", b"\0"),
    "ids too few": (AB + FACTS, b"\0"),
    "ids of no token": (AB + FACTS, b"\x09" * 30),
}


def test_a_broken_training_text_is_told_where_copies_are_looked_for(tmp_path: Path) -> None:
    for name, (described, content) in TEXTS.items():
        data = make_run(tmp_path / name) / "data"
        data.mkdir()
        (data / "data.json").write_bytes(described)
        (data / "ids.bin").write_bytes(content)
    with burble_serve("--runs", tmp_path) as server:
        for name in TEXTS:
            refused = server.client.post("/burble/copied", json={"text": "a" * 50, "model": name})
            assert_error(refused, 404, param="model")
            assert "prepared text" in refused.json()["error"]["message"]
            assert len(server.text(model=name, prompt="a", max_tokens=3)) == 3


def test_samples_show_their_end_whatever_they_hold(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (folder / "samples.txt").write_bytes(b"\xff" * 9_000_000 + b"<b>the end\x00\x1b")
    with burble_serve("--runs", tmp_path) as server:
        told = server.client.get("/burble/runs/run").json()["samples"]
    assert told.endswith("�<b>the end\x00\x1b")
    assert len(told) <= 6000


def test_runs_are_kept_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = burble("serve", "--runs", tmp_path / "file", "--port", "0")
    assert_refused(result, 2, "is not a folder")
