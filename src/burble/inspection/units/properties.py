"""Properties of a character's place in a text, which a unit might track.

A property maps a text to one number for each character. All but `speaker` and the user's own
patterns depend only on the text up to that character.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from burble.errors import OptionError, UsageError
from burble.hints import nearest_name
from burble.tokenizers.base import Ids, Tokenizer

Values = np.ndarray[Any, np.dtype[np.float32]]  # one number for each character or token, (places,)
Bools = np.ndarray[Any, np.dtype[np.bool_]]

# Longer lines and words are rare; uncapped, a few of them would dominate a correlation.
LONGEST_LINE = 80
LONGEST_WORD = 20

_BLANK_LINE = r"\n[^\S\n]*\n"
# A closing ’ between letters is an apostrophe; a plain ' is too often one to be a quotation mark.
_QUOTES = re.compile(rf"{_BLANK_LINE}|[\"“”‘«»]|(?<!\w)’|’(?!\w)")
_BRACKETS = re.compile(rf"{_BLANK_LINE}|[()\[\]{{}}]")
# After a blank line, a short line that ends in a colon; or, before a speech in its own line, a name
# in capitals with a colon.
_SPEAKER = re.compile(
    r"(?:\A|(?<=\n\n))\w[^\n:;.!?]{0,40}:(?=[^\S\n]*(?:\n|\Z))"
    r"|^[A-Z][A-Z '’-]+:(?=[^\S\n]+\S)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Property:
    measure: Callable[[str], Values]
    meaning: str

    @classmethod
    def of_pattern(cls, pattern: str) -> Self:
        """Return the property of being inside a match of a regular expression.

        Raises `OptionError` if `pattern` is not one.
        """
        try:
            compiled = re.compile(pattern, re.MULTILINE)
        except re.error as error:
            raise OptionError(
                f"{pattern!r} is not a regular expression: {error}. Put a backslash before a sign "
                "that is meant as it is.",
                "regex",
            ) from error
        return cls(lambda text: _inside(text, compiled), f"inside a match of {pattern}")


def _since_line_break(text: str) -> Values:
    return np.minimum(_run_length(_code_points(text) != ord("\n")), LONGEST_LINE)


PROPERTIES: dict[str, Property] = {
    "line-position": Property(
        _since_line_break, f"characters read since the last line break, capped at {LONGEST_LINE}"
    ),
    "line-position-log": Property(
        lambda text: np.log1p(_since_line_break(text)),
        "log(1 + n), n the characters read since the last line break: the first ones count most",
    ),
    "line-start": Property(
        lambda text: _as_values(_since_line_break(text) == 1),
        "the character is the first of its line",
    ),
    "word": Property(
        lambda text: _as_values(_matching(text, str.isalnum)), "the character belongs to a word"
    ),
    "word-position": Property(
        lambda text: np.minimum(_run_length(_matching(text, str.isalnum)), LONGEST_WORD),
        f"letters and digits read of this word, capped at {LONGEST_WORD}; 0 between words",
    ),
    "capital": Property(
        lambda text: _as_values(_matching(text, str.isupper)), "the character is a capital letter"
    ),
    "digit": Property(
        lambda text: _as_values(_matching(text, str.isdigit)), "the character is a digit"
    ),
    "quotes": Property(
        lambda text: _nested(text, _QUOTES, opening="“‘«"),
        "inside quotation marks, which a blank line ends",
    ),
    "brackets": Property(
        lambda text: _nested(text, _BRACKETS, opening="([{"),
        "inside round, square or curly brackets, which a blank line ends",
    ),
    "speaker": Property(
        lambda text: _inside(text, _SPEAKER), "in the name that heads a speech of a play"
    ),
}


def find_property(name: str) -> Property:
    """Return a property by name. Raises `UsageError`."""
    if name not in PROPERTIES:
        near = nearest_name(name, PROPERTIES)
        hint = f"Did you mean {near}? " if near else ""
        advice = f"{hint}Name one of {', '.join(PROPERTIES)}, or give a pattern of your own"
        raise UsageError(f"There is no property {name!r}.", f"{advice}.", f"{advice} with --regex.")
    return PROPERTIES[name]


def of_tokens(values: Values, tokenizer: Tokenizer, ids: Ids) -> Values:
    """Spread values of characters over tokens: each of ids, (tokens,), gets its character's."""
    if len(ids) == len(values):
        return values
    decoder = tokenizer.stream_decoder()
    complete = np.cumsum([len(decoder.push(ids[i : i + 1])) for i in range(len(ids))])
    places = np.minimum(np.concatenate([[0], complete[:-1]]), len(values) - 1)
    spread: Values = values[places]
    return spread


def _code_points(text: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def _matching(text: str, test: Callable[[str], bool]) -> Bools:
    kinds, places = np.unique(_code_points(text), return_inverse=True)
    matching: Bools = np.array([test(chr(kind)) for kind in kinds.tolist()], dtype=np.bool_)
    return matching[places]


def _as_values(marked: Bools) -> Values:
    return marked.astype(np.float32)


def _run_length(marked: Bools) -> Values:
    places = np.arange(1, len(marked) + 1)
    last_unmarked = np.maximum.accumulate(np.where(marked, 0, places))
    return (places - last_unmarked).astype(np.float32)


def _inside(text: str, pattern: re.Pattern[str]) -> Values:
    values = np.zeros(len(text), dtype=np.float32)
    for match in pattern.finditer(text):
        values[match.start() : match.end()] = 1
    return values


def _nested(text: str, marks: re.Pattern[str], opening: str) -> Values:
    values = np.zeros(len(text), dtype=np.float32)
    depth = since = 0
    for place, now in [*_depths(text, marks, opening), (len(text), 0)]:
        if depth:
            values[since:place] = 1
        depth, since = now, place
    return values


def _depths(text: str, marks: re.Pattern[str], opening: str) -> Iterator[tuple[int, int]]:
    depth = 0
    for match in marks.finditer(text):
        mark = match.group()
        if mark.startswith("\n"):
            depth = 0
        elif mark in opening or (mark == '"' and depth == 0):
            depth += 1
        else:
            depth = max(0, depth - 1)
        yield match.start(), depth
