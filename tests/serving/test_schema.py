from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from burble.serving.completions.requests import CompletionRequest, StreamOptions
from burble.serving.playground.routes import CopiedRequest, InspectRequest, RunRequest

if TYPE_CHECKING:
    from burble.serving.completions.requests import Strict
    from tests.serving.server import Server

REQUESTS: list[tuple[type[Strict], dict[str, Any]]] = [
    (CompletionRequest, {}),
    (StreamOptions, {}),
    (CopiedRequest, {"text": "a"}),
    (InspectRequest, {"text": "a"}),
    (RunRequest, {"text": "a"}),
]


@pytest.mark.parametrize(("request_type", "needed"), REQUESTS)
def test_null_says_what_leaving_out_says(
    request_type: type[Strict], needed: dict[str, Any]
) -> None:
    optional = dict.fromkeys(request_type.model_fields.keys() - needed.keys())
    assert request_type.model_validate(needed | optional) == request_type.model_validate(needed)


@pytest.mark.parametrize(("request_type", "needed"), REQUESTS)
def test_null_does_not_stand_for_what_is_needed(
    request_type: type[Strict], needed: dict[str, Any]
) -> None:
    for name in needed:
        with pytest.raises(ValidationError, match=name):
            request_type.model_validate(needed | {name: None})
    with pytest.raises(ValidationError, match="tempreature"):
        request_type.model_validate(needed | {"tempreature": None})


@pytest.mark.parametrize(("request_type", "needed"), REQUESTS)
def test_the_description_tells_where_null_may_stand(
    request_type: type[Strict], needed: dict[str, Any]
) -> None:
    fields = request_type.model_json_schema()["properties"]
    nullable = {name for name, told in fields.items() if {"type": "null"} in told.get("anyOf", ())}
    assert nullable == fields.keys() - needed.keys()


def test_a_whole_number_may_be_written_with_a_point() -> None:
    request = CompletionRequest.model_validate({"n": 2.0, "max_tokens": 1e3, "temperature": 1.0})
    assert (request.n, request.max_tokens, request.temperature) == (2, 1000, 1.0)
    for value in (2.5, float("nan"), float("inf"), 1e300):
        with pytest.raises(ValidationError, match="n\n"):
            CompletionRequest.model_validate({"n": value})


def test_a_request_full_of_nulls_is_one_without_fields(server: Server) -> None:
    nulls = dict.fromkeys(CompletionRequest.model_fields)
    assert server.text(**nulls | {"seed": 3}) == server.text(seed=3)
