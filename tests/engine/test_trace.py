"""A trace is what a plain computation in torch gives, for every kind of network."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")

from burble.cells import CellKind
from burble.config import InputKind
from burble.data.scan import scan
from burble.engine.numpy_model import NumpyModel
from burble.engine.scoring import score_batches
from burble.engine.trace import trace
from tests.models import random_model

if TYPE_CHECKING:
    from burble.engine.trace import Trace
    from burble.model_file import ModelFile
    from burble.tokenizers.base import Ids

Values = dict[str, torch.Tensor]


def lstm(x: torch.Tensor, h: torch.Tensor, before: Values) -> Values:
    i, f, g, o = (x + h).chunk(4)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * before["cell"] + i * g
    return {"forget": f, "input": i, "candidate": g, "output": o, "cell": c, "hidden": o * c.tanh()}


def gru(x: torch.Tensor, h: torch.Tensor, before: Values) -> Values:
    (xr, xz, xn), (hr, hz, hn) = x.chunk(3), h.chunk(3)
    r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
    n = (xn + r * hn).tanh()
    h = (1 - z) * n + z * before["hidden"]
    return {"reset": r, "update": z, "candidate": n, "hidden": h}


def rnn(x: torch.Tensor, h: torch.Tensor, _: Values) -> Values:
    return {"hidden": (x + h).tanh()}


FORMULAS = {"lstm": lstm, "gru": gru, "rnn": rnn}


def plain_trace(model: ModelFile, ids: Ids) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Values (time, layers, units) and log-probabilities (time, vocab), token by token."""
    network, size = model.network, model.tokenizer.vocab_size
    weights = {name: torch.from_numpy(w) for name, w in model.weights.items()}
    zeros = torch.zeros(network.hidden_size)
    states: list[Values] = [{"hidden": zeros, "cell": zeros}] * network.num_layers
    seen: list[list[Values]] = []
    logits = []
    for token in ids.tolist():
        match network.input:
            case "embedding":
                below = weights["embedding.weight"][token]
            case "one-hot":
                below = torch.nn.functional.one_hot(torch.tensor(token), size).float()
            case "scalar":
                below = torch.tensor([token / size])
        for layer, before in enumerate(states):
            w_ih, w_hh, bias = (
                weights[f"layers.{layer}.{name}"] for name in ("weight_ih", "weight_hh", "bias")
            )
            after = FORMULAS[network.cell](w_ih @ below + bias, w_hh @ before["hidden"], before)
            states = [*states[:layer], after, *states[layer + 1 :]]
            is_added = network.residual and layer > 0
            below = after["hidden"] + below if is_added else after["hidden"]
        seen.append(states)
        logits.append(weights["head.weight"] @ below + weights["head.bias"])
    values = {
        name: torch.stack([torch.stack([layer[name] for layer in layers]) for layers in seen])
        for name in seen[0][0]
    }
    return values, torch.stack(logits).log_softmax(dim=1)


def ids_for(model: ModelFile, length: int = 60) -> Ids:
    return np.random.default_rng(0).integers(model.tokenizer.vocab_size, size=length)


def traced(model: ModelFile) -> Trace:
    return trace(model, ids_for(model))


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("input_kind", get_args(InputKind))
@pytest.mark.parametrize("cell", get_args(CellKind))
def test_a_trace_is_a_plain_torch_computation(
    *, cell: CellKind, input_kind: InputKind, residual: bool
) -> None:
    model = random_model(cell=cell, input=input_kind, num_layers=3, residual=residual, scale=0.5)
    found = traced(model)
    values, log_probabilities = plain_trace(model, found.ids)
    assert list(found.values) == list(values)
    for name, expected in values.items():
        np.testing.assert_allclose(found.values[name], expected.numpy(), atol=1e-5, rtol=0)
    np.testing.assert_allclose(found.log_probabilities, log_probabilities, atol=1e-5, rtol=0)


def test_a_model_of_bytes_has_an_entry_for_each_byte() -> None:
    model = random_model(vocabulary=None, scale=0.5)
    found = trace(model, model.tokenizer.encode("né—\U0001f600"))
    assert len(found.ids) == len(found.surprisal) == 10
    values, _ = plain_trace(model, found.ids)
    np.testing.assert_allclose(found.values["cell"], values["cell"], atol=1e-5, rtol=0)


def test_surprisal_is_what_the_score_of_the_text_is_made_of() -> None:
    model = random_model(num_layers=2)
    ids = ids_for(model)
    bits = trace(model, ids).surprisal
    score = score_batches(NumpyModel(model, "float32"), model.tokenizer, scan(ids))
    assert np.isnan(bits[0])
    assert np.nanmean(bits) == pytest.approx(score.bits_per_char, rel=1e-6)


def test_guesses_are_the_likeliest_tokens_best_first() -> None:
    found = traced(random_model(head_scale=3.0))
    guesses = found.guesses(4)
    likely = np.take_along_axis(found.log_probabilities, guesses, axis=1)
    assert (np.diff(likely, axis=1) <= 0).all()
    assert (likely[:, 0] == found.log_probabilities.max(axis=1)).all()
    assert found.guesses(99).shape == (60, 10)


def test_of_equally_likely_tokens_the_lowest_id_comes_first() -> None:
    assert traced(random_model(head_scale=0.0)).guesses(3).tolist() == [[0, 1, 2]] * 60


def test_one_token_is_enough() -> None:
    found = trace(random_model(), np.array([3]))
    assert found.values["hidden"].shape == (1, 1, 12)
    assert np.isnan(found.surprisal).tolist() == [True]


@pytest.mark.parametrize(
    ("cell", "length"), [("lstm", 1), ("gru", 40), ("rnn", 1_000), ("lstm", 2_300)]
)
def test_a_text_in_context_is_the_end_of_the_whole(cell: CellKind, length: int) -> None:
    model = random_model(cell=cell, num_layers=2)
    ids = ids_for(model, length + 20)
    whole, end = trace(model, ids), trace(model, ids[length:], ids[:length])
    for name, values in whole.values.items():
        np.testing.assert_allclose(end.values[name], values[length:], atol=1e-6, rtol=0)
    np.testing.assert_allclose(end.surprisal, whole.surprisal[length:], atol=1e-5, rtol=0)
    np.testing.assert_array_equal(end.context, ids[:length])
