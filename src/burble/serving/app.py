"""The routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from burble.serving.completions.admission import COMPLETIONS, Admission, AdmissionMiddleware
from burble.serving.completions.endpoint import CompletionResponse, check, kept_bytes
from burble.serving.completions.models import Models
from burble.serving.completions.requests import CompletionRequest
from burble.serving.completions.responses import Completion, Health, ModelDescription, ModelList
from burble.serving.completions.scheduler import Scheduler
from burble.serving.http.description import ALWAYS, DescribedApp, refusals
from burble.serving.http.errors import RefusalError, plain_json
from burble.serving.http.guard import Access, Guard
from burble.serving.http.limits import Limits
from burble.serving.http.metrics import Metrics
from burble.serving.http.mistakes import describe_mistake
from burble.serving.playground.routes import add_copied, add_inspect, add_page, add_runs
from burble.serving.playground.supervisor import Supervisor
from burble.version import __version__

_EXAMPLES = {
    "whole": {"value": {"prompt": "It was", "max_tokens": 200, "seed": 7, "logprobs": 5}},
    "streamed": {
        "value": {
            "prompt": ["It was", "They were"],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    },
}
_EVENT = {"type": "object", "properties": {"data": {"type": "string"}}, "required": ["data"]}
_COMPLETED: dict[str, Any] = {
    "model": Completion,
    "description": "The texts; with stream, events with parts of them, then [DONE].",
    "content": {"text/event-stream": {"itemSchema": _EVENT}},
}


def create_app(
    models: Models, access: Access, limits: Limits, supervisor: Supervisor | None = None
) -> ASGIApp:
    metrics = Metrics()
    admission = Admission(Scheduler(limits.streams), limits, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        admission.scheduler.start(asyncio.get_running_loop())
        yield
        admission.closing = True
        admission.scheduler.stop()
        if supervisor is not None:
            await asyncio.to_thread(supervisor.close)

    app = DescribedApp(
        title="burble",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=refusals(*ALWAYS),
    )
    _add_errors(app)
    _add_routes(app, models, admission)
    add_page(app)
    add_copied(app, models)
    add_inspect(app, models)
    add_runs(app, supervisor)
    return Guard(AdmissionMiddleware(app, admission), access, metrics.responses)


def _add_routes(app: FastAPI, models: Models, admission: Admission) -> None:
    @app.post(
        COMPLETIONS,
        response_model=None,
        responses={200: _COMPLETED, **refusals(404, 429)},
        openapi_extra={"requestBody": {"content": {"application/json": {"examples": _EXAMPLES}}}},
    )
    async def complete(request: CompletionRequest, http: Request) -> Response:
        """Continue a text."""
        check(request, admission.limits)
        admission.admit(http.scope, request.num_texts - 1)
        admission.reserve_bytes(http.scope, kept_bytes(request))
        return CompletionResponse(admission, await models.find(request.model), request)

    @app.get("/v1/models")
    async def list_models() -> ModelList:
        """List the served models."""
        found = await asyncio.to_thread(models.all)
        return {"object": "list", "data": [model.describe() for model in found]}

    @app.get("/v1/models/{name}", responses=refusals(404))
    async def describe_model(name: str) -> ModelDescription:
        """Describe one model."""
        return (await models.find(name)).describe()

    @app.get("/health")
    async def health() -> Health:
        """Answer if the server is up."""
        return {"status": "ok"}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> str:
        """Return counters for Prometheus."""
        return admission.metrics.render(admission.texts.used, admission.scheduler.num_jobs)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RefusalError)
    async def refused(_: Request, error: RefusalError) -> Response:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        media_type = request.headers.get("content-type", "")
        names = CompletionRequest.model_fields
        return describe_mistake(error.errors(), media_type, names).response()

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        route = f"{request.method} {request.scope['path'][:100]}"
        message = f"{error.detail}: {route}. The routes are listed at /docs."
        headers = {"Allow": _allowed(app, request)} if error.status_code == 405 else error.headers
        return RefusalError(error.status_code, message, headers=headers).response()

    @app.exception_handler(MemoryError)
    async def full(_: Request, __: MemoryError) -> Response:
        return RefusalError(503, "The server's memory has run out. Send less.").response()

    @app.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> Response:
        # uvicorn logs the error and closes the connection, which a client must not use again.
        body = RefusalError(500, "This is a bug in burble. The server's log has more.").body
        return plain_json(body, 500, {"Connection": "close"})


def _allowed(app: FastAPI, request: Request) -> str:
    """Return the methods of all routes of a path; Starlette gives those of the first only."""
    path = request.scope["path"]
    routes = [route for route in app.routes if isinstance(route, Route)]
    methods = {
        method for one in routes if one.path_regex.match(path) for method in one.methods or ()
    }
    return ", ".join(sorted(methods))
