"""The ONNX step computes what the engine does in float32."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from burble.cells import CELLS, CellKind
from burble.config import InputKind
from burble.engine.numpy_model import NumpyModel
from burble.errors import UsageError
from burble.export import onnx
from burble.export.labels import Labels
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path

    from burble.model_file import ModelFile

onnxruntime = pytest.importorskip("onnxruntime")

STEPS = 40


def session(model: ModelFile, folder: Path) -> Any:
    onnx.write(model, folder / "step.onnx", Labels("step"))
    return onnxruntime.InferenceSession(folder / "step.onnx", providers=["CPUExecutionProvider"])


def logits_of(step: Any, ids: np.ndarray[Any, Any], hidden_size: int) -> np.ndarray[Any, Any]:
    """The logits after each of ids, (time, rows), from a fresh state."""
    token, *states = (port.name for port in step.get_inputs())
    carried = [np.zeros((1, ids.shape[1], hidden_size), np.float32) for _ in states]
    found = []
    for row in ids:
        given = dict(zip(states, carried, strict=True))
        logits, *carried = step.run(None, {token: row[None], **given})
        found.append(logits)
    return np.stack(found)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("kind", get_args(InputKind))
@pytest.mark.parametrize("cell", [kind for kind, cell in CELLS.items() if cell.onnx])
def test_logits_are_those_of_the_engine(
    cell: CellKind, kind: InputKind, tmp_path: Path, *, residual: bool
) -> None:
    # Larger weights make a plain RNN of random weights chaotic: every last bit grows.
    shape: dict[str, Any] = {"num_layers": 3, "hidden_size": 17, "scale": 0.4, "head_scale": 5.0}
    model = random_model(cell=cell, input=kind, residual=residual, **shape)
    reference = NumpyModel(model, "float32")
    step = session(model, tmp_path)
    for rows in (1, 3):
        ids = np.random.default_rng(rows).integers(reference.vocab_size, size=(STEPS, rows))
        expected, _ = reference.forward(ids, reference.start(rows))
        assert np.abs(logits_of(step, ids, 17) - expected).max() < 1e-4
        assert np.ptp(expected) > 1


def test_a_model_of_bytes_is_exported_too(tmp_path: Path) -> None:
    model = random_model(vocabulary=None)
    reference = NumpyModel(model, "float32")
    ids = np.arange(256)[:, None]
    expected, _ = reference.forward(ids, reference.start(1))
    assert np.abs(logits_of(session(model, tmp_path), ids, 12) - expected).max() < 1e-4


def test_the_metadata_describes_the_model(tmp_path: Path) -> None:
    model = random_model(vocabulary='\n"é🙂', cell="gru")
    kept = session(model, tmp_path).get_modelmeta().custom_metadata_map
    described = json.loads(kept["burble"])
    assert described["tokenizer"] == model.tokenizer.to_json()
    assert described["model"]["cell"] == "gru"
    assert set(described) >= {"normalization", "provenance"}


def test_names_and_sizes_of_the_ports(tmp_path: Path) -> None:
    step = session(random_model(num_layers=2), tmp_path)
    states = ["0.hidden", "0.cell", "1.hidden", "1.cell"]
    assert [port.name for port in step.get_inputs()] == ["token", *states]
    assert [port.name for port in step.get_outputs()] == [
        "logits",
        *(f"{name}.after" for name in states),
    ]
    assert [port.shape for port in step.get_inputs()] == [[1, "batch"]] + [[1, "batch", 12]] * 4


def test_weights_beyond_what_a_file_can_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "_MAX_BYTES", 1000)
    with pytest.raises(UsageError, match="2 GB"):
        onnx.write(random_model(), tmp_path / "step.onnx", Labels("step"))
