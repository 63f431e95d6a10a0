"""Check a shared library for damage before the system maps it.

glibc's loader trusts the headers of a file: one that was cut short, or has a wrong bit in a header,
kills the process. An ELF file describes its contents twice, in segments for the loader and in
sections for the linker, so the two can be compared.
"""

import struct
from itertools import pairwise
from typing import NamedTuple

_MAGIC = b"\x7fELF"
_LITTLE_64 = b"\x7fELF\x02\x01\x01"
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SHARED = 3
_PAGE = 0x1000
_HIGHEST = 1 << 47

# Kinds of segments and sections, and flags of sections.
_LOAD, _DYNAMIC, _INTERPRETER, _TLS, _RELRO = 1, 2, 3, 7, 0x6474E552
_DYNAMIC_SECTION, _NO_BITS = 6, 8
_WRITE, _ALLOCATED, _EXECUTE = 1, 2, 4

# Tags of entries in the dynamic section whose value is the address of a section.
_ADDRESSES = {4, 5, 6, 7, 12, 13, 23, 25, 26, 32, 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFE}

_CUT = "is cut short"
_DAMAGED = "is damaged"


class _Header(NamedTuple):
    ident: bytes
    kind: int
    machine: int
    version: int
    entry: int
    segments: int
    sections: int
    flags: int
    size: int
    segment_size: int
    num_segments: int
    section_size: int
    num_sections: int
    names: int


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry_size: int


class _Segment(NamedTuple):
    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    memory: int
    align: int

    def holds(self, section: _Section) -> bool:
        """Return whether this segment loads the section, to its address and with its rights."""
        within = section.address - self.address
        if not 0 <= within <= within + section.size <= self.memory:
            return False
        in_file = section.kind == _NO_BITS or (
            section.offset - self.offset == within and within + section.size <= self.size
        )
        may_write, may_execute = self.flags & 2, self.flags & 1
        return bool(
            in_file
            and (may_write or not section.flags & _WRITE)
            and (may_execute or not section.flags & _EXECUTE)
        )


def find_fault(data: bytes) -> str | None:
    """Return what is wrong with a library, such as "is cut short"; None if nothing is.

    Files of other systems are not checked.
    """
    if not data:
        return "is empty"
    if data[:4] != _MAGIC[: len(data)]:
        return None
    if len(data) < _HEADER.size:
        return _CUT
    if data[:7] != _LITTLE_64:
        return None if data[4:7] in {b"\x01\x01\x01", b"\x02\x02\x01"} else _DAMAGED
    header = _Header(*_HEADER.unpack_from(data))
    if not _is_sound_header(header):
        return _DAMAGED
    if _end_of_tables(header) > len(data):
        return _CUT
    segments = [
        _Segment(*_SEGMENT.unpack_from(data, header.segments + i * _SEGMENT.size))
        for i in range(header.num_segments)
    ]
    sections = [
        _Section(*_SECTION.unpack_from(data, header.sections + i * _SECTION.size))
        for i in range(header.num_sections)
    ]
    if _end_of_contents(segments, sections) > len(data):
        return _CUT
    is_sound = _are_sound_segments(segments, sections) and _is_sound_dynamic(data, sections)
    return None if is_sound else _DAMAGED


def _is_sound_header(header: _Header) -> bool:
    return (
        header.kind == _SHARED
        and header.size == header.segments == _HEADER.size
        and header.segment_size == _SEGMENT.size
        and header.section_size == _SECTION.size
        and header.num_segments > 0
        and header.num_sections > 0
    )


def _end_of_tables(header: _Header) -> int:
    return max(
        header.segments + header.num_segments * header.segment_size,
        header.sections + header.num_sections * header.section_size,
    )


def _end_of_contents(segments: list[_Segment], sections: list[_Section]) -> int:
    in_file = [section for section in sections if section.kind not in {0, _NO_BITS}]
    ends = [segment.offset + segment.size for segment in segments]
    return max(ends + [section.offset + section.size for section in in_file])


def _are_sound_segments(segments: list[_Segment], sections: list[_Section]) -> bool:
    loads = [segment for segment in segments if segment.kind == _LOAD]
    allocated = [section for section in sections if section.flags & _ALLOCATED]
    return (
        all(map(_is_sound_load, loads))
        and all(one.address + one.memory <= other.address for one, other in pairwise(loads))
        and all(any(load.holds(section) for load in loads) for section in allocated)
        and all(_is_sound_other(segment, loads, sections) for segment in segments)
    )


def _is_sound_load(load: _Segment) -> bool:
    return (
        load.size <= load.memory
        and load.address + load.memory < _HIGHEST
        and load.flags & ~7 == 0
        and load.flags & 4 != 0
        and load.align >= _PAGE
        and load.align & (load.align - 1) == 0
        and (load.address - load.offset) % load.align == 0
    )


def _is_sound_other(segment: _Segment, loads: list[_Segment], sections: list[_Section]) -> bool:
    if segment.kind == _DYNAMIC:
        place = (segment.offset, segment.address, segment.size)
        return any(
            place == (section.offset, section.address, section.size)
            for section in sections
            if section.kind == _DYNAMIC_SECTION
        )
    if segment.kind == _RELRO:
        return _is_sound_relro(segment, loads)
    return segment.kind not in {_INTERPRETER, _TLS}


def _is_sound_relro(relro: _Segment, loads: list[_Segment]) -> bool:
    """Return whether the read-only part ends at its contents or at the end of their page."""
    end = relro.address + relro.memory
    padding = relro.memory - relro.size
    is_page_end = 0 < padding < _PAGE and end % _PAGE == 0
    return (padding == 0 or is_page_end) and any(
        load.address <= relro.address <= end <= load.address + load.memory + load.align
        and relro.address - load.address == relro.offset - load.offset
        and load.flags & 2
        for load in loads
    )


def _is_sound_dynamic(data: bytes, sections: list[_Section]) -> bool:
    starts = {section.address for section in sections if section.flags & _ALLOCATED}
    tables = [section for section in sections if section.kind == _DYNAMIC_SECTION]
    if len(tables) != 1 or tables[0].size % 16:
        return False
    entries = struct.iter_unpack("<QQ", data[tables[0].offset :][: tables[0].size])
    known = dict(entries)
    return 0 in known and all(
        address in starts for tag, address in known.items() if tag in _ADDRESSES
    )
