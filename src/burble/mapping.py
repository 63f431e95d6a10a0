"""Turn dataclasses into plain values and back, strictly, so that a typing mistake is an error."""

import dataclasses
import json
import math
import numbers
import types
import typing
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal, TypeVar

from burble.errors import OptionError, UsageError, brief
from burble.saved_format import VersionError

T = TypeVar("T")

# Counters of a run and the formats that burble writes hold 64 bits, one of them the sign.
_MAX_INTEGER = 2**63 - 1

_NAMES: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list of texts",
}


class _ChoiceError(OptionError):
    """The value is a text, but none of the option's choices."""


def to_mapping(config: Any) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for knob in dataclasses.fields(config):
        value = getattr(config, knob.name)
        if dataclasses.is_dataclass(value):
            value = to_mapping(value)
        mapping[knob.name] = list(value) if isinstance(value, tuple) else value
    return mapping


def from_mapping(cls: type[T], mapping: object, where: str = "") -> T:
    """Build a dataclass from plain values, and check their names, types and ranges.

    where: what messages call them. Raises `UsageError`.
    """
    if not isinstance(mapping, dict):
        raise UsageError(f"{where} must be a table of names and values.")
    hints = _hints(typing.cast("Any", cls))
    values: dict[str, Any] = {}
    for name, value in mapping.items():
        if name not in hints:
            options = ", ".join(hints)
            raise UsageError(f"{where} has no option {_show(name)}. Options: {options}.")
        values[name] = _convert(value, hints[name], _join(where, name))
    nothing = dataclasses.MISSING
    knobs = dataclasses.fields(typing.cast("Any", cls))
    required = {k.name for k in knobs if k.default is nothing and k.default_factory is nothing}
    if missing := required - values.keys():
        raise UsageError(f"{where} lacks {', '.join(sorted(missing))}. Add it there.")
    try:
        return cls(**values)
    except OptionError as error:
        raise error.spelled(lambda name: _join(where, name)) from None


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def from_saved(cls: type[T], mapping: object, where: str) -> T:
    """Build a dataclass from what a burble saved, perhaps a later one; unknown fields are ignored.

    Raises `UsageError`, and `VersionError` for a choice that this version does not know.
    """
    try:
        return from_mapping(cls, _known_part(cls, mapping), where)
    except _ChoiceError as error:
        raise VersionError(str(error)) from error


def _known_part(cls: Any, mapping: object) -> object:
    if not isinstance(mapping, dict) or not dataclasses.is_dataclass(cls):
        return mapping
    hints = _hints(typing.cast("Any", cls))
    return {name: _known_part(hints[name], mapping[name]) for name in mapping if name in hints}


@lru_cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _convert(value: object, hint: Any, where: str) -> object:
    if dataclasses.is_dataclass(hint):
        return from_mapping(typing.cast("type[object]", hint), value, where)
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        if value is None:
            return None
        hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
    if typing.get_origin(hint) is tuple and isinstance(value, list | tuple):
        return tuple(_convert(item, str, where) for item in value)
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            error = _ChoiceError if isinstance(value, str) else OptionError
            raise error(f"must be one of {', '.join(choices)}; found {_show(value)}.", where)
        return value
    return _convert_plain(value, hint, where)


def _convert_plain(value: object, hint: Any, where: str) -> object:
    """Convert a number, NumPy's too, a bool or a text. True is not a number, and 1 not a bool."""
    if not isinstance(value, bool):
        if hint is float and isinstance(value, numbers.Real):
            with suppress(OverflowError):  # refused below
                value = float(value)
        elif hint is int and isinstance(value, numbers.Integral):
            value = int(value)
    if type(value) is not hint or (
        hint is float and not math.isfinite(typing.cast("float", value))
    ):
        # A hint of tuple reaches this line only if the value is no list or tuple.
        expected = _NAMES.get(typing.get_origin(hint) or hint, "text")
        raise OptionError(f"must be {expected}; found {_show(value)}.", where)
    if hint is int and abs(typing.cast("int", value)) > _MAX_INTEGER:
        raise OptionError(f"must be at most 2⁶³-1; found {_show(value)}.", where)
    return value


def _show(value: object) -> str:
    try:
        return brief(repr(value))
    except (ValueError, RecursionError):  # an integer of thousands of digits; lists in lists
        return "a value too long to show"


def parse_object(content: bytes | str, what: str) -> dict[str, Any]:
    """Parse a JSON object that may come from anybody. what: its name in messages.

    Raises `ValueError` if it is not an object, if it gives a name twice (readers differ in which
    value they take), or if a string has half a surrogate pair, which no file can store.
    """
    try:
        parsed = json.loads(content, object_pairs_hook=_reject_twins)
        json.dumps(parsed, ensure_ascii=False).encode()
    except _TwiceError as error:
        raise ValueError(f"{what} {error}") from error
    except UnicodeEncodeError as error:
        raise ValueError(f"{what} has a string that is not Unicode text") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not JSON") from error
    if isinstance(parsed, dict):
        return parsed
    raise ValueError(f"{what} is not a JSON object")


class _TwiceError(ValueError):
    """An object gives a name twice."""


def _reject_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _TwiceError(f"has {_show(name)} twice")
        found[name] = value
    return found
