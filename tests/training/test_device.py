from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")

from burble.errors import UsageError
from burble.training.learners.torch.device import find_device


def test_the_processor_is_always_there() -> None:
    assert find_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda:77", "toaster", "auto", "meta", "hpu"])
def test_a_device_that_is_not_there_is_one_message(name: str) -> None:
    with pytest.raises(UsageError, match=f"The device '{name}' cannot be used"):
        find_device(name)


def test_a_name_that_torch_does_not_know_is_answered_without_its_list() -> None:
    with pytest.raises(UsageError, match=r"there is none of that name\. Use cpu"):
        find_device("gpu")


def test_a_device_of_a_long_name_is_one_short_message() -> None:
    with pytest.raises(UsageError) as caught:
        find_device("x" * 50_000)
    assert len(str(caught.value)) < 500
