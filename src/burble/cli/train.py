"""`burble train`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

import tyro

from burble.cli.options import parse
from burble.config import (
    PRESETS,
    SECTIONS,
    DataConfig,
    NetworkConfig,
    RunConfig,
    SampleConfig,
    TextConfig,
    TrainingConfig,
    read_config,
)
from burble.errors import UsageError
from burble.folder_names import TENSORBOARD
from burble.text.corpora import CORPORA
from burble.training.request import PLANNED, RunRequest

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from burble.run_folder.observer import Observer
    from burble.training.run import Run, TrainResult

PresetName = Literal["tutorial"]


@dataclass(frozen=True)
class TrainCommand:
    """Learn from texts and save a model.

    The folder of the run holds model.safetensors, the best model so far, which is all that
    generate and eval need. Ctrl-C saves everything and tells how to go on.
    """

    sources: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="SOURCE ...")
    ] = RunConfig.sources
    """Files, folders, globs, .gz files, addresses, - for standard input, or names of known texts
    (burble corpora lists them)."""

    out: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="FOLDER")] = None
    """Folder for the run; named after the first source where none is given."""

    preset: PresetName | None = None
    """Start from a set of options: tutorial is the Keras tutorial of 2021, step by step."""

    config: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Start from the options of a run.toml."""

    resume: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Go on with the run in this folder, exactly where it stopped."""

    overwrite: bool = False
    """Replace a run that is in the folder already, as soon as the new one has a model."""

    json: bool = False
    """Print the result as one JSON object."""

    tensorboard: bool = False
    """Write curves for TensorBoard into the folder, too."""

    text: TextConfig = field(default_factory=TextConfig)
    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)

    def run_config(self) -> RunConfig:
        """The run that these options describe."""
        return RunConfig(
            self.sources, self.text, self.data, self.network, self.training, self.sample
        )

    def based_on(self, base: RunConfig) -> TrainCommand:
        """The same command with another run's options."""
        return dataclasses.replace(
            self, sources=base.sources, **{part: getattr(base, part) for part in SECTIONS}
        )


def main(args: list[str], started: float) -> None:
    """Train, or go on training, and report."""
    command = parse(TrainCommand, "train", args)
    base = _base(command)
    # The second reading has the base's options for defaults, so that flags win over them.
    command = parse(TrainCommand, "train", args, TrainCommand().based_on(base))
    path = _folder(command)
    run = _open_run(command, path, started)
    if command.resume:
        result = run.resume(_changes(base, command.run_config()))
    else:
        result = run.train(request(command, base, args), overwrite=command.overwrite)
    _report(command, result, path)


def request(command: TrainCommand, base: RunConfig, args: list[str]) -> RunRequest:
    """Return what the arguments ask for, over the configuration that they start from."""
    options = _changes(base, command.run_config())
    if command.preset or command.config:
        return RunRequest(options, base)
    training, network = command.training, command.network
    given = {
        name: getattr(network if name == "hidden_size" else training, name)
        for name in given_knobs(args)
    }
    return RunRequest(given | options)


def _folder(command: TrainCommand) -> Path:
    """Return the folder of the run. Raises `UsageError` for one that is among the sources."""
    if command.resume:
        return Path(command.resume)
    if command.out == "":
        raise UsageError("-o is empty. Name a folder for the run, such as -o my-model.")
    path = Path(command.out or default_folder(command.sources[0]))
    for source in command.sources:
        is_folder = os.path.isdir(source)  # noqa: PTH112 - raises nothing: the reader will
        if is_folder and path.resolve().is_relative_to(Path(source).resolve()):
            raise UsageError(
                f"The run cannot be kept in {path}/: that is in {source}, which burble shall learn "
                "from. Name a folder outside of it with -o."
            )
    return path


def _base(command: TrainCommand) -> RunConfig:
    given = [name for name in ("preset", "config", "resume") if getattr(command, name)]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} do not go together. Give one of them.")
    if command.resume:
        from burble.run_folder.folder import RunFolder

        return RunFolder(Path(command.resume)).read_config()
    if command.config:
        return read_config(Path(command.config), follow=True)
    return PRESETS[command.preset] if command.preset else RunConfig()


def _open_run(command: TrainCommand, path: Path, started: float) -> Run:
    from burble.progress import view_for
    from burble.runs import open_run

    observers: list[Observer] = [view_for(sys.stderr)]
    if command.tensorboard:
        from burble.training.learners.registry import open_tensorboard

        observers.append(open_tensorboard(path / TENSORBOARD))
    return open_run(path, observers, started)


def given_knobs(args: list[str]) -> AbstractSet[str]:
    """Those of the plan's knobs that the arguments name: they are what they are, whatever their
    default is.
    """
    one, other = (
        parse(TrainCommand, "train", args, TrainCommand().based_on(_all_planned(factor)))
        for factor in (1, 2)
    )
    return PLANNED - set(_changes(one.run_config(), other.run_config()))


def _all_planned(factor: int) -> RunConfig:
    """A run whose planned knobs have values that stand for nothing."""
    return RunConfig().with_options({**dict.fromkeys(PLANNED, factor / 10), "hidden_size": factor})


def _changes(before: RunConfig, after: RunConfig) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if before.sources != after.sources:
        changes["sources"] = after.sources
    for part, section in SECTIONS.items():
        for knob in dataclasses.fields(section):
            value = getattr(getattr(after, part), knob.name)
            if value != getattr(getattr(before, part), knob.name):
                changes[knob.name] = value
    return changes


def default_folder(source: str) -> str:
    """A folder named after the source: alice, my-text, standard-input."""
    if source == "-":
        return "standard-input"
    if source in CORPORA:
        return source
    name = Path(urlsplit(source).path if "://" in source else source).name
    stem = name.removesuffix(".gz").partition(".")[0].strip("*?[]") or "burble-run"
    # `burble train texts/` must not write into the texts.
    return f"{stem}-model" if _is_same_place(stem, source) else stem


def _is_same_place(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except OSError:  # one of them is not there
        return False


def _report(command: TrainCommand, result: TrainResult, path: Path) -> None:
    from burble.cli.train_view import print_result
    from burble.runs import final_sample

    if command.json:
        sys.stdout.write(json.dumps(dataclasses.asdict(result)) + "\n")
        return
    config = command.run_config()
    sample = final_sample(path, config) if config.sample.sample_length else None
    print_result(sys.stderr, result, sample, path)
