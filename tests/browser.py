"""A real browser without a window; the test skips, with the reason, where there is none."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

# Keys as WebDriver has them.
ENTER, CONTROL, ESCAPE, ARROW_RIGHT = "\ue007", "\ue009", "\ue00c", "\ue014"

_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    # A frame in a process of its own would keep its messages to itself.
    "--disable-features=IsolateSandboxedIframes"
)


@contextmanager
def browser(*flags: str) -> Iterator[Chrome]:
    """Chromium, driven; `get_log("browser")` has what pages said to the console."""
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not both installed")
    with tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*_FLAGS.split(), f"--user-data-dir={profile}", *flags):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
        try:
            yield opened
        finally:
            opened.quit()


@contextmanager
def open_page(path: Path, width: int = 1280, height: int = 900) -> Iterator[Chrome]:
    with browser() as opened:
        set_size(opened, width, height)
        opened.get(path.resolve().as_uri())
        yield opened


def set_size(opened: Chrome, width: int, height: int) -> None:
    """The page's own width and height, narrower than any window may be."""
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )


def set_scheme(opened: Chrome, scheme: str) -> None:
    """Light or dark, as the person's system has it."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def messages(opened: Chrome) -> list[str]:
    """What the page said to the console since it was last asked: errors, refusals, warnings."""
    return [entry["message"] for entry in opened.get_log("browser")]
