"""`burble train`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from burble.cli.options import command
from burble.cli.terminal import print_message
from burble.config import PRESETS, SECTIONS, RunConfig
from burble.errors import UsageError
from burble.folder_names import TENSORBOARD
from burble.knobs import argument, knob, sections
from burble.run_toml import read_config
from burble.text.corpora import CORPORA
from burble.training.request import RunRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burble.run_folder.observer import Observer
    from burble.training.run import Run, TrainResult


_NO_SOURCE = (
    "No text is named, so burble learns python-docs. For another, name a file, a folder, an "
    "address or a known text: burble train my-text.txt"
)


@dataclass(frozen=True)
class TrainCommand:
    """Train a model on your texts and save it.

    The folder of the run holds model.safetensors, the best model so far. generate and eval need
    no other file. Ctrl-C saves everything and prints the command that continues the run.

    Options override those of --preset, --config and --resume; none removes a number that they
    set: --minutes none.
    """

    sources: tuple[str, ...] = argument(
        "SOURCE",
        "Files, folders, globs, .gz files, addresses, - for standard input, or known texts (burble "
        "corpora lists them). Default: python-docs.",
        default=(),
    )
    out: str | None = knob(
        None,
        "Folder of the run; named after the first source by default.",
        short="-o",
        metavar="FOLDER",
    )
    preset: str | None = knob(
        None,
        "Start from a set of options. tutorial: those of the Keras tutorial of 2021.",
        choices=tuple(PRESETS),
    )
    config: str | None = knob(None, "Start from the options in a run.toml.", metavar="FILE")
    resume: str | None = knob(
        None, "Continue the run in this folder exactly where it stopped.", metavar="FOLDER"
    )
    overwrite: bool = knob(
        False, "Replace the run in the folder as soon as the new one has a model."
    )
    json: bool = knob(False, "Print the result as one JSON object.")
    tensorboard: bool = knob(False, "Also write curves for TensorBoard into the folder.")
    options: dict[str, Any] = sections(dict, SECTIONS)  # only those that were given

    def base(self) -> str | None:
        """Return the name of the option that gives a whole configuration, or None.

        Raises `UsageError` for several of them, and for --resume with another folder.
        """
        named = [name for name in ("preset", "config", "resume") if getattr(self, name)]
        if self.resume:
            named += [name for name in ("out", "overwrite") if getattr(self, name)]
        if len(named) > 1:
            raise UsageError(f"--{named[0]} and --{named[1]} do not go together. Give one of them.")
        return named[0] if named else None

    def given(self) -> dict[str, Any]:
        return self.options | ({"sources": self.sources} if self.sources else {})


COMMON = (
    "out",
    "minutes",
    "epochs",
    "resume",
    "overwrite",
    "hidden_size",
    "num_layers",
    "cell",
    "dropout",
    "seed",
)


@command(
    TrainCommand,
    examples=("burble train my-text.txt -o my-model --minutes 5", "burble train --resume my-model"),
    common=COMMON,
)
def main(asked: TrainCommand) -> None:
    if not (asked.sources or asked.base()):
        print_message(_NO_SOURCE)
    base, given = _read_base(asked), asked.given()
    config = base.with_options(given)
    path = _choose_folder(asked, config.sources)
    run = _open_run(asked, path)
    if asked.resume:
        result = run.resume(
            {name: given[name] for name in given if base.with_options({name: given[name]}) != base}
        )
    else:
        request = RunRequest(given, base if asked.base() else None)
        result = run.train(request, overwrite=asked.overwrite)
    _report(asked, result, config, path)


def _read_base(asked: TrainCommand) -> RunConfig:
    match asked.base():
        case "preset":
            return PRESETS[str(asked.preset)]
        case "config":
            return read_config(Path(str(asked.config)), follow=True)
        case "resume":
            from burble.run_folder.folder import RunFolder

            return RunFolder(Path(str(asked.resume))).read_config()
    return RunConfig()


def _choose_folder(asked: TrainCommand, sources: tuple[str, ...]) -> Path:
    """Return the folder of the run. Raises `UsageError` if it is inside a source."""
    if asked.resume:
        return Path(asked.resume)
    path = Path(asked.out or default_folder(sources))
    for source in sources:
        is_folder = os.path.isdir(source)  # noqa: PTH112 - never raises; the reader will
        if is_folder and path.resolve().is_relative_to(Path(source).resolve()):
            raise UsageError(
                f"The run cannot be kept in {path}/, inside of {source}: that is the text to learn "
                "from. Name a folder outside of it with -o."
            )
    return path


def _open_run(asked: TrainCommand, path: Path) -> Run:
    from burble.progress import view_for
    from burble.run_hooks import open_run

    observers: list[Observer] = [view_for(sys.stderr)]
    if asked.tensorboard:
        from burble.run_folder.tensorboard import TensorBoard

        observers.append(TensorBoard(path / TENSORBOARD))
    return open_run(path, observers, click.get_current_context().obj)


def default_folder(sources: Sequence[str]) -> str:
    """Return a folder named after the first source (alice, my-text) that is inside no source."""
    path = Path(_name_for(sources[0]))
    # `burble train texts/` must not write into the texts, nor `burble train .` in them.
    while (source := _source_around(path, sources)) and source.name:
        path = Path(os.path.relpath(source.with_name(f"{source.name}-model")))
    return str(path)


def _source_around(path: Path, sources: Sequence[str]) -> Path | None:
    found = (Path(source).resolve() for source in sources if os.path.exists(source))  # noqa: PTH110 - never raises
    return next((source for source in found if path.resolve().is_relative_to(source)), None)


def _name_for(source: str) -> str:
    if source == "-":
        return "standard-input"
    if source in CORPORA:
        return source
    name = Path(urlsplit(source).path if "://" in source else source).name
    return name.removesuffix(".gz").partition(".")[0].strip("*?[]") or "burble-run"


def _report(asked: TrainCommand, result: TrainResult, config: RunConfig, path: Path) -> None:
    from burble.cli.views.train import print_result
    from burble.run_hooks import final_sample

    if asked.json:
        sys.stdout.write(json.dumps(dataclasses.asdict(result)) + "\n")
        return
    sample = final_sample(path, config) if config.sample.sample_length else None
    print_result(sys.stderr, result, sample, path)
