"""Knobs: everything about an option, as metadata of the dataclass field that holds its value."""

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from burble.errors import OptionError, brief
from burble.escapes import read_escapes

# The default of an option that has none and must be given.
REQUIRED: Any = ...

# What 64 bits hold.
_MAX_INTEGER = 2**63 - 1
_MAX_FOUND = 60  # characters shown of a value that is no number

_WITH_UNIT = re.compile(r"([0-9.]+)\s*([a-z]+)")
_MINUTES = {"s": 1 / 60, "sec": 1 / 60, "m": 1, "min": 1, "minute": 1, "h": 60, "hour": 60}
_THOUSANDS = {"k": 1000, "m": 1_000_000}


@dataclass(frozen=True, kw_only=True)
class Knob:
    """One option: which values it takes, how it is typed and how help shows it."""

    help: str
    low: float | None = None  # low and high are in the range, above and below are not
    above: float | None = None
    high: float | None = None
    below: float | None = None
    slider: tuple[float, float, float] | None = None  # lowest, highest and step
    short: str | None = None  # a flag of one letter
    metavar: str | None = None  # the placeholder of the value in help; by default its type
    example: str = ""  # possible values, for the message about an impossible one
    choices: tuple[str, ...] = ()
    positional: bool = False  # an argument, not a flag
    escapes: bool = False  # text in which `read_escapes` replaces \n and the like
    none_is_none: bool = False  # text for which `none` means None
    name: str = ""
    kind: type = str  # int, float, bool or str; of several values, the type of each
    default: Any = REQUIRED
    optional: bool = False  # None is a value
    many: bool = False  # takes any number of values
    count: int | None = None  # takes this many values

    @property
    def flag(self) -> str:
        return flag_of(self.name)

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    def check(self, value: Any) -> None:
        """Raise `OptionError` for a value out of range."""
        if value is not None and not self._contains(value):
            found = brief(str(value).removesuffix(".0"), _MAX_FOUND)
            raise OptionError(f"must be {self.range}; found {found}.{self._example}", self.name)

    @property
    def _example(self) -> str:
        return f" Give a number such as {self.example}." if self.example else ""

    def _contains(self, value: float) -> bool:
        # NaN is in no range: every comparison with it is false.
        return (
            (self.low is None or value >= self.low)
            and (self.above is None or value > self.above)
            and (self.high is None or value <= self.high)
            and (self.below is None or value < self.below)
        )

    @property
    def range(self) -> str:
        """The range in words, or an empty string."""
        if self.low is not None and self.high is not None:
            return f"between {_shown(self.low)} and {_shown(self.high)}"
        words = {"at least": self.low, "above": self.above, "at most": self.high}
        ends = words | {"below": self.below}
        return " and ".join(f"{end} {_shown(at)}" for end, at in ends.items() if at is not None)

    def read(self, text: str) -> Any:
        """Return the value of the option for this text. Raises `OptionError`."""
        is_text = self.kind is str and not self.choices and not self.none_is_none
        if self.optional and not is_text and text.lower() == "none":
            return None
        if self.choices and text not in self.choices:
            raise OptionError(
                f"must be one of {', '.join(self.choices)}; found {brief(repr(text))}.", self.name
            )
        if not text and self.kind is str and not self.escapes:
            is_named = self.metavar is not None and self.metavar.isalpha()
            advice = f"Name a {self.metavar}." if is_named else "Give it a value, or leave it out."
            name = (self.positional and self.metavar) or self.name
            raise OptionError(f"must not be empty. {advice}", name)
        try:
            value = read_escapes(text) if self.escapes else self.kind(text)
        except ValueError:
            raise self._no_number(text) from None
        if self.kind is not str:
            self.check(value)
        if isinstance(value, int) and abs(value) > _MAX_INTEGER:
            found = brief(text, _MAX_FOUND)
            raise OptionError(f"must be at most {_shown(_MAX_INTEGER)}; found {found}.", self.name)
        return value

    def _no_number(self, text: str) -> OptionError:
        wanted = "a whole number" if self.kind is int else "a number"
        advice = f" Give one {self.range}." if self.range else ""
        if (meant := _meant(text, self.kind, is_minutes=self.name == "minutes")) is not None:
            advice = f" For {text} give {meant}."
        problem = f"must be {wanted}; found {brief(repr(text), _MAX_FOUND)}."
        return OptionError(f"{problem}{advice}{self._example}", self.name)

    @property
    def facts(self) -> str:
        """The default and the range in brackets, or an empty string."""
        repeated = "can be repeated" if self.many and not self.positional else ""
        return _bracket(self._describe_default(), self.range, repeated)

    @property
    def default_fact(self) -> str:
        """The default in brackets, or an empty string."""
        return _bracket(self._describe_default())

    def _describe_default(self) -> str:
        if self.kind is bool:
            return "on by default" if self.default else ""
        if self.default in (REQUIRED, None, (), ""):
            return ""
        return f"default {self.default:g}" if self.kind is float else f"default {self.default}"


def flag_of(name: str) -> str:
    """Return the flag of an option's name: --top-k for top_k. Return MODEL and the like as is."""
    return f"--{name.replace('_', '-')}" if name.isidentifier() and name.islower() else name


def knob(default: Any, text: str, **facts: Any) -> Any:
    """Make a dataclass field that is a knob. facts: fields of `Knob`."""
    return _field(default, Knob(help=text, **facts))


def argument(metavar: str, text: str, **facts: Any) -> Any:
    """Make a field that is an argument of the command line; required unless it has a default."""
    default = facts.pop("default", REQUIRED)
    return knob(default, text, metavar=metavar, positional=True, **facts)


def knob_like(cls: type, name: str, **changes: Any) -> Any:
    """Make a field like a knob of another dataclass. changes: fields of `Knob`."""
    known: dataclasses.Field[Any] = cls.__dataclass_fields__[name]  # type: ignore[attr-defined]
    default = changes.pop("default", known.default)
    return _field(default, dataclasses.replace(known.metadata["knob"], **changes))


def _field(default: Any, known: Knob) -> Any:
    given = dataclasses.MISSING if default is REQUIRED else default
    return dataclasses.field(default=given, metadata={"knob": known})


def sections(make: Callable[..., Any], parts: Mapping[str, type]) -> Any:
    """Make a field that groups the knobs of several dataclasses.

    make: builds the field's value from the options that were given, as keyword arguments
    parts: the dataclasses by heading
    """
    return dataclasses.field(default_factory=make, metadata={"sections": parts})


def knobs_of(cls: type) -> dict[str, Knob]:
    return _knobs_of(typing.cast("Any", cls))


@lru_cache
def _knobs_of(cls: Any) -> dict[str, Knob]:
    hints = typing.get_type_hints(cls)
    return {
        field.name: _complete(field, hints[field.name])
        for field in dataclasses.fields(cls)
        if "knob" in field.metadata
    }


def _complete(field: dataclasses.Field[Any], hint: Any) -> Knob:
    default = REQUIRED if field.default is dataclasses.MISSING else field.default
    facts: dict[str, Any] = {"name": field.name, "default": default}
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        facts["optional"] = True
        hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        facts |= {"many": True} if parts[1] is ... else {"count": len(parts)}
        hint = parts[0]
    elif typing.get_origin(hint) is Literal:
        facts["choices"], hint = parts, str
    known: Knob = field.metadata["knob"]
    return dataclasses.replace(known, kind=hint, **facts)


def check_knobs(config: Any) -> None:
    """Raise `OptionError` if a value of the dataclass is out of its range."""
    for known in _find_ranged(typing.cast("Any", type(config))):
        known.check(getattr(config, known.name))


@lru_cache
def _find_ranged(cls: Any) -> list[Knob]:
    # `knobs_of` would be slower: it reads the types of all options.
    return [
        dataclasses.replace(field.metadata["knob"], name=field.name)
        for field in dataclasses.fields(cls)
        if "knob" in field.metadata and field.metadata["knob"].range
    ]


def _bracket(*facts: str) -> str:
    shown = "; ".join(fact for fact in facts if fact)
    return f"[{shown}]" if shown else ""


def _meant(text: str, kind: type, *, is_minutes: bool) -> str | None:
    """Return the number that `text`, which is none, stands for: 1e3, 64k, 1,000 or 30s."""
    typed = text.strip().lower()
    match = _WITH_UNIT.fullmatch(typed)
    units = _MINUTES if is_minutes else _THOUSANDS
    unit = match[2].removesuffix("s") or "s" if match else ""
    try:
        if match and unit in units:
            number = float(match[1]) * units[unit]
        else:
            is_grouped = re.fullmatch(r"\d{1,3}(,\d{3})+", typed)
            number = float(typed.replace(",", "" if is_grouped else "."))
        is_whole = number.is_integer() and number < _MAX_INTEGER
    except ValueError:
        return None
    if kind is int:
        return str(int(number)) if is_whole else None
    return f"{number:g}"


def _shown(number: float) -> str:
    if number == _MAX_INTEGER:
        return "2⁶³-1"
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"
