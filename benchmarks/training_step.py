"""The training step in parts, and bare products of its matrices, for `benchmarks/training.py`."""

from __future__ import annotations

import itertools
import math
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from burble.config import DataConfig, NetworkConfig, RunConfig, TrainingConfig
from burble.data.registry import BATCHINGS
from burble.training.budget import learning_rate
from burble.training.dropout import draw_masks
from burble.training.initial import initial_weights
from burble.training.learner import BatchFigures
from burble.training.learners.torch.average import WeightAverage
from burble.training.learners.torch.loss import loss_of
from burble.training.learners.torch.network import Network
from burble.training.learners.torch.optimizer import adamw, clip_gradients
from burble.training.plan import operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from burble.config import TrainingPrecision
    from burble.data.batch import Batch

VOCAB_SIZE = 65
TEXT_LENGTH = 1_000_000
SEQ_LEN = 32
WARM_UP = 5
# A square product of this size shows what the machine gives at best.
BEST_SIZE = 1024

PHASES = ("batch", "forward", "backward", "clip", "AdamW", "average", "count")
LEARNING = ("forward", "backward")


@dataclass(frozen=True)
class RandomText:
    """What a way of batching and a score ask of a text."""

    train_ids: np.ndarray[Any, np.dtype[np.uint8]]
    val_ids: np.ndarray[Any, np.dtype[np.uint8]]

    @property
    def tokenizer(self) -> RandomText:
        """Itself: one id is one character."""
        return self

    def count_characters(self, ids: np.ndarray[Any, Any]) -> int:
        """As many as ids."""
        return len(ids)


class Step:
    """The trainer's step, in parts that can be timed."""

    def __init__(self, config: RunConfig) -> None:
        ids = np.random.default_rng(0).integers(VOCAB_SIZE, size=TEXT_LENGTH).astype(np.uint8)
        self._text: Any = RandomText(ids, ids[:0])
        self._config = config
        self._training = config.training
        self._batching = BATCHINGS[config.data.batching](self._text, config.data, 0)
        weights = initial_weights(config.network, VOCAB_SIZE, 0)
        self._network = Network(config.network, weights, config.training.precision)
        self._optimizer = adamw(self._network, config.training)
        self._average = WeightAverage(self._network, config.training.averaging)
        self._carried = self._network.start(self._batching.rows)
        self._step = 0
        self._batch: Batch
        self._loss: Any
        self._correct: Any

    def phases(self) -> list[Callable[[], object]]:
        """In the order of `PHASES`."""
        return [
            self._read,
            self._forward,
            self._backward,
            self._clip,
            self._optimize,
            self._follow,
            self._count,
        ]

    def seconds(self) -> list[float]:
        """Make a step; what each of `PHASES` took."""
        marks = [time.perf_counter()]
        for phase in self.phases():
            phase()
            marks.append(time.perf_counter())
        return [after - before for before, after in itertools.pairwise(marks)]

    def _read(self) -> None:
        self._batch = self._batching.batch(self._step)

    def _forward(self) -> None:
        drawn = draw_masks(self._config, VOCAB_SIZE, self._step, self._batch.inputs.shape)
        masks = tuple(None if mask is None else torch.from_numpy(mask) for mask in drawn)
        self._loss, self._correct, self._carried = loss_of(
            self._network, self._batch, self._carried, torch.device("cpu"), masks
        )

    def _backward(self) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        self._loss.backward()

    def _clip(self) -> None:
        norm = clip_gradients(self._network, self._training.grad_clip or math.inf)
        assert math.isfinite(self._loss.item())
        assert math.isfinite(norm)

    def _optimize(self) -> None:
        # Half way: as most steps, past the warm-up.
        rate = learning_rate(self._training, self._training.warmup_steps, 0.5)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()

    def _follow(self) -> None:
        self._step += 1
        self._average.update(self._step, 0.5)

    def _count(self) -> None:
        figures = BatchFigures(self._loss.item(), int(self._correct.item()))
        score = figures.score(self._batch, self._text.tokenizer)
        assert score.num_characters == self._batch.mask.size


class Products:
    """The bare products of a step, into places that are there already."""

    def __init__(self, network: NetworkConfig, batch: int, dtype: torch.dtype) -> None:
        self._layers = []
        width = network.embedding_size
        for _ in range(network.num_layers):
            hidden = network.hidden_size
            over_time = pair(batch * SEQ_LEN, width, 4 * hidden, dtype)
            self._layers.append((over_time, pair(batch, hidden, 4 * hidden, dtype)))
            width = hidden
        self._head = pair(batch * SEQ_LEN, width, VOCAB_SIZE, dtype)

    def seconds(self) -> float:
        """Make them all; what that took."""
        started = time.perf_counter()
        for _ in range(3):
            for inputs, recurrent in self._layers:
                torch.mm(inputs[0], inputs[1], out=inputs[2])
                for _ in range(SEQ_LEN):
                    torch.mm(recurrent[0], recurrent[1], out=recurrent[2])
            torch.mm(self._head[0], self._head[1], out=self._head[2])
        return time.perf_counter() - started


def pair(
    rows: int, inner: int, columns: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two random matrices and room for their product."""
    shapes = (rows, inner), (inner, columns), (rows, columns)
    left, right, product = (torch.randn(shape, dtype=dtype) for shape in shapes)
    return left, right, product


@dataclass(frozen=True)
class Result:
    """One network and batch. GFLOP/s are of the products' operations alone."""

    model: str
    precision: str
    batch: int
    step_ms: float
    chars_per_second: float
    step_gflops: float
    learning_gflops: float
    """Of forward and backward alone."""

    product_gflops: float
    shares: dict[str, float]
    """Of each phase in the step."""

    @property
    def outside(self) -> float:
        """What all but forward and backward take of the step."""
        return sum(share for phase, share in self.shares.items() if phase not in LEARNING)


def measure(
    model: str, batch: int, precision: TrainingPrecision, rounds: int, steps: int
) -> Result:
    """Steps and products in turn; medians over all rounds."""
    layers, hidden = map(int, model.split("x"))
    network = NetworkConfig(num_layers=layers, hidden_size=hidden)
    data = DataConfig(batch_size=batch, seq_len=SEQ_LEN)
    training = TrainingConfig(precision=precision)
    step = Step(RunConfig(network=network, data=data, training=training))
    products = Products(network, batch, getattr(torch, precision))
    for _ in range(WARM_UP):
        step.seconds()
        products.seconds()
    taken, bare = [], []
    with torch.no_grad():
        for _ in range(rounds):
            with torch.enable_grad():
                taken += [step.seconds() for _ in range(steps)]
            bare += [products.seconds() for _ in range(steps)]
    phases = [statistics.median(column) for column in zip(*taken, strict=True)]
    whole = sum(phases)
    learning = sum(t for name, t in zip(PHASES, phases, strict=True) if name in LEARNING)
    work = operations(network, VOCAB_SIZE) * batch * SEQ_LEN / 1e9
    return Result(
        model=model,
        precision=precision,
        batch=batch,
        step_ms=whole * 1e3,
        chars_per_second=batch * SEQ_LEN / whole,
        step_gflops=work / whole,
        learning_gflops=work / learning,
        product_gflops=work / statistics.median(bare),
        shares={name: t / whole for name, t in zip(PHASES, phases, strict=True)},
    )


def best_gflops(precision: str) -> float:
    """Of a large square product: the fastest of some."""
    a, b, c = pair(BEST_SIZE, BEST_SIZE, BEST_SIZE, getattr(torch, precision))
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        torch.mm(a, b, out=c)
        seconds.append(time.perf_counter() - started)
    return 2 * BEST_SIZE**3 / min(seconds) / 1e9
