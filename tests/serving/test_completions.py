from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from burble import load
from tests.cli.command import burble_json
from tests.serving.server import events, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving.server import Server


def test_what_is_not_said_is_as_at_the_command_line(server: Server, models: Path) -> None:
    written = burble_json("generate", models / "letters.safetensors", "a", "--seed", "3")
    assert server.text(prompt="a", seed=3) == written["text"]


def test_a_seed_that_was_drawn_is_told_and_repeats(server: Server) -> None:
    first = server.complete(prompt="a").json()
    assert server.text(prompt="a", seed=first["seed"]) == first["choices"][0]["text"]


def test_the_answer_says_how_many_characters_it_has_never_seen(server: Server) -> None:
    asked = {"prompt": ["aé", "b", "éé"], "unknown": "skip", "model": "letters", "max_tokens": 2}
    assert server.complete(**asked).json()["unknown_chars"] == 3
    assert server.complete(**asked | {"prompt": "ab"}).json()["unknown_chars"] == 0


def test_a_stream_holds_the_same_text(server: Server) -> None:
    asked = {"prompt": "a", "seed": 5, "max_tokens": 60_000}
    with server.client.stream("POST", "/v1/completions", json={**asked, "stream": True}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer)
    assert len(told) > 1
    assert "".join(event["choices"][0]["text"] for event in told) == server.text(**asked)
    assert [event["choices"][0]["finish_reason"] for event in told[:-1]] == [None] * (len(told) - 1)
    assert told[-1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("length", [1, 50, 300])
def test_a_short_stream_is_whole_however_fast_it_is_written(server: Server, length: int) -> None:
    asked = {"prompt": "a bad", "seed": 4, "max_tokens": length}
    whole = server.text(**asked)
    # A text written before its answer began was lost in 2 to 5 of 10 streams.
    for _ in range(60):
        with server.client.stream("POST", "/v1/completions", json=asked | {"stream": True}) as part:
            told = events(part)
        assert "".join(event["choices"][0]["text"] for event in told) == whole


def test_several_texts_are_those_of_the_command_line(server: Server, models: Path) -> None:
    args = ("--seed", "3", "-n", "3", "--length", "40")
    written = burble_json("generate", models / "letters.safetensors", "a", *args)
    texts = server.texts(prompt="a", seed=3, n=3, max_tokens=40)
    assert texts == [sample["text"] for sample in written["samples"]]


def test_each_of_several_prompts_is_answered_as_if_alone(server: Server) -> None:
    answer = server.complete(prompt=["a", "bed", ""], seed=3, n=2, max_tokens=20).json()
    texts = [choice["text"] for choice in answer["choices"]]
    assert [choice["index"] for choice in answer["choices"]] == list(range(6))
    assert answer["usage"]["prompt_tokens"] == 4
    alone = [server.texts(prompt=one, seed=3, n=2, max_tokens=20) for one in ("a", "bed", "")]
    assert texts == [text for pair in alone for text in pair]


def test_logprobs_are_what_scoring_the_same_text_gives(server: Server, models: Path) -> None:
    answer = server.complete(prompt="abed", seed=1, max_tokens=600, logprobs=3, echo=True).json()
    choice = answer["choices"][0]
    found = choice["logprobs"]
    assert "".join(found["tokens"]) == choice["text"]
    assert found["text_offset"] == list(range(604))
    assert found["token_logprobs"][0] is None
    nats = -sum(found["token_logprobs"][1:]) / 603
    score = load(models / "letters.safetensors").score(choice["text"])
    assert nats == pytest.approx(score.nats_per_char, rel=1e-9)
    best = [max(top.values()) for top in found["top_logprobs"][1:]]
    assert all(len(top) == 3 for top in found["top_logprobs"][1:])
    assert all(own <= top for own, top in zip(found["token_logprobs"][1:], best, strict=True))


def test_logprobs_do_not_depend_on_how_they_are_sent(server: Server) -> None:
    asked = {"prompt": "abed", "seed": 1, "max_tokens": 900, "logprobs": 2, "stop": "hh"}
    whole = server.complete(**asked).json()["choices"][0]
    with server.client.stream("POST", "/v1/completions", json={**asked, "stream": True}) as answer:
        parts = [event["choices"][0] for event in events(answer)]
    for key in ("tokens", "token_logprobs", "top_logprobs", "text_offset"):
        told = [item for part in parts for item in part["logprobs"][key]]
        assert told == whole["logprobs"][key]
    assert "".join(whole["logprobs"]["tokens"]) == whole["text"]


def test_a_text_can_be_scored_without_writing(server: Server) -> None:
    answer = server.complete(prompt="a bad cab", max_tokens=0, logprobs=1, echo=True).json()
    assert answer["choices"][0]["text"] == "a bad cab"
    assert len(answer["choices"][0]["logprobs"]["tokens"]) == 9
    assert answer["usage"]["completion_tokens"] == 0


def test_tokens_of_a_byte_model_are_bytes_and_characters_stay_whole(server: Server) -> None:
    asked = {"model": "bytes", "prompt": "é", "seed": 1, "max_tokens": 300, "logprobs": 0}
    answer = server.complete(**asked, echo=True).json()
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 300, "total_tokens": 302}
    choice = answer["choices"][0]
    assert choice["text"].startswith("é")
    assert choice["logprobs"]["tokens"][:2] == ["bytes:\\xc3", "bytes:\\xa9"]
    assert choice["logprobs"]["text_offset"][:3] == [0, 0, 1]


def test_characters_that_the_model_has_never_seen_can_be_skipped(server: Server) -> None:
    assert server.text(prompt="aΩ", seed=1, unknown="skip") == server.text(prompt="a", seed=1)
    refused = server.complete(prompt="aΩ", seed=1)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "prompt"
    assert "U+03A9" in refused.json()["error"]["message"]


def mixed_requests(count: int) -> list[dict[str, Any]]:
    draw = random.Random(1)  # noqa: S311 - not a secret
    return [
        {
            "model": draw.choice(["letters", "letters", "bytes"]),
            "prompt": "".join(draw.choices("abcdefgh ", k=draw.randint(0, 60))),
            "seed": draw.randint(0, 99),
            "max_tokens": draw.choice([1, 7, 60, 700]),
            "temperature": draw.choice([0, 0.5, 1.3]),
            "top_p": draw.choice([1.0, 0.8]),
            "stop": draw.choice([None, "ab"]),
            "n": draw.choice([1, 1, 3]),
            "stream": draw.choice([True, False]),
        }
        for _ in range(count)
    ]


def streamed(server: Server, request: dict[str, Any]) -> list[str]:
    texts = [""] * request["n"]
    with server.client.stream("POST", "/v1/completions", json=request) as answer:
        for event in events(answer):
            choice = event["choices"][0]
            texts[choice["index"]] += choice["text"]
    return texts


def test_a_text_is_the_same_alone_and_among_others(server: Server) -> None:
    requests = mixed_requests(160)

    def texts(request: dict[str, Any]) -> list[str]:
        return streamed(server, request) if request["stream"] else server.texts(**request)

    with ThreadPoolExecutor(64) as pool:
        together = list(pool.map(texts, requests))
    assert together == [server.texts(**{**request, "stream": False}) for request in requests]


def test_metrics_count(server: Server) -> None:
    before = server.gauge("burble_tokens_total")
    server.text(prompt="a", max_tokens=33)
    assert server.gauge("burble_tokens_total") == before + 33
    until(lambda: server.gauge("burble_texts_held") == 0)
