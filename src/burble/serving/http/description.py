"""What `/openapi.json` tells beside the routes: every refusal, and none that is never sent."""

from typing import Any

from fastapi import FastAPI

from burble.serving.http.errors import Refusal

_WHY = {
    400: "A field, or the body, is wrong.",
    401: "The key is missing or wrong.",
    403: "The Host or the Origin is not this server's.",
    404: "There is nothing of this name.",
    408: "The body took too long to come.",
    409: "A run is going on already.",
    413: "The body is too large.",
    429: "Too many texts are being written or wait already.",
    503: "The server is closing, or its memory has run out.",
}
# What any request may meet.
ALWAYS = (400, 401, 403, 408, 413, 503)

_REFUSAL = {"$ref": "#/components/schemas/Refusal"}
_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
_BEARER = {"description": "Bearer.", "schema": {"type": "string"}}
_HEADERS = {
    401: {"WWW-Authenticate": _BEARER},
    429: {"Retry-After": _RETRY_AFTER},
    503: {"Retry-After": _RETRY_AFTER},
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {
        status: {
            "model": Refusal,
            "description": _WHY[status],
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in statuses
    }


class DescribedApp(FastAPI):
    """FastAPI without the refusal 422, which is never sent here, and with JSON in all others."""

    def openapi(self) -> dict[str, Any]:
        described = super().openapi()
        for path in described["paths"].values():
            for operation in path.values():
                _mend(operation["responses"])
        for name in ("HTTPValidationError", "ValidationError"):
            described["components"]["schemas"].pop(name, None)
        return described


def _mend(responses: dict[str, Any]) -> None:
    responses.pop("422", None)
    for status, told in responses.items():
        if int(status) >= 400:
            told["content"] = {"application/json": {"schema": _REFUSAL}}
