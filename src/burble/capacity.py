"""How large a network is, and how much work it makes."""

import math

from burble.config import NetworkConfig

# One character, forward and backward, is six operations for each weight that it meets.
_OPERATIONS = 6


def num_weights(network: NetworkConfig, vocab_size: int) -> int:
    return sum(map(math.prod, network.tensor_shapes(vocab_size).values()))


def operations(network: NetworkConfig, vocab_size: int) -> int:
    """Count the floating-point operations to learn from one character; an embedding is one row."""
    shapes = network.tensor_shapes(vocab_size)
    met = sum(
        math.prod(shape)
        for name, shape in shapes.items()
        if len(shape) == 2 and name != "embedding.weight"
    )
    return _OPERATIONS * met
