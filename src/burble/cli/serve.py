"""`burble serve`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from burble.cli.options import parse
from burble.cli.terminal import tell
from burble.errors import MissingExtraError, UsageError

KEY_VARIABLE = "BURBLE_API_KEY"


@dataclass(frozen=True)
class ServeCommand:
    """Serve models: a page to write with, and an API that OpenAI's clients speak."""

    models: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="MODEL ...")]
    """Model files, or folders of runs."""

    runs: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Let the page train, in this folder, and serve what is learned there."""

    host: str = "127.0.0.1"
    """Address to listen at; any other than this machine's own needs an API key."""

    port: int = 8080
    """Port to listen at; 0 takes one that is free."""

    api_key: str | None = None
    """What clients must send; better set as BURBLE_API_KEY, where no list of processes shows it."""

    insecure: bool = False
    """Let everyone in who can reach the address, without a key."""

    allow_host: tuple[str, ...] = ()
    """A name that this server is reached by, such as burble.example.org; may be given often."""

    streams: int = 64
    """Texts to write side by side."""

    waiting: int = 64
    """Texts that may wait beyond those; further ones are told to come back."""

    drain: int = 30
    """Seconds that what is being written may go on when the server is told to end."""


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Serve until told to end."""
    command = parse(ServeCommand, "serve", args)
    try:
        from burble.serving.app import create_app
        from burble.serving.guard import Access
        from burble.serving.limits import Limits
        from burble.serving.models import Models, ServedModel
        from burble.serving.runs import Runs
        from burble.serving.server import is_loopback, listen, serve
    except ModuleNotFoundError as error:
        if error.name not in {"fastapi", "httptools", "uvicorn"}:
            raise
        raise MissingExtraError("Serving", "serve") from error
    if command.drain < 0:
        raise UsageError(f"drain must be 0 or more; found {command.drain}.")
    if not (command.models or command.runs):
        raise UsageError("Name a model to serve, or a folder to train in: --runs FOLDER.")
    runs = Runs(Path(command.runs)) if command.runs else None
    models = Models([ServedModel.open(Path(model)) for model in command.models], runs)
    api_key = command.api_key or os.environ.get(KEY_VARIABLE)
    bound = listen(command.host, command.port)
    if not (is_loopback(bound) or api_key or command.insecure):
        raise UsageError(
            f"At {command.host} others could use this server. Set {KEY_VARIABLE}, or say "
            "--insecure to let everyone in."
        )
    access = Access(api_key, frozenset({"localhost", *command.allow_host}))
    app = create_app(models, access, Limits(command.streams, command.waiting), runs)
    serve(
        app, bound, lambda: tell(f"Serving at {_address(*bound.getsockname()[:2])}"), command.drain
    )


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
