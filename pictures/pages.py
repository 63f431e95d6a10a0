"""Pictures of burble's pages in headless Chromium, light and dark."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.browser import browser, set_scheme
from tests.serving.server import burble_serve, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

SCHEMES = ("light", "dark")
SIZE = (640, 760)
"""Width and height of a page, in its own pixels: half a README wide, its letters can be read."""

# Pixels of the picture for one of the page, and the quality of WebP: letters stay sharp.
_SCALE, _QUALITY = 2, 75


def photograph_playground(
    model: Path, prompt: str, seed: int, place: int, folder: Path
) -> list[Path]:
    """Let the page of `burble serve` write, put the cursor at a place, and keep pictures of it."""
    with burble_serve(model) as server, _open() as driver:
        driver.get(server.address)
        until(lambda: _find_all(driver, "#model option"))
        _find(driver, "#text").send_keys(prompt)
        _find(driver, "#seed").send_keys(str(seed))
        _find(driver, "#go").click()
        # What is written is coloured at its end, once it may be edited again.
        until(
            lambda: (
                _find_all(driver, "#colours span")
                and not _find(driver, "#text").get_property("readOnly")
            )
        )
        driver.execute_script(
            "const area = document.getElementById('text'); area.focus({preventScroll: true});"
            "area.setSelectionRange(arguments[0], arguments[0]); window.scrollTo(0, 0);",
            place,
        )
        until(lambda: _find_all(driver, "#next button"))
        return _photograph(driver, folder / "playground")


def photograph_inside(page: Path, place: int, folder: Path) -> list[Path]:
    """Open a page of `burble inspect --html`, click a character, and keep pictures of it."""
    with _open() as driver:
        driver.get(page.resolve().as_uri())
        until(lambda: _find_all(driver, "#text span"))
        _find(driver, f'#text [data-place="{place}"]').click()
        driver.execute_script("window.scrollTo(0, 0)")
        return _photograph(driver, folder / "inside")


@contextmanager
def _open() -> Iterator[Chrome]:
    with browser("--hide-scrollbars") as driver:
        width, height = SIZE
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": _SCALE, "mobile": False},
        )
        yield driver


def _photograph(driver: Chrome, stem: Path) -> list[Path]:
    paths = []
    for scheme in SCHEMES:
        set_scheme(driver, scheme)
        _wait_for_frame(driver)
        shot = driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"format": "webp", "quality": _QUALITY}
        )
        path = stem.with_name(f"{stem.name}-{scheme}.webp")
        path.write_bytes(base64.b64decode(shot["data"]))
        paths.append(path)
    return paths


def _wait_for_frame(driver: Chrome) -> None:
    """Wait until what a change of the scheme redraws has been painted."""
    driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));"
    )


def _find(driver: Chrome, selector: str) -> WebElement:
    return driver.find_element("css selector", selector)


def _find_all(driver: Chrome, selector: str) -> list[WebElement]:
    return driver.find_elements("css selector", selector)
