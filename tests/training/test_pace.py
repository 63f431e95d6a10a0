"""How many threads a step takes, on machines made up of a time for each number."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from burble.training.learners.native.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

CALM = {1: 17.0, 2: 10.0}
# As measured with a busy process on one of two cores.
BUSY = {1: 17.5, 2: 28.6}


def run(pace: Pace, seconds: Mapping[int, float], steps: int, noise: float = 0.0) -> list[int]:
    """Return the threads of each step on a machine that takes these seconds, but for noise."""
    draw = random.Random(steps)  # noqa: S311 - not a secret
    taken = []
    for _ in range(steps):
        taken.append(pace.threads)
        pace.record(seconds[pace.threads] * (1 + noise * draw.random()))
    return taken


def cost(taken: list[int], seconds: Mapping[int, float]) -> float:
    """How much longer than with the best number all the time."""
    return sum(seconds[threads] for threads in taken) / (len(taken) * min(seconds.values()))


@pytest.mark.parametrize("most", [1, 2, 3, 6, 7, 64])
def test_it_begins_with_all_and_tries_no_more_than_it_may(most: int) -> None:
    pace = Pace(most)
    assert pace.threads == most
    taken = run(pace, {threads: 1 / threads for threads in range(1, most + 1)}, 200)
    assert set(taken) == ({1} if most == 1 else {most, most // 2})
    assert taken[10:] == [most] * 190


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_a_calm_machine_stays_with_all(noise: float) -> None:
    taken = run(Pace(2), CALM, 1000, noise)
    assert Counter(taken[10:])[1] == 0


def test_small_steps_take_the_number_that_is_quickest() -> None:
    seconds = {8: 9.0, 4: 5.0, 2: 4.0, 1: 6.0}
    taken = run(Pace(8), seconds, 1000)
    assert taken[:14] == [8, 8, 8, 4, 4, 4, 2, 2, 2, 1, 1, 1, 2, 2]
    assert set(taken[12:]) == {2, 4}
    assert cost(taken, seconds) < 1.03


def test_a_competitor_makes_it_fewer_and_all_come_back_when_it_ends() -> None:
    pace = Pace(2)
    run(pace, CALM, 100)
    taken = run(pace, BUSY, 200, noise=0.1)
    assert 1 in taken[:12]
    assert Counter(taken[20:])[1] > 160
    assert cost(taken, BUSY) < 1.15
    back = run(pace, CALM, 200)
    assert Counter(back[50:])[2] == 150


def test_all_processors_come_back_in_one_go() -> None:
    pace = Pace(8)
    run(pace, {8: 9.0, 4: 8.0, 2: 7.0, 1: 6.0}, 100)
    taken = run(pace, {8: 1.0, 4: 2.0, 2: 4.0, 1: 6.0}, 100)
    assert taken[60:] == [8] * 40


def test_one_step_that_something_holds_up_changes_nothing() -> None:
    pace = Pace(2)
    run(pace, CALM, 50)
    for _ in range(20):
        pace.record(1000.0)
        assert run(pace, CALM, 9) == [2] * 9


def test_a_machine_that_gets_slower_for_good_is_not_tried_again_and_again() -> None:
    pace = Pace(2)
    run(pace, CALM, 100)
    slow = {threads: 2 * seconds for threads, seconds in CALM.items()}
    taken = run(pace, slow, 1000, noise=0.1)
    assert Counter(taken)[1] <= 6


def test_a_number_that_lost_long_ago_is_not_taken_for_what_it_took_then() -> None:
    pace = Pace(4)
    run(pace, {4: 10.0, 2: 19.0, 1: 36.0}, 50)
    busy = {4: 80.0, 2: 60.0, 1: 50.0}
    assert cost(run(pace, busy, 300), busy) < 1.1
