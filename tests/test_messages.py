"""Every message that a person may read, of all surfaces, in one table.

`python -m tests.test_messages` prints it, to be read in one sitting. `python -m tests.test_messages
offences` prints `OFFENCES` anew. Messages are read from the sources: what is filled in stays {…}.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from burble.text import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "burble"

# Words for people, not for machines and data.
AVOID = re.compile(
    r"\b(tells?|told|says?|said|foresees?|foreseen|by heart|lies|stands?|stood|goes on|go on|"
    r"who asks|by that|as it comes|what is there)\b",
    re.IGNORECASE,
)

# Messages that may have such a word all the same, each with its reason.
EXCEPTIONS = {
    "go on": ("Go on with",),  # what a person does
    "goes on": ("and the model goes on;",),
}

# How many words to avoid each file of src/ and docs/, and the README, still has: docstrings,
# comments left out, of Python; all but code, of Markdown. To be shrunk, never to grow.
OFFENCES: dict[str, int] = {
    "src/burble/knobs.py": 1,
    "src/burble/text/decoding.py": 1,
}

_ERRORS = {
    "BurbleError",
    "UsageError",
    "TextError",
    "ModelFileError",
    "ResourceError",
}
_UNFINISHED = {"DivergedError", "UnfinishedError", "TrainingInterruptedError"}
_NOTES = {"tell", "say", "noted", "_noted", "warn", "_tell", "print_message"}
_HTTP = {"RefusalError": 1, "busy": 0}
_FLAG = re.compile(r"(?<![\w-])--?[a-z][a-z-]*(?![\w-]*\.)")
# A command to type ends a message without a full stop, so that it can be copied.
_COMMAND = re.compile(r"(: |\{…\}|\()(burble |\{…\}|\d)[^:]*$|--port \{…\}$")


@dataclass(frozen=True)
class Message:
    surface: str  # terminal, Python, HTTP, page
    place: str
    text: str


def collect() -> list[Message]:
    """Return the messages of all surfaces, in the order of the sources."""
    found: list[Message] = []
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).as_posix()
        for node, scope in _calls(ast.parse(path.read_text("utf-8"))):
            found += _messages(node, scope, f"{place}:{node.lineno}")
    for path in sorted((SOURCE / "serving" / "playground" / "page").glob("*.js")):
        found += _of_script(path)
    found += [*_of_kinds(), *_of_bodies()]
    # Lists, as of the commands while one writes together, are no messages.
    return [
        message
        for message in dict.fromkeys(found)
        if "\n" not in message.text and any(map(str.isalpha, message.text.replace("{…}", "")))
    ]


Scope = dict[str, list[ast.expr]]


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, Scope]]:
    """Yield each call with what the names of its function and its module may stand for."""
    module = _assigned(tree.body)

    def walk(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.Call, Scope]]:
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = module | _assigned(list(ast.walk(child)))
            if isinstance(child, ast.Call):
                yield child, inner
            yield from walk(child, inner)

    yield from walk(tree, module)


def _assigned(nodes: list[Any]) -> Scope:
    found: Scope = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else []
            for target, value in zip(node.targets[0].elts, values, strict=False):
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(value)
    return found


def texts(node: ast.expr | None, scope: Scope, depth: int = 0) -> list[str]:
    """Return what an expression may come to, {…} for what is not known before it runs."""
    match node:
        case None:
            return [""]
        case ast.Constant(value=str() as value):
            return [value]
        case ast.JoinedStr(values=parts):
            return _joined([_piece(part, scope, depth) for part in parts])
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined([texts(left, scope, depth), texts(right, scope, depth)])
        case ast.IfExp(body=body, orelse=orelse):
            return texts(body, scope, depth) + texts(orelse, scope, depth)
        case ast.BoolOp(values=values):
            return [text for value in values for text in texts(value, scope, depth)]
        case ast.Name(id=name) if name in scope and depth < 4:
            return [t for value in scope[name] for t in texts(value, scope, depth + 1)]
    return ["{…}"]


def _piece(part: ast.expr, scope: Scope, depth: int) -> list[str]:
    if isinstance(part, ast.FormattedValue):
        return texts(part.value, scope, depth) if isinstance(part.value, ast.Name) else ["{…}"]
    return texts(part, scope, depth)


def _joined(parts: list[list[str]]) -> list[str]:
    found = [""]
    for options in parts:
        found = [before + option for before in found for option in options][:16]
    return found


def _messages(node: ast.Call, scope: Scope, place: str) -> list[Message]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    arguments = [texts(each, scope) for each in node.args if not isinstance(each, ast.Starred)]
    is_open = any(isinstance(each, ast.Starred) for each in node.args)
    arguments += [["{…}"]] if is_open and name != "OptionError" else []
    named = {word.arg: texts(word.value, scope) for word in node.keywords if word.arg}
    if name in _UNFINISHED and len(arguments) > 1:
        # Between the problem and what to do is what there is of the run.
        problems = _joined([arguments[0], [" "], arguments[1]])
        rest = arguments[2:] if name != "TrainingInterruptedError" else []
        return [m for each in problems for m in _of_error(each, rest, named, place)]
    if name in _ERRORS and arguments:
        return [m for each in arguments[0] for m in _of_error(each, arguments[1:], named, place)]
    return list(_of_others(name, arguments, place))


def _of_others(name: str, arguments: list[list[str]], place: str) -> Iterator[Message]:
    if name == "OptionError" and arguments:
        for problem in arguments[0]:
            yield Message("Python", place, f"NAME {problem}")
            yield Message("terminal", place, f"--name {problem}")
    elif len(arguments) > _HTTP.get(name, sys.maxsize):
        yield from (Message("HTTP", place, text) for text in arguments[_HTTP[name]])
    elif name in _NOTES and len(arguments) == 1:
        yield from (Message("terminal", place, text) for text in arguments[0])


def _of_error(
    problem: str, rest: list[list[str]], named: dict[str, list[str]], place: str
) -> Iterator[Message]:
    advice, flags, fields = (
        rest[i] if len(rest) > i else named.get(key, [""])
        for i, key in enumerate(("advice", "flags", "fields"))
    )
    is_of_terminal = place.startswith("cli/")
    surfaces = {"terminal": flags if any(flags) else advice}
    if not is_of_terminal:
        surfaces["Python"] = advice
    if any(fields):
        surfaces["HTTP"] = fields
    for surface, what in surfaces.items():
        for text in dict.fromkeys(what):
            yield Message(surface, place, f"{problem} {text}".strip())


_SAID = re.compile(
    r"(?:say\([^,\n]+, |new ServerError\([^,\n]+, |NO_TEXT =\s*|textContent =\s*|message \?\? )"
    r"([\"`])([^\n]{3,}?)\1"
)


def _of_script(path: Path) -> Iterator[Message]:
    script = path.read_text("utf-8")
    for match in _SAID.finditer(script):
        line = script.count("\n", 0, match.start(2)) + 1
        text = re.sub(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", "{…}", match[2])
        yield Message("page", f"page/{path.name}:{line}", text)


def _of_kinds() -> Iterator[Message]:
    """Yield what is answered about files of other kinds, and noted about markup."""
    for kind in [kind for _, kind in kinds.STARTS + kinds.IN_ZIPS]:
        text = f"{{…}} is {kind.name}, not plain text. {kind.advice}"
        yield from (Message(surface, "text/kinds.py", text) for surface in ("terminal", "Python"))
    for start in ("<html>", "<?xml ", r"{\rtf1", '{"a": 1}'):
        yield Message("terminal", "text/kinds.py", str(kinds.markup_note("{…}", start)))


# One wrong value for each finding that a body can lead to.
_BODIES: list[dict[str, Any]] = [
    *({"prompt": value} for value in (5, [], ["a", 5], ["a"] * 65)),
    *({"max_tokens": value} for value in (-1, "5", 1.5, True)),
    *({"temperature": value} for value in (-1, 101, "hot", float("nan"))),
    *({"top_p": value} for value in (0, 1.5)),
    *({"stop": value} for value in ("", [""], "a" * 257, 5, ["a"] * 17)),
    *({"frequency_penalty": 0.5}, {"suffix": "."}, {"logit_bias": {"5": 1}}),
    *({"unknown": "leave"}, {"stream": "yes"}, {"stream_options": {"usage": True}}),
    *({"tempreature": 1}, {"model": "m" * 2000}, {"model": 5}, {"n": 0}),
]


def _of_bodies() -> Iterator[Message]:
    pydantic = pytest.importorskip("pydantic")
    from burble.serving.completions.requests import CompletionRequest, RunRequest
    from burble.serving.http.mistakes import describe_mistake

    asked = [(CompletionRequest, body) for body in _BODIES]
    asked += [(RunRequest, body) for body in ({}, {"text": ""}, {"text": "a", "minutes": 0})]
    for kind, body in asked:
        with pytest.raises(pydantic.ValidationError) as caught:
            kind.model_validate(body)
        findings = [{**one, "loc": ("body", *one["loc"])} for one in caught.value.errors()]
        refusal = describe_mistake(findings, "application/json", CompletionRequest.model_fields)
        yield Message("HTTP", f"{kind.__name__} {str(body)[:24]}", str(refusal))


MESSAGES = collect()


def _is_excepted(word: str, text: str) -> bool:
    return any(part in text for part in EXCEPTIONS.get(word.lower(), ()))


def wrong_with(message: Message) -> list[str]:
    """Return the rules that a message breaks."""
    text, wrong = message.text.rstrip(), []
    words = [w for w in AVOID.findall(text) if not _is_excepted(w, text)]
    if words:
        wrong.append(f"words to avoid: {', '.join(words)}")
    if (
        message.surface != "page"
        and not re.search(r"([.?!)…]|\{…\})$", text)
        and not _COMMAND.search(text)
    ):
        wrong.append("no full stop")
    if message.surface != "terminal" and (flags := _FLAG.findall(text)):
        wrong.append(f"a flag: {', '.join(flags)}")
    return wrong


def test_the_messages_of_every_surface_are_found() -> None:
    counts = Counter(message.surface for message in MESSAGES)
    assert counts["terminal"] > 100
    assert counts["Python"] > 60
    assert counts["HTTP"] > 15
    assert counts["page"] > 8


@pytest.mark.parametrize("surface", ["terminal", "Python", "HTTP", "page"])
def test_messages_keep_the_rules_of_their_place(surface: str) -> None:
    wrong = [
        f"{message.place}: {message.text}: {'; '.join(found)}"
        for message in MESSAGES
        if message.surface == surface and (found := wrong_with(message))
    ]
    assert not wrong, "\n".join(wrong)


def offences() -> dict[str, int]:
    """Count the words to avoid in each file's docstrings, or in its prose."""
    files = [*sorted((ROOT / "src").rglob("*.py")), *sorted((ROOT / "docs").rglob("*.md"))]
    counted = {}
    for path in [*files, ROOT / "README.md"]:
        text = path.read_text("utf-8")
        prose = (
            _docstrings(text)
            if path.suffix == ".py"
            else re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        )
        if count := len(AVOID.findall(prose)):
            counted[path.relative_to(ROOT).as_posix()] = count
    return counted


def _docstrings(source: str) -> str:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    return "\n\n".join(ast.get_docstring(node) or "" for node in nodes)


def test_no_docstring_and_no_page_has_more_words_to_avoid() -> None:
    assert offences() == OFFENCES


def main() -> None:
    if sys.argv[1:] == ["offences"]:
        lines = [f'    "{name}": {count},' for name, count in offences().items()]
        sys.stdout.write("\n".join(["OFFENCES: dict[str, int] = {", *lines, "}"]) + "\n")
        return
    for message in MESSAGES:
        sys.stdout.write(f"{message.surface:<9} {message.place:<44} {message.text}\n")


if __name__ == "__main__":
    main()
