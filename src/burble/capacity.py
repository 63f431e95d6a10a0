"""Count the weights of a network, and the operations it takes to learn."""

import math

from burble.config import NetworkConfig

# Forward is a multiply and an add for each weight; backward is twice that.
_OPERATIONS = 6


def num_weights(network: NetworkConfig, vocab_size: int) -> int:
    return sum(map(math.prod, network.tensor_shapes(vocab_size).values()))


def operations(network: NetworkConfig, vocab_size: int) -> int:
    """Count the floating-point operations to learn from one character.

    The embedding is left out: a character reads one row of it.
    """
    shapes = network.tensor_shapes(vocab_size)
    used = sum(
        math.prod(shape)
        for name, shape in shapes.items()
        if len(shape) == 2 and name != "embedding.weight"
    )
    return _OPERATIONS * used
