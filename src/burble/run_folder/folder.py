"""The folder of a run: its files, and how a new run replaces an old one.

docs/architecture.md explains `.burble-new` and `.burble-ready`.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burble.config import RunConfig
from burble.data.prepared import PreparedText
from burble.durable import remove_litter, sync_folder, write_durably
from burble.errors import BurbleError, TextError, UsageError
from burble.folder_names import (
    ASIDE,
    CONFIG_NAME,
    DATA_FOLDER,
    LAST_FOLDER,
    LOCK_NAME,
    MANIFEST,
    METRICS_NAME,
    MODEL_NAME,
    READY,
    SAMPLES_NAME,
    TENSORBOARD,
)
from burble.hints import entries
from burble.mapping import parse_object
from burble.model_file import ModelFile
from burble.plain_files import find_odd, read_plain
from burble.run_folder.lock import find_holder
from burble.run_toml import read_config, to_toml
from burble.saved_format import SavedFormat, VersionError
from burble.shell import burble_line
from burble.system_errors import guard_write, read_error

STATE_FORMAT = SavedFormat(version=1)  # of the manifest and of the tensors it points to

# The model moves first, so that a reader of the folder gets the old one or the new one.
_PARTS = (MODEL_NAME, CONFIG_NAME, DATA_FOLDER, LAST_FOLDER, METRICS_NAME, SAMPLES_NAME)
_OURS = {*_PARTS, ASIDE, READY, LOCK_NAME, TENSORBOARD}
# These files are changed in place, so a hard link elsewhere would change with them.
_WRITTEN_IN_PLACE = {LOCK_NAME, METRICS_NAME, SAMPLES_NAME}
_FOLDERS = {DATA_FOLDER, LAST_FOLDER, ASIDE, READY, TENSORBOARD}

_MAX_MANIFEST_BYTES = 1 << 16

_LISTED = 5  # runs that a message shows

_STILL_WORKS = "Its model still works. To continue, train again in another folder"
TRAIN_AGAIN = (
    f"{_STILL_WORKS}, or overwrite this one.",
    f"{_STILL_WORKS} (-o), or in this one with --overwrite.",
)
"""Advice for a run whose saved state is lost, without and with command-line flags."""


def read_manifest(last: Path) -> dict[str, Any]:
    """Read the manifest of the saved state in `last`. Raises `OSError` or `ValueError`."""
    content = read_plain(last / MANIFEST, _MAX_MANIFEST_BYTES)
    return STATE_FORMAT.upgrade(parse_object(content, MANIFEST))


@dataclass
class RunFolder:
    """The folder of a run."""

    path: Path
    is_aside: bool = False  # True while the run is written in `.burble-new`, beside an older run

    @property
    def root(self) -> Path:
        return self.path / ASIDE if self.is_aside else self.path

    @property
    def model(self) -> Path:
        return self.root / MODEL_NAME

    @property
    def config(self) -> Path:
        return self.root / CONFIG_NAME

    @property
    def metrics(self) -> Path:
        return self.root / METRICS_NAME

    @property
    def samples(self) -> Path:
        return self.root / SAMPLES_NAME

    @property
    def last(self) -> Path:
        return self.root / LAST_FOLDER

    @property
    def data(self) -> Path:
        return self.root / DATA_FOLDER

    def open_new(self, *, overwrite: bool) -> bool:
        """Make room for a new run. Raises `UsageError` if something in the folder must be kept.

        Return whether it deleted a run that had not learned anything yet.
        """
        self.recover()
        entries = {entry.name for entry in self.path.iterdir()} - {LOCK_NAME}
        replaces = self.has_learned()
        if entries and not (self._is_run() and (replaces or entries <= _OURS)):
            raise UsageError(
                f"{self.path} already exists and is not a run of burble.",
                "Name another folder.",
                "Name another folder with -o.",
            )
        if replaces and not overwrite:
            if self._read_step() is None:
                raise UsageError(
                    f"{self.path}/ already contains a run, which cannot be resumed: {self.last} is "
                    "missing or broken.",
                    *TRAIN_AGAIN,
                )
            raise UsageError(
                f"{self.path}/ already contains a run.",
                "Continue it, name another folder, or overwrite it.",
                f"Continue it ({burble_line('train', '--resume', self.path)}), name another "
                "folder with -o, or replace it with --overwrite.",
            )
        with guard_write(self.path):
            if not replaces:
                self._clear()
            self.is_aside = True
            self.root.mkdir()
        return bool(entries) and not replaces

    def begin(self, config: RunConfig) -> None:
        """Write the configuration beside the prepared text. Then training can start."""
        self.write_config(config)
        if not RunFolder(self.path).has_learned():
            self.replace_old()

    def replace_old(self) -> None:
        """Replace the old run in the folder by this one, which was written in `.burble-new`."""
        with guard_write(self.path):
            for log in (self.metrics, self.samples):
                log.touch()
            sync_folder(self.root)
            self.root.rename(self.path / READY)
            self.is_aside = False
            self._move_in()

    def discard(self) -> None:
        """Delete the new run if it has not replaced the old one."""
        if self.is_aside:
            shutil.rmtree(self.root, ignore_errors=True)
            self.is_aside = False

    def recover(self) -> bool:
        """Finish or undo what a killed process left. Return whether a new run was deleted."""
        aside = RunFolder(self.path, is_aside=True)
        with guard_write(self.path):
            remove_litter(self.path)
            if (self.path / READY).exists():
                self._move_in()
            if not aside.root.exists():
                return False
            if aside.saved_step() > 0:
                aside.replace_old()
                return False
            shutil.rmtree(aside.root)
            return True

    def has_learned(self) -> bool:
        """Return whether the folder contains a run of at least one step."""
        if self.saved_step() > 0:
            return True
        if not self.model.exists():
            return False
        try:
            return ModelFile.load(self.model).provenance.steps > 0
        except BurbleError:  # keep a broken model: it may be all that is left
            return True

    def has_text(self) -> bool:
        """Return whether the folder contains a prepared text."""
        return self.data.is_dir()

    def has_state(self) -> bool:
        """Return whether the folder contains a saved state."""
        return (self.last / MANIFEST).exists()

    def saved_step(self) -> int:
        """Return the step of the saved state: 0 if there is none, 1 if it cannot be read."""
        if not self.has_state():
            return 0
        step = self._read_step()
        return 1 if step is None else step

    def _read_step(self) -> int | None:
        try:
            step = read_manifest(self.last)["position"]["step"]
        except VersionError:  # another version of burble can resume it
            return 1
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return step if type(step) is int and step >= 0 else None

    def check_plain(self) -> None:
        """Raise `UsageError` if a part of the run is a link or not the expected kind of file."""
        for root in (self.path, self.path / ASIDE, self.path / READY):
            for name in sorted(_OURS):
                _check_part(root / name)

    def write_config(self, config: RunConfig) -> None:
        """Write `run.toml`."""
        write_durably(self.config, to_toml(config).encode())

    def read_config(self) -> RunConfig:
        """Read `run.toml`. Raises `UsageError` if there is no run or it is not readable."""
        self.check_plain()
        moving = self.path / READY / CONFIG_NAME
        config = moving if moving.exists() else self.config
        if not config.exists():
            if (self.path / ASIDE).exists():
                line = burble_line("train", "my-text.txt", "-o", self.path)
                raise UsageError(
                    f"The run in {self.path}/ was stopped before it began, so there is nothing to "
                    "resume.",
                    "Start it anew.",
                    f"Start it anew, with the command that you gave: {line}",
                )
            raise _no_run(self.path)
        return read_config(config, saved=True)

    def read_text(self, model: ModelFile) -> PreparedText:
        """Load the text of the run. Raises `TextError` if it does not belong to the model."""
        text = PreparedText.load(self.data)
        if not text.is_of(model.tokenizer):
            raise TextError(
                f"{self.model} did not learn from the text in {self.data}: their tokens differ. "
                "Use the folder as `burble train` made it."
            )
        return text

    def _is_run(self) -> bool:
        """Return whether burble wrote this folder. A subfolder called `data` proves nothing."""
        try:
            self.read_config()
        except UsageError:
            return self._has_model()
        return True

    def _has_model(self) -> bool:
        try:
            ModelFile.load(self.model)
        except BurbleError:
            return False
        return True

    def _clear(self) -> None:
        for name in _PARTS:
            part = self.path / name
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink(missing_ok=True)

    def _move_in(self) -> None:
        """Move the parts of `.burble-ready` to their places. Parts already moved are skipped."""
        ready = self.path / READY
        for name in _PARTS:
            place = self.path / name
            if (ready / name).exists():
                if place.is_dir():
                    place.rename(ready / f"old-{name}")
                (ready / name).replace(place)
        sync_folder(self.path)
        shutil.rmtree(ready, ignore_errors=True)


def _no_run(path: Path) -> UsageError:
    """Return the error for a folder without a run, with those that may be meant."""
    if not path.is_dir():
        problem, folder = f"There is no run in {path}: there is no such folder.", path.parent
    else:
        problem, folder = f"There is no run in {path}: {path / CONFIG_NAME} is missing.", path
    known = [near / name for near in {folder, path.parent} for name in entries(os.fspath(near))]
    runs = [run for run in sorted(known) if (run / CONFIG_NAME).is_file()][:_LISTED]
    advice = "Name the folder of a run."
    if runs:
        advice = f"Name the folder of a run, such as {', '.join(map(str, runs))}."
    line = burble_line("train", "my-text.txt", "-o", path)
    return UsageError(problem, advice, f"{advice} To begin one there: {line}")


def is_run(folder: Path) -> bool:
    """Return whether `folder` is a run without links, pipes or devices in it."""
    # A run that has just started is locked, and has no run.toml of its own yet.
    if folder.is_symlink() or not (
        os.path.lexists(folder / CONFIG_NAME) or find_holder(folder) is not None
    ):
        return False
    try:
        return find_odd(folder) is None
    except OSError:  # it is gone, or we may not read it
        return False


def _is_expected_kind(part: Path) -> bool:
    if part.name in _FOLDERS:
        return part.is_dir()
    is_shared = part.name in _WRITTEN_IN_PLACE and part.stat().st_nlink > 1
    return part.is_file() and not is_shared


def _check_part(part: Path) -> None:
    try:
        odd = find_odd(part)
        if odd is None and os.path.lexists(part) and not _is_expected_kind(part):
            odd = part
    except OSError as error:
        raise read_error(error.filename or part, error) from error
    if odd is not None:
        raise UsageError(
            f"{odd} must be a plain file or folder, and is not: nothing is read or written through "
            "a link, a pipe or a device. Put a copy of what is meant in its place."
        )
