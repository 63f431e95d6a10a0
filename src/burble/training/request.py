"""`RunRequest`: the options that the user gave for a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from burble.config import RunConfig

PLANNED = frozenset({"dropout", "input_dropout", "weight_decay", "hidden_size"})
"""The options that a plan decides if they were not given."""


@dataclass(frozen=True)
class RunRequest:
    """The options that were given, by name. None is a value, so options not given are missing."""

    options: Mapping[str, Any] = field(default_factory=dict)
    base: RunConfig | None = None  # a whole configuration below the options; None plans the rest

    @property
    def left_to_plan(self) -> frozenset[str]:
        """The names of the options that a plan decides."""
        return PLANNED - self.options.keys() if self.base is None else frozenset()

    def resolve(self) -> RunConfig:
        """Return the configuration: the base or the defaults, changed by the options."""
        return (self.base or RunConfig()).with_options(self.options)
