"""The responses. The OpenAPI description derives from them."""

from typing import Annotated, Literal

from pydantic import Field

# Pydantic cannot read the one in `typing` before Python 3.12.
from typing_extensions import TypedDict

from burble.run_folder.metrics import StepMetrics, ValidationMetrics


class Logprobs(TypedDict):
    """The log-probability of each token in nats; None for the very first, which has none."""

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None] | None
    text_offset: list[int]


class Choice(TypedDict):
    """One text, or the part of it in one event."""

    index: int
    text: str
    logprobs: Logprobs | None
    finish_reason: Literal["stop", "length"] | None


class Usage(TypedDict):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Head(TypedDict):
    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    seed: int
    unknown_chars: int
    """Characters of the prompts that the model has never seen: left out, or replaced."""


class Part(Head):
    """One event of a stream."""

    choices: list[Choice]


class Completion(Part):
    """A whole response, or the last event of a stream with `include_usage`."""

    usage: Usage


class ModelFacts(TypedDict):
    cell: str
    num_layers: int
    hidden_size: int
    tokenizer: str
    vocab_size: int
    kernel: str
    val_bits_per_char: float | None


class ModelDescription(TypedDict):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    burble: ModelFacts


class ModelList(TypedDict):
    object: Literal["list"]
    data: list[ModelDescription]


class Health(TypedDict):
    status: Literal["ok"]


Span = Annotated[list[int], Field(min_length=2, max_length=2)]


class Copies(TypedDict):
    """Start and end of each passage, in characters, and the shortest length that counts; None if
    the training text is not at hand.
    """

    shortest: int | None
    spans: list[Span]


RunState = Literal["running", "stopped", "done", "failed"]


class RunName(TypedDict):
    name: str


class RunLine(RunName):
    state: RunState


class RunList(TypedDict):
    """All runs, newest first."""

    can_train: bool
    runs: list[RunLine]


class RunDescription(RunLine):
    """The state of a run."""

    said: str
    has_model: bool
    metrics: list[StepMetrics | ValidationMetrics]
    samples: str
