"""Every option, once: dataclasses from which the command line, Python and run.toml derive."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from burble.cells import CELLS, CellKind
from burble.errors import OptionError, UsageError
from burble.hints import nearest_name
from burble.knobs import check_knobs, knob, knobs_of
from burble.mapping import from_mapping, to_mapping

InputKind = Literal["embedding", "one-hot", "scalar"]
TokenizerKind = Literal["char", "byte"]
BatchingKind = Literal["stream", "windows", "sentences"]
UnicodeForm = Literal["NFC", "NFD", "NFKC", "NFKD"]
UnknownPolicy = Literal["error", "skip", "nearest"]
LearnerKind = Literal["auto", "native", "torch"]
TrainingPrecision = Literal["auto", "float32", "bfloat16"]

UNKNOWN_HELP = "What to do with characters that the model has never seen."

# Seeds have 63 bits.
MAX_SEED = 2**63 - 1

# The time to train when neither minutes nor epochs nor steps are given.
DEFAULT_MINUTES = 1.0


class _Ranged:
    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True)
class ReadingConfig:
    encoding: str | None = knob(
        None,
        "Encoding of the source files, as Python names it; UTF-8 by default.",
        none_is_none=True,
    )


@dataclass(frozen=True)
class NormalizationConfig:
    """Changes to the text and to every prompt; saved in the model file."""

    lowercase: bool = knob(False, "Convert the text to lower case.")
    unicode_form: UnicodeForm | None = knob(None, "Convert the text to this Unicode normal form.")


@dataclass(frozen=True)
class DataConfig:
    tokenizer: TokenizerKind = knob(
        "char", "What the model reads in one step: a character, or a byte of UTF-8."
    )
    batching: BatchingKind = knob(
        "stream",
        "stream: read the text in order and carry the state; windows: predict one token after each "
        "sequence, from a fresh state; sentences: put one sentence in each row, padded or cut to "
        "the length of a sequence.",
    )
    seq_len: int = knob(32, "Length of a sequence: tokens between two updates.", low=1, high=65_536)
    batch_size: int = knob(16, "Sequences in a batch.", low=1, high=65_536)
    stride: int = knob(
        1,
        "Tokens between the starts of two windows (batching windows only).",
        low=1,
        high=1_000_000_000,
    )
    val_fraction: float = knob(
        0.1, "Share of the text, at its end, held out for validation.", low=0, high=0.9
    )
    test_fraction: float = knob(
        0.0,
        "Share of the text, after the held-out part, that is sealed: it is read once, to score the "
        "finished model.",
        low=0,
        high=0.5,
    )

    def __post_init__(self) -> None:
        check_knobs(self)
        if self.val_fraction + self.test_fraction > 0.9 + 1e-9:
            raise OptionError(
                "together must be at most 0.9, so that a tenth of the text is left to learn from; "
                f"found {self.val_fraction:g} and {self.test_fraction:g}.",
                "val_fraction",
                "test_fraction",
            )


@dataclass(frozen=True)
class NetworkConfig(_Ranged):
    """The shape of the network; saved in the model file."""

    cell: CellKind = knob("lstm", "Kind of recurrent cell.")
    input: InputKind = knob(
        "embedding",
        "What the first layer gets for a character: a learned vector, a one-hot vector, or one "
        "number, id / vocabulary size.",
    )
    num_layers: int = knob(1, "Number of recurrent layers.", low=1, high=64)
    hidden_size: int = knob(
        512, "Units in each layer; left to the plan by default.", low=1, high=16_384
    )
    embedding_size: int = knob(
        64,
        "Length of a character's learned vector (input embedding only).",
        low=1,
        high=16_384,
    )
    residual: bool = knob(False, "Add each layer's input to its output, from the second layer on.")

    def input_size(self, vocab_size: int) -> int:
        return {"embedding": self.embedding_size, "one-hot": vocab_size, "scalar": 1}[self.input]

    def tensor_shapes(self, vocab_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of every weight by name; gates are in the order of `burble.cells`."""
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
class TrainingConfig(_Ranged):
    """How the network learns; training ends with the first of minutes, epochs and steps."""

    minutes: float | None = knob(
        None,
        "Minutes to train, set-up and validation included; 1 unless epochs or steps are given.",
        low=0.001,
        high=1_000_000,
        example="1 or 0.5",
    )
    epochs: float | None = knob(
        None, "Passes through the training text.", low=1e-6, high=1_000_000_000
    )
    steps: int | None = knob(None, "Updates of the weights.", low=1, high=10**12)
    patience: int | None = knob(
        None, "Stop after this many validations without improvement.", low=1, high=1_000_000
    )
    dropout: float = knob(
        0.2,
        "Share of each layer's outputs that training drops; left to the plan by default.",
        low=0,
        below=1,
    )
    locked_dropout: bool = knob(
        True,
        "Drop the same units throughout a sequence (Gal and Ghahramani 2016), not new ones in each "
        "step.",
    )
    input_dropout: float = knob(
        0.0,
        "Share of the first layer's inputs that training drops; left to the plan by default.",
        low=0,
        high=0.99,
    )
    averaging: float = knob(
        0.998,
        "Decay of the running average of the weights, which is the model; 0 turns it off.",
        low=0,
        high=0.999999,
    )
    learning_rate: float = knob(6e-3, "Peak learning rate, reached after the warm-up.", above=0)
    schedule: Literal["linear", "constant"] = knob(
        "linear",
        "Learning rate after the warm-up. linear: falls to zero at the end of training; constant: "
        "stays at the peak.",
    )
    warmup_steps: int = knob(
        50, "Updates over which the learning rate rises from zero.", low=0, high=1_000_000_000
    )
    weight_decay: float = knob(
        0.01,
        "Decoupled weight decay of AdamW, on matrices only; left to the plan by default.",
        low=0,
        high=100,
    )
    beta1: float = knob(0.9, "Adam's decay rate of the mean gradient.", low=0, high=0.999999)
    beta2: float = knob(
        0.99, "Adam's decay rate of the mean squared gradient.", low=0, high=0.999999
    )
    epsilon: float = knob(1e-8, "Adam's constant against division by zero.", above=0)
    grad_clip: float = knob(
        1.0,
        "Largest global norm of the gradient; larger ones are scaled down to it. 0: no limit.",
        low=0,
        high=1_000_000_000,
    )
    seed: int = knob(0, "Seed of every random choice in training.", low=0, high=MAX_SEED)
    threads: int | None = knob(
        None,
        "Most processor threads to use; by default all that are available. The native learner "
        "takes fewer while that is faster.",
        low=1,
        high=1024,
    )
    learner: LearnerKind = knob(
        "auto",
        "What computes the steps. native: burble's own C library, on processors; torch: also on "
        "GPUs, in bfloat16 and in several processes; auto: the one that fits the other options.",
    )
    device: str = knob(
        "auto",
        "Where to compute: cpu, cuda or mps. auto: an NVIDIA GPU if there is one, else cpu.",
    )
    precision: TrainingPrecision = knob(
        "auto",
        "Number format in which the layers compute in training; weights, losses and updates stay "
        "in float32. auto: bfloat16 if a quick measurement finds it faster.",
    )


@dataclass(frozen=True)
class SamplingConfig(_Ranged):
    """How the next token is chosen; the filters apply in the order of the fields."""

    repetition_penalty: float = knob(
        1.0,
        "Make the last 64 tokens less likely (Keskar et al. 2019); 1 is off.",
        low=0.01,
        high=100,
        slider=(1, 1.5, 0.01),
    )
    temperature: float = knob(
        0.8,
        "Lower: more predictable text; higher: more surprising; 0: always the likeliest token.",
        low=0,
        high=100,
        slider=(0, 2, 0.05),
    )
    top_k: int | None = knob(
        None, "Choose only among this many likeliest tokens.", low=1, high=2**31
    )
    top_p: float = knob(
        1.0,
        "Choose only among the likeliest tokens that together have this probability.",
        above=0,
        high=1,
        slider=(0.05, 1, 0.05),
    )
    min_p: float = knob(
        0.0,
        "Leave out tokens less likely than this share of the likeliest one's probability.",
        low=0,
        high=1,
        slider=(0, 0.5, 0.01),
    )


@dataclass(frozen=True)
class SampleConfig(_Ranged):
    """The samples that the model writes during training and at its end."""

    sample_length: int = knob(240, "Characters in each sample.", low=0, high=1_000_000)
    sample_temperature: float = knob(
        0.7, "Temperature of the samples; 0: always the likeliest token.", low=0, high=100
    )
    sample_window: int | None = knob(
        None,
        "Re-read this many tokens for each new one, as the Keras tutorial does.",
        low=1,
        high=65_536,
    )


@dataclass(frozen=True)
class RunConfig:
    """The configuration of a training run, as saved in `run.toml`."""

    sources: tuple[str, ...] = ("python-docs",)
    reading: ReadingConfig = field(default_factory=ReadingConfig)
    normalization: NormalizationConfig = field(default_factory=NormalizationConfig)
    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)

    def __post_init__(self) -> None:
        for source in self.sources:
            # Python reads a file name that is not UTF-8 as lone surrogates, which TOML forbids.
            if any("\ud800" <= character <= "\udfff" for character in source):
                raise UsageError(
                    f"The name {source!r} is not UTF-8, so run.toml cannot keep it.",
                    "Rename the file.",
                    "Rename the file, or pipe it: burble train - < FILE",
                )

    def with_options(self, options: Mapping[str, Any]) -> RunConfig:
        """Return a copy with these options set, each in the section that has its name."""
        changed: dict[str, Any] = {}
        for part, section in SECTIONS.items():
            if values := {name: options[name] for name in options if name in knobs_of(section)}:
                before = to_mapping(getattr(self, part))
                changed[part] = from_mapping(section, before | values)
        if "sources" in options:
            changed["sources"] = tuple(options["sources"])
        if unknown := sorted(options.keys() - OPTIONS - {"sources"}):
            near = nearest_name(unknown[0], OPTIONS)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(
                f"There is no option {unknown[0]!r}.{hint} Options: {', '.join(sorted(OPTIONS))}."
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

OPTIONS = frozenset(name for section in SECTIONS.values() for name in knobs_of(section))

PRESETS: dict[str, RunConfig] = {
    # The Keras tutorial "Train your first LSTM model for text generation" (2021). It has no
    # validation; a held-out tenth is kept here so that its loss can be compared.
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
    )
}

if TYPE_CHECKING:
    from typing import TypedDict

    class SamplingOptions(TypedDict, total=False):
        """The options of `SamplingConfig` as keyword arguments, for type checkers and editors."""

        repetition_penalty: float
        temperature: float
        top_k: int | None
        top_p: float
        min_p: float

    class RunOptions(TypedDict, total=False):
        """The options of a run as keyword arguments, for type checkers and editors."""

        encoding: str | None
        lowercase: bool
        unicode_form: UnicodeForm | None
        tokenizer: TokenizerKind
        batching: BatchingKind
        seq_len: int
        batch_size: int
        stride: int
        val_fraction: float
        test_fraction: float
        cell: CellKind
        input: InputKind
        num_layers: int
        hidden_size: int
        embedding_size: int
        residual: bool
        minutes: float | None
        epochs: float | None
        steps: int | None
        patience: int | None
        dropout: float
        locked_dropout: bool
        input_dropout: float
        averaging: float
        learning_rate: float
        schedule: Literal["linear", "constant"]
        warmup_steps: int
        weight_decay: float
        beta1: float
        beta2: float
        epsilon: float
        grad_clip: float
        seed: int
        threads: int | None
        learner: LearnerKind
        device: str
        precision: TrainingPrecision
        sample_length: int
        sample_temperature: float
        sample_window: int | None
