"""What Python calls is what the headers declare; when that changes, so does the version."""

from __future__ import annotations

import ctypes
import hashlib
import re
from typing import Any

from burble.cells import CELLS
from burble.native.library import INTERFACE
from burble.native.structures import SIGNATURES, STRUCTS, SamplingFields, Shape
from tests.native.files import SOURCE

LEARNER = "training/learners/native/kernel"
HEADERS = (
    "native/interface.h",
    "engine/kernel/burble.h",
    "ngram/counts.h",
    f"{LEARNER}/learner.h",
    f"{LEARNER}/dropout.h",
    f"{LEARNER}/orthogonal.h",
)

# Of each version, what the headers declared. A change of either needs a new version.
DIGESTS = {5: "8a729165741351bb"}


def declarations(*files: str) -> str:
    """The files without comments, directives and line ends."""
    text = "\n".join((SOURCE / file).read_text() for file in files)
    text = re.sub(r"/\*.*?\*/|^#.*?$", " ", text, flags=re.DOTALL | re.MULTILINE)
    return " ".join(text.split())


def prototypes() -> dict[str, tuple[Any, ...]]:
    found = {}
    for result, name, arguments in re.findall(
        r"BURBLE_API ([\w ]+?[ *]+)(burble_\w+)\(([^)]*)\);", declarations(*HEADERS)
    ):
        types = [
            re.sub(r"\w+(\[\d+\])?$", r"\1", argument.strip()) for argument in arguments.split(",")
        ]
        found[name] = tuple(map(as_ctypes, (result, *types)))
    return found


def as_ctypes(declared: str) -> Any:
    declared = declared.replace("const", "").strip()
    if text := re.fullmatch(r"char \[(\d+)\]", declared):
        return ctypes.c_char * int(text[1])
    if declared.startswith("char"):
        return ctypes.c_char_p
    if "*" in declared or declared.endswith("]"):
        return ctypes.c_void_p
    return None if declared == "void" else getattr(ctypes, f"c_{declared.removesuffix('_t')}")


def plain(kind: Any) -> Any:
    """Pointers to known structs are pointers."""
    is_pointer = isinstance(kind, type) and issubclass(kind, ctypes._Pointer)
    return ctypes.c_void_p if is_pointer else kind


def test_the_name_of_every_cell_fits_the_shape() -> None:
    assert all(len(kind) < Shape.cell.size for kind in (*CELLS, "minimal-gru"))


def test_the_functions_are_declared_in_python_as_in_c() -> None:
    known = {name: tuple(map(plain, kinds)) for name, kinds in SIGNATURES.items()}
    assert prototypes() == known
    assert len(known) > 10


def fields(body: str) -> list[tuple[str, Any]]:
    """Name and type of each field between the braces of a struct."""
    found = []
    for line in filter(str.strip, body.split(";")):
        first, *others = line.split(",")
        kind = as_ctypes(re.sub(r"\w+(\[\d+\])?$", r"\1", first.strip()))
        names = re.findall(r"(\w+)(?:\[\d+\])?$", first) + [name.strip() for name in others]
        found += [(name, kind) for name in names]
    return found


def test_the_structs_have_the_same_fields_in_python_as_in_c() -> None:
    for name, struct in STRUCTS.items():
        if name == "burble_sampling":  # which no header declares
            continue
        (body,) = re.findall(rf"typedef struct {{([^}}]*)}} {name};", declarations(*HEADERS))
        assert [kind for _, kind in struct._fields_] == [kind for _, kind in fields(body)]


def test_the_kernel_reads_the_knobs_of_sampling_by_name_and_order() -> None:
    source = declarations("engine/kernel/choose.c")
    (body,) = re.findall(r"struct burble_sampling {([^}]*)};", source)
    assert fields(body) == list(SamplingFields._fields_)


def test_the_version_changes_with_what_is_declared() -> None:
    (version,) = re.findall(r"#define BURBLE_INTERFACE (\d+)", (SOURCE / HEADERS[0]).read_text())
    assert int(version) == INTERFACE
    found = hashlib.sha256(declarations(*HEADERS).encode()).hexdigest()[:16]
    assert found == DIGESTS[INTERFACE], "raise BURBLE_INTERFACE and INTERFACE, and note the digest"
