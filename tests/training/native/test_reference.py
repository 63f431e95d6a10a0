"""The reference: its products, its dropout, its gradients, and the kernels that give its bits."""

from __future__ import annotations

import ctypes
import ctypes.util
import itertools
import math
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from burble.cells import CELLS, CellKind
from burble.config import InputKind, NetworkConfig
from burble.native.library import library
from burble.native.structures import Update
from burble.training.learners.native.reference.dropout import Dropout
from burble.training.learners.native.reference.learner import ReferenceLearner
from burble.training.learners.native.reference.network import draw_masks
from burble.training.learners.native.reference.products import add_fast, add_in_order, fuse
from tests.engine.replay import Draw
from tests.training.native.cases import random_batch, random_case
from tests.training.native.compare import THREADS, find_differences
from tests.training.native.compiled import CompiledLearner, kernel_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from burble.arithmetic import Float32, Float64
    from burble.data.batch import Batch
    from burble.training.learner import Arrays
    from burble.training.learners.native.reference.network import Masks

KERNELS = kernel_names()

native_only = pytest.mark.skipif(not KERNELS, reason="no compiler built the kernels here")
every_cell = pytest.mark.parametrize("cell", get_args(CellKind))
every_input = pytest.mark.parametrize("input_kind", get_args(InputKind))


def update(**options: Any) -> Update:
    fields = {"rate": 0.01, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "grad_clip": 1.0}
    fields |= {"share": 0.1, "seed": 3, "step": 1, "correction1": 0.1, "correction2": 0.01}
    return Update(**(fields | options))


# Products.


def odd_floats(draw: Draw, count: int) -> Float32:
    """Any bits, and numbers whose sums are near halfway between two others."""
    bits = draw.numbers.integers(2**32, size=count, dtype=np.uint32)
    plain = draw.floats([count], 2.0) * 2.0 ** draw.numbers.integers(-70, 70, count)
    short = np.ldexp(draw.numbers.integers(-9, 9, count), draw.numbers.integers(-26, 3, count))
    choice = draw.below(3) if count == 1 else draw.numbers.integers(3, size=count)
    return np.choose(choice, [bits.view(np.float32), plain, short]).astype(np.float32)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_fused_sum_is_rounded_as_fmaf_rounds_it() -> None:
    name = ctypes.util.find_library("m")
    if name is None:
        pytest.skip("there is no C library to compare with")
    fmaf = ctypes.CDLL(name).fmaf
    fmaf.restype, fmaf.argtypes = ctypes.c_float, [ctypes.c_float] * 3
    draw = Draw(0)
    a, b, c = (odd_floats(draw, 30_000) for _ in range(3))
    # Every third sum nearly cancels.
    c[::3] = -(a[::3] * b[::3])
    found = fuse(a.astype(np.float64) * b, c)
    expected = np.array([fmaf(*three) for three in zip(a, b, c, strict=True)], np.float32)
    np.testing.assert_array_equal(
        found.view(np.int32)[~np.isnan(found)], expected.view(np.int32)[~np.isnan(expected)]
    )
    assert not np.array_equal(expected, a * b + c, equal_nan=True)


def test_a_fused_sum_needs_more_than_float64() -> None:
    # 1 + 2⁻²⁴ is halfway between two numbers; what decides is below float64's last bit.
    product = np.array([2.0**-24 + 2.0**-70])
    one = np.ones(1, np.float32)
    assert fuse(product, one) == np.float32(1 + 2.0**-23)
    assert np.float32(product + one) == 1


def test_fast_products_are_near_those_in_order() -> None:
    case = random_case(Draw(5), hidden=21, rows=17)
    learners = [
        ReferenceLearner(case.network, case.vocab_size, add) for add in (add_fast, add_in_order)
    ]
    found = []
    for learner in learners:
        draw = Draw(1)
        shapes = case.network.tensor_shapes(case.vocab_size)
        learner.set("weights", {key: draw.floats(shape, 0.2) for key, shape in shapes.items()})
        learner.step(learner.start(17), case.batches[0], update())
        found.append(np.concatenate([g.ravel() for g in learner.tensors["gradients"].values()]))
    np.testing.assert_allclose(found[0], found[1], atol=1e-6 * np.abs(found[1]).max())


# Dropout.


@native_only
@pytest.mark.parametrize("rate", [0.1, 0.5, 1 / 3, 0.999999])
def test_dropout_keeps_what_c_keeps(rate: float) -> None:
    opened = library()
    assert opened is not None
    key, found = (ctypes.c_uint64 * 2)(7, 2**63), np.empty(1001, np.float32)
    opened.burble_dropout(rate, key, 2, 13, len(found), found.ctypes.data)
    expected = Dropout(rate, (7, 2**63), 2).factors(np.arange(13, 13 + len(found)))
    assert found.tobytes() == expected.tobytes()
    assert abs((found == 0).mean() - rate) < 0.05


# Gradients.


def plain_loss(
    network: NetworkConfig, weights: dict[str, Float64], batch: Batch, masks: Masks
) -> float:
    """The loss from fresh states, by the equations and in float64."""
    vocab = len(weights["head.bias"])
    shape = (*batch.inputs.shape, network.hidden_size)
    match network.input:
        case "embedding":
            x = weights["embedding.weight"][batch.inputs]
        case "one-hot":
            x = np.eye(vocab)[batch.inputs]
        case "scalar":
            x = batch.inputs[..., None] / vocab
    x = x if masks.input is None else x * masks.input
    for depth in range(network.num_layers):
        w, u, bias = (
            weights[f"layers.{depth}.{name}"] for name in ("weight_ih", "weight_hh", "bias")
        )
        states, outputs = [np.zeros(shape[1:]) for _ in CELLS[network.cell].states], []
        for now in x:
            states = PLAIN_CELLS[network.cell](now @ w.T + bias, states[0] @ u.T, states)
            outputs.append(states[0])
        y = np.stack(outputs) + (x if depth and network.residual else 0)
        x = y if masks.layers is None else y * masks.layers[depth]
    z = x @ weights["head.weight"].T + weights["head.bias"]
    log_odds = z - np.log(np.exp(z).sum(axis=2, keepdims=True))
    aimed = np.take_along_axis(log_odds, batch.targets[..., None], axis=2)[..., 0]
    return float(-aimed[batch.mask].mean())


def plain_sigmoid(x: Float64) -> Float64:
    return np.asarray(1 / (1 + np.exp(-x)))


def plain_lstm(x: Float64, h: Float64, states: list[Float64]) -> list[Float64]:
    i, f, g, o = np.split(x + h, 4, axis=1)
    cell = plain_sigmoid(f) * states[1] + plain_sigmoid(i) * np.tanh(g)
    return [plain_sigmoid(o) * np.tanh(cell), cell]


def plain_gru(x: Float64, h: Float64, states: list[Float64]) -> list[Float64]:
    (xr, xu, xc), (hr, hu, hc) = np.split(x, 3, axis=1), np.split(h, 3, axis=1)
    update = plain_sigmoid(xu + hu)
    candidate = np.tanh(xc + plain_sigmoid(xr + hr) * hc)
    return [(1 - update) * candidate + update * states[0]]


def plain_rnn(x: Float64, h: Float64, states: list[Float64]) -> list[Float64]:
    return [np.tanh(x + h)]


PLAIN_CELLS: dict[CellKind, Callable[..., list[Float64]]] = {
    "lstm": plain_lstm,
    "gru": plain_gru,
    "rnn": plain_rnn,
}


def slopes(loss: Callable[[dict[str, Float64]], float], weights: Arrays) -> dict[str, Float64]:
    """Central differences of the loss."""
    wide = {name: array.astype(np.float64) for name, array in weights.items()}
    found = {name: np.zeros_like(array) for name, array in wide.items()}
    for name, array in wide.items():
        for place in np.ndindex(array.shape):
            middle, ends = array[place], []
            for step in (1e-5, -1e-5):
                array[place] = middle + step
                ends.append(loss(wide))
            array[place] = middle
            found[name][place] = (ends[0] - ends[1]) / 2e-5
    return found


@every_cell
@every_input
@pytest.mark.parametrize(
    "options",
    [{}, {"dropout": 0.4, "input_dropout": 0.3}, {"dropout": 0.4, "locked_dropout": 1}],
    ids=["plain", "dropout", "locked"],
)
def test_gradients_are_the_slopes_of_the_loss(
    cell: CellKind, input_kind: InputKind, options: dict[str, Any]
) -> None:
    network = NetworkConfig(
        cell=cell, input=input_kind, num_layers=2, hidden_size=3, embedding_size=2, residual=True
    )
    draw, vocab = Draw(4), 5
    batch, by = random_batch(draw, vocab, times=4, rows=3), update(**options)
    shapes = network.tensor_shapes(vocab)
    weights = {name: draw.floats(shape, 0.8) for name, shape in shapes.items()}
    learner = ReferenceLearner(network, vocab)
    learner.set("weights", weights)
    figures = learner.step(learner.start(3), batch, by)
    masks = draw_masks(network, vocab, batch, by)
    expected = slopes(lambda moved: plain_loss(network, moved, batch, masks), weights)
    largest = max(float(np.abs(slope).max()) for slope in expected.values())
    for name, slope in expected.items():
        gradient = learner.tensors["gradients"][name]
        np.testing.assert_allclose(gradient, slope, atol=1e-5 * largest, err_msg=name)
    length = math.sqrt(sum(float((slope**2).sum()) for slope in expected.values()))
    assert figures.norm == pytest.approx(length, rel=1e-5)


# Updates.


def test_moments_below_the_smallest_become_zero() -> None:
    network = NetworkConfig(cell="rnn", hidden_size=2, embedding_size=2)
    learner = ReferenceLearner(network, 3)
    shapes = network.tensor_shapes(3)
    for kind, size in (("means", 2.0**-99), ("squares", 2.0**-99)):
        learner.set(kind, {name: np.full(shape, size) for name, shape in shapes.items()})
    batch = random_batch(Draw(0), 2, times=2, rows=1)  # the third id has no gradient
    states = learner.start(1)
    zero_after = {}
    for step in range(1, 80):
        learner.step(states, batch, update(step=step))
        for kind in ("means", "squares"):
            unseen = learner.tensors[kind]["embedding.weight"][2]
            if not unseen.any():
                zero_after.setdefault(kind, step)
    # 0.9⁷ and 0.99⁶⁹ are the first powers below a half.
    assert zero_after == {"means": 7, "squares": 69}


# The kernels.


@native_only
@pytest.mark.parametrize("number", range(40))
def test_kernels_give_the_bits_of_the_reference(number: int) -> None:
    assert find_differences(number) == {}


@native_only
@pytest.mark.parametrize(
    "sizes",
    [
        {"vocab": 2},
        {"vocab": 20_000, "times": 2, "rows": 2, "hidden": 5, "steps": 1},
        {"times": 1, "rows": 1},
        {"hidden": 7, "embedding": 50},
        {"hidden": 49, "rows": 3},
        {"hidden": 20, "rows": 47, "times": 3},
        {"hidden": 24, "rows": 130, "times": 3, "vocab": 300},
        {"hidden": 3, "times": 150, "rows": 2},
        {"hidden": 130, "times": 2, "rows": 2},
        {"hidden": 4, "steps": 12},
    ],
    ids=lambda sizes: ", ".join(f"{size} {name}" for name, size in sizes.items()),
)
def test_kernels_give_the_bits_of_the_reference_at_odd_sizes(sizes: dict[str, int]) -> None:
    for number in range(2):
        assert find_differences(number, **sizes) == {}


@native_only
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_number_of_threads_may_change_from_step_to_step(kernel: str) -> None:
    case = random_case(Draw(3), steps=200, hidden=40, rows=2, times=2)
    learner = CompiledLearner(case.network, case.vocab_size, kernel, max(THREADS))
    expected = case.run(CompiledLearner(case.network, case.vocab_size, kernel))
    threads = itertools.cycle([*THREADS, 7, 2, 7, 1])
    step = learner.step

    def change_and_step(*arguments: Any) -> Any:
        learner.threads = next(threads)
        return step(*arguments)

    learner.step = change_and_step  # type: ignore[method-assign]
    assert expected.differences(case.run(learner)) == []


@native_only
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_step_without_finite_figures_changes_nothing(kernel: str) -> None:
    case = random_case(Draw(8), hidden=6, rows=3, vocab=9)
    # One NaN among the logits, in no target's place and not first.
    for batch in case.batches:
        batch.targets[:] %= 8
        batch.mask[:] = True
    case.tensors["weights"]["head.bias"][8] = np.nan
    learner = CompiledLearner(case.network, case.vocab_size, kernel, 2)
    outcome = case.run(learner)
    assert not any(figures.is_finite for figures in outcome.steps)
    for kind, tensors in case.tensors.items():
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(outcome.arrays[f"{kind} {name}"], tensor)
    for name, state in case.named_states().items():
        np.testing.assert_array_equal(outcome.arrays[name], state)
