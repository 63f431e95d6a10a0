"""Refusals, in the shape that OpenAI's clients read."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from burble.errors import BurbleError
from burble.serving.completions.responses import Refusal

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


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
    """A text that cannot be read; the message speaks of the option as the command line has it."""
    return RefusalError(400, str(error).replace("--unknown", "unknown"), param=param)


def busy(message: str, status: int = 429) -> RefusalError:
    return RefusalError(status, message, code="busy", headers={"Retry-After": "1"})


def closing() -> RefusalError:
    return busy("The server is closing.", 503)


def plain_json(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON in ASCII: whatever a client sent and is told of, half a character too, can be sent."""
    return json_response(json.dumps(content), status, headers)


def json_response(
    body: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(body, status, headers, media_type="application/json")
