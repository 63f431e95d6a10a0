"""What is asked of a run, before it is resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from burble.config import RunConfig

PLANNED = frozenset({"dropout", "input_dropout", "weight_decay", "hidden_size"})
"""The options that a plan sets where they were not given."""


@dataclass(frozen=True)
class RunRequest:
    """The options given, by name, over a base. None is a value; what is missing was not given."""

    options: Mapping[str, Any] = field(default_factory=dict)
    base: RunConfig | None = None  # a whole configuration; without one a plan sets the rest

    @property
    def is_complete(self) -> bool:
        return self.base is not None or self.options.keys() >= PLANNED

    def resolve(self, planned: Mapping[str, Any] | None = None) -> RunConfig:
        """Return the base, over it the planned options, over these the given ones."""
        return (self.base or RunConfig()).with_options({**(planned or {}), **self.options})

    def with_options(self, **options: Any) -> Self:
        return replace(self, options={**self.options, **options})
