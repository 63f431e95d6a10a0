"""The plan: what to train, from the text, the machine and the time.

The rule is small and measured: docs/plan.md has its figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burble.config import GATES
from burble.training.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from burble.config import NetworkConfig, RunConfig

RATES = frozenset({"dropout", "input_dropout", "weight_decay"})
PLANNED = RATES | {"hidden_size"}
"""The knobs that a plan sets where they were not given."""

# One character, forward and backward, is six operations for each weight that it meets.
_OPERATIONS = 6


@dataclass(frozen=True)
class Plan:
    """A run with all its knobs set, and what is expected of it."""

    config: RunConfig
    expected_chars: int
    """Characters it will read."""

    epochs: float
    """How often that goes through the training text."""

    def line(self) -> str:
        """In one line."""
        network, data, training = self.config.network, self.config.data, self.config.training
        return (
            f"plan: {network.cell} {network.num_layers}×{network.hidden_size}, batches of "
            f"{data.batch_size}×{data.seq_len}, learning rate {training.learning_rate:g}, dropout "
            f"{training.dropout:g}, about {_rounded(self.expected_chars):,} characters: "
            f"{self.epochs:.2g} times through the text"
        )


def make_plan(
    config: RunConfig, given: AbstractSet[str], num_ids: int, vocab_size: int, rate: float
) -> Plan:
    """Set what was not given.

    num_ids: tokens to learn from; rate: floating-point operations a second that training makes
    here (`machine.training_rate`).
    """
    steps_per_epoch = max(1, num_ids // (config.data.batch_size * config.data.seq_len))
    budget = Budget.from_config(config.training, steps_per_epoch)
    seconds = math.inf if budget.seconds is None else budget.seconds
    if "hidden_size" not in given and budget.seconds is not None:
        config = _with(config, given, hidden_size=_hidden_size(rate * seconds))
    chars = seconds * rate / operations(config.network, vocab_size)
    if budget.steps is not None:
        chars = min(chars, budget.steps * config.data.batch_size * config.data.seq_len)
    epochs = chars / max(num_ids, 1)
    config = _with(config, given, **_regularization(epochs))
    return Plan(config, int(chars), epochs)


def operations(network: NetworkConfig, vocab_size: int) -> float:
    """Floating-point operations to learn from one character."""
    width = network.input_size(vocab_size) if network.input == "embedding" else 1
    inputs = width + network.hidden_size * (network.num_layers - 1)
    recurrent = network.hidden_size * network.num_layers
    gates = GATES[network.cell] * network.hidden_size
    return _OPERATIONS * (gates * (inputs + recurrent) + network.hidden_size * vocab_size)


def _hidden_size(work: float) -> int:
    """Units for `work` operations in all, in steps of 64."""
    size = 512 * (work / 1.5e13) ** 0.25
    return int(min(max(64 * round(size / 64), 128), 1536))


def _regularization(epochs: float) -> dict[str, float]:
    """The more often a text is read, the less of it may be learned by heart."""
    dropout = min(0.5, max(0.1, 0.1 * epochs**0.6))
    return {
        "dropout": round(dropout, 2),
        "input_dropout": round(0.4 * dropout, 2) if epochs > 4 else 0.0,
        "weight_decay": 0.1 if epochs > 4 else 0.01,
    }


def _with(config: RunConfig, given: AbstractSet[str], **knobs: Any) -> RunConfig:
    return config.with_options({name: knobs[name] for name in knobs if name not in given})


def _rounded(number: int) -> int:
    """Two digits that count."""
    digits = max(0, len(str(number)) - 2)
    return round(number, -digits)
