"""The error responses in `/openapi.json`: those that can be sent, and no others."""

from typing import Any

from fastapi import FastAPI

from burble.serving.http.errors import Refusal

_WHY = {
    400: "A field, or the body, is wrong.",
    401: "The key is missing or wrong.",
    403: "The Host or the Origin is not this server's.",
    404: "Nothing has this name.",
    408: "The body took too long to arrive.",
    409: "Another run is being trained.",
    413: "The body is too large.",
    429: "All slots are taken.",
    503: "The server is closing, or its memory has run out.",
}
# Possible for any request.
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
    """FastAPI that describes errors as JSON, and leaves out 422, which burble never sends."""

    def openapi(self) -> dict[str, Any]:
        described = super().openapi()
        for path in described["paths"].values():
            for operation in path.values():
                _correct(operation["responses"])
        for name in ("HTTPValidationError", "ValidationError"):
            described["components"]["schemas"].pop(name, None)
        return described


def _correct(responses: dict[str, Any]) -> None:
    responses.pop("422", None)
    for status, response in responses.items():
        if int(status) >= 400:
            response["content"] = {"application/json": {"schema": _REFUSAL}}
