"""Random networks with batches to learn from, as odd as a run may make them, and odder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from burble.cells import CellKind
from burble.config import InputKind, NetworkConfig
from burble.data.batch import Batch
from burble.native.structures import Update
from burble.training.learners.native.reference.learner import KINDS, ReferenceLearner

if TYPE_CHECKING:
    from burble.arithmetic import Float32
    from burble.training.learner import Arrays, BatchFigures, StepFigures
    from burble.training.learners.native.reference.network import States
    from tests.engine.replay import Draw

# How far weights reach, up to `LARGEST_WEIGHT`. Beyond 1e38, sums overflow in the rows that fill a
# group up, and C refuses a step that the reference makes.
REACHES = [0.0, 1e-30, 0.01, 0.1, 0.1, 0.3, 0.3, 1.0, 3.0, 1e4, 1e6]
RATES = [0.0, 0.1, 0.5, 0.99]


@dataclass
class Case:
    """What a learner starts from, and what it reads step by step."""

    network: NetworkConfig
    vocab_size: int
    tensors: dict[str, Arrays]
    states: States
    batches: list[Batch]
    updates: list[Update]

    raw: bool
    """Whether the raw weights are scored, or their averages."""

    def named_states(self) -> Arrays:
        return _named("state", self.states)

    def run(self, learner: Any) -> Outcome:
        """Let a learner read all batches: learn from each, then score each."""
        for kind, tensors in self.tensors.items():
            learner.set(kind, tensors)
        states = [[state.copy() for state in layer] for layer in self.states]
        steps = [
            learner.step(states, batch, update)
            for batch, update in zip(self.batches, self.updates, strict=True)
        ]
        arrays = {
            f"{kind} {name}": tensor
            for kind, tensors in learner.tensors.items()
            # Where a step came to nothing, nobody reads what it has left there.
            if kind != "gradients" or steps[-1].is_finite
            for name, tensor in tensors.items()
        }
        arrays |= _named("state", states)
        scores = [learner.score(states, batch, raw=self.raw) for batch in self.batches]
        return Outcome(steps, scores, arrays | _named("scored state", states))

    def reference(self) -> Outcome:
        """What `add_in_order` comes to."""
        return self.run(ReferenceLearner(self.network, self.vocab_size))


@dataclass
class Outcome:
    """What a learner has made of a case."""

    steps: list[StepFigures]
    scores: list[BatchFigures]
    arrays: Arrays

    def named(self, kind: str) -> Arrays:
        """The arrays whose names begin with this word."""
        return {name: array for name, array in self.arrays.items() if name.split()[0] == kind}

    def differences(self, other: Outcome) -> list[str]:
        """What differs in any bit. A figure that is not finite is like any other."""
        found = [
            f"{name} {place}"
            for name, own, others in (
                ("step", self.steps, other.steps),
                ("score", self.scores, other.scores),
            )
            for place, (a, b) in enumerate(zip(own, others, strict=True))
            if a != b and (math.isfinite(_weakest(a)) or math.isfinite(_weakest(b)))
        ]
        return found + [
            name
            for name, array in self.arrays.items()
            if name not in other.arrays or _bits(array) != _bits(other.arrays[name])
        ]


def _bits(array: Float32) -> bytes:
    """The numbers bit for bit; processors write NaN in more than one way."""
    return np.where(np.isnan(array), np.float32(np.nan), array).tobytes()


def _weakest(figures: BatchFigures) -> float:
    """Not finite where one of the figures is not."""
    return figures.loss + getattr(figures, "norm", 0.0)


def _named(name: str, states: States) -> Arrays:
    return {
        f"{name} {depth}.{place}": state.copy()
        for depth, layer in enumerate(states)
        for place, state in enumerate(layer)
    }


def random_case(draw: Draw, steps: int = 2, **sizes: int) -> Case:
    """A case of these sizes, the others drawn: `hidden`, `embedding`, `vocab`, `times`, `rows`."""
    network = NetworkConfig(
        cell=draw.of(get_args(CellKind)),
        input=draw.of(["embedding", "embedding", *get_args(InputKind)]),
        num_layers=draw.of([1, 1, 2, 2, 3]),
        hidden_size=sizes.get("hidden") or draw.size(33),
        embedding_size=sizes.get("embedding") or draw.size(40),
        residual=draw.one_in(2),
    )
    vocab = sizes.get("vocab") or 1 + draw.size(70)
    times = sizes.get("times") or draw.size(7)
    rows = sizes.get("rows") or draw.of([1, 2, 3, 15, 16, 17, 33, draw.size(20)])
    reach = draw.of(REACHES)
    shapes = network.tensor_shapes(vocab)
    tensors = {
        kind: {name: draw.floats(shape, reach) for name, shape in shapes.items()}
        for kind in KINDS[:2]
    }
    tensors |= _moments(draw, shapes)
    states = ReferenceLearner(network, vocab).start(rows)
    for layer in states:
        for state in layer:
            state[:] = draw.floats(state.shape, draw.of([0.0, 0.5, 1.0]))
    batches = [random_batch(draw, vocab, times, rows) for _ in range(steps)]
    return Case(
        network, vocab, tensors, states, batches, random_updates(draw, steps), draw.one_in(2)
    )


def _moments(draw: Draw, shapes: dict[str, tuple[int, ...]]) -> dict[str, Arrays]:
    """Of Adam: none yet, or large, or so small that the next step makes them zero."""
    reach = draw.of([0.0, 1e-3, 2.0**-99, 1e-40])
    means = {name: draw.floats(shape, reach) for name, shape in shapes.items()}
    squares = {name: np.abs(draw.floats(shape, reach)) for name, shape in shapes.items()}
    return {"means": means, "squares": squares}


def random_batch(draw: Draw, vocab: int, times: int, rows: int) -> Batch:
    mask = np.ones((times, rows), np.bool_)
    match draw.below(6):
        case 0:
            mask[:] = False
            mask[-1] = True
        case 1:
            mask[:] = draw.numbers.random(mask.shape) < 0.5
        case 2:
            mask[:, draw.below(rows) :] = False
        case 3:
            mask[draw.below(times) :] = False
    reset = draw.numbers.random(rows) < draw.of([0.0, 0.0, 0.5, 1.0])
    ids = [draw.ids(vocab, times, rows).astype(np.int64) for _ in range(2)]
    return Batch(ids[0], ids[1], mask, reset)


def random_updates(draw: Draw, steps: int) -> list[Update]:
    fixed = {
        "rate": draw.of([0.0, 1e-3, 0.01, 1.0]),
        "weight_decay": draw.of([0.0, 0.01, 1.0]),
        "beta1": draw.of([0.0, 0.9, 0.99]),
        "beta2": draw.of([0.9, 0.99, 0.999]),
        "epsilon": draw.of([1e-8, 1e-8, 1e-3]),
        "grad_clip": draw.of([0.0, 1e-6, 1.0, 1e9]),
        "share": draw.of([0.0, 0.01, 0.5, 1.0]),
        "dropout": draw.of(RATES),
        "input_dropout": draw.of(RATES),
        "seed": draw.word(),
        "locked_dropout": draw.one_in(2),
    }
    first = draw.of([1, 2, 1000])
    return [
        Update(
            **fixed,
            step=step,
            correction1=1 - fixed["beta1"] ** step,
            correction2=1 - fixed["beta2"] ** step,
        )
        for step in range(first, first + steps)
    ]
