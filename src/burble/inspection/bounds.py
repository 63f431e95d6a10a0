"""How much of a text is looked at in one go."""

from dataclasses import dataclass

from burble.cells import CELLS
from burble.config import NetworkConfig

# Gates and states, of the cell that has the most of them.
VALUES_PER_UNIT = max(len(cell.values) for cell in CELLS.values())


@dataclass(frozen=True)
class Bounds:
    max_tokens: int  # each is laid out with a colour of its own
    max_values: int  # values of gates and states, a byte each

    def longest(self, network: NetworkConfig) -> int:
        """Tokens of the longest text that a report on this network holds: one at least."""
        numbers = VALUES_PER_UNIT * network.num_layers * network.hidden_size
        return max(1, min(self.max_tokens, self.max_values // numbers))
