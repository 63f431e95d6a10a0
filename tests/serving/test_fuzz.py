from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burble.serving.schema import CompletionRequest

if TYPE_CHECKING:
    from tests.serving.server import Server

ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from(sorted(CompletionRequest.model_fields)), ODD, max_size=6)
PATHS = ("/v1/completions", "/burble/copied", "/burble/runs")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(PATHS), body=FIELDS | ODD, raw=st.none() | st.binary(max_size=40))
def test_no_body_makes_the_server_fail(
    server: Server, path: str, body: Any, raw: bytes | None
) -> None:
    content = json.dumps(body).encode() if raw is None else raw
    headers = {"content-type": "application/json"}
    answer = server.client.post(path, content=content, headers=headers)
    assert answer.status_code in {200, 400, 403, 404}, answer.text
    if answer.status_code != 200:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
