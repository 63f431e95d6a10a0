"""One browser for all tests of exported pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome


@pytest.fixture(scope="session")
def driver() -> Iterator[Chrome]:
    with browser() as opened:
        yield opened
