"""Check the header of a safetensors file before any tensor is read or allocated."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from burble.mapping import parse_object

# A vocabulary of all code points takes 6 MB of JSON.
MAX_HEADER_BYTES = 16 << 20

# Tensor types: their names in safetensors and in NumPy.
_NUMPY_NAMES = {
    **{f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)},
    "F32": "<f4",
    "F64": "<f8",
}
_LISTED = 5


@dataclass(frozen=True)
class TensorSpec:
    """The shape and type that a tensor must have."""

    shape: tuple[int, ...]
    dtype: str = "F32"  # its name in safetensors

    @property
    def numpy_name(self) -> str:
        return _NUMPY_NAMES[self.dtype]

    @property
    def num_bytes(self) -> int:
        return int(self.numpy_name[-1]) * math.prod(self.shape)


def float32(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, TensorSpec]:
    return {name: TensorSpec(shape) for name, shape in shapes.items()}


def read_header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """Read the header of a file of `size` bytes.

    Returns it, and the number of bytes that follow it. Raises `ValueError`.
    """
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
        raise ValueError(f"its {size:,} bytes do not begin with a header")
    return parse_object(file.read(length), "its header"), size - 8 - length


def check_tensors(
    header: Mapping[str, object],
    specs: Mapping[str, TensorSpec],
    size: int,
    ignored: Collection[str] = (),
) -> None:
    """Raise `ValueError` unless a header has exactly the tensors of `specs`.

    size: the bytes of all tensors. ignored: prefixes ("NAME" of "NAME.…") of tensors to skip.
    """
    if odd := specs.keys() - header.keys():
        raise ValueError(f"it lacks {_join(odd)}")
    others = header.keys() - specs.keys()
    if odd := {name for name in others if name.partition(".")[0] not in ignored}:
        raise ValueError(f"it has tensors that it should not: {_join(odd)}")
    for name, spec in specs.items():
        entry = header[name]
        found = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else None
        wanted = (spec.dtype, list(spec.shape))
        if found != wanted:
            raise ValueError(f"{name} must be {wanted[0]} of shape {wanted[1]}; found {found}")
    total = sum(spec.num_bytes for spec in specs.values())
    total += sum(_num_bytes(header[name], name) for name in others)
    if total != size:
        raise ValueError(f"it should hold {total:,} bytes of tensors and holds {size:,}")


def _num_bytes(entry: object, name: str) -> int:
    match entry:
        case {"data_offsets": [int(start), int(end)]} if 0 <= start <= end:
            return end - start
    raise ValueError(f"{name} has no valid place in the file")


def _join(names: set[str]) -> str:
    return ", ".join(sorted(names)[:_LISTED])
