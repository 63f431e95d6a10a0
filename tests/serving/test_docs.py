"""The examples of docs/serving.md, run as they stand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.models import random_model
from tests.serving.server import burble_serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving.server import Server

DOCS = Path(__file__).parents[2] / "docs" / "serving.md"
ADDRESS = "http://127.0.0.1:8080/"
PROMPT = "It was"


@pytest.fixture(scope="module")
def my_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("docs") / "my-model.safetensors"
    random_model(vocabulary=PROMPT, head_scale=3).save(path)
    with burble_serve(path) as running:
        yield running


def example(language: str, server: Server) -> str:
    """The first block of that language, with the address of `server`."""
    block = re.search(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    assert ADDRESS in block[1]
    return block[1].replace(ADDRESS, server.address)


def run(command: list[str]) -> str:
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_python_example_prints_what_it_says(my_model: Server) -> None:
    printed = run([sys.executable, "-c", example("python", my_model)])
    first = my_model.text(prompt=PROMPT, max_tokens=200, seed=7)
    assert printed.startswith(first + "\n")
    assert len(printed) == len(first) + 1 + 300


def test_the_curl_example_prints_an_answer(my_model: Server) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    printed = run(["sh", "-c", example("sh", my_model)])
    text = json.loads(printed)["choices"][0]["text"]
    assert text == my_model.text(prompt=PROMPT, max_tokens=200, seed=7, temperature=0.7)
