"""The page's engine writes the golden texts, as every engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.test_golden import CASES, golden
from tests.export.pages import open_page, write
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome

# A page writes one text, that of stream 0.
NAMES = [name for name, case in CASES.items() if "stream" not in case["request"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_writes_the_golden_text(driver: Chrome, name: str, tmp_path: Path) -> None:
    case = CASES[name]
    open_page(driver, random_model(**case["model"]), tmp_path)
    assert write(driver, **case["request"], **case["sampling"]) == golden()[name]["text"]
    assert driver.get_log("browser") == []
