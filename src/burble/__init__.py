"""burble: train a text generator on your own words, and see inside it."""

# Import nothing here but burble's own modules. Under `python -m burble` this file runs while the
# working folder is still first in the search path, and `typing` or `__future__` could be a file
# of somebody else's there.
from burble.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from burble.api import Model, load, train
    from burble.errors import (
        BurbleError,
        DivergedError,
        MissingExtraError,
        ModelFileError,
        OptionError,
        ResourceError,
        TextError,
        TrainingInterruptedError,
        UnfinishedError,
        UsageError,
    )

__all__ = [
    "BurbleError",
    "DivergedError",
    "MissingExtraError",
    "Model",
    "ModelFileError",
    "OptionError",
    "ResourceError",
    "TextError",
    "TrainingInterruptedError",
    "UnfinishedError",
    "UsageError",
    "__version__",
    "load",
    "train",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    # `import burble` costs nothing: each name is imported when it is first used.
    if name not in __all__:
        raise AttributeError(f"module 'burble' has no attribute {name!r}")
    if name.endswith("Error"):
        from burble import errors

        return getattr(errors, name)
    from burble import api

    return getattr(api, name)
