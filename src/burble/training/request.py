"""What is asked of a run, before it is resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from burble.config import RunConfig

PLANNED = frozenset({"dropout", "input_dropout", "weight_decay", "hidden_size"})
"""The options that a plan sets where they were not given."""


@dataclass(frozen=True)
class RunRequest:
    """The options given, by name, over a base. None is a value; what is missing was not given."""

    options: Mapping[str, Any] = field(default_factory=dict)
    base: RunConfig | None = None  # a whole configuration; without one a plan sets the rest

    @property
    def left_to_plan(self) -> frozenset[str]:
        return PLANNED - self.options.keys() if self.base is None else frozenset()

    def resolve(self) -> RunConfig:
        return (self.base or RunConfig()).with_options(self.options)
