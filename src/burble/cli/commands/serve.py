"""`burble serve`."""

import os
from dataclasses import dataclass
from pathlib import Path

from burble.cli.mistakes import no_model_named
from burble.cli.options import command
from burble.cli.terminal import print_message
from burble.errors import MissingExtraError, UsageError
from burble.knobs import argument, knob, knob_like
from burble.serving.http.limits import Limits

KEY_VARIABLE = "BURBLE_API_KEY"


@dataclass(frozen=True)
class ServeCommand:
    """Serve models: a page to write with, and an API that OpenAI's clients speak."""

    models: tuple[str, ...] = argument("MODEL", "Model files, or folders of runs.", default=())
    runs: str | None = knob(
        None,
        "Let the page train, in this folder, and serve what is learned there.",
        metavar="FOLDER",
    )
    host: str = knob(
        "127.0.0.1", "Address to listen at; any other than this machine's own needs an API key."
    )
    port: int = knob(8080, "Port to listen at; 0 takes one that is free.", low=0, high=65_535)
    api_key: str | None = knob(
        None,
        "What clients must send; better set as BURBLE_API_KEY, where no list of processes shows "
        "it.",
    )
    insecure: bool = knob(False, "Let everyone in who can reach the address, without a key.")
    allow_host: tuple[str, ...] = knob(
        (), "A name that this server is reached by, such as burble.example.org."
    )
    streams: int = knob_like(Limits, "streams")
    waiting: int = knob_like(Limits, "waiting")
    drain: int = knob(
        30, "Seconds that what is being written may go on when the server is told to end.", low=0
    )


@command(ServeCommand)
def main(asked: ServeCommand) -> None:
    try:
        from burble.serving.app import create_app
        from burble.serving.completions.models import Models, ServedModel
        from burble.serving.http.guard import Access
        from burble.serving.http.server import is_loopback, listen, serve
        from burble.serving.playground.supervisor import Supervisor
    except ModuleNotFoundError as error:
        if error.name not in {"fastapi", "httptools", "uvicorn"}:
            raise
        raise MissingExtraError("Serving", "serve") from error
    if not (asked.models or asked.runs):
        raise no_model_named(
            "serve", "With --runs FOLDER, serve needs none: the page can train one."
        )
    supervisor = Supervisor(Path(asked.runs)) if asked.runs else None
    named = [ServedModel.open(Path(model)) for model in asked.models]
    models = Models(named, supervisor.model_paths) if supervisor else Models(named)
    api_key = asked.api_key or os.environ.get(KEY_VARIABLE)
    bound = listen(asked.host, asked.port)
    if not (is_loopback(bound) or api_key or asked.insecure):
        raise UsageError(
            f"At {asked.host} others could use this server, and no key keeps them out. Set "
            f"{KEY_VARIABLE} to a key, or let everyone in with --insecure."
        )
    access = Access(api_key, frozenset({"localhost", *asked.allow_host}))
    app = create_app(models, access, Limits(asked.streams, asked.waiting), supervisor)
    serving = f"Serving at {_address(*bound.getsockname()[:2])}"
    serve(app, bound, lambda: print_message(serving), asked.drain)


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
