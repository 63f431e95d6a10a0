"""A real browser, without a window, for what is made to be opened in one."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def open_page(path: Path, width: int = 1280, height: int = 900) -> Iterator[WebDriver]:
    """Chromium with the file opened; the test skips, with the reason, where there is none."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("there is no chromium with its chromedriver here")
    options = selenium.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        service = selenium.ChromeService(executable_path=driver)
        with selenium.Chrome(options=options, service=service) as opened:
            set_size(opened, width, height)
            opened.get(path.resolve().as_uri())
            yield opened


def set_size(browser: WebDriver, width: int, height: int) -> None:
    """The page's own width and height, narrower than any window may be."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )


def set_scheme(browser: WebDriver, scheme: str) -> None:
    """Light or dark, as the person's system has it."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def messages(browser: WebDriver) -> list[str]:
    """What the page said in its console since it was last asked: errors, refusals, warnings."""
    return [entry["message"] for entry in browser.get_log("browser")]
