from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.cli.command import assert_refused, burble
from tests.serving.server import burble_serve

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving.server import Server

# What is out of a field's range by the schema: test_hostile_fields.
HOSTILE: list[tuple[str, Any]] = [
    *[("prompt", value) for value in (1, [], [1, 2], [["a"]], {"a": 1}, ["a", None])],
    *[("max_tokens", value) for value in (-1, 10**9, 10**400, 1.5, "5", True)],
    *[("n", value) for value in (0, -1, 65, 10**30)],
    *[("stop", value) for value in ("", [""], ["a"] * 17, "a" * 257, 5)],
    *[("model", value) for value in (5, "m" * 1021)],
    *[("best_of", value) for value in (2, 0)],
    ("suffix", "."),
    ("logit_bias", {"5": 1}),
    ("frequency_penalty", 0.5),
    ("presence_penalty", -0.5),
    ("stream_options", {"include": True}),
    *[("tempreature", value) for value in (0.5, None)],
]


def assert_error(answer: httpx.Response, status: int, param: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["param"] == param


@pytest.mark.parametrize(("name", "value"), HOSTILE)
def test_a_field_that_makes_no_sense_is_named(server: Server, name: str, value: Any) -> None:
    body = json.dumps({"prompt": "a", "max_tokens": 1, name: value})
    headers = {"content-type": "application/json"}
    answer = server.client.post("/v1/completions", content=body, headers=headers)
    assert_error(answer, 400, param=name)


NO_JSON = "The body is not JSON: "
NO_TYPE = NO_JSON + "send it as Content-Type"


@pytest.mark.parametrize(
    ("body", "media_type", "words"),
    [
        (b"{", "application/json", NO_JSON + "Expecting"),
        (b'{"prompt": "a"}', None, NO_TYPE),
        (b'{"prompt": "a"}', "text/plain", NO_TYPE),
        *((body, "application/json", "The body must be a JSON object") for body in (b"[]", b"")),
        (b"null", "application/json", ""),
        (b'"a"', "application/json", ""),
        (b"\xff\xfe", "application/json", ""),
        (b"[" * 100_000, "application/json", ""),
        (b'{"prompt": "a", "temperature": NaN}', "application/json", ""),
        (b'{"prompt": "\\ud800"}', "application/json", ""),
        (b'{"\\ud800": 1}', "application/json", ""),
        (b'{"prompt": "a", "seed": ' + b"9" * 5000 + b"}", "application/json", ""),
    ],
)
def test_a_body_that_is_no_request_is_refused(
    server: Server, body: bytes, media_type: str | None, words: str
) -> None:
    headers = {"content-type": media_type} if media_type else {}
    answer = server.client.post("/v1/completions", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"].startswith(words or "")
    assert answer.json()["error"]["message"]


def test_more_texts_than_one_request_may_ask_for_are_refused(server: Server) -> None:
    assert_error(server.complete(prompt=["a"] * 20, n=20), 400, param="n")


def test_an_unknown_model_and_an_unknown_path_are_404(server: Server) -> None:
    assert_error(server.complete(model="../../etc/passwd", prompt="a"), 404, param="model")
    assert_error(server.client.get("/v1/nothing"), 404)
    assert_error(server.client.get("/v1/completions"), 405)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost.evil.example"},
        {"host": ""},
        {"host": "[::1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
    ],
)
def test_another_site_is_refused(server: Server, headers: dict[str, str]) -> None:
    assert_error(server.client.get("/v1/models", headers=headers), 403)


def test_the_own_page_is_welcome(server: Server) -> None:
    origin = {"origin": server.address.rstrip("/")}
    assert server.client.get("/v1/models", headers=origin).status_code == 200


def test_no_other_site_may_read_an_answer(server: Server) -> None:
    answer = server.client.get("/v1/models")
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def chunks(count: int, size: int) -> Any:
    for _ in range(count):
        yield b"a" * size


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(server: Server) -> None:
    assert_error(server.complete(prompt="a" * (2 << 20)), 413)
    assert_error(server.client.post("/v1/completions", content=chunks(64, 1 << 16)), 413)
    assert_error(server.complete(prompt="a" * 100_001), 400, param="prompt")


def test_the_server_goes_on_beside_clients_that_say_nothing(server: Server) -> None:
    idle = [server.connect() for _ in range(50)]
    for connection in idle[:25]:
        connection.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n")
    for connection in idle[25:]:
        connection.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"
        )
    assert len(server.text(prompt="a", max_tokens=5)) == 5
    for connection in idle:
        connection.close()


def test_a_key_guards_all_but_health_and_the_page(models: Path) -> None:
    model = models / "letters.safetensors"
    with burble_serve(model, "--host", "0.0.0.0", BURBLE_API_KEY="sesame-ü") as server:
        local = server.address.replace("0.0.0.0", "127.0.0.1")
        with httpx.Client(base_url=local, trust_env=False) as client:
            assert client.get("/health").status_code == 200
            for path in ("/v1/models", "/metrics", "/openapi.json", "/v1/nothing"):
                assert_error(client.get(path), 401)
                assert_error(client.get(path, headers={"authorization": "Bearer sesame"}), 401)
            key = {"authorization": "Bearer sesame-ü".encode()}
            assert client.get("/v1/models", headers=key).status_code == 200


def test_an_address_that_others_reach_needs_a_key(models: Path) -> None:
    args = ("serve", models / "letters.safetensors", "--host", "0.0.0.0", "--port", "0")
    assert_refused(burble(*args), 2, "BURBLE_API_KEY", "--insecure")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--port", "99999"], 2, ["--port must be between 0 and 65,535"]),
        (["--host", "no.such.host.invalid"], 2, ["no.such.host.invalid"]),
        (["--streams", "0", "--port", "0"], 2, ["--streams must be at least 1"]),
        (["--drain", "-1", "--port", "0"], 2, ["--drain must be at least 0"]),
    ],
)
def test_a_mistake_is_one_message(
    models: Path, args: list[str], code: int, words: list[str]
) -> None:
    assert_refused(burble("serve", models / "letters.safetensors", *args), code, *words)


def test_two_models_of_one_name_are_refused(models: Path) -> None:
    twice = [models / "letters.safetensors"] * 2
    assert_refused(burble("serve", *twice, "--port", "0"), 2, "Two models", "'letters'")


def test_a_port_that_is_taken_is_told(models: Path, server: Server) -> None:
    port = str(server.client.base_url.port)
    result = burble("serve", models / "letters.safetensors", "--port", port)
    assert_refused(result, 6, f"Port {port} is in use", "use a free port: --port ")
