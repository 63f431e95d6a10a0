"""Nobody else's code: the folder that burble is used in may hold files of strangers.

`python -m` puts the working folder first in Python's search path, and so does an empty entry of
PYTHONPATH: a `torch.py` there would run in place of torch. Only names that are always loaded when
Python has started are imported here, which `pathlib` is not.
"""
# ruff: noqa: PTH100, PTH109, PTH117, PTH120

import os
import sys


def leave_working_folder() -> None:
    """Take out of the search path what `python -m` put there, unless burble itself is in it."""
    if sys.flags.safe_path or not sys.path:
        return
    first = sys.path[0] or os.getcwd()
    if first == os.getcwd():
        del sys.path[0]
        if first == package_root():
            # Behind everything else: a file beside burble's sources is no part of Python.
            sys.path.append(first)


def package_root() -> str:
    """Return the folder, or the archive, that burble is imported from."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def python_command() -> list[str]:
    """Return how to start Python for a process of burble's own."""
    return [sys.executable, "-P"]


def python_environment() -> dict[str, str]:
    """Return the environment for such a process, and for those that it starts itself."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    entries = [os.path.abspath(entry) for entry in given if _is_meant(entry)]
    root = package_root()
    if root not in {*entries, *_site_folders()}:
        entries.append(root)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entries), "PYTHONSAFEPATH": "1"}


def _is_meant(entry: str) -> bool:
    """Return whether an entry of PYTHONPATH is more than the working folder, which "." is, too."""
    return bool(entry) and (os.path.isabs(entry) or os.path.abspath(entry) != os.getcwd())


def _site_folders() -> set[str]:
    import site
    import sysconfig

    paths = sysconfig.get_paths()
    return {paths["purelib"], paths["platlib"], site.getusersitepackages()}
