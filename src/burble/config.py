"""Every knob, once: frozen dataclasses that the command line, Python and run.toml derive from."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from burble.cells import CELLS, CellKind
from burble.errors import UsageError, brief
from burble.mapping import from_mapping, to_mapping
from burble.plain_files import read_plain
from burble.saved_format import KEY, SavedFormat, VersionError
from burble.system_errors import read_error

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

InputKind = Literal["embedding", "one-hot", "scalar"]
TokenizerKind = Literal["char", "byte"]
BatchingKind = Literal["stream", "windows", "sentences"]
UnicodeForm = Literal["NFC", "NFD", "NFKC", "NFKD"]
UnknownPolicy = Literal["error", "skip", "nearest"]
TrainingPrecision = Literal["auto", "float32", "bfloat16"]

_FORMAT = SavedFormat(version=1)

# The names of ten thousand sources.
_MAX_TOML_BYTES = 1 << 20

# tomllib takes time by the square of the parts of a name: 16,000 take 4.5 s. A run's configuration
# has a dot in each of its numbers at most.
_MAX_DOTS = 1000
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#.*')

# What a minute is spent on when no budget is given.
DEFAULT_MINUTES = 1.0


def _require(condition: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise UsageError(message)


def _require_range(config: object, name: str, low: float, high: float) -> None:
    value = getattr(config, name)
    if value is not None and not low <= value <= high:
        raise UsageError(f"{name} must be between {low:g} and {high:g}; found {value}.")


@dataclass(frozen=True)
class ReadingConfig:
    """How the sources are read."""

    encoding: str | None = None
    """Encoding of the source files, by Python's name for it; UTF-8 where none is given."""


@dataclass(frozen=True)
class NormalizationConfig:
    """What is done to the text, and to every prompt later; it is saved in the model file."""

    lowercase: bool = False
    """Turn every letter into lower case."""

    unicode_form: UnicodeForm | None = None
    """Unicode normal form to bring the text to."""


@dataclass(frozen=True)
class DataConfig:
    """How the text becomes batches."""

    tokenizer: TokenizerKind = "char"
    """What one step of the model reads: a character, or a byte of UTF-8."""

    batching: BatchingKind = "stream"
    """stream: read on and on, the state carried; windows: one target after each window of
    seq_len, fresh state; sentences: one sentence a row, padded or cut to seq_len."""

    seq_len: int = 32
    """Characters read between two updates of the weights."""

    batch_size: int = 16
    """Rows learned from side by side."""

    stride: int = 1
    """Characters between the starts of two windows (batching windows only)."""

    val_fraction: float = 0.1
    """Share of the text, at its end, that is held out to validate on."""

    test_fraction: float = 0.0
    """Share of the text, after that, that is sealed: neither learned from nor validated on, it
    gives a second score when the run is done."""

    def __post_init__(self) -> None:
        _require_range(self, "seq_len", 1, 65_536)
        _require_range(self, "batch_size", 1, 65_536)
        _require_range(self, "stride", 1, 1_000_000_000)
        _require_range(self, "val_fraction", 0.0, 0.9)
        _require_range(self, "test_fraction", 0.0, 0.5)
        _require(
            self.val_fraction + self.test_fraction <= 0.9 + 1e-9,
            "val_fraction and test_fraction together must be at most 0.9, so that a tenth of the "
            f"text is left to learn from; found {self.val_fraction:g} and {self.test_fraction:g}.",
        )


@dataclass(frozen=True)
class NetworkConfig:
    """The network's shape; it is saved in the model file."""

    cell: CellKind = "lstm"
    """Kind of recurrent cell."""

    input: InputKind = "embedding"
    """What the first layer sees of a character: a learned vector, a one-hot vector, or the
    single number id / vocabulary size."""

    num_layers: int = 1
    """Recurrent layers, one above the other."""

    hidden_size: int = 512
    """Units in each layer."""

    embedding_size: int = 64
    """Length of the learned vector of a character (input embedding only)."""

    residual: bool = False
    """Add each layer's input to its output, from the second layer on."""

    def __post_init__(self) -> None:
        _require_range(self, "num_layers", 1, 64)
        _require_range(self, "hidden_size", 1, 16_384)
        _require_range(self, "embedding_size", 1, 16_384)

    def input_size(self, vocab_size: int) -> int:
        """Width of what the first layer reads."""
        return {"embedding": self.embedding_size, "one-hot": vocab_size, "scalar": 1}[self.input]

    def tensor_shapes(self, vocab_size: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, as stored in the model file.

        `weight_ih` is (gates · hidden, input), `weight_hh` (gates · hidden, hidden), `bias`
        (gates · hidden); the gates are in the order of the table of cells.
        """
        rows = len(CELLS[self.cell].gates) * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        if self.input == "embedding":
            shapes["embedding.weight"] = (vocab_size, self.embedding_size)
        for layer in range(self.num_layers):
            width = self.input_size(vocab_size) if layer == 0 else self.hidden_size
            shapes[f"layers.{layer}.weight_ih"] = (rows, width)
            shapes[f"layers.{layer}.weight_hh"] = (rows, self.hidden_size)
            shapes[f"layers.{layer}.bias"] = (rows,)
        shapes["head.weight"] = (vocab_size, self.hidden_size)
        shapes["head.bias"] = (vocab_size,)
        return shapes


@dataclass(frozen=True)
class TrainingConfig:
    """How the network learns. Of minutes, epochs and steps, whichever ends first counts."""

    minutes: float | None = None
    """Time to train, set-up and validation included; 1 where no budget is given."""

    epochs: float | None = None
    """Times to go through the training text."""

    steps: int | None = None
    """Updates of the weights."""

    patience: int | None = None
    """Stop after this many validations without a better one."""

    dropout: float = 0.2
    """Share of each layer's outputs dropped while learning."""

    locked_dropout: bool = True
    """Drop the same units over all of a sequence (Gal and Ghahramani 2016), not anew each step."""

    input_dropout: float = 0.0
    """Share of the first layer's inputs dropped while learning."""

    averaging: float = 0.998
    """The model is a running average of the weights, of which this share stays at each update; 0
    leaves the weights as they are."""

    learning_rate: float = 6e-3
    """Highest step size, reached after the warm-up."""

    schedule: Literal["linear", "constant"] = "linear"
    """linear: down to zero at the end of the budget; constant: stay at the highest."""

    warmup_steps: int = 50
    """Updates over which the step size rises from zero."""

    weight_decay: float = 0.01
    """AdamW's decoupled weight decay, on weight matrices only."""

    beta1: float = 0.9
    """Adam's memory of the mean gradient."""

    beta2: float = 0.99
    """Adam's memory of the squared gradient."""

    epsilon: float = 1e-8
    """Adam's guard against division by zero."""

    grad_clip: float = 1.0
    """Largest global norm of the gradient; longer ones are scaled down to it. 0: no limit."""

    seed: int = 0
    """Decides every random choice of the run."""

    threads: int | None = None
    """Processor threads to use; torch's own choice where none is given."""

    device: str = "auto"
    """Where to compute: cpu, cuda or mps. auto: on a GPU where there is one."""

    precision: TrainingPrecision = "auto"
    """What the layers compute in while they learn; weights, losses and updates stay in float32.
    auto: bfloat16 where a quick measurement finds it faster."""

    def __post_init__(self) -> None:
        _require_range(self, "minutes", 0.001, 1e6)
        _require_range(self, "epochs", 1e-6, 1e9)
        _require_range(self, "steps", 1, 1e12)
        _require_range(self, "patience", 1, 1e6)
        _require(0 <= self.dropout < 1, f"dropout must be in [0, 1); found {self.dropout:g}.")
        _require_range(self, "input_dropout", 0, 0.99)
        _require_range(self, "averaging", 0, 0.999999)
        _require(self.learning_rate > 0, "learning_rate must be above zero.")
        _require_range(self, "warmup_steps", 0, 1e9)
        _require_range(self, "weight_decay", 0, 100)
        _require_range(self, "beta1", 0, 0.999999)
        _require_range(self, "beta2", 0, 0.999999)
        _require(self.epsilon > 0, "epsilon must be above zero.")
        _require_range(self, "grad_clip", 0, 1e9)
        _require_range(self, "seed", 0, 2**63 - 1)
        _require_range(self, "threads", 1, 1024)


@dataclass(frozen=True)
class SamplingConfig:
    """How the next character is chosen; the filters apply in the order they stand here."""

    repetition_penalty: float = 1.0
    """Weakens the last 64 tokens (Keskar et al. 2019); 1 is off."""

    temperature: float = 0.8
    """Below 1: more likely text; above 1: more surprising; 0: always the likeliest."""

    top_k: int | None = None
    """Choose among this many likeliest tokens only."""

    top_p: float = 1.0
    """Choose among the likeliest tokens that together hold this probability."""

    min_p: float = 0.0
    """Leave out tokens below this share of the likeliest one's probability."""

    def __post_init__(self) -> None:
        _require(math.isfinite(self.temperature), "temperature must be a number.")
        _require_range(self, "repetition_penalty", 0.01, 100)
        _require_range(self, "temperature", 0, 100)
        _require_range(self, "top_k", 1, 2**31)
        _require(0 < self.top_p <= 1, f"top_p must be in (0, 1]; found {self.top_p:g}.")
        _require_range(self, "min_p", 0, 1)


@dataclass(frozen=True)
class SampleConfig:
    """What the model writes while it learns and when it is done."""

    sample_length: int = 240
    """Characters in each sample."""

    sample_temperature: float = 0.7
    """Temperature of the samples; 0: always the likeliest character."""

    sample_window: int | None = None
    """Re-read this many characters for each new one, as the Keras tutorial does."""

    def __post_init__(self) -> None:
        _require_range(self, "sample_length", 0, 1_000_000)
        _require_range(self, "sample_temperature", 0, 100)
        _require_range(self, "sample_window", 1, 65_536)


@dataclass(frozen=True)
class RunConfig:
    """A whole training run; `run.toml` is this, written out."""

    sources: tuple[str, ...] = ("python-docs",)
    reading: ReadingConfig = field(default_factory=ReadingConfig)
    normalization: NormalizationConfig = field(default_factory=NormalizationConfig)
    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)

    def __post_init__(self) -> None:
        for source in self.sources:
            # A file name that is not UTF-8 holds halves of surrogate pairs, which TOML cannot.
            _require(
                not any("\ud800" <= character <= "\udfff" for character in source),
                f"The name {source!r} is not UTF-8, so run.toml cannot keep it. Rename the file, "
                "or pipe it: burble train - < FILE.",
            )

    def with_options(self, options: dict[str, Any]) -> RunConfig:
        """Set options by their flat names, each in the section that has it."""
        sections: dict[str, dict[str, Any]] = {}
        changed: dict[str, Any] = {}
        for name, value in options.items():
            if name == "sources":
                changed[name] = tuple(value)
                continue
            if name not in OPTIONS:
                raise UsageError(
                    f"There is no option {name!r}. Options: {', '.join(sorted(OPTIONS))}."
                )
            sections.setdefault(OPTIONS[name], {})[name] = value
        for part, values in sections.items():
            changed[part] = from_mapping(
                SECTIONS[part], to_mapping(getattr(self, part)) | values, part
            )
        return dataclasses.replace(self, **changed)


SECTIONS: dict[str, type[Any]] = {
    "reading": ReadingConfig,
    "normalization": NormalizationConfig,
    "data": DataConfig,
    "network": NetworkConfig,
    "training": TrainingConfig,
    "sample": SampleConfig,
}

OPTIONS = {knob.name: part for part in SECTIONS for knob in dataclasses.fields(SECTIONS[part])}
"""The section of each option."""

PRESETS: dict[str, RunConfig] = {
    # The Keras tutorial "Train your first LSTM model for text generation" (2021). It has no
    # validation; the held-out tenth is kept here so that its loss can be compared with anything.
    "tutorial": RunConfig(
        normalization=NormalizationConfig(lowercase=True),
        data=DataConfig(batching="windows", seq_len=100, stride=1, batch_size=64),
        network=NetworkConfig(input="scalar", num_layers=2, hidden_size=256),
        training=TrainingConfig(
            epochs=50,
            dropout=0.2,
            locked_dropout=False,
            averaging=0.0,
            learning_rate=1e-3,
            schedule="constant",
            warmup_steps=0,
            weight_decay=0.0,
            beta2=0.999,
            epsilon=1e-7,
            grad_clip=0.0,
            precision="float32",
        ),
        sample=SampleConfig(sample_length=1000, sample_temperature=0.0, sample_window=100),
    ),
}


def to_toml(config: RunConfig) -> str:
    """`config` as TOML; options without a value are left out."""
    top: list[str] = []
    tables: list[str] = []
    for name, value in _FORMAT.mark(to_mapping(config)).items():
        if isinstance(value, dict):
            lines = [
                f"{key} = {_toml_value(item)}" for key, item in value.items() if item is not None
            ]
            tables.append("\n".join([f"[{name}]", *lines]))
        else:
            top.append(f"{name} = {_toml_value(value)}")
    return "\n\n".join(["\n".join(top), *tables]) + "\n"


def _toml_value(value: object) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def from_toml(text: str, where: str) -> RunConfig:
    """Read what `to_toml` wrote, or a person did. Raises `UsageError`."""
    if _count_dots(text) > _MAX_DOTS:
        raise UsageError(f"{where} has names with too many dots for a run's configuration.")
    try:
        mapping = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is not valid TOML: {brief(str(error))}") from error
    mapping.setdefault(KEY, _FORMAT.version)  # a person need not write it
    try:
        mapping = _FORMAT.upgrade(mapping)
    except VersionError as error:
        raise UsageError(f"{where} cannot be read: {error}. Install a newer burble.") from error
    return from_mapping(RunConfig, mapping, where)


def _count_dots(text: str) -> int:
    """Count the dots outside of comments and of strings on one line; with longer strings, all."""
    outside = text if '"""' in text or "'''" in text else _QUOTED.sub("", text)
    return outside.count(".")


def read_config(path: Path, *, follow: bool = False) -> RunConfig:
    """Read a configuration from a file. Raises `UsageError`, and `ResourceError` where it is the
    machine that refuses.

    follow: links are followed, as for a name that a person gave.
    """
    try:
        text = read_plain(path, _MAX_TOML_BYTES, follow=follow).decode("utf-8")
    except OSError as error:
        raise read_error(path, error) from error
    except ValueError as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    return from_toml(text, str(path))
