"""The plan: what to train, from the text, the machine and the time; measured in docs/plan.md."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from burble.capacity import num_weights, operations
from burble.config import NetworkConfig, RunConfig
from burble.data.batch import Batching
from burble.training.budget import Budget
from burble.training.learner import Throughput

# Units come in steps of so many.
_STEP = 128

# A network that reads less learns less than a smaller one would (docs/plan.md).
_CHARS_PER_WEIGHT = 2.5


@dataclass(frozen=True)
class Plan:
    config: RunConfig
    expected_chars: int  # characters it will read
    epochs: float  # how often that goes through the training text

    def line(self) -> str:
        network, data, training = self.config.network, self.config.data, self.config.training
        return (
            f"plan: {network.cell} {network.num_layers}×{network.hidden_size}, batches of "
            f"{data.batch_size}×{data.seq_len}, learning rate {training.learning_rate:g}, dropout "
            f"{training.dropout:g}, about {_rounded(self.expected_chars):,} characters: "
            f"{_times(self.epochs)} through the text"
        )


@dataclass(frozen=True)
class Steps:
    """What one step of a run reads, and how many make an epoch."""

    read: int  # tokens that go through the network
    targets: int  # tokens that are asked for: all of them, but in windows one for each
    per_epoch: int

    @classmethod
    def of(cls, batching: Batching, seq_len: int) -> Self:
        return cls(batching.rows * seq_len, batching.targets, batching.steps_per_epoch)


def make_plan(
    config: RunConfig, names: frozenset[str], steps: Steps, vocab_size: int, speed: Throughput
) -> Plan:
    """Set the options of these names, among `PLANNED`."""
    budget = Budget.from_config(config.training, steps.per_epoch)
    count = math.inf if budget.steps is None else budget.steps
    if budget.seconds is not None:
        work = functools.partial(speed.work, budget.seconds)
        if "hidden_size" in names:
            size = _hidden_size(config.network, vocab_size, work)
            config = replace(config, network=replace(config.network, hidden_size=size))
        read = operations(config.network, vocab_size) * steps.read
        count = min(count, work(config.network.hidden_size) / read)
    epochs = count / steps.per_epoch
    found = _regularization(epochs, steps.per_epoch * steps.targets)
    config = config.with_options({name: found[name] for name in found.keys() & names})
    return Plan(config, int(count * steps.targets), epochs)


def _hidden_size(network: NetworkConfig, vocab_size: int, work: Callable[[int], float]) -> int:
    """Return the most units that leave each weight its share of characters.

    work: the operations of a run with so many units.
    """
    most = 256 * round(500 * (work(512) / 2e13) ** 0.125 / 256)
    sizes = range(min(max(most, _STEP), 1024), _STEP, -_STEP)
    return next((size for size in sizes if _enough(network, size, vocab_size, work(size))), _STEP)


def _enough(network: NetworkConfig, hidden_size: int, vocab_size: int, work: float) -> bool:
    wide = replace(network, hidden_size=hidden_size)
    characters = work / operations(wide, vocab_size)
    return characters >= _CHARS_PER_WEIGHT * num_weights(wide, vocab_size)


def _regularization(epochs: float, length: int) -> dict[str, float]:
    """The more often a text is read, and the shorter it is, the easier it is learned by heart."""
    dropout = min(0.7, max(0.1, 0.1 * epochs**0.5 * (1e6 / length) ** 0.12))
    return {
        "dropout": round(dropout, 2),
        "input_dropout": round(0.4 * dropout, 2) if epochs > 4 else 0.0,
        "weight_decay": 0.1 if epochs > 4 else 0.01,
    }


def _times(epochs: float) -> str:
    if epochs >= 10:
        return f"{_rounded(round(epochs)):,} times"
    places = max(1, 1 - math.floor(math.log10(max(epochs, 1e-9))))
    return f"{epochs:.{places}f} times"


def _rounded(number: int) -> int:
    digits = max(0, len(str(number)) - 2)
    return round(number, -digits)
