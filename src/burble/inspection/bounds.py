"""Limit how much text is inspected at a time."""

from dataclasses import dataclass

from burble.cells import CELLS
from burble.config import NetworkConfig

# Gates and states of the cell that has the most.
VALUES_PER_UNIT = max(len(cell.values) for cell in CELLS.values())


@dataclass(frozen=True)
class Bounds:
    max_tokens: int  # the page has one coloured element for each
    max_values: int  # values of gates and states; the page has one byte for each

    def longest(self, network: NetworkConfig) -> int:
        """Return how many tokens a report on this network can show: at least one."""
        numbers = VALUES_PER_UNIT * network.num_layers * network.hidden_size
        return max(1, min(self.max_tokens, self.max_values // numbers))
