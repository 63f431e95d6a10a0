"""burble: train a text generator on your own words, and see inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burble.version import __version__

if TYPE_CHECKING:
    from burble.api import Model, load, train

__all__ = ["Model", "__version__", "load", "train"]


def __getattr__(name: str) -> object:
    # Importing burble costs nothing; what is used is imported then.
    if name in __all__:
        from burble import api

        return getattr(api, name)
    raise AttributeError(f"module 'burble' has no attribute {name!r}")
