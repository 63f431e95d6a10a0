"""Plan what to train, given the text, the machine and the time (measured in docs/plan.md)."""

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

# The planned number of units is a multiple of this.
_STEP = 128

# With fewer characters for each weight, a smaller network learns more (docs/plan.md).
_CHARS_PER_WEIGHT = 2.5


@dataclass(frozen=True)
class Plan:
    """A run with every option decided, and how much it will read."""

    config: RunConfig
    expected_chars: int  # characters that it will read
    epochs: float  # how often it will read the training text

    def line(self) -> str:
        """Return the plan as one line for the user."""
        network, data, training = self.config.network, self.config.data, self.config.training
        return (
            f"plan: {network.cell} {network.num_layers}×{network.hidden_size}, batches of "
            f"{data.batch_size}×{data.seq_len}, learning rate {training.learning_rate:g}, dropout "
            f"{training.dropout:g}, about {_round(self.expected_chars):,} characters: "
            f"{_format_times(self.epochs)} through the text"
        )


@dataclass(frozen=True)
class Steps:
    """The sizes of a training step, and how many steps make an epoch."""

    read: int  # tokens that the network reads
    targets: int  # tokens that it predicts: all of them, but only one for each window
    per_epoch: int

    @classmethod
    def of(cls, batching: Batching, seq_len: int) -> Self:
        """Return the steps of a way of batching."""
        return cls(batching.rows * seq_len, batching.targets, batching.steps_per_epoch)


def make_plan(
    config: RunConfig, names: frozenset[str], steps: Steps, vocab_size: int, speed: Throughput
) -> Plan:
    """Decide the options with these names, which are among `PLANNED`."""
    budget = Budget.from_config(config.training, steps.per_epoch)
    count = math.inf if budget.steps is None else budget.steps
    if budget.seconds is not None:
        work = functools.partial(speed.work, budget.seconds)
        if "hidden_size" in names:
            size = _choose_hidden_size(config.network, vocab_size, work)
            config = replace(config, network=replace(config.network, hidden_size=size))
        read = operations(config.network, vocab_size) * steps.read
        count = min(count, work(config.network.hidden_size) / read)
    epochs = count / steps.per_epoch
    found = _choose_regularization(epochs, steps.per_epoch * steps.targets)
    config = config.with_options({name: found[name] for name in found.keys() & names})
    return Plan(config, int(count * steps.targets), epochs)


def _choose_hidden_size(
    network: NetworkConfig, vocab_size: int, work: Callable[[int], float]
) -> int:
    """Return the largest size for which the run reads enough characters for each weight.

    work: returns the operations of a run, given its hidden size.
    """
    most = 256 * round(500 * (work(512) / 2e13) ** 0.125 / 256)
    sizes = range(min(max(most, _STEP), 1024), _STEP, -_STEP)
    fitting = (size for size in sizes if _reads_enough(network, size, vocab_size, work(size)))
    return next(fitting, _STEP)


def _reads_enough(network: NetworkConfig, hidden_size: int, vocab_size: int, work: float) -> bool:
    wide = replace(network, hidden_size=hidden_size)
    characters = work / operations(wide, vocab_size)
    return characters >= _CHARS_PER_WEIGHT * num_weights(wide, vocab_size)


def _choose_regularization(epochs: float, length: int) -> dict[str, float]:
    """Return dropout and weight decay. A text is memorised if it is short and read often."""
    dropout = min(0.7, max(0.1, 0.1 * epochs**0.5 * (1e6 / length) ** 0.12))
    return {
        "dropout": round(dropout, 2),
        "input_dropout": round(0.4 * dropout, 2) if epochs > 4 else 0.0,
        "weight_decay": 0.1 if epochs > 4 else 0.01,
    }


def _format_times(epochs: float) -> str:
    if epochs >= 10:
        return f"{_round(round(epochs)):,} times"
    places = max(1, 1 - math.floor(math.log10(max(epochs, 1e-9))))
    return f"{epochs:.{places}f} times"


def _round(number: int) -> int:
    digits = max(0, len(str(number)) - 2)
    return round(number, -digits)
