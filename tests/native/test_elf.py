"""A library that is cut short or has a wrong byte in a header is refused, not mapped."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from burble.native.elf import find_fault
from burble.native.library import LibraryError, open_library
from tests.native.files import compile_library, library_file

FLIPS = 400

# Kinds of segments, and where their fields stand.
LOAD, DYNAMIC, RELRO = 1, 2, 0x6474E552
OFFSET, ADDRESS, SIZE, MEMORY = 8, 16, 32, 40


def test_the_library_that_was_built_has_no_fault() -> None:
    assert find_fault(library_file().read_bytes()) is None


@pytest.mark.parametrize("flags", ["-s", "-Wl,-z,norelro", "-Wl,-z,noseparate-code", "-g -O3"])
def test_a_library_of_other_linker_options_has_no_fault(flags: str, tmp_path: Path) -> None:
    library = compile_library(tmp_path, "int data = 1, more; int get(void) { return data; }")
    command = ["cc", "-shared", "-fPIC", *flags.split(), tmp_path / "other.c", "-o", library]
    subprocess.run(command, check=True)
    assert find_fault(library.read_bytes()) is None


def test_cut_anywhere_it_is_cut_short(tmp_path: Path) -> None:
    data = library_file().read_bytes()
    lengths = {*range(1, 2000), *range(2000, len(data), 97), len(data) - 1}
    assert {find_fault(data[:length]) for length in lengths} == {"is cut short"}
    assert find_fault(b"") == "is empty"
    cut = tmp_path / "cut.so"
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(LibraryError, match=r"^is cut short$"):
        open_library(str(cut))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems check their files themselves")
def test_no_wrong_byte_in_a_header_ends_the_process(tmp_path: Path) -> None:
    command = [Path(__file__).with_name("flips.py"), library_file(), tmp_path / "changed.so"]
    result = subprocess.run(
        [sys.executable, *command, str(FLIPS), "1"], capture_output=True, text=True, check=True
    )
    endings = json.loads(result.stdout)
    # What no loader reads, such as a section's name, may be wrong.
    assert set(endings) == {"opened", "refused"}
    assert endings["refused"] > FLIPS // 3


@pytest.mark.parametrize("kind", [LOAD, DYNAMIC, RELRO])
@pytest.mark.parametrize("field", [OFFSET, ADDRESS, SIZE, MEMORY])
@pytest.mark.parametrize("wrong", [-0x1000, 0x100, 0x1000, 1 << 40])
def test_a_segment_that_its_sections_contradict_is_damaged(
    kind: int, field: int, wrong: int
) -> None:
    data = library_file().read_bytes()
    first, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    places = [first + 56 * i for i in range(count)]
    found = [at for at in places if struct.unpack_from("<I", data, at)[0] == kind]
    if (kind, field) == (DYNAMIC, MEMORY):
        pytest.skip("the loader does not read it")
    if not found:
        pytest.skip("this linker made no such segment")
    at = found[-1] + field
    changed = bytearray(data)
    value = struct.unpack_from("<Q", data, at)[0] + wrong
    struct.pack_into("<Q", changed, at, value % (1 << 64))
    # Memory behind the last segment's contents is zeroed, as much as is asked for.
    is_harmless = (kind, field) == (LOAD, MEMORY) and wrong > 0
    assert is_harmless or find_fault(bytes(changed)) in {"is damaged", "is cut short"}


@pytest.mark.parametrize(
    "data", [b"not a library\n", b"\x7fELG" + bytes(100), b"MZ" + bytes(100), bytes(1000)]
)
def test_what_is_no_library_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.so"
    path.write_bytes(data)
    with pytest.raises(LibraryError, match="cannot be opened"):
        open_library(str(path))
