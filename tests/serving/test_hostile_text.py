"""Characters that are seldom meant well: as a prompt they are text like any other, or refused."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest

from tests.serving.test_refusals import assert_error

if TYPE_CHECKING:
    from tests.serving.server import Server

JSON = {"content-type": "application/json"}

ODD = {
    "every control character": "".join(map(chr, [*range(32), *range(0x7F, 0xA0)])),
    "every format character": "".join(
        chr(point) for point in range(0x110000) if unicodedata.category(chr(point)) == "Cf"
    ),
    "the ends of the planes": "".join(
        chr(plane * 0x10000 + place) for plane in range(17) for place in (0xFFFE, 0xFFFF)
    ),
    "four bytes each": "😀👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿𝔘𠜎",
    "many marks on one letter": "a" + "\u0301" * 500,
    "both directions": "abc\u202edcba\u2066\u200fשלום\u2069",
    "what ends an event or a line": "data: [DONE]\n\ndata: {}\r\n\r\n\u2028\u2029\x85",
    "markup": "</script><img src=x onerror=alert(1)>&lt;{{7*7}}${7*7}'\"`--",
    "shell": "$(touch /tmp/owned); `id` | ../../etc/passwd\x00 -o -rf /",
    "formats": "%s%s%n%x {0} {} {prompt} \\u0000 \\",
}


@pytest.mark.parametrize("prompt", ODD.values(), ids=ODD)
def test_an_odd_prompt_comes_back_as_it_went(server: Server, prompt: str) -> None:
    asked = {"model": "bytes", "prompt": prompt, "seed": 1, "max_tokens": 20, "echo": True}
    whole = server.complete(**asked, logprobs=1).json()["choices"][0]
    assert whole["text"].startswith(prompt)
    assert len(whole["logprobs"]["tokens"]) == len(prompt.encode()) + 20
    with server.client.stream("POST", "/v1/completions", json=asked | {"stream": True}) as answer:
        # As a browser reads it: what is sent holds no line's end that is not an event's.
        told = answer.read().decode()
    assert "data: [DONE]" in told.splitlines()[-2]
    assert all(line == "" or line.startswith("data: ") for line in told.splitlines())


@pytest.mark.parametrize("prompt", ODD.values(), ids=ODD)
def test_what_the_model_has_never_seen_is_named_in_plain_characters(
    server: Server, prompt: str
) -> None:
    refused = server.complete(model="letters", prompt=prompt)
    assert_error(refused, 400, param="prompt")
    assert "U+" in refused.json()["error"]["message"]
    assert refused.content.isascii()


@pytest.mark.parametrize("half", ["\\ud800", "\\udfff", "a\\udc80b", "\\ude00\\ud83d"])
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/completions", ("prompt", "stop", "model", "user")),
        ("/burble/copied", ("text", "model")),
    ],
)
def test_half_a_character_is_refused(
    server: Server, path: str, fields: tuple[str, ...], half: str
) -> None:
    for field in fields:
        body = f'{{"{fields[0]}": "a", "{field}": "{half}"}}'
        answer = server.client.post(path, content=body, headers=JSON)
        assert_error(answer, 400, param=field)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_an_odd_text_may_be_a_stop_or_be_looked_for(server: Server, text: str) -> None:
    asked = {"model": "bytes", "prompt": text, "seed": 1, "max_tokens": 20}
    assert server.text(**asked, stop=text[:256]) == server.text(**asked)
    answer = server.client.post("/burble/copied", json={"text": text, "model": "bytes"})
    assert answer.json() == {"shortest": None, "spans": []}
