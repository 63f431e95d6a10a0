from __future__ import annotations

import pytest

from burble.config import TrainingConfig
from burble.training.budget import Budget, Clock, learning_rate


def test_without_a_budget_it_is_one_minute() -> None:
    assert Budget.from_config(TrainingConfig(), 10) == Budget(60.0, None)


def test_epochs_are_counted_in_steps_rounded_up() -> None:
    assert Budget.from_config(TrainingConfig(epochs=1.25), 10) == Budget(None, 13)


@pytest.mark.parametrize(
    ("options", "steps", "seconds", "progress"),
    [
        ({"steps": 100}, 25, 1e9, 0.25),
        ({"minutes": 2}, 10**9, 30, 0.25),
        ({"steps": 100, "minutes": 1}, 50, 15, 0.5),
        ({"steps": 100, "minutes": 1}, 50, 45, 0.75),
        ({"steps": 100, "epochs": 5}, 40, 0, 0.8),
        ({"steps": 100}, 101, 0, 1.0),
    ],
)
def test_whichever_ends_first_counts(
    options: dict[str, float], steps: int, seconds: float, progress: float
) -> None:
    budget = Budget.from_config(TrainingConfig(**options), 10)  # type: ignore[arg-type]
    assert budget.progress(steps, seconds) == pytest.approx(progress)


def test_the_clock_goes_on_from_what_was_spent_before() -> None:
    assert 5.0 <= Clock(before=5.0).seconds() < 6.0


def test_the_step_size_rises_over_the_warm_up_and_falls_to_zero() -> None:
    config = TrainingConfig(learning_rate=0.4, warmup_steps=4)
    rates = [learning_rate(config, step, step / 8) for step in range(9)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[3]
    assert rates[8] == 0


def test_a_constant_schedule_stays() -> None:
    config = TrainingConfig(learning_rate=0.4, warmup_steps=0, schedule="constant")
    assert {learning_rate(config, step, step / 8) for step in range(9)} == {0.4}
