"""Keep Python from importing files of the working folder, which may come from anybody.

`python -m` puts the working folder first in Python's search path, and so does an empty entry of
PYTHONPATH: a `torch.py` there would run in place of torch. This module imports only what Python
itself has loaded at start, which `pathlib` is not.
"""
# ruff: noqa: PTH100, PTH109, PTH117, PTH120

import os
import sys


def leave_working_folder() -> None:
    """Remove the working folder, which `python -m` put there, from the search path.

    If it holds burble itself, it moves to the end.
    """
    if sys.flags.safe_path or not sys.path:
        return
    first = sys.path[0] or os.getcwd()
    if first == os.getcwd():
        del sys.path[0]
        if first == package_root():
            # At the end, so that a file beside burble's sources never replaces a module of Python.
            sys.path.append(first)


def package_root() -> str:
    """Return the folder, or the archive, that burble is imported from."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def python_command() -> list[str]:
    """Return the command that starts Python without the working folder in its search path."""
    return [sys.executable, "-P"]


def python_environment() -> dict[str, str]:
    """Return the environment for such a process, and for the processes that it starts."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    entries = [os.path.abspath(entry) for entry in given if _is_meant(entry)]
    root = package_root()
    if root not in {*entries, *_site_folders()}:
        entries.append(root)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entries), "PYTHONSAFEPATH": "1"}


def _is_meant(entry: str) -> bool:
    """Return whether an entry of PYTHONPATH is kept; the working folder ("" or ".") is not."""
    return bool(entry) and (os.path.isabs(entry) or os.path.abspath(entry) != os.getcwd())


def _site_folders() -> set[str]:
    import site
    import sysconfig

    paths = sysconfig.get_paths()
    return {paths["purelib"], paths["platlib"], site.getusersitepackages()}
