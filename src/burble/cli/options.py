"""Flags from dataclasses, through tyro."""

from __future__ import annotations

from typing import TypeVar

import tyro

T = TypeVar("T")

MARKERS = (tyro.conf.OmitArgPrefixes, tyro.conf.UseAppendAction)


def parse(cls: type[T], name: str, args: list[str], default: T | None = None) -> T:
    """The command's options from its arguments; a mistake ends with usage and exit code 2."""
    prog = f"burble {name}"
    if default is None:
        return tyro.cli(cls, prog=prog, args=args, config=MARKERS)
    return tyro.cli(cls, prog=prog, args=args, config=MARKERS, default=default)
