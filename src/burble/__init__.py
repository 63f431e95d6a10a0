"""burble: train a text generator on your own words, and see inside it."""

# Nothing is imported here but burble's own: under `python -m burble` this runs while the working
# folder still leads the search path, and `typing` or `__future__` could be a stranger's.
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
    # Importing burble costs nothing; what is used is imported then.
    if name not in __all__:
        raise AttributeError(f"module 'burble' has no attribute {name!r}")
    if name.endswith("Error"):
        from burble import errors

        return getattr(errors, name)
    from burble import api

    return getattr(api, name)
