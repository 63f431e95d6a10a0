"""How fast the average of the weights follows them: one recipe for every learner."""

# The first steps are averaged over about a tenth of them, so that the random start is forgotten.
_FIRST_SHARE = 10


def share_of_new(decay: float, steps: int, rate: float) -> float:
    """Return what the weights count for in their average after so many steps.

    rate: the step size as a share of its highest. As steps get smaller there is less to even out,
    and the average follows faster.
    """
    taken = max((1 - decay) / max(rate, 1e-9), _FIRST_SHARE / (steps + _FIRST_SHARE))
    return min(taken, 1.0)
