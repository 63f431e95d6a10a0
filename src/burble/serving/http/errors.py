"""Error responses in OpenAI's format."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

# Pydantic cannot read the one in `typing` before Python 3.12.
from typing_extensions import TypedDict

from burble.errors import BurbleError

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class Mistake(TypedDict):
    """A mistake, in words and as codes for programs."""

    message: str
    type: str
    param: str | None
    code: str | None


class Refusal(TypedDict):
    """The body of an error response."""

    error: Mistake


class RefusalError(Exception):
    """A request that is answered with an error status."""

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


def refuse_text(error: BurbleError, param: str) -> RefusalError:
    return RefusalError(400, error.over_http, param=param)


def busy(message: str, status: int = 429) -> RefusalError:
    return RefusalError(status, message, code="busy", headers={"Retry-After": "1"})


def closing() -> RefusalError:
    return busy("The server is closing. Come back soon.", 503)


def plain_json(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON in ASCII, which can quote anything that a client sent, even half a character."""
    return json_response(json.dumps(content), status, headers)


def json_response(
    body: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(body, status, headers, media_type="application/json")
