"""Every knob, once: frozen dataclasses that the command line, Python and run.toml derive from."""

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

# What a minute is spent on when no budget is given.
DEFAULT_MINUTES = 1.0


class _Ranged:
    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True)
class ReadingConfig:
    encoding: str | None = knob(
        None,
        "Encoding of the source files, by Python's name for it; UTF-8 where none is given.",
        none_is_none=True,
    )


@dataclass(frozen=True)
class NormalizationConfig:
    """What is done to the text, and to every prompt later; it is saved in the model file."""

    lowercase: bool = knob(False, "Turn every letter into lower case.")
    unicode_form: UnicodeForm | None = knob(None, "Unicode normal form to bring the text to.")


@dataclass(frozen=True)
class DataConfig:
    tokenizer: TokenizerKind = knob(
        "char", "What one step of the model reads: a character, or a byte of UTF-8."
    )
    batching: BatchingKind = knob(
        "stream",
        "stream: read on and on, the state carried; windows: one target after each sequence, fresh "
        "state; sentences: one sentence a row, padded or cut to the length of a sequence.",
    )
    seq_len: int = knob(
        32, "Length of a sequence: tokens read between two updates.", low=1, high=65_536
    )
    batch_size: int = knob(16, "Rows learned from side by side.", low=1, high=65_536)
    stride: int = knob(
        1,
        "Tokens between the starts of two windows (batching windows only).",
        low=1,
        high=1_000_000_000,
    )
    val_fraction: float = knob(
        0.1, "Share of the text, at its end, that is held out to validate on.", low=0, high=0.9
    )
    test_fraction: float = knob(
        0.0,
        "Share of the text, after that, that is sealed: neither learned from nor validated on, it "
        "gives a second score when the run is done.",
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
    """The network's shape; it is saved in the model file."""

    cell: CellKind = knob("lstm", "Kind of recurrent cell.")
    input: InputKind = knob(
        "embedding",
        "What the first layer sees of a character: a learned vector, a one-hot vector, or the "
        "single number id / vocabulary size.",
    )
    num_layers: int = knob(1, "Recurrent layers, one above the other.", low=1, high=64)
    hidden_size: int = knob(512, "Units in each layer.", low=1, high=16_384)
    embedding_size: int = knob(
        64,
        "Length of the learned vector of a character (input embedding only).",
        low=1,
        high=16_384,
    )
    residual: bool = knob(False, "Add each layer's input to its output, from the second layer on.")

    def input_size(self, vocab_size: int) -> int:
        return {"embedding": self.embedding_size, "one-hot": vocab_size, "scalar": 1}[self.input]

    def tensor_shapes(self, vocab_size: int) -> dict[str, tuple[int, ...]]:
        """Return name and shape of every weight; the gates are in the order of `burble.cells`."""
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
    """How the network learns. Of minutes, epochs and steps, whichever ends first counts."""

    minutes: float | None = knob(
        None,
        "Time to train, set-up and validation included; 1 where no budget is given.",
        low=0.001,
        high=1_000_000,
        example="1 or 0.5",
    )
    epochs: float | None = knob(
        None, "Times to go through the training text.", low=1e-6, high=1_000_000_000
    )
    steps: int | None = knob(None, "Updates of the weights.", low=1, high=10**12)
    patience: int | None = knob(
        None, "Stop after this many validations without a better one.", low=1, high=1_000_000
    )
    dropout: float = knob(
        0.2, "Share of each layer's outputs dropped while learning.", low=0, below=1
    )
    locked_dropout: bool = knob(
        True,
        "Drop the same units over all of a sequence (Gal and Ghahramani 2016), not anew each step.",
    )
    input_dropout: float = knob(
        0.0, "Share of the first layer's inputs dropped while learning.", low=0, high=0.99
    )
    averaging: float = knob(
        0.998,
        "The model is a running average of the weights, of which this share stays at each update; "
        "0 leaves the weights as they are.",
        low=0,
        high=0.999999,
    )
    learning_rate: float = knob(6e-3, "Highest step size, reached after the warm-up.", above=0)
    schedule: Literal["linear", "constant"] = knob(
        "linear", "linear: down to zero at the end of the budget; constant: stay at the highest."
    )
    warmup_steps: int = knob(
        50, "Updates over which the step size rises from zero.", low=0, high=1_000_000_000
    )
    weight_decay: float = knob(
        0.01, "AdamW's decoupled weight decay, on weight matrices only.", low=0, high=100
    )
    beta1: float = knob(0.9, "Adam's memory of the mean gradient.", low=0, high=0.999999)
    beta2: float = knob(0.99, "Adam's memory of the squared gradient.", low=0, high=0.999999)
    epsilon: float = knob(1e-8, "Adam's guard against division by zero.", above=0)
    grad_clip: float = knob(
        1.0,
        "Largest global norm of the gradient; longer ones are scaled down to it. 0: no limit.",
        low=0,
        high=1_000_000_000,
    )
    seed: int = knob(0, "Decides every random choice of the run.", low=0, high=MAX_SEED)
    threads: int | None = knob(
        None,
        "Processor threads to use; all that burble may use where none is given. native takes fewer "
        "for a while where that is quicker.",
        low=1,
        high=1024,
    )
    learner: LearnerKind = knob(
        "auto",
        "What computes the steps: native, burble's own, on processors; torch, also on GPUs, in "
        "bfloat16 and in several processes. auto: the one that fits what is asked for.",
    )
    device: str = knob(
        "auto",
        "Where to compute: cpu, cuda or mps. auto: on an NVIDIA GPU where there is one, else cpu.",
    )
    precision: TrainingPrecision = knob(
        "auto",
        "What the layers compute in while they learn; weights, losses and updates stay in float32. "
        "auto: bfloat16 where a quick measurement finds it faster.",
    )


@dataclass(frozen=True)
class SamplingConfig(_Ranged):
    """How the next character is chosen; the filters apply in the order they stand here."""

    repetition_penalty: float = knob(
        1.0,
        "Weakens the last 64 tokens (Keskar et al. 2019); 1 is off.",
        low=0.01,
        high=100,
        slider=(1, 1.5, 0.01),
    )
    temperature: float = knob(
        0.8,
        "Below 1: more likely text; above 1: more surprising; 0: always the likeliest.",
        low=0,
        high=100,
        slider=(0, 2, 0.05),
    )
    top_k: int | None = knob(
        None, "Choose among this many likeliest tokens only.", low=1, high=2**31
    )
    top_p: float = knob(
        1.0,
        "Choose among the likeliest tokens that together hold this probability.",
        above=0,
        high=1,
        slider=(0.05, 1, 0.05),
    )
    min_p: float = knob(
        0.0,
        "Leave out tokens below this share of the likeliest one's probability.",
        low=0,
        high=1,
        slider=(0, 0.5, 0.01),
    )


@dataclass(frozen=True)
class SampleConfig(_Ranged):
    """What the model writes while it learns and when it is done."""

    sample_length: int = knob(240, "Characters in each sample.", low=0, high=1_000_000)
    sample_temperature: float = knob(
        0.7, "Temperature of the samples; 0: always the likeliest character.", low=0, high=100
    )
    sample_window: int | None = knob(
        None,
        "Re-read this many tokens for each new one, as the Keras tutorial does.",
        low=1,
        high=65_536,
    )


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
            if any("\ud800" <= character <= "\udfff" for character in source):
                raise UsageError(
                    f"The name {source!r} is not UTF-8, so run.toml cannot keep it.",
                    "Rename the file.",
                    "Rename the file, or pipe it: burble train - < FILE",
                )

    def with_options(self, options: Mapping[str, Any]) -> RunConfig:
        """Set options by their flat names, each in the section that has it."""
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
    )
}

if TYPE_CHECKING:
    from typing import TypedDict

    class SamplingOptions(TypedDict, total=False):
        """The knobs of `SamplingConfig` as keyword arguments, for type checkers and editors."""

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
