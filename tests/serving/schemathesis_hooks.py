"""What schemathesis cannot know from the description of the server."""

from __future__ import annotations

import schemathesis

# Bounds of several fields together, of the server's own, and of what a model can read.
_TOLD_BY_NO_SCHEMA = {"best_of", "logprobs", "n", "max_tokens", "prompt", "text"}
_MAX_TOKENS = 50


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: object) -> object:
    """Short texts: it is not the writing that is tested."""
    if isinstance(body, dict) and isinstance(body.get("max_tokens"), int):
        body["max_tokens"] = min(body["max_tokens"], _MAX_TOKENS)
    return body


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: schemathesis.errors.Failure,
    case: schemathesis.Case,
    response: schemathesis.Response,
) -> bool:
    """Whether it is one: what fits the description may still be too large, or not fit together."""
    if failure.title != "Schema-valid request rejected":
        return True
    if response.status_code == 413:
        return False
    return response.json()["error"]["param"] not in _TOLD_BY_NO_SCHEMA
