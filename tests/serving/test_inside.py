from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from burble.serving.playground.inside import BOUNDS, CONTEXT, look_inside
from tests.models import random_model
from tests.serving.test_refusals import assert_error

if TYPE_CHECKING:
    import httpx

    from tests.serving.server import Server


def inspect(server: Server, **fields: Any) -> httpx.Response:
    # In ASCII, so that half a character can be sent too.
    headers = {"content-type": "application/json"}
    return server.client.post("/burble/inspect", content=json.dumps(fields), headers=headers)


def data(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


def rule(policy: str, name: str) -> set[str]:
    return set(next(part for part in policy.split("; ") if part.startswith(name)).split()[1:])


def test_a_report_is_of_the_model_and_the_text(server: Server) -> None:
    answer = inspect(server, model="bytes", text="né")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert data(answer.text)["shown"] == ["n", "<C3>", "é"]
    assert data(inspect(server, text="bad").text)["layers"] == 2


def test_the_pages_policy_lets_the_reports_own_script_and_style_run(server: Server) -> None:
    policy = server.client.get("/").headers["content-security-policy"]
    page = inspect(server, text="bad").text
    own = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert own is not None
    for name in ("script-src", "style-src"):
        assert rule(policy, name) == {"'self'", *rule(own[1], name)}


def test_characters_that_the_model_cannot_read_are_named(server: Server) -> None:
    refused = inspect(server, text="b漢z")
    assert_error(refused, 400, param="text")
    assert "U+6F22" in refused.json()["error"]["message"]
    assert "'z'" in refused.json()["error"]["message"]
    assert data(inspect(server, text="Ba漢d", unknown="skip").text)["shown"] == ["a", "d"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"text": ""}, "text"),
        ({"text": "\ud800", "model": "bytes"}, "text"),
        ({"text": 5}, "text"),
        ({"text": "a" * 100_001}, "text"),
        ({}, "text"),
        ({"text": "a", "unknown": "ignore"}, "unknown"),
        ({"text": "a", "top": 3}, "top"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    server: Server, fields: dict[str, Any], param: str
) -> None:
    assert_error(inspect(server, **fields), 400, param=param)


def test_a_model_that_is_not_served_has_no_report(server: Server) -> None:
    assert_error(inspect(server, text="a", model="other"), 404, param="model")


@pytest.mark.parametrize(("units", "shown"), [(12, 1_000), (768, 910)])
def test_of_a_long_text_as_much_is_shown_and_read_as_the_model_allows(
    units: int, shown: int
) -> None:
    model = random_model(cell="rnn", hidden_size=units)
    longest = BOUNDS.longest(model.network)
    found = data(look_inside(model, "a" * 99 + "b" * ((CONTEXT + 1) * longest), "error"))
    assert found["shown"] == ["b"] * shown
    assert found["read_before"] == CONTEXT * longest
    assert found["surprisal"][0] is not None


def test_what_is_shown_begins_with_a_whole_character() -> None:
    model = random_model(vocabulary=None)
    shown = data(look_inside(model, "é" * 600 + "x", "error"))["shown"]
    assert shown == ["<C3>", "é"] * 500 + ["x"]
