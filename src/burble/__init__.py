"""burble: train a text generator on your own words, and see inside it."""

# Nothing is imported here but burble's own: under `python -m burble` this runs while the working
# folder still leads the search path, and `typing` or `__future__` could be a stranger's.
from burble.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from burble.api import Model, load, train

__all__ = ["Model", "__version__", "load", "train"]


def __getattr__(name: str) -> object:
    # Importing burble costs nothing; what is used is imported then.
    if name in __all__:
        from burble import api

        return getattr(api, name)
    raise AttributeError(f"module 'burble' has no attribute {name!r}")
