from __future__ import annotations

import itertools
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from burble.engine.kernels import KERNEL_VARIABLE
from burble.engine.trace import trace
from burble.model_file import ModelFile
from tests.browser import ARROW_RIGHT, CONTROL, ENTER, ESCAPE, browser
from tests.models import random_model
from tests.serving.server import burble_serve
from tests.training.runs import made_up_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from burble.engine.trace import Trace
    from tests.serving.server import Server

HOSTILE = "</script><img src=x onerror=document.title='caught'>&lt;b&gt;"


class Page:
    """The page, as a person uses it."""

    def __init__(self, driver: Chrome, address: str) -> None:
        self.driver = driver
        driver.get(address)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements("css selector", selector)

    def click(self, selector: str) -> None:
        self.find(selector).click()

    @property
    def text(self) -> str:
        return self.find("#text").get_property("value")

    def go_on(self, selector: str = "#go") -> str:
        """Let the model write, and wait until it has."""
        self.click(selector)
        self.until(lambda: self.find("#go").text == "Continue" and self.all("#next button"))
        return self.text

    def until(self, condition: Any, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.find("body").text
            time.sleep(0.05)

    def put_text(self, text: str) -> None:
        """Put a text on the paper at once, however long."""
        self.driver.execute_script(
            "const area = document.getElementById('text'); area.value = arguments[0];"
            "area.dispatchEvent(new Event('input'));",
            text,
        )

    def put_cursor(self, place: int) -> None:
        self.driver.execute_script(
            "const area = document.getElementById('text'); area.focus();"
            "area.setSelectionRange(arguments[0], arguments[0]);",
            place,
        )

    def set_slider(self, name: str, value: float) -> None:
        """Move a slider, further than a hand could."""
        self.driver.execute_script(
            "const input = document.getElementById(`of-${arguments[0]}`);"
            "input.max = input.value = arguments[1]; input.dispatchEvent(new Event('input'));",
            name,
            value,
        )

    @contextmanager
    def report(self) -> Iterator[None]:
        """Within the frame of the Look inside tab, when there is a report in it."""
        self.until(lambda: self.find("#report").is_displayed())
        self.driver.switch_to.frame("report")
        try:
            self.until(lambda: self.all("#text span"))
            yield
        finally:
            self.driver.switch_to.default_content()

    def letters(self) -> str:
        script = "return [...document.querySelectorAll('#text span')].map(s => s.textContent)"
        return "".join(self.driver.execute_script(script)).replace("⏎\n", "\n")

    def requests(self) -> list[str]:
        """What was loaded since the page was opened, itself included."""
        script = "return performance.getEntries().map((entry) => entry.name)"
        return [name for name in self.driver.execute_script(script) if "://" in name]


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with browser() as driver:
        yield driver


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Iterator[Page]:
    opened = Page(chrome, server.address)
    opened.until(lambda: opened.all("#model option"))
    chrome.get_log("browser")
    yield opened
    assert chrome.get_log("browser") == []
    assert all(name.startswith(server.address) for name in opened.requests())


def test_the_page_writes_undoes_and_branches(page: Page, server: Server) -> None:
    page.find("#text").send_keys("a bad")
    page.find("#seed").send_keys("4")
    whole = page.go_on()
    # Nothing else said: sliders that were not moved stand where the server's defaults are.
    assert whole == "a bad" + server.text(prompt="a bad", seed=4)
    page.click("#undo")
    assert page.text == "a bad"
    page.click("#redo")
    assert page.text == whole
    page.until(lambda: page.all("#colours span"))
    page.put_cursor(20)
    page.until(lambda: page.all("#next button"))
    other = next(
        button for button in page.all("#next button b") if button.text not in {whole[20], "␣", "↵"}
    )
    token = other.text
    other.click()
    page.until(lambda: page.find("#go").text == "Continue" and len(page.text) == 20 + 1 + 300)
    assert page.text.startswith(whole[:20] + token)
    assert page.find("#endings button").get_property("textContent").strip("…").split()[-1] in whole
    page.click("#endings button")
    assert page.text == whole


def test_keys_alone_are_enough(page: Page) -> None:
    area = page.find("#text")
    area.send_keys("a bad")
    area.send_keys(CONTROL, ENTER)
    page.until(lambda: len(page.text) == 305 and page.find("#go").text == "Continue")
    page.find("#text").send_keys(CONTROL, "z")
    assert page.text == "a bad"
    for before, after in itertools.pairwise(["write", "inside", "train", "write"]):
        page.find(f"#tab-{before}").send_keys(ARROW_RIGHT)
        assert page.find(f"#{after}").is_displayed()
        assert not page.find(f"#{before}").is_displayed()
        assert page.driver.switch_to.active_element.get_attribute("id") == f"tab-{after}"


def test_every_control_has_a_name(page: Page) -> None:
    unnamed = page.driver.execute_script(
        "return [...document.querySelectorAll('button, input, select, textarea')]"
        ".filter((e) => !e.hidden && !e.labels?.length && !e.textContent.trim() "
        "&& !e.getAttribute('aria-label')).map((e) => e.outerHTML)"
    )
    assert unnamed == []


def test_writing_stops_where_asked(chrome: Chrome, models: Path) -> None:
    # On NumPy a text of all the characters there may be takes half a minute.
    slow = {KERNEL_VARIABLE: "numpy"}
    with burble_serve(models / "letters.safetensors", **slow) as server:
        page = Page(chrome, server.address)
        page.until(lambda: page.all("#model option"))
        page.find("#text").send_keys("a")
        page.set_slider("max_tokens", 100_000)
        page.click("#go")
        page.until(lambda: len(page.text) > 1)
        page.find("#text").send_keys(ESCAPE)
        page.until(lambda: page.find("#go").text == "Continue")
        assert 1 < len(page.text) < 100_001
        assert page.find("#said").text == "Stopped."
        page.until(lambda: server.gauge("burble_texts_held") == 0)


def test_temperatures_stand_side_by_side(page: Page) -> None:
    page.find("#text").send_keys("a bad")
    page.click("#compare")
    page.until(lambda: [b.is_enabled() for b in page.all(".column button")] == [True] * 4)
    texts = [text.get_property("textContent") for text in page.all(".column p")]
    assert len(set(texts)) == 4
    page.all(".column button")[2].click()
    assert page.text == "a bad" + texts[2]


def test_seed_0_writes_the_same_at_each_temperature_again(page: Page) -> None:
    page.find("#text").send_keys("a bad")
    page.find("#seed").send_keys("0")

    def compare() -> list[str]:
        page.click("#compare")
        page.until(lambda: [b.is_enabled() for b in page.all(".column button")] == [True] * 4)
        return [text.get_property("textContent") for text in page.all(".column p")]

    assert compare() == compare()


def test_text_is_never_markup(page: Page, chrome: Chrome) -> None:
    page.click("#model option[value=bytes]")
    page.put_text(HOSTILE)
    page.until(lambda: page.all("#next button"))
    page.go_on()
    assert page.text.startswith(HOSTILE)
    assert page.find("#colours").get_property("textContent").startswith(HOSTILE)
    assert page.all("img") == []
    assert chrome.title == "burble"


def test_what_goes_wrong_is_told(page: Page) -> None:
    page.find("#text").send_keys("漢")
    page.click("#go")
    page.until(lambda: "U+6F22" in page.find("#said").text)
    # The browser itself notes answers that are refusals.
    assert all("400" in entry["message"] for entry in page.driver.get_log("browser"))


def test_sliders_stand_where_the_servers_defaults_are(page: Page, server: Server) -> None:
    described = server.client.get("/openapi.json").json()
    fields = described["components"]["schemas"]["CompletionRequest"]["properties"]
    sliders = page.all("#sliders input")
    assert len(sliders) == 5
    for slider in sliders:
        name = slider.get_attribute("id").removeprefix("of-")
        assert float(slider.get_property("value")) == fields[name]["default"], name


def test_a_server_that_breaks_off_is_told_and_what_it_wrote_is_kept(
    chrome: Chrome, models: Path
) -> None:
    slow = {KERNEL_VARIABLE: "numpy"}
    with burble_serve(models / "letters.safetensors", **slow) as server:
        page = Page(chrome, server.address)
        page.until(lambda: page.all("#model option"))
        page.put_text("a bad")
        page.set_slider("max_tokens", 100_000)
        page.click("#go")
        page.until(lambda: len(page.text) > len("a bad"))
        server.process.kill()
        page.until(lambda: page.find("#go").text == "Continue")
        assert page.find("#said").text == "The server broke off before the end. Try again."
        assert page.text.startswith("a bad")
        assert len(page.text) > len("a bad")
    chrome.get_log("browser")


def test_an_answer_that_ends_too_soon_is_no_whole_text(page: Page) -> None:
    told = page.driver.execute_async_script(
        'const done = arguments[0], event = \'data: {"choices": [{"text": "a"}]}\\n\\n\';'
        "window.fetch = async () => new Response(event);"
        "import('/static/api.js').then(async ({ complete }) => {"
        "  const texts = [];"
        "  try { for await (const { text } of complete({})) texts.push(text); }"
        "  catch (error) { done([...texts, error.message]); }"
        "  done(texts);"
        "});"
    )
    assert told == ["a", "The server broke off before the end. Try again."]


# Look inside.


def trace_of(models: Path, text: str) -> Trace:
    model = ModelFile.load(models / "letters.safetensors")
    return trace(model, model.tokenizer.encode(text))


def test_look_inside_shows_the_text_on_the_paper(page: Page, models: Path) -> None:
    page.find("#text").send_keys("a bad hag")
    page.click("#tab-inside")
    assert page.driver.execute_script("return location.hash") == "#inside"
    with page.report():
        assert page.letters() == "a bad hag"
        letters = page.all("#text span")
        assert len({one.value_of_css_property("background-color") for one in letters}) > 4
        page.click("[data-place='5']")
        assert page.find("#what").text == "␣ · character 6 of 9"
        bits = trace_of(models, "a bad hag").surprisal
        assert f"surprise of {bits[5]:.2f} bits" in page.find("#surprise").text
        gates = [row.text.split()[0] for row in page.all("#gates tbody tr")]
        assert gates == ["forget", "input", "candidate", "output", "cell", "hidden"]
        assert page.requests() == []


def test_look_inside_follows_the_text_and_the_model(page: Page) -> None:
    page.find("#text").send_keys("bad")
    page.click("#tab-inside")
    with page.report():
        page.click("[data-place='1']")
    page.click("#tab-write")
    page.click("#tab-inside")
    with page.report():  # it was not made anew: the place is still chosen
        assert "character 2 of 3" in page.find("#what").text
    page.click("#model option[value=bytes]")
    page.until(lambda: not page.find("#inside-said").text)
    with page.report():
        assert "byte 1 of 3" in page.find("#what").text
    page.click("#tab-write")
    page.find("#text").send_keys("é")
    page.click("#tab-inside")
    with page.report():
        assert page.letters() == "bad<C3>é"


def test_of_a_long_text_the_end_is_shown_as_read_after_all_before(page: Page, models: Path) -> None:
    text = "abc hag\nbed " * 130
    page.put_text(text)
    page.click("#tab-inside")
    with page.report():
        assert page.letters() == text[-1_000:]
        assert "the 560 characters before it were read first" in page.find("#summary").text
        bits = trace_of(models, text).surprisal
        assert f"surprise of {bits[560]:.2f} bits" in page.find("#surprise").text


def test_without_a_text_look_inside_says_so(page: Page) -> None:
    page.click("#tab-inside")
    assert page.find("#inside-said").text.startswith("There is no text yet.")
    assert not page.find("#report").is_displayed()


def test_what_cannot_be_read_is_told_where_one_looks_inside(page: Page) -> None:
    page.put_text("a bad")
    page.click("#tab-inside")
    page.click("#tab-write")
    page.put_text("漢")
    page.click("#tab-inside")
    page.until(lambda: "U+6F22" in page.find("#inside-said").text)
    assert not page.find("#report").is_displayed()
    assert all("400" in entry["message"] for entry in page.driver.get_log("browser"))


def test_a_hostile_text_does_nothing_in_the_report(page: Page, chrome: Chrome) -> None:
    page.click("#model option[value=bytes]")
    page.put_text(HOSTILE)
    page.click("#tab-inside")
    with page.report():
        assert page.letters() == HOSTILE
        assert page.all("img") == []
        assert chrome.execute_script("return document.title") == "A look inside · burble"
    assert chrome.title == "burble"


def test_the_report_reaches_nothing_of_the_page_and_runs_no_other_script(page: Page) -> None:
    page.find("#text").send_keys("bad")
    page.click("#tab-inside")
    with page.report():
        assert page.driver.execute_script("return origin") == "null"
        for theirs in ("parent.document.title", "sessionStorage.length"):
            found = f"try {{ return {theirs} }} catch (error) {{ return error.name }}"
            assert page.driver.execute_script(found) == "SecurityError"
        page.driver.execute_script(
            "const s = document.createElement('script'); s.textContent = 'window.hit = 1';"
            "document.body.append(s); fetch('http://127.0.0.1:9/').catch(() => 0);"
        )
        assert page.driver.execute_script("return window.hit") is None
    told = [entry["message"] for entry in page.driver.get_log("browser")]
    assert sum("Content Security Policy" in message for message in told) >= 2


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_fits_its_window(page: Page, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.find("#text").send_keys("a bad")
    for tab in ("write", "inside", "train"):
        page.click(f"#tab-{tab}")
        needed = page.driver.execute_script("return document.documentElement.scrollWidth")
        assert needed <= width
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_key_is_asked_for(chrome: Chrome, models: Path) -> None:
    with burble_serve(models / "letters.safetensors", BURBLE_API_KEY="sesame") as server:
        page = Page(chrome, server.address)
        page.until(lambda: page.find("#ask-key").is_displayed())
        page.find("#key").send_keys("sesame", ENTER)
        page.until(lambda: page.all("#model option"))
        page.driver.execute_script("sessionStorage.clear()")
        chrome.get_log("browser")


def test_the_api_describes_itself_on_a_page(page: Page, server: Server) -> None:
    page.driver.get(server.address + "docs")
    page.until(lambda: "POST /v1/completions" in page.find("#routes").text)
    assert "repetition_penalty" in page.find("#routes").text


def test_a_text_is_learned_from_and_written_with(chrome: Chrome, tmp_path: Path) -> None:
    with burble_serve("--runs", tmp_path / "runs") as server:
        page = Page(chrome, server.address)
        page.until(lambda: page.find("#train").is_displayed())
        page.driver.execute_script(
            "document.getElementById('corpus').value = arguments[0];", made_up_text(400)
        )
        page.find("#minutes").clear()
        page.find("#minutes").send_keys("0.2")
        page.click("#start")
        page.until(lambda: page.find("#run-state").text.startswith("Learning"))
        page.until(lambda: page.all("#curve path"), 200)
        page.until(lambda: page.find("#run-state").text.startswith("Done"), 200)
        assert re.search(r"\d\.\d{3} bits per character", page.find("#run-state").text)
        assert page.find("#samples").text
        page.click("#write-run")
        page.until(lambda: page.find("#text").is_displayed())
        page.find("#text").send_keys("Ba")
        page.go_on()
        assert page.find("#model").get_property("value") == "run-1"
        # What it learned from lies beside it, so that copies can be told.
        page.until(lambda: re.search("passages? of 24", page.find("#bits-said").text))
        assert chrome.get_log("browser") == []


def test_a_run_is_stopped_kept_and_gone_on_with(tmp_path: Path) -> None:
    with burble_serve("--runs", tmp_path / "runs") as server:
        client = server.client
        started = client.post(
            "/burble/runs", json={"text": made_up_text(400), "minutes": 5}
        ).json()["name"]
        path = f"/burble/runs/{started}"
        second = client.post("/burble/runs", json={"text": "abc" * 99, "minutes": 5})
        assert second.status_code == 409

        def until(condition: Any) -> dict[str, Any]:
            end = time.monotonic() + 200
            while not condition(found := client.get(path).json()):
                assert time.monotonic() < end, found
                time.sleep(0.1)
            return found

        until(lambda run: any("train_bits_per_char" in one for one in run["metrics"]))
        client.post(path + "/stop", json={})
        stopped = until(lambda run: run["state"] == "stopped")
        assert stopped["has_model"]
        client.post(path + "/resume", json={})
        steps = stopped["metrics"][-1]["step"]
        until(lambda run: run["metrics"][-1]["step"] > steps)
    # The end of the server stopped it, and it was saved.
    assert (tmp_path / "runs" / started / "last").is_dir()


def test_a_text_that_cannot_be_learned_from_is_told(tmp_path: Path) -> None:
    with burble_serve("--runs", tmp_path / "runs") as server:
        server.client.post("/burble/runs", json={"text": "a", "minutes": 0.1})
        end = time.monotonic() + 100
        while (run := server.client.get("/burble/runs/run-1").json())["state"] == "running":
            assert time.monotonic() < end
            time.sleep(0.1)
        assert run["state"] == "failed"
        assert run["said"].startswith("The text is too short")
        # A page has no flags.
        assert run["said"].endswith(" Give more text, a few pages at least.")
        assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_is_looked_up_and_never_a_path(tmp_path: Path) -> None:
    with burble_serve("--runs", tmp_path) as server:
        for name in ("..", "%2e%2e", "..%2f..%2fetc", "%00", "x" * 300, "run-1"):
            assert server.client.get(f"/burble/runs/{name}").status_code == 404, name


def test_without_a_folder_for_runs_nothing_is_trained(server: Server) -> None:
    refused = server.client.post("/burble/runs", json={"text": "a", "minutes": 1})
    assert refused.status_code == 403
    assert server.client.get("/burble/runs").json() == {"can_train": False, "runs": []}


def test_a_model_that_is_replaced_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    folder.mkdir()
    (folder / "run.toml").touch()
    random_model(seed=1).save(folder / "model.safetensors")
    with burble_serve("--runs", tmp_path) as server:
        first = server.text(prompt="a", seed=1)
        random_model(seed=2).save(folder / "model.safetensors")
        assert server.text(prompt="a", seed=1) != first
