"""The header of a safetensors file, checked before any tensor is read or allocated."""

import math
from collections.abc import Collection, Mapping
from typing import Any, BinaryIO

from burble.mapping import parse_object

# A vocabulary of every code point there is takes 6 MB of JSON.
MAX_HEADER_BYTES = 16 << 20

_FLOAT_BYTES = 4
_LISTED = 5


def read_header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """Read the header; return it and the bytes of tensors after it. Raises `ValueError`."""
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
        raise ValueError(f"its {size:,} bytes do not begin with a header")
    return parse_object(file.read(length), "its header"), size - 8 - length


def check_tensors(
    header: Mapping[str, object],
    shapes: Mapping[str, tuple[int, ...]],
    size: int,
    ignored: Collection[str] = (),
) -> None:
    """Raise `ValueError` unless a header has these float32 tensors, and else `ignored` ones."""
    if odd := shapes.keys() - header.keys():
        raise ValueError(f"it lacks {_listed(odd)}")
    others = header.keys() - shapes.keys()
    if odd := {name for name in others if name.partition(".")[0] not in ignored}:
        raise ValueError(f"it has tensors that it should not: {_listed(odd)}")
    for name, shape in shapes.items():
        entry = header[name]
        found = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else None
        if found != ("F32", list(shape)):
            raise ValueError(f"{name} must be F32 of shape {list(shape)}; found {found}")
    total = _FLOAT_BYTES * sum(math.prod(shape) for shape in shapes.values())
    total += sum(_num_bytes(header[name], name) for name in others)
    if total != size:
        raise ValueError(f"it should hold {total:,} bytes of tensors and holds {size:,}")


def _num_bytes(entry: object, name: str) -> int:
    match entry:
        case {"data_offsets": [int(start), int(end)]} if 0 <= start <= end:
            return end - start
    raise ValueError(f"{name} does not say where it is")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)[:_LISTED])
