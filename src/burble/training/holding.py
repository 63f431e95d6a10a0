"""Make, lock and tidy the folder of a run during training. Only the leader of a team does it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from burble.errors import UsageError
from burble.run_folder.folder import RunFolder
from burble.run_folder.lock import lock_folder
from burble.system_errors import guard_write
from burble.training.team import Team


@contextmanager
def hold_folder(team: Team, path: Path) -> Iterator[None]:
    """Lock the folder of a run. Raises `UsageError` if another training uses it."""
    with ExitStack() as stack:
        team.run_on_leader(partial(stack.enter_context, lock_folder(path)))
        yield


@contextmanager
def hold_new_folder(team: Team, folder: RunFolder) -> Iterator[None]:
    """Make and lock the folder of a new run, and remove it again if the run fails early.

    Raises `UsageError` if the folder cannot be used.
    """
    is_new = team.run_on_leader(partial(_make_folder, folder.path))
    try:
        with hold_folder(team, folder.path):
            try:
                yield
            finally:
                if team.leads:
                    folder.discard()
    finally:
        if is_new and team.leads:
            with suppress(OSError):  # it is not empty: it contains the run
                folder.path.rmdir()


def _make_folder(path: Path) -> bool:
    is_new = not path.exists()
    if os.path.lexists(path) and not path.is_dir():
        what = "a broken link" if is_new else "a file"
        raise UsageError(
            f"{path} is {what}, not a folder.",
            "Name a folder for the run.",
            "Name a folder for the run with -o.",
        )
    RunFolder(path).check_plain()
    with guard_write(path):
        path.mkdir(parents=True, exist_ok=True)
    return is_new
