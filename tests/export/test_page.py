"""An exported page: small, safe, and pleasant to write with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from burble.api import Model
from burble.config import NormalizationConfig, SamplingConfig
from burble.engine import input_table
from burble.export import html
from burble.export.labels import Labels
from burble.model_file import ModelFile, Provenance
from tests.export.pages import fill, open_page, press, status, text_of, write
from tests.models import LETTERS, random_model, uniform_model

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome

HOSTILE = "\x00\x07\n\x1b\"&'/<>\\`\x7f\x9b\u2028\u2029\u200f\u202e\ufeff\ufffdאب🙂👩🏽e\u0301"
ATTACK = "</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)>"


def always_the_same(text: str) -> ModelFile:
    """A model that writes these bytes, no byte twice among them, one after the other."""
    model = random_model(cell="rnn", input="one-hot", hidden_size=256, vocabulary=None, scale=0.0)
    ids = np.frombuffer(text.encode(), np.uint8)
    model.weights["layers.0.weight_ih"][ids, ids] = 5.0
    model.weights["head.weight"][np.roll(ids, -1), ids] = 5.0
    return model


# Size.


@pytest.mark.parametrize(
    "shape",
    [
        {"num_layers": 2, "hidden_size": 256, "embedding_size": 64},
        {"num_layers": 1, "hidden_size": 512, "embedding_size": 64},
        {"num_layers": 2, "hidden_size": 256, "cell": "gru", "embedding_size": 64},
        {"num_layers": 2, "hidden_size": 256, "input": "one-hot"},
        {"num_layers": 2, "hidden_size": 256, "input": "scalar"},
    ],
)
def test_a_page_is_under_1_6_times_the_int8_weights(shape: dict[str, Any]) -> None:
    model = random_model(vocabulary="".join(map(chr, range(32, 97))), **shape)
    weights = sum(values.size for values in model.weights.values())  # bytes in int8
    assert len(html.page(model, Labels("model")).encode()) < 1.6 * weights


# Safety.


def test_no_data_can_end_the_block_it_stands_in() -> None:
    page = html.page(random_model(vocabulary=HOSTILE + ATTACK), Labels(ATTACK))
    blocks = re.findall(r'<script id="\w+" type="[\w/]+">(.*?)</script>', page, re.DOTALL)
    assert len(blocks) == 2
    assert "<" not in "".join(blocks)


def test_a_hostile_vocabulary_and_name_are_shown_as_they_are(
    driver: Chrome, tmp_path: Path
) -> None:
    model = uniform_model(HOSTILE + ATTACK)
    open_page(driver, model, tmp_path, name=ATTACK)
    settings = {"prompt": ATTACK, "length": 2000, "seed": 1}
    expected = Model(model).generate(temperature=0.8, **settings)
    assert set(expected) == set(HOSTILE + ATTACK)
    assert write(driver, **settings) == expected
    assert text_of(driver, "begun") == ATTACK
    assert driver.title == driver.find_element(By.TAG_NAME, "h1").text == ATTACK
    assert len(driver.find_elements(By.CSS_SELECTOR, "script")) == 3
    assert driver.find_elements(By.CSS_SELECTOR, "img, #output span *") == []
    assert driver.get_log("browser") == []


def test_a_hostile_address_fills_the_form_and_no_more(driver: Chrome, tmp_path: Path) -> None:
    path = open_page(driver, uniform_model(ATTACK), tmp_path)
    driver.get(f"{path.as_uri()}#prompt={ATTACK}&length={ATTACK}&form={ATTACK}&__proto__=1")
    driver.refresh()
    assert driver.execute_script("return document.getElementById('prompt').value") == ATTACK
    assert driver.title == "model"


INJECT = """
const script = document.createElement("script");
script.textContent = "window.taken = true";
document.body.append(script);
document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.taken = true'>");
return window.taken === undefined;
"""


def test_the_policy_lets_no_other_script_run(driver: Chrome, tmp_path: Path) -> None:
    open_page(driver, random_model(), tmp_path)
    assert driver.execute_script(INJECT)
    said = " ".join(entry["message"] for entry in driver.get_log("browser"))
    assert "inline script" in said
    assert "inline event handler" in said
    assert "Loading the image" in said
    assert driver.execute_script("return window.taken === undefined")


def test_the_policy_lets_nothing_out(driver: Chrome, tmp_path: Path) -> None:
    path = open_page(driver, random_model(), tmp_path)
    asked = "fetch(arguments[0]).then(() => arguments[1]('sent'), e => arguments[1](e.name))"
    assert driver.execute_async_script(asked, path.as_uri()) == "TypeError"
    said = " ".join(entry["message"] for entry in driver.get_log("browser"))
    assert "Content Security Policy" in said
    assert re.search("[Cc]onnect", said)


# Writing.


def test_the_defaults_are_those_of_the_command_line(driver: Chrome, tmp_path: Path) -> None:
    model = random_model()
    open_page(driver, model, tmp_path)
    assert write(driver, seed=3) == Model(model).generate(seed=3)
    for name in ("temperature", "top_p", "min_p", "repetition_penalty"):
        field = driver.find_element(By.ID, name)
        assert float(field.get_attribute("value") or "") == getattr(SamplingConfig, name)


def test_without_a_seed_every_text_is_another_and_the_seed_is_told(
    driver: Chrome, tmp_path: Path
) -> None:
    open_page(driver, uniform_model(), tmp_path)
    first = write(driver)
    told = re.search(r"seed (\d+)\.", status(driver))
    assert told
    assert write(driver) != first
    assert write(driver, seed=told[1]) == first


def test_a_prompt_is_normalised_as_the_text_was(driver: Chrome, tmp_path: Path) -> None:
    lowered = NormalizationConfig(lowercase=True, unicode_form="NFC")
    open_page(driver, random_model(vocabulary="\nabé", normalization=lowered), tmp_path)
    write(driver, prompt="BAE\u0301")
    assert text_of(driver, "begun") == "baé"


def test_an_embedding_too_large_to_fold_is_read_as_the_engine_reads_it(
    driver: Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_table, "MAX_FOLDED", 0)
    model = random_model(scale=1.2, head_scale=3.0, seed=4)
    open_page(driver, model, tmp_path)
    assert write(driver, seed=1, prompt="abc") == Model(model).generate("abc", seed=1)


def test_more_columns_than_one_block_are_summed_up(driver: Chrome, tmp_path: Path) -> None:
    model = random_model(cell="rnn", hidden_size=2051, vocabulary="\nab", scale=0.2, head_scale=20)
    open_page(driver, model, tmp_path)
    settings = {"seed": 1, "length": 40, "temperature": 2.0}
    assert write(driver, **settings) == Model(model).generate(**settings)


def test_among_equals_the_lower_id_stays(driver: Chrome, tmp_path: Path) -> None:
    model = uniform_model()
    open_page(driver, model, tmp_path)
    written = write(driver, seed=1, top_k=3)
    assert set(written) == set(sorted(set(LETTERS))[:3])
    assert written == Model(model).generate(seed=1, top_k=3)


def test_a_byte_order_mark_is_written_as_any_character(driver: Chrome, tmp_path: Path) -> None:
    model = always_the_same("\n\ufeffé🙂")
    open_page(driver, model, tmp_path)
    settings = {"length": 7, "temperature": 0.0}
    expected = "\ufeffé🙂\n\ufeffé🙂"
    assert write(driver, **settings) == Model(model).generate(**settings) == expected


def test_an_unseen_character_is_named_and_nothing_is_written(
    driver: Chrome, tmp_path: Path
) -> None:
    open_page(driver, random_model(), tmp_path)
    fill(driver, prompt="aΩ🙂\u202e")
    press(driver, "write")
    told = "The model has never seen “Ω” U+03A9, “🙂” U+1F642, U+202E."
    assert status(driver) == told
    assert text_of(driver, "written") == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", str(2**63)),
        ("seed", "-1"),
        ("temperature", "-1"),
        ("length", "1.5"),
        ("top_p", "0"),
        ("top_k", "0"),
        ("window", "0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_pointed_at(
    driver: Chrome, tmp_path: Path, field: str, value: str
) -> None:
    open_page(driver, random_model(), tmp_path)
    fill(driver, **{field: value})
    driver.execute_script(
        "document.getElementById(arguments[0]).dispatchEvent(new Event('input'))", field
    )
    press(driver, "write")
    assert status(driver) == ""
    assert driver.switch_to.active_element.get_attribute("id") == field
    assert driver.get_log("browser") == []


def test_stop_ends_a_long_text_and_the_page_stays_alive(driver: Chrome, tmp_path: Path) -> None:
    open_page(driver, random_model(), tmp_path)
    fill(driver, length=10_000_000)
    press(driver, "write")
    WebDriverWait(driver, 20).until(lambda _: len(text_of(driver, "written")) > 500)
    press(driver, "halt")
    WebDriverWait(driver, 5).until(lambda _: status(driver).startswith("Stopped"))
    written = text_of(driver, "written")
    assert f"{len(written):,} characters" in status(driver)
    assert text_of(driver, "written") == written


def test_it_can_be_used_by_keyboard_alone(driver: Chrome, tmp_path: Path) -> None:
    open_page(driver, random_model(), tmp_path)
    fill(driver, length=10_000_000)
    driver.find_element(By.ID, "prompt").send_keys("abc")
    driver.find_element(By.ID, "seed").send_keys("7", Keys.ENTER)
    WebDriverWait(driver, 20).until(lambda _: len(text_of(driver, "written")) > 50)
    driver.find_element(By.ID, "halt").send_keys(Keys.SPACE)
    WebDriverWait(driver, 5).until(lambda _: status(driver).startswith("Stopped"))
    assert driver.switch_to.active_element.get_attribute("id") == "write"
    assert text_of(driver, "begun") == "abc"


# Sharing.


def test_the_address_keeps_the_settings(driver: Chrome, tmp_path: Path) -> None:
    path = open_page(driver, random_model(vocabulary=LETTERS + "&=#%+é🙂\\"), tmp_path)
    settings = {
        "prompt": "ab\n cd&=#%+é🙂",
        "temperature": 1.25,
        "top_k": 5,
        "stop": ["a\n", "\\", "b b"],
        "length": 77,
        "seed": 2**62,
    }
    first = write(driver, **settings)
    address = driver.current_url
    assert address.startswith(path.as_uri() + "#")
    driver.get("about:blank")
    driver.get(address)
    assert write(driver) == first
    assert driver.current_url == address


def test_the_address_has_only_what_is_not_default(driver: Chrome, tmp_path: Path) -> None:
    path = open_page(driver, random_model(), tmp_path)
    write(driver, seed=5)
    assert driver.current_url == path.as_uri() + "#seed=5"


def test_text_and_address_can_be_copied(driver: Chrome, tmp_path: Path) -> None:
    open_page(driver, random_model(), tmp_path)
    granted = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    driver.execute_cdp_cmd("Browser.grantPermissions", granted)
    text = write(driver, prompt="abc", seed=1)
    for button, what, expected in (
        ("copy", "Text", "abc" + text),
        ("share", "Address", driver.current_url),
    ):
        press(driver, button)
        WebDriverWait(driver, 5).until(lambda _, what=what: status(driver) == f"{what} copied.")
        read = "navigator.clipboard.readText().then(arguments[0], e => arguments[0](String(e)))"
        assert driver.execute_async_script(read) == expected


# What it says of the model.


def test_the_page_says_what_the_model_is(driver: Chrome, tmp_path: Path) -> None:
    origin = Provenance(num_characters=1_115_394, val_bits_per_char=2.10049)
    open_page(driver, random_model(provenance=origin, num_layers=2), tmp_path, name="my plays")
    shown = driver.find_element(By.TAG_NAME, "main").text
    assert "my plays" in shown
    assert "LSTM, 2 layers of 12 units" in shown
    assert f"{len(set(LETTERS))} characters" in shown
    assert "1,115,394 characters" in shown
    assert "2.100 bits per character" in shown


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(driver: Chrome, tmp_path: Path, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    open_page(driver, random_model(vocabulary="\nab"), tmp_path, name="n" * 300)
    driver.execute_script("document.querySelector('details').open = true")
    write(driver, prompt="a" * 500)
    wide = driver.execute_script("return document.documentElement.scrollWidth")
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= width
