"""The version of burble."""

__version__ = "0.1.0"
