"""Write a run's configuration as TOML, and read it from `run.toml` or from a file of the user."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

from burble.config import RunConfig
from burble.errors import UsageError, brief
from burble.mapping import from_mapping, from_saved, to_mapping
from burble.plain_files import read_plain
from burble.saved_format import KEY, SavedFormat, advise
from burble.system_errors import read_error

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = SavedFormat(version=1)

# Enough for the names of ten thousand sources.
_MAX_TOML_BYTES = 1 << 20

# tomllib is quadratic in the parts of a dotted name: 16,000 parts take 4.5 s. In a configuration,
# only numbers have dots.
_MAX_DOTS = 1000
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#.*')


def to_toml(config: RunConfig) -> str:
    """Return `config` as TOML. Options whose value is None are left out."""
    top: list[str] = []
    tables: list[str] = []
    for name, value in _FORMAT.mark(to_mapping(config)).items():
        if isinstance(value, dict):
            lines = [
                f"{key} = {_toml_value(item)}" for key, item in value.items() if item is not None
            ]
            tables.append("\n".join([f"[{name}]", *lines]))
        else:
            top.append(f"{name} = {_toml_value(value)}")
    return "\n\n".join(["\n".join(top), *tables]) + "\n"


def _toml_value(value: object) -> str:
    # A JSON string is a TOML basic string, except for DEL, which TOML requires to be escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def from_toml(text: str, where: str, *, saved: bool = False) -> RunConfig:
    """Parse a configuration. where: its name in messages. Raises `UsageError`.

    saved: whether burble wrote it, perhaps a later version; then unknown options are ignored. In
    a file that a person wrote they are errors.
    """
    if _count_dots(text) > _MAX_DOTS:
        raise UsageError(
            f"{where} has names with too many dots for a run's configuration. Name a run.toml."
        )
    try:
        mapping = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{where} is not valid TOML: {brief(str(error))}. Mend it there, or use another file."
        ) from error
    if not saved:
        mapping.setdefault(KEY, _FORMAT.version)  # a person need not write it
    elif "sources" not in mapping:
        raise UsageError(
            f"{where} is not a run's configuration: it lacks sources. Name the run.toml of a run."
        )
    try:
        mapping = _FORMAT.upgrade(mapping)
        return (from_saved if saved else from_mapping)(RunConfig, mapping, where)
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise UsageError(f"{where} cannot be read: {reason}.", advise(error, "")) from error


def _count_dots(text: str) -> int:
    """Count the dots outside comments and one-line strings; with multi-line strings, all dots."""
    outside = text if '"""' in text or "'''" in text else _QUOTED.sub("", text)
    return outside.count(".")


def read_config(path: Path, *, follow: bool = False, saved: bool = False) -> RunConfig:
    """Read a configuration file. Raises `UsageError` or `ResourceError`.

    follow: whether a link is followed. saved: as for `from_toml`.
    """
    try:
        text = read_plain(path, _MAX_TOML_BYTES, follow=follow).decode("utf-8")
    except OSError as error:
        raise read_error(path, error) from error
    except ValueError as error:
        message = f"{path} is not UTF-8, so it is no run.toml. Name another file."
        raise UsageError(message) from error
    return from_toml(text, str(path), saved=saved)
