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
    """Serve models over HTTP: a page to write with, and an API for OpenAI's clients."""

    models: tuple[str, ...] = argument("MODEL", "Model files, or folders of runs.", default=())
    runs: str | None = knob(
        None,
        "Let the page train models in this folder, and serve them.",
        metavar="FOLDER",
    )
    host: str = knob(
        "127.0.0.1", "Address to listen on; if other machines can reach it, a key is needed."
    )
    port: int = knob(8080, "Port to listen on; 0 picks a free one.", low=0, high=65_535)
    api_key: str | None = knob(
        None,
        "Key that clients must send. The variable BURBLE_API_KEY is safer: no list of processes "
        "shows it.",
    )
    insecure: bool = knob(False, "Accept everyone who can reach the address, without a key.")
    allow_host: tuple[str, ...] = knob(
        (), "Accept requests for this host name, such as burble.example.org."
    )
    streams: int = knob_like(Limits, "streams")
    waiting: int = knob_like(Limits, "waiting")
    drain: int = knob(
        30, "Seconds in which running requests may finish when the server stops.", low=0
    )


@command(
    ServeCommand,
    examples=("burble serve my-model", "burble serve my-model --runs my-runs --port 8000"),
)
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
