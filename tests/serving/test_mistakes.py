"""What a client reads about a wrong body: the fields' names, and none of pydantic's phrases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.serving.server import Server


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"frequency_penalty": 0.5}, "frequency_penalty is not supported. Leave it out, or use"),
        ({"prompt": 5}, "prompt must be a text or a list of texts; found 5."),
        ({"prompt": ["a", None]}, "Each entry of prompt must be a text; found null."),
        ({"stop": ""}, 'stop must not be empty; found "".'),
        ({"temperature": -1}, "temperature must be at least 0; found -1."),
        ({"max_tokens": 10**9}, "max_tokens asks for 1,000,000,000 tokens; at most 100,000 are"),
        ({"tempreature": 1}, "There is no field tempreature. Did you mean temperature?"),
        ({"stream_options": {"x": 1}}, "There is no field x in stream_options."),
        ({"best_of": 2}, "best_of must be the same as n; found 2. Leave it out."),
        ({"prompt": "Ω"}, "The model has never seen 'Ω' (U+03A9). Change the text, or set unknown"),
    ],
)
def test_a_wrong_field_is_named_in_plain_words(
    server: Server, body: dict[str, Any], told: str
) -> None:
    answer = server.client.post("/v1/completions", json={"max_tokens": 1, **body})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(told)


def test_an_empty_text_to_learn_from_is_named(server: Server) -> None:
    answer = server.client.post("/burble/runs", json={"text": ""})
    assert answer.json()["error"]["message"] == 'text must not be empty; found "".'
