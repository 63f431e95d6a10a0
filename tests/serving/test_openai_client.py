"""The server as OpenAI's own client sees it."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import openai
import pytest

from burble.engine.kernels import KERNEL_VARIABLE
from tests.cli.command import burble_json
from tests.serving.server import burble_serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving.server import Server

ASKED: dict[str, Any] = {"model": "letters", "prompt": "a bad", "seed": 7, "max_tokens": 200}


def client_of(server: Server, **options: Any) -> openai.OpenAI:
    """It does not try again, asks no proxy, and takes an answer of the wrong types for an error."""
    return openai.OpenAI(
        base_url=f"{server.address}v1",
        http_client=openai.DefaultHttpxClient(trust_env=False),
        **{"api_key": "none", "max_retries": 0, "_strict_response_validation": True, **options},
    )


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[openai.OpenAI]:
    with client_of(server) as opened:
        yield opened


@pytest.fixture(scope="module")
def lenient(server: Server) -> Iterator[openai.OpenAI]:
    """For what OpenAI itself sends otherwise than its client's types tell: null for the reason of
    a part that is not the last, and for how likely the first token of all was.
    """
    with client_of(server, _strict_response_validation=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def written(models: Path) -> str:
    """What `burble generate` writes where `ASKED` is asked for."""
    args = ("--seed", "7", "--length", "200")
    text: str = burble_json("generate", models / "letters.safetensors", "a bad", *args)["text"]
    return text


def joined(parts: Any) -> str:
    return "".join(part.choices[0].text for part in parts if part.choices)


def test_it_completes(client: openai.OpenAI, written: str) -> None:
    answer = client.completions.create(**ASKED)
    assert answer.object == "text_completion"
    assert answer.model == "letters"
    assert answer.id.startswith("cmpl-")
    assert abs(answer.created - time.time()) < 60
    assert answer.choices[0].text == written
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].logprobs is None
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 200)
    assert answer.usage.total_tokens == 205


def test_it_streams(lenient: openai.OpenAI, written: str) -> None:
    parts = list(lenient.completions.create(**ASKED, stream=True))
    assert joined(parts) == written
    assert {part.id for part in parts} == {parts[0].id}
    assert [part.choices[0].finish_reason for part in parts[:-1]] == [None] * (len(parts) - 1)
    assert parts[-1].choices[0].finish_reason == "length"
    assert all(part.usage is None for part in parts)


def test_a_stream_ends_with_its_usage_where_that_is_asked_for(
    lenient: openai.OpenAI, written: str
) -> None:
    options = {"include_usage": True}
    parts = list(lenient.completions.create(**ASKED, stream=True, stream_options=options))
    assert joined(parts) == written
    assert parts[-1].choices == []
    usage = parts[-1].usage
    assert usage is not None
    counted = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    assert counted == (5, 200, 205)


def test_asynchronous_clients_read_the_same(server: Server, written: str) -> None:
    async def texts() -> list[str]:
        async with openai.AsyncOpenAI(
            base_url=f"{server.address}v1",
            api_key="none",
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=False),
        ) as client:
            many = [client.completions.create(**ASKED) for _ in range(8)]
            whole = [answer.choices[0].text for answer in await asyncio.gather(*many)]
            stream = await client.completions.create(**ASKED, stream=True)
            return [*whole, joined([part async for part in stream])]

    assert asyncio.run(texts()) == [written] * 9


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_it_stops(lenient: openai.OpenAI, written: str, *, as_list: bool, stream: bool) -> None:
    stop = written[90:93]
    answer = lenient.completions.create(
        **ASKED, stop=["zz", stop] if as_list else stop, stream=stream
    )
    parts = list(answer) if stream else [answer]
    assert joined(parts) == written[: written.index(stop)]
    assert parts[-1].choices[0].finish_reason == "stop"


def test_it_echoes(client: openai.OpenAI, written: str) -> None:
    assert client.completions.create(**ASKED, echo=True).choices[0].text == "a bad" + written


def test_log_probabilities_have_the_types_of_the_client(client: openai.OpenAI) -> None:
    choice = client.completions.create(**ASKED, logprobs=10).choices[0]
    found = choice.logprobs
    assert found is not None
    assert found.tokens is not None
    assert found.token_logprobs is not None
    assert found.top_logprobs is not None
    assert "".join(found.tokens) == choice.text
    assert found.text_offset == list(range(200))
    for token, logprob, top in zip(
        found.tokens, found.token_logprobs, found.top_logprobs, strict=True
    ):
        assert top[token] == logprob
        # The model has ten characters, so these are all there are.
        assert sum(map(math.exp, top.values())) == pytest.approx(1)


def test_no_other_tokens_are_named_where_none_are_asked_for(client: openai.OpenAI) -> None:
    found = client.completions.create(**ASKED, logprobs=0).choices[0].logprobs
    assert found is not None
    assert found.token_logprobs is not None
    assert len(found.token_logprobs) == 200
    assert found.top_logprobs is None


def test_the_models_are_listed_and_retrieved(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["letters", "bytes"]
    described = client.models.retrieve("bytes")
    assert described.owned_by == "burble"
    assert (described.model_extra or {})["burble"]["tokenizer"] == "byte"


def test_what_only_burble_has_goes_into_the_extra_body(client: openai.OpenAI, models: Path) -> None:
    options = {"top_k": 4, "min_p": 0.05, "repetition_penalty": 1.2}
    args = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    args.append("--temperature=0.9")
    shell = ("--seed", "7", "--length", "200", *args)
    told = burble_json("generate", models / "letters.safetensors", "a bad", *shell)
    answer = client.completions.create(**ASKED, temperature=0.9, extra_body=options)
    assert answer.choices[0].text == told["text"]


def test_none_is_as_if_nothing_was_said(client: openai.OpenAI, written: str) -> None:
    left_out: dict[str, Any] = dict.fromkeys(
        ("best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "n", "presence_penalty")
    )
    left_out |= dict.fromkeys(
        ("stop", "stream", "stream_options", "suffix", "temperature", "top_p", "user")
    )
    assert client.completions.create(**ASKED, **left_out).choices[0].text == written


@pytest.mark.parametrize(
    "neutral",
    [
        {"frequency_penalty": 0, "presence_penalty": 0.0, "n": 1, "best_of": 1, "logit_bias": {}},
        {"stop": [], "suffix": "", "user": "someone", "top_p": 1},
    ],
)
def test_options_that_change_nothing_are_taken(
    client: openai.OpenAI, written: str, neutral: dict[str, Any]
) -> None:
    assert client.completions.create(**ASKED, **neutral).choices[0].text == written


def test_a_wrong_field_is_a_bad_request_with_its_name(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(**ASKED, temperature=-1)
    assert caught.value.param == "temperature"
    assert caught.value.type == "invalid_request_error"
    assert "temperature" in caught.value.message


def test_what_is_not_there_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.completions.create(**ASKED | {"model": "gpt-4"})
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError, match="letters"):
        client.models.retrieve("gpt-4")
    with pytest.raises(openai.NotFoundError, match="/v1/chat/completions"):
        client.chat.completions.create(model="letters", messages=[])


@pytest.fixture(scope="module")
def one_seat(models: Path) -> Iterator[Server]:
    """Quota for one text; on NumPy all the tokens there may be take half a minute."""
    args = (models / "letters.safetensors", "--streams", "1", "--waiting", "0")
    with burble_serve(*args, **{KERNEL_VARIABLE: "numpy"}) as running:
        yield running


@contextmanager
def long_stream(client: openai.OpenAI) -> Iterator[Any]:
    with client.completions.create(**ASKED | {"max_tokens": 100_000}, stream=True) as stream:
        next(stream)
        yield stream


def test_a_full_server_is_a_rate_limit_and_the_client_comes_back(
    one_seat: Server, written: str
) -> None:
    with client_of(one_seat, _strict_response_validation=False) as client:
        with long_stream(client) as stream:
            with pytest.raises(openai.RateLimitError) as caught:
                client.completions.create(**ASKED)
            assert caught.value.response.headers["retry-after"] == "1"
            assert caught.value.type == "rate_limit_error"
            threading.Timer(0.3, stream.close).start()
            answer = client.with_options(max_retries=3).completions.create(**ASKED)
        assert answer.choices[0].text == written
