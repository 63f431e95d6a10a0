"""A model that int8 would harm runs in float32, and says so."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING

import pytest

from burble import api
from burble.data.scan import scan
from burble.engine.kernels import MAX_INT8_COST, PrecisionWarning, open_model
from burble.engine.numpy_model import NumpyModel
from burble.engine.scoring import score_batches
from burble.evaluation.precision import int8_cost
from burble.model_file import ModelFile, Provenance
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np


def harmed_model() -> ModelFile:
    """One weight of each row of the head is so large that int8 rounds the others away; it belongs
    to a unit whose output is always 0.
    """
    model = random_model(cell="rnn", hidden_size=8, num_layers=2)
    for name in ("weight_ih", "weight_hh", "bias"):
        model.weights[f"layers.1.{name}"][0] = 0.0
    model.weights["head.weight"][:, 0] = 1e4
    return model


def text(model: ModelFile, count: int = 2000) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Ids that the model predicts somewhat: it wrote them."""
    written = api.Model(model, precision="float32").generate("a", length=count, seed=1)
    return model.tokenizer.encode(written)  # type: ignore[return-value]


def noted(model: ModelFile, cost: float | None) -> ModelFile:
    return dataclasses.replace(model, provenance=Provenance(int8_cost_bits=cost))


def test_the_cost_is_the_difference_of_two_scores() -> None:
    model = harmed_model()
    ids = text(model)
    bits = [
        score_batches(NumpyModel(model, precision), model.tokenizer, scan(ids)).bits_per_char
        for precision in ("int8", "float32")
    ]
    cost = int8_cost(model, ids)
    assert cost > 20 * MAX_INT8_COST
    assert cost == pytest.approx(bits[0] - bits[1], abs=0.01)


def test_a_model_of_weights_like_those_that_training_gives_hardly_loses() -> None:
    model = random_model(hidden_size=64, scale=0.2)
    assert 0 < abs(int8_cost(model, text(model))) < MAX_INT8_COST


def test_a_harmed_model_runs_in_float32_with_a_warning() -> None:
    with pytest.warns(PrecisionWarning, match=r"lose 0\.0051 bits per character"):
        engine = open_model(noted(random_model(), 0.0051))
    assert engine.kernel == "numpy-float32"


@pytest.mark.parametrize("cost", [None, -0.001, 0.0, MAX_INT8_COST])
def test_any_other_runs_in_int8_without(cost: float | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_model(noted(random_model(), cost)).kernel != "numpy-float32"


def test_who_asks_for_a_precision_gets_it_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_model(noted(random_model(), 1.0), "int8").kernel != "numpy-float32"
        assert open_model(noted(random_model(), 0.0), "float32").kernel == "numpy-float32"


def test_the_cost_is_kept_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    noted(random_model(), 0.25).save(path)
    assert ModelFile.load(path).provenance.int8_cost_bits == 0.25
    with pytest.warns(PrecisionWarning):
        assert api.load(path).engine.kernel == "numpy-float32"
    assert api.load(path, precision="int8").engine.kernel != "numpy-float32"
