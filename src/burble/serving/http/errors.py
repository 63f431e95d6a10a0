"""Refusals, in the shape that OpenAI's clients read."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

# Pydantic cannot read the one in `typing` before Python 3.12.
from typing_extensions import TypedDict

from burble.errors import BurbleError

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class Mistake(TypedDict):
    """What was wrong, in words and for programs."""

    message: str
    type: str
    param: str | None
    code: str | None


class Refusal(TypedDict):
    """What is answered in place of what was asked for."""

    error: Mistake


class RefusalError(Exception):
    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
        self.body: Refusal = {
            "error": {"message": message, "type": kind, "param": param, "code": code}
        }

    def response(self) -> Response:
        return plain_json(self.body, self.status, self.headers)


def refused_text(error: BurbleError, param: str) -> RefusalError:
    """A text that cannot be read."""
    return RefusalError(400, error.over_http, param=param)


def busy(message: str, status: int = 429) -> RefusalError:
    return RefusalError(status, message, code="busy", headers={"Retry-After": "1"})


def closing() -> RefusalError:
    return busy("The server is closing. Come back soon.", 503)


def plain_json(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON in ASCII: whatever a client sent and is told of, half a character too, can be sent."""
    return json_response(json.dumps(content), status, headers)


def json_response(
    body: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(body, status, headers, media_type="application/json")
