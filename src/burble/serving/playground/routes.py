"""The page's files, and its routes besides the API: runs, copied passages, the look inside."""

import asyncio
import json
from importlib.resources import files
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from burble.config import UnknownPolicy
from burble.evaluation.copied import SHORTEST, as_learned
from burble.serving.completions.models import Models
from burble.serving.completions.requests import Name, RunRequest, Strict, page_fields
from burble.serving.completions.responses import Copies, RunDescription, RunList, RunName
from burble.serving.http.description import refusals
from burble.serving.http.errors import RefusalError
from burble.serving.playground.inside import look_inside
from burble.serving.playground.supervisor import Supervisor

_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}
_PAGES = {"/": "index.html", "/docs": "docs.html"}


class _TextRequest(Strict):
    model: Name | None = None
    text: Annotated[str, Field(max_length=100_000)]


class CopiedRequest(_TextRequest):
    """A text to search for copied passages."""


class InspectRequest(_TextRequest):
    """A text to inspect the model on."""

    unknown: UnknownPolicy = "error"


def add_page(app: FastAPI) -> None:
    """Add the page's files, read once: no requested name becomes a path."""
    folder = files("burble.serving.playground") / "page"
    parts = {part.name: part.read_bytes() for part in folder.iterdir()}
    parts["fields.js"] = f"export const FIELDS = {json.dumps(page_fields())};\n".encode()
    paths = {**_PAGES, **{f"/static/{name}": name for name in parts}}
    for path, name in paths.items():
        app.get(path, include_in_schema=False)(_file(name, parts[name]))


def _file(name: str, content: bytes) -> Any:
    media_type = f"{_TYPES[PurePath(name).suffix]}; charset=utf-8"

    async def serve() -> Response:
        return Response(content, media_type=media_type, headers={"cache-control": "no-cache"})

    return serve


def add_copied(app: FastAPI, models: Models) -> None:
    @app.post("/burble/copied", responses=refusals(404))
    async def copied(request: CopiedRequest) -> Copies:
        """Find passages of a text that are in the training text word for word."""
        model = await models.find(request.model)
        finder = await asyncio.to_thread(models.copy_finder, model)
        if finder is None:
            return {"shortest": None, "spans": []}
        text = as_learned(request.text, model.file.normalization)
        spans = await asyncio.to_thread(finder.spans, text)
        return {"shortest": SHORTEST, "spans": [list(span) for span in spans]}


def add_inspect(app: FastAPI, models: Models) -> None:
    # One at a time: a report takes seconds of processor time, and must not delay those who write.
    one_at_a_time = asyncio.Lock()

    @app.post("/burble/inspect", response_class=HTMLResponse, responses=refusals(404))
    async def inspect(request: InspectRequest, http: Request) -> str:
        """Return a page with every guess, gate and state at the end of the text."""
        model = await models.find(request.model)
        async with one_at_a_time:
            if await http.is_disconnected():
                raise RefusalError(400, "The client has disconnected.")
            return await asyncio.to_thread(look_inside, model.file, request.text, request.unknown)


def add_runs(app: FastAPI, supervisor: Supervisor | None) -> None:
    def require_training() -> Supervisor:
        if supervisor is None:
            raise RefusalError(403, "This server does not train: it has no folder for runs.")
        return supervisor

    @app.get("/burble/runs")
    async def list_runs() -> RunList:
        """List all runs, newest first."""
        listed = await asyncio.to_thread(supervisor.list_runs) if supervisor else []
        return {"can_train": supervisor is not None, "runs": listed}

    @app.post("/burble/runs", status_code=201, responses=refusals(409))
    async def start_run(request: RunRequest) -> RunName:
        """Start a run that learns from a text."""
        return {
            "name": await asyncio.to_thread(require_training().start, request.text, request.minutes)
        }

    @app.get("/burble/runs/{name}", responses=refusals(404))
    async def describe_run(name: str) -> RunDescription:
        """Describe the state of a run."""
        return await asyncio.to_thread(require_training().describe, name)

    @app.post("/burble/runs/{name}/stop", status_code=202, responses=refusals(404))
    async def stop_run(name: str) -> None:
        """Save and stop a run."""
        await asyncio.to_thread(require_training().stop, name)

    @app.post("/burble/runs/{name}/resume", status_code=202, responses=refusals(404, 409))
    async def resume_run(name: str) -> None:
        """Resume a stopped run."""
        await asyncio.to_thread(require_training().resume, name)
