"""The page's engine writes the golden texts, as every engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import browser
from tests.engine.test_golden import CASES, golden
from tests.export.pages import open_page, write
from tests.models import random_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

# A page writes one text, that of stream 0.
NAMES = [name for name, case in CASES.items() if "stream" not in case["request"]]


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with browser() as opened:
        yield opened


def settings(case: dict[str, Any]) -> dict[str, Any]:
    stops = [stop.replace("\n", "\\n") for stop in case["request"].get("stop", ())]
    return {**case["request"], **case["sampling"], "stop": "\n".join(stops)}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_writes_the_golden_text(driver: Chrome, name: str, tmp_path: Path) -> None:
    case = CASES[name]
    open_page(driver, random_model(**case["model"]), tmp_path)
    assert write(driver, **settings(case)) == golden()[name]["text"]
    assert driver.get_log("browser") == []
