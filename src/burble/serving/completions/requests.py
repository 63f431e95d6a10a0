"""The requests, and the range of each field. The OpenAPI description derives from them."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from burble.config import (
    DEFAULT_MINUTES,
    UNKNOWN_HELP,
    SamplingConfig,
    TrainingConfig,
    UnknownPolicy,
)
from burble.engine.generate import GenerationRequest
from burble.knobs import Knob, knobs_of

MAX_TEXT = 24 << 20  # characters of a text to learn from
_LEAST_MINUTES = 0.05
_MOST_MINUTES = 600
_MAX_PROMPTS = 64
_MAX_STOPS = 16
_MAX_STOP = 256
_MAX_LOGPROBS = 20
# Near 2**63, and exact as the float that the description makes of it.
_MAX_SEED = 9 * 10**18

# A file name has at most 255 bytes; one that is not text is written as \xff.
Name = Annotated[str, Field(max_length=4 * 255)]
Zero = Annotated[float, Field(ge=0, le=0)]


_OF_THE_FIELD = ("title", "description", "default")


def _describe_nulls(described: dict[str, Any]) -> None:
    """Describe every optional field as nullable."""
    fields = described["properties"]
    for name in fields.keys() - set(described.get("required", ())):
        field = fields[name]
        if {"type": "null"} not in field.get("anyOf", ()):
            facts = {key: field.pop(key) for key in _OF_THE_FIELD if key in field}
            fields[name] = {"anyOf": [field, {"type": "null"}], **facts}


class Strict(BaseModel):
    """Reject unknown fields, numbers in quotes, and NaN. Take null as absent and 6.0 as the integer
    6, since JSON has one kind of number.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, json_schema_extra=_describe_nulls
    )

    @model_validator(mode="before")
    @classmethod
    def _read_as_json(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in given.items()
            if value is not None or name not in optional
        }


class RunRequest(Strict):
    """A text to learn from, and for how long."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    minutes: float = Field(
        DEFAULT_MINUTES,
        ge=_LEAST_MINUTES,
        le=_MOST_MINUTES,
        description=knobs_of(TrainingConfig)["minutes"].help,
    )


class StreamOptions(Strict):
    """What a stream contains besides the text."""

    include_usage: bool = False


def _field(knob: Knob, **changes: Any) -> Any:
    facts = {"ge": knob.low, "gt": knob.above, "le": knob.high, "lt": knob.below}
    return Field(**{"default": knob.default, "description": knob.help, **facts, **changes})


_REQUEST = knobs_of(GenerationRequest)
_SAMPLING: dict[str, Any] = {
    name: (knob.kind | None if knob.optional else knob.kind, _field(knob))
    for name, knob in knobs_of(SamplingConfig).items()
}
_Sampled: Any = create_model("_Sampled", __base__=Strict, **_SAMPLING)


class CompletionRequest(_Sampled):  # type: ignore[misc] # its fields are the knobs of sampling
    """OpenAI's request for a completion; a token is the model's own, mostly a character."""

    model: Name | None = Field(None, description="A name from /v1/models; the first by default.")
    prompt: str | Annotated[list[str], Field(min_length=1, max_length=_MAX_PROMPTS)] = Field(
        "", description="The text to continue, or several."
    )
    max_tokens: int = _field(_REQUEST["max_characters"], description="Tokens to write, at most.")
    n: int = Field(1, ge=1, le=64, description="Texts for each prompt.")
    stop: (
        Annotated[str, Field(min_length=1, max_length=_MAX_STOP)]
        | Annotated[
            list[Annotated[str, Field(min_length=1, max_length=_MAX_STOP)]],
            Field(max_length=_MAX_STOPS),
        ]
        | None
    ) = Field(None, description="Stop before this text, or any of these.")
    seed: int | None = _field(_REQUEST["seed"], default=None, le=_MAX_SEED)
    logprobs: int | None = Field(
        None,
        ge=0,
        le=_MAX_LOGPROBS,
        description="List this many likeliest tokens at each position.",
    )
    echo: bool = Field(default=False, description="Return the prompt before the text.")
    stream: bool = Field(default=False, description="Send the text while it is being written.")
    stream_options: StreamOptions | None = None
    unknown: UnknownPolicy = Field("error", description=UNKNOWN_HELP)
    user: Name | None = Field(None, description="Ignored.")
    best_of: int | None = Field(None, ge=1, le=64, description="The same number as n, or absent.")
    suffix: Literal[""] | None = Field(
        None, description="Not supported: the model reads forward only."
    )
    logit_bias: Annotated[dict[str, Any], Field(max_length=0)] | None = Field(
        None, description="Not supported."
    )
    frequency_penalty: Zero | None = Field(
        None, description="Not supported; use repetition_penalty."
    )
    presence_penalty: Zero | None = Field(
        None, description="Not supported; use repetition_penalty."
    )

    @property
    def prompts(self) -> list[str]:
        return [self.prompt] if isinstance(self.prompt, str) else self.prompt

    @property
    def num_texts(self) -> int:
        return len(self.prompts) * self.n

    @property
    def stops(self) -> tuple[str, ...]:
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    def sampling(self) -> SamplingConfig:
        return SamplingConfig(**{name: getattr(self, name) for name in knobs_of(SamplingConfig)})


def page_fields() -> dict[str, Any]:
    """Return the attributes of the page's sliders and of its minutes field."""
    length = replace(_REQUEST["max_characters"], name="length", help="Tokens to write.")
    knobs = {"max_tokens": length, **knobs_of(SamplingConfig)}
    sliders = [
        {"name": name, "label": knob.name.replace("_", " ").capitalize(), "title": knob.help}
        | dict(zip(("min", "max", "step"), knob.slider, strict=True))
        | {"value": knob.default}
        for name, knob in knobs.items()
        if knob.slider
    ]
    return {
        "sliders": sliders,
        "minutes": {"min": _LEAST_MINUTES, "max": _MOST_MINUTES, "value": DEFAULT_MINUTES},
    }
