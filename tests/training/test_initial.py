"""What a network begins with: the same bits for the same seed, drawn in C or in NumPy."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from burble.cells import CELLS, CellKind
from burble.config import InputKind, NetworkConfig
from burble.native.library import library
from burble.training import initial
from burble.training.initial import draw_normals, initial_weights, multiply_reflections

if TYPE_CHECKING:
    from burble.arithmetic import Float32
    from burble.model_file import Weights
    from burble.training.initial import Float64

VOCAB = 11

every_cell = pytest.mark.parametrize("cell", get_args(CellKind))
needs_library = pytest.mark.skipif(library() is None, reason="without the C library")


def weights_of(seed: int = 0, vocab_size: int = VOCAB, **options: Any) -> Weights:
    config = NetworkConfig(**{"hidden_size": 20, "embedding_size": 6, **options})
    return initial_weights(config, vocab_size, seed)


def fingerprint(weights: Weights) -> str:
    """Of names and bits."""
    digest = hashlib.sha256()
    for name, tensor in weights.items():
        digest.update(name.encode() + tensor.astype("<f4").tobytes())
    return digest.hexdigest()[:16]


def gates_of(weights: Weights, cell: CellKind) -> list[Float32]:
    return np.split(weights["layers.0.weight_hh"], len(CELLS[cell].gates))


def normals(count: int, tensor: int = 0, gate: int = 0) -> Float64:
    drawn: Float64 = draw_normals(count, initial._Place(3, tensor, gate), np.float64)
    return drawn


@pytest.mark.parametrize("kind", get_args(InputKind))
@every_cell
def test_there_are_the_tensors_of_the_model_file(cell: CellKind, kind: InputKind) -> None:
    config = NetworkConfig(cell=cell, input=kind, num_layers=2, hidden_size=20, embedding_size=6)
    found = initial_weights(config, VOCAB, 0)
    assert {name: tensor.shape for name, tensor in found.items()} == config.tensor_shapes(VOCAB)
    assert {tensor.dtype for tensor in found.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "3bf8c7864a5184de"),
        ({"cell": "gru", "num_layers": 2, "input": "one-hot"}, "ebe46b4b6bf25e5a"),
        ({"cell": "rnn", "input": "scalar", "hidden_size": 33}, "e73970070142417a"),
    ],
    ids=["lstm", "gru", "rnn"],
)
@pytest.mark.parametrize("native", [pytest.param(True, marks=needs_library), False])
def test_a_seed_gives_these_weights(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], expected: str, *, native: bool
) -> None:
    if not native:
        monkeypatch.setattr(initial, "library", lambda: None)
    assert fingerprint(weights_of(seed=7, **options)) == expected


@needs_library
@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 16, 31, 100])
def test_numpy_makes_the_matrix_that_c_makes(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    place = initial._Place(2**63 - 1, 2, 1)
    native = initial._draw_orthogonal(size, place)
    monkeypatch.setattr(initial, "library", lambda: None)
    assert initial._draw_orthogonal(size, place).tobytes() == native.tobytes()


def test_many_numbers_are_those_of_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fingerprint(weights_of())
    monkeypatch.setattr(initial, "_AT_ONCE", 8)
    assert fingerprint(weights_of()) == whole


@every_cell
def test_each_gates_recurrent_weights_start_orthogonal(cell: CellKind) -> None:
    for gate in gates_of(weights_of(cell=cell, hidden_size=150), cell):
        exact = gate.astype(np.float64)
        np.testing.assert_allclose(exact @ exact.T, np.eye(150), rtol=0, atol=1e-6)


def test_orthogonal_matrices_are_evenly_from_all() -> None:
    # Of an even draw the first column is that of the normal numbers, and the QR decomposition of a
    # normal matrix, with a positive diagonal, has the same law: entries of mean 0, variance 1 / n,
    # determinants of both signs, a trace of variance 1.
    every = [multiply_reflections(6, normals(21, tensor)) for tensor in range(2000)]
    drawn = np.array(every, np.float64)
    assert abs(drawn.mean(axis=0)).max() < 5 * math.sqrt(1 / 6 / 2000)
    np.testing.assert_allclose(drawn.var(axis=0), 1 / 6, rtol=0.2)
    assert abs(np.sign(np.linalg.det(drawn)).mean()) < 0.1
    assert np.trace(drawn, axis1=1, axis2=2).var() == pytest.approx(1, abs=0.15)
    numbers = normals(21)
    np.testing.assert_allclose(
        multiply_reflections(6, numbers)[:, 0], numbers[:6] / np.linalg.norm(numbers[:6]), atol=1e-7
    )


@needs_library
def test_zeros_reflect_nothing() -> None:
    numbers = np.array([0.0, 0, 0, 0, 0, -2])
    expected = np.diag(np.array([-1, -1, 1], np.float32))
    np.testing.assert_array_equal(multiply_reflections(3, numbers), expected)
    found, native = np.empty((3, 3), np.float32), library()
    assert native is not None
    room = np.empty(27)
    native.burble_orthogonal(3, numbers.ctypes.data, room.ctypes.data, found.ctypes.data)
    np.testing.assert_array_equal(found, expected)


def test_normal_numbers_have_the_moments_of_the_normal() -> None:
    drawn = normals(200_000)
    assert abs(drawn.mean()) < 0.01
    assert drawn.var() == pytest.approx(1, abs=0.015)
    # Of twelve parts it is 2.9; the normal's is 3.
    assert (drawn**4).mean() == pytest.approx(2.9, abs=0.06)
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.01
    assert np.array_equal(drawn * 2**16, np.rint(drawn * 2**16))


def test_uniform_weights_fill_their_bounds() -> None:
    weights = weights_of(hidden_size=100, embedding_size=50, vocab_size=500)
    for name, bound in (
        ("layers.0.weight_ih", math.sqrt(6 / (100 + 50))),
        ("head.weight", 1 / math.sqrt(100)),
    ):
        scaled = weights[name] / bound
        assert 0.999 < abs(scaled).max() <= 1
        assert abs(scaled.mean()) < 0.02
        assert scaled.var() == pytest.approx(1 / 3, abs=0.01)


def test_forget_gates_start_open_and_all_other_biases_at_zero() -> None:
    weights = weights_of(num_layers=2)
    expected = np.repeat(np.array([0, 1, 0, 0], np.float32), 20)
    for layer in range(2):
        np.testing.assert_array_equal(weights[f"layers.{layer}.bias"], expected)
    assert not weights_of(cell="gru")["layers.0.bias"].any()
    assert not weights["head.bias"].any()


def test_no_two_tensors_gates_or_seeds_share_numbers() -> None:
    every = [weights_of(seed, num_layers=3, vocab_size=20) for seed in (0, 1)]
    matrices = [
        part
        for weights in every
        for name, tensor in weights.items()
        if tensor.ndim == 2
        for part in (np.split(tensor, 4) if name.endswith("hh") else [tensor])
    ]
    # Whatever they were scaled with, and whatever sign a column got.
    rows = {(abs(matrix[0, :5]) / abs(matrix[0, 0])).tobytes() for matrix in matrices}
    assert len(rows) == len(matrices) == 2 * (1 + 3 + 3 * 4 + 1)
