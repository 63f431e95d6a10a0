"""The rate at which the average of the weights follows the weights, the same for all learners."""

# Early averages cover about the last tenth of the steps, so that the random start is forgotten.
_FIRST_SHARE = 10


def share_of_new(decay: float, steps: int, rate: float) -> float:
    """Return the share of the new weights in their average after this many steps.

    rate: the learning rate as a share of its maximum. Smaller steps are less noisy, so the average
    follows them faster.
    """
    taken = max((1 - decay) / max(rate, 1e-9), _FIRST_SHARE / (steps + _FIRST_SHARE))
    return min(taken, 1.0)
