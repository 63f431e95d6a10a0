"""The page of a trace, in a real browser: it shows what was traced, and nothing in it runs."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from burble.engine.trace import trace
from burble.inspection.trace.report import STEPS, pack, report
from burble.inspection.trace.series import Choice
from tests.browser import messages, open_page, set_scheme, set_size
from tests.inspection.readings import HOSTILE, read
from tests.models import random_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from burble.model_file import ModelFile

MODEL = random_model(num_layers=2, hidden_size=40)
TEXT = "abc hag\nbed " * 20


def write_report(
    folder: Path, model: ModelFile, text: str, choice: Choice | None = None, name: str = "page.html"
) -> Path:
    path = folder / name
    page = report(model, read(model, text), choice or Choice(), top=5)
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with open_page(write_report(tmp_path_factory.mktemp("report"), MODEL, TEXT)) as browser:
        yield browser


@pytest.fixture
def page(opened: Chrome) -> Chrome:
    """The page of MODEL reading TEXT, as it is when it is opened."""
    set_size(opened, 1280, 900)
    opened.refresh()
    return opened


def find(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element("css selector", selector)


def letter(browser: Chrome, place: int) -> WebElement:
    return find(browser, f'[data-place="{place}"]')


def place(browser: Chrome) -> int:
    """The character that is looked at, from 0, as the heading has it."""
    return int(find(browser, "#what").text.rsplit(" of ")[0].split()[-1]) - 1


def colours(browser: Chrome) -> list[str]:
    script = "return [...document.querySelectorAll('#text span')].map(s => s.style.backgroundColor)"
    found: list[str] = browser.execute_script(script)
    return found


def press(browser: Chrome, selector: str, *keys: str) -> None:
    browser.execute_script("document.querySelector(arguments[0]).focus()", selector)
    for key in keys:
        find(browser, selector).send_keys(key)


def row(browser: Chrome, gate: str) -> list[float]:
    """What the page says of a gate here: the mean, and the unit's value."""
    cells = browser.find_elements("css selector", "#gates tbody tr")
    texts = next(line.text.split() for line in cells if line.text.startswith(gate))
    return [float(text.replace("−", "-")) for text in texts[1:]]


# What it shows.


def test_it_opens_without_a_message_and_asks_for_nothing_else(page: Chrome) -> None:
    assert messages(page) == []
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert "2×40 LSTM units" in find(page, "#summary").text


def test_the_text_is_there_character_by_character(page: Chrome) -> None:
    script = "return [...document.querySelectorAll('#text span')].map(s => s.textContent)"
    assert "".join(page.execute_script(script)).replace("⏎\n", "\n") == TEXT


def test_gates_and_guesses_are_those_of_the_trace(page: Chrome) -> None:
    seen = read(MODEL, TEXT)
    letter(page, 7).click()
    unit = int(find(page, "#unit").get_property("value"))
    for gate, values in seen.values.items():
        # In the top layer: to the two decimals shown, and to what eight bits can hold.
        coarse = 0.006 + np.abs(values[:, 1]).max() / (2 * STEPS)
        expected = [values[7, 1].mean(), values[7, 1, unit]]
        np.testing.assert_allclose(row(page, gate), expected, atol=coarse)
    first = find(page, "#guesses tr").text.split()
    best = seen.guesses(1)[6, 0]
    assert first[0] == MODEL.tokenizer.decode(np.array([best])).replace(" ", "␣").replace("\n", "⏎")
    assert f"surprise of {seen.surprisal[7]:.2f} bits" in find(page, "#surprise").text


def test_the_first_character_was_not_predicted(page: Chrome) -> None:
    assert "nothing predicted it" in find(page, "#surprise").text


def test_in_context_the_first_character_was_predicted(tmp_path: Path) -> None:
    whole = read(MODEL, TEXT)
    path = tmp_path / "page.html"
    end = trace(MODEL, whole.ids[100:], whole.ids[:100])
    path.write_text(report(MODEL, end, Choice(), top=5), encoding="utf-8")
    with open_page(path) as browser:
        assert f"surprise of {whole.surprisal[100]:.2f} bits" in find(browser, "#surprise").text
        assert len(browser.find_elements("css selector", "#guesses tr")) == 5
        assert "the 100 characters before it were read first" in find(browser, "#summary").text


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(page: Chrome, width: int) -> None:
    set_size(page, width, 844)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_it_is_light_or_dark_as_the_system_is(page: Chrome) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    script = "return getComputedStyle(document.body).backgroundColor"
    set_scheme(page, "light")
    paper, letters = page.execute_script(script), colours(page)
    set_scheme(page, "dark")
    assert page.execute_script(script) != paper
    WebDriverWait(page, 10).until(lambda page: colours(page) != letters)
    set_scheme(page, "light")
    WebDriverWait(page, 10).until(lambda page: colours(page) == letters)


# What can be done.


def test_the_pointer_looks_and_a_click_keeps(page: Chrome) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page).move_to_element(letter(page, 5)).perform()
    assert place(page) == 5
    ActionChains(page).move_to_element(letter(page, 9)).click().perform()
    ActionChains(page).move_to_element(letter(page, 30)).perform()
    assert place(page) == 9
    press(page, "#text", "\ue00c")  # Escape
    ActionChains(page).move_to_element(letter(page, 31)).perform()
    assert place(page) == 31


def test_a_tap_looks(page: Chrome) -> None:
    set_size(page, 390, 844)
    where = letter(page, 17).rect
    point = {"x": where["x"] + where["width"] / 2, "y": where["y"] + where["height"] / 2}
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for kind, points in (("touchStart", [point]), ("touchEnd", [])):
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    assert place(page) == 17


def test_the_arrow_keys_move_along_the_text(page: Chrome) -> None:
    left, up, right, down, home, end = "\ue012", "\ue013", "\ue014", "\ue015", "\ue011", "\ue010"
    press(page, "#text", right, right, right, left)
    assert place(page) == 2
    press(page, "#text", down)
    assert TEXT[:8].endswith("\n")
    assert place(page) == 8 + 2
    press(page, "#text", up)
    assert place(page) == 2
    press(page, "#text", end, right)
    assert place(page) == len(TEXT) - 1
    press(page, "#text", home)
    assert place(page) == 0
    assert page.execute_script("return document.activeElement.id") == "text"


def test_a_focus_is_seen(page: Chrome) -> None:
    press(page, "#text", "\ue014")
    assert page.execute_script("return getComputedStyle(document.activeElement).outlineWidth") == (
        "3px"
    )


def test_every_control_has_a_name(page: Chrome) -> None:
    for control in page.find_elements("css selector", "input, select, button, [tabindex]"):
        assert control.accessible_name, control.get_attribute("outerHTML")


def test_a_click_on_a_unit_colours_the_text_by_it(page: Chrome) -> None:
    from selenium.webdriver import ActionChains

    before = colours(page)
    units = find(page, "#units")
    corner = (2 - units.size["width"] / 2, 2 - units.size["height"] / 2)
    ActionChains(page).move_to_element_with_offset(units, *map(int, corner)).click().perform()
    assert find(page, "#unit").get_property("value") == "0"
    assert find(page, "[value=unit]").is_selected()
    assert "cell of unit 0" in find(page, "#shown").text
    after = colours(page)
    assert after != before
    cells = read(MODEL, TEXT).values["cell"][:, 1, 0]
    hues = [tuple(re.findall(r"\d+", colour)[:3]) for colour in after]
    assert len(set(hues)) == 2
    is_plus = [hue == hues[int(cells.argmax())] for hue in hues]
    clear = np.abs(cells) > np.abs(cells).max() / STEPS
    assert np.array_equal(np.array(is_plus)[clear], (cells > 0)[clear])


def test_the_arrow_keys_move_among_the_units(page: Chrome) -> None:
    unit = int(find(page, "#unit").get_property("value"))
    press(page, "#units", "\ue012" if unit else "\ue014")
    assert int(find(page, "#unit").get_property("value")) == (unit - 1 if unit else 1)


def test_choosing_a_gate_and_a_layer_shows_them(page: Chrome) -> None:
    before = colours(page)
    find(page, "#gate").send_keys("forget")
    assert "How much of the memory stays" in find(page, "#meaning").text
    by_gate = colours(page)
    find(page, "#layer").send_keys("0")
    assert len({str(colours(page)), str(by_gate), str(before)}) == 3
    assert "forget of all 40 units of layer 0" in find(page, "#units-head").text


def test_the_text_can_be_coloured_by_the_mean(page: Chrome) -> None:
    before = colours(page)
    find(page, "[value=mean]").click()
    assert colours(page) != before
    assert find(page, "#shown").text == "mean cell"


# What it starts with, and with what models.


def test_it_starts_with_what_was_chosen(tmp_path: Path) -> None:
    choice = Choice(layer=0, gate="output", unit=3)
    with open_page(write_report(tmp_path, MODEL, TEXT, choice)) as browser:
        assert find(browser, "[value=unit]").is_selected()
        assert find(browser, "#shown").text == "output of unit 3"
        assert "of layer 0" in find(browser, "#units-head").text


def test_every_kind_of_model_has_a_page(tmp_path: Path) -> None:
    models = {
        "gru": (random_model(cell="gru"), "abc", 4),
        "rnn": (random_model(cell="rnn"), "a", 1),
        "bytes": (random_model(vocabulary=None), "né—\U0001f600", 6),
    }
    paths = {
        name: write_report(tmp_path, model, text, name=f"{name}.html")
        for name, (model, text, _) in models.items()
    }
    with open_page(paths["gru"]) as browser:
        for name, (_, _, gates) in models.items():
            browser.get(paths[name].as_uri())
            assert len(browser.find_elements("css selector", "#gates tbody tr")) == gates
            assert messages(browser) == []
        script = "return [...document.querySelectorAll('#text span')].map(s => s.textContent)"
        shown = browser.execute_script(script)
    assert shown == ["n", "<C3>", "é", "<E2>", "<80>", "—", "<F0>", "<9F>", "<98>", "\U0001f600"]


# What it must not do.


def test_a_hostile_text_is_shown_and_never_run(tmp_path: Path) -> None:
    model = random_model(vocabulary=HOSTILE)
    with open_page(write_report(tmp_path, model, HOSTILE)) as browser:
        assert messages(browser) == []
        assert browser.execute_script("return window.hit") is None
        assert browser.find_elements("css selector", "img") == []
        letters = browser.find_elements("css selector", "#text span")
        shown = [letter.get_property("textContent") for letter in letters]
        press(browser, "#text", *["\ue014"] * 12)
        assert messages(browser) == []
    assert len(shown) == len(HOSTILE)
    assert "".join(shown).startswith("</script><script>window.hit = 1</script>⏎\n<img src=x")
    assert shown[HOSTILE.index("\u2028")] == "U+2028"
    assert shown[HOSTILE.index("\u202e")] == "U+202E"
    assert shown[HOSTILE.index("\x1b")] == "U+001B"
    assert shown[HOSTILE.index("\u0301")] == "◌\u0301"
    assert "{{data}}" in "".join(shown)


def test_its_policy_lets_no_other_script_run(page: Chrome) -> None:
    page.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.hit = 1';"
        "document.body.append(s); const i = new Image(); i.src = 'https://example.org/x.png';"
    )
    assert page.execute_script("return window.hit") is None
    assert sum("Content Security Policy" in message for message in messages(page)) >= 2


# How it keeps values.


def test_values_are_kept_to_half_a_step_of_their_unit() -> None:
    values = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    values[:, 3] *= 1000
    values[:, 5] = 0
    kept = pack(values)
    steps = np.frombuffer(base64.b64decode(kept["steps"]), "<f4")
    whole = np.frombuffer(base64.b64decode(kept["values"]), np.int8).reshape(values.shape)
    assert (np.abs(whole * steps - values) <= 0.51 * steps).all()
    assert np.allclose(steps[[0, 3]], np.abs(values).max(axis=0)[[0, 3]] / STEPS)


def test_500_characters_of_512_units_are_about_two_megabytes() -> None:
    model = random_model(hidden_size=512, embedding_size=64)
    page = report(model, read(model, "abcdefgh \n" * 50), Choice(), top=5)
    assert len(page.encode()) < 2_300_000
