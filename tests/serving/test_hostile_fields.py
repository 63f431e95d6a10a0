"""Every field of every route, taken from the description, so that none can be forgotten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.serving.test_refusals import assert_error

if TYPE_CHECKING:
    import httpx

    from tests.serving.server import Server

JSON = {"content-type": "application/json"}

NUMBERS = ["-1", "0", "1.0", "-0.0", "-0.5", "1.5", "-1e30", "1e30"]
NUMBERS += ["9" * 30, "-" + "9" * 30, "9" * 400]
NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"]
OTHERS = ["true", '""', '"5"', '"NaN"', '"\\u0000"', "[]", "[null]", "[[]]", "{}", '{"a": 1}']
OTHERS += [json.dumps("a" * 300_000), json.dumps(["a"] * 100), '["a", 5]']

# Bounds of several fields together, of the server's own, and of what a model can read.
TOLD_BY_NO_SCHEMA = {"best_of", "n", "max_tokens", "prompt", "text"}


def fields(server: Server) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Path, field, what it may be, and what else must be there."""
    described = server.client.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    found = []
    for path, operations in described["paths"].items():
        for operation in operations.values():
            if "requestBody" not in operation:
                continue
            content = operation["requestBody"]["content"]["application/json"]
            body = schemas[content["schema"]["$ref"].rpartition("/")[2]]
            needed = dict.fromkeys(body.get("required", ()), "a")
            for name, field in body["properties"].items():
                rule = {**field, "components": described["components"]}
                found.append((path, name, rule, needed))
    return found


def send(
    server: Server, path: str, needed: dict[str, Any], name: str, value: str
) -> httpx.Response:
    """`value` is the text of the field as it stands in the body."""
    others = [
        f"{json.dumps(key)}: {json.dumps(other)}" for key, other in needed.items() if key != name
    ]
    body = "{" + ", ".join([*others, f"{json.dumps(name)}: {value}"]) + "}"
    return server.client.post(path, content=body, headers=JSON)


def test_every_route_that_takes_a_body_is_met(server: Server) -> None:
    met = {path for path, *_ in fields(server)}
    assert {"/v1/completions", "/burble/copied", "/burble/inspect", "/burble/runs"} <= met
    names = {name for path, name, *_ in fields(server) if path == "/v1/completions"}
    assert {"prompt", "seed", "stream_options"} <= names


def test_a_value_that_the_description_does_not_allow_is_refused_by_its_field(
    server: Server,
) -> None:
    for path, name, rule, needed in fields(server):
        validator = Draft202012Validator(rule)
        for value in NUMBERS + OTHERS:
            answer = send(server, path, needed, name, value)
            told = f"{path} {name} {value[:50]}: {answer.status_code} {answer.text[:200]}"
            if not validator.is_valid(json.loads(value)):
                assert answer.status_code == 400, told
                assert answer.json()["error"]["param"] == name, told
            elif answer.status_code == 400:
                assert name in TOLD_BY_NO_SCHEMA, told
            else:
                # This server does not train, and has no model of most names.
                assert answer.status_code in {200, 403, 404}, told
    assert len(server.text(prompt="a", max_tokens=5)) == 5


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_is_refused_by_every_field(server: Server, value: str) -> None:
    for path, name, _, needed in fields(server):
        assert_error(send(server, path, needed, name, value), 400, param=name)


PATHS = ("/v1/completions", "/burble/copied", "/burble/inspect", "/burble/runs")
WHOLE = b'{"prompt": "a", "text": "a", "max_tokens": 1, "minutes": NaN}'


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    path=st.sampled_from(PATHS),
    place=st.integers(0, len(WHOLE)),
    put=st.binary(max_size=12),
    taken=st.integers(0, 20),
)
def test_no_bytes_make_the_server_fail(
    server: Server, path: str, place: int, put: bytes, taken: int
) -> None:
    body = WHOLE[:place] + put + WHOLE[place + taken :]
    answer = server.client.post(path, content=body, headers=JSON)
    assert answer.status_code in {200, 400, 403, 404}, answer.text
    if answer.status_code != 200:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
