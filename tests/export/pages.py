"""Writing with an exported page as a person does: fill in, press, wait, read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from burble.export import html
from burble.export.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from selenium.webdriver import Chrome

    from burble.model_file import ModelFile

_FILL = "document.getElementById(arguments[0]).value = arguments[1]"


def open_page(driver: Chrome, model: ModelFile, folder: Path, name: str = "model") -> Path:
    path = folder / "page.html"
    html.write(model, path, Labels(name))
    driver.get(path.as_uri())
    return path


def fill(driver: Chrome, **settings: Any) -> None:
    """Set fields; None leaves one empty. Keys cannot be typed for every character there is."""
    for name, value in settings.items():
        shown = _lines(value) if name == "stop" else value
        driver.execute_script(_FILL, name, "" if shown is None else str(shown))


def _lines(stops: Sequence[str]) -> str:
    return "\n".join(stop.replace("\\", "\\\\").replace("\n", "\\n") for stop in stops)


def press(driver: Chrome, button: str) -> None:
    driver.find_element(By.ID, button).click()


def status(driver: Chrome) -> str:
    return text_of(driver, "status")


def text_of(driver: Chrome, place: str) -> str:
    """Exactly what is there: selenium's own `text` trims it."""
    text: str = driver.execute_script(f"return document.getElementById('{place}').textContent")
    return text


def write(driver: Chrome, **settings: Any) -> str:
    fill(driver, **settings)
    press(driver, "write")
    WebDriverWait(driver, 60, 0.02).until(lambda _: status(driver) != "Writing…")
    assert status(driver).startswith("Done"), status(driver)
    return text_of(driver, "written")
