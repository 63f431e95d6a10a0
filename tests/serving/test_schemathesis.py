from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.models import random_model
from tests.serving.server import burble_serve

if TYPE_CHECKING:
    from tests.serving.server import Server

ROOT = Path(__file__).parents[2]


def schemathesis(server: Server, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    config = ROOT / "tests" / "serving" / "schemathesis.toml"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", config),
        *("run", f"{server.address}openapi.json", "--max-examples", "20", "--no-color"),
    ]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
    )


def test_every_answer_is_as_described_whatever_is_sent(tmp_path: Path) -> None:
    random_model(vocabulary=None, head_scale=3).save(tmp_path / "bytes.safetensors")
    with burble_serve(tmp_path / "bytes.safetensors", "--runs", tmp_path / "runs") as server:
        told = schemathesis(server, tmp_path)
        assert told.returncode == 0, told.stdout[-20_000:] + told.stderr
        assert len(server.text(prompt="a", max_tokens=5)) >= 1
    tested = re.search(r"Tested: (\d+)", told.stdout)
    generated = re.search(r"(\d+) generated", told.stdout)
    assert tested is not None, told.stdout
    assert generated is not None, told.stdout
    assert int(tested[1]) == 12
    assert int(generated[1]) > 500
