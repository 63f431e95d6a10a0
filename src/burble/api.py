"""The Python interface: `train`, `load` and `Model`, which `import burble` offers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, get_args

from burble.config import PRESETS, SECTIONS, RunConfig, SamplingConfig, UnknownPolicy
from burble.engine.generate import (
    GenerationRequest,
    count_unknown,
    encode_text,
    random_seed,
    read_prompt,
    stream_text,
    write_texts,
)
from burble.engine.kernels import open_model
from burble.engine.numpy_model import Precision
from burble.errors import OptionError, TextError, UnfinishedError, UsageError, brief
from burble.mapping import from_mapping

# Modules that only some calls need are imported there, so that generating starts at once.
from burble.model_file import ModelFile
from burble.tokenizers.base import Ids
from burble.training.request import RunRequest

if TYPE_CHECKING:
    from burble.config import RunOptions, SamplingOptions
    from burble.data.prepared import PreparedText
    from burble.engine.clamping import Clamp, ClampedModel
    from burble.engine.trace import Trace
    from burble.export.registry import ExportKind
    from burble.run_folder.metrics import Metrics
    from burble.score import Score
    from burble.training.run import TrainResult

Function = TypeVar("Function", bound="Callable[..., Any]")


def _takes(*sections: type[Any]) -> Callable[[Function], Function]:
    """Replace `**options` in a signature by the knobs of `sections`, for `help` and notebooks."""
    knobs = [
        Parameter(knob.name, Parameter.KEYWORD_ONLY, default=knob.default, annotation=knob.type)
        for section in sections
        for knob in fields(section)
    ]

    def decorate(function: Function) -> Function:
        plain = signature(function)
        own = [p for p in plain.parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
        full = plain.replace(parameters=[*own, *knobs])

        @wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            full.bind(*args, **options)
            return function(*args, **options)

        call.__signature__ = full  # type: ignore[attr-defined]
        return call  # type: ignore[return-value]

    return decorate


@dataclass(frozen=True)
class RunRecord:
    """The run that trained a model: its folder, its configuration and its result."""

    folder: Path | None  # None if the run was trained without a folder
    config: RunConfig
    result: TrainResult

    def metrics(self) -> Metrics:
        """Return the figures that the run logged. Raises `UsageError` if it has no folder."""
        if self.folder is None:
            raise UsageError(
                "The run left no log, since it was trained without a folder. To keep one, train "
                'with out="my-run".'
            )
        from burble.run_folder.metrics import Metrics

        return Metrics.read(self.folder)


class Model:
    """A trained model: it writes text, scores text and shows what happens inside it.

    `burble.load` opens one and `burble.train` makes one:

        model = burble.load("alice")
        print(model.generate("Alice was ", length=300, temperature=0.7, seed=1))

    file: the content of the model file: network, tokenizer, weights and their provenance. folder:
    the run folder, which also has the training text; None without one. run: the run of
    `burble.train`; None for a loaded model. engine: the `StepModel` that computes.
    """

    def __init__(
        self,
        file: ModelFile,
        folder: Path | None = None,
        precision: Precision | None = None,
        run: RunRecord | None = None,
    ) -> None:
        self.file = file
        self.folder = folder
        self.run = run
        self.engine = open_model(file, precision)

    def __repr__(self) -> str:
        network, tokenizer = self.file.network, self.file.tokenizer
        parts = [
            f"{network.cell} {network.num_layers}×{network.hidden_size}",
            f"{tokenizer.vocab_size:,} {tokenizer.unit}s",
        ]
        bits = self.file.provenance.val_bits_per_char
        if bits is not None:
            parts.append(f"{bits:.2f} bits per character")
        return f"<burble.Model {', '.join(parts)}>"

    @property
    def verdict(self) -> str | None:
        """The verdict on the training run, in plain words; None for a loaded model."""
        return None if self.run is None else self.run.result.diagnosis

    @_takes(SamplingConfig)
    def generate(
        self,
        prompt: str = "",
        *,
        length: int = 300,
        stop: str | Sequence[str] = (),
        seed: int | None = None,
        window: int | None = None,
        unknown: UnknownPolicy = "error",
        **sampling: Unpack[SamplingOptions],
    ) -> str:
        """Write text after `prompt` and return it, without the prompt.

        length: characters to write. stop: end before this text, or before the first of several.
        seed: an integer; the same seed writes the same text, and None picks a random one.
        window: re-read this many tokens for each new one (slow); None carries the state instead.
        unknown: what to do with a character that the model has never seen: "error" raises
        `TextError`, "skip" drops it, "nearest" puts the closest known one in its place.
        temperature, top_k, top_p, min_p, repetition_penalty: how the next token is chosen;
        temperature=0 always takes the likeliest, and higher values are bolder.

        Raises `UsageError` for an option out of range.
        """
        pieces = self.stream(
            prompt, length=length, stop=stop, seed=seed, window=window, unknown=unknown, **sampling
        )
        return "".join(pieces)

    @_takes(SamplingConfig)
    def stream(
        self,
        prompt: str = "",
        *,
        length: int = 300,
        stop: str | Sequence[str] = (),
        seed: int | None = None,
        window: int | None = None,
        unknown: UnknownPolicy = "error",
        **sampling: Unpack[SamplingOptions],
    ) -> Iterator[str]:
        """Return an iterator that writes text after `prompt`, piece by piece.

        Each piece comes as soon as it is written. Takes the options of `generate` and checks them
        at once.
        """
        # A request takes None for no limit, but then this text would never end.
        if length is None:
            raise OptionError("must be a whole number; found None.", "length")
        try:
            given = {
                "prompt": prompt,
                "max_characters": length,
                "stop": [stop] if isinstance(stop, str) else stop,
                "seed": random_seed() if seed is None else seed,
                "window": window,
            }
            request = from_mapping(GenerationRequest, given)
            chosen = from_mapping(SamplingConfig, sampling)
        except OptionError as error:  # this method calls max_characters length
            raise error.spelled(lambda name: name.replace("max_characters", "length")) from None
        prompt = self.read_prompt(request.prompt, unknown)
        return self.write(replace(request, prompt=prompt, sampling=chosen))

    def write(self, request: GenerationRequest) -> Iterator[str]:
        """Yield the text of one request. Its prompt must come from `read_prompt`."""
        return stream_text(self.engine, self.file.tokenizer, request)

    def write_all(self, requests: Sequence[GenerationRequest]) -> list[str]:
        """Return the texts of many requests, computed together: faster than one by one.

        Each text is the one that `write` gives for its request alone.
        """
        return write_texts(self.engine, self.file.tokenizer, requests)

    def read_prompt(self, prompt: str, unknown: UnknownPolicy = "error") -> str:
        """Return the prompt as the model reads it: normalised like the training text.

        unknown: as for `generate`. Raises `TextError`.
        """
        return read_prompt(self.file, prompt, unknown)

    def encode(self, text: str, unknown: UnknownPolicy = "error") -> Ids:
        """Return the token ids of `text`, (tokens,), normalised like the training text.

        unknown: as for `generate`. Raises `TextError`.
        """
        return encode_text(self.file, text, unknown)

    def count_unknown(self, text: str) -> int:
        """Count the characters of `text` that the model has never seen."""
        return count_unknown(self.file, text)

    def score(self, text: str, unknown: UnknownPolicy = "error") -> Score:
        """Measure how well the model predicts `text`: bits per character, perplexity, accuracy.

        The text is read once from a fresh state; its first character is not scored. unknown: as
        for `generate`. Raises `TextError` for fewer than 2 characters.
        """
        from burble.evaluation.evaluate import evaluate

        score = evaluate(self.engine, self.file.tokenizer, self.encode(text, unknown), "stream")
        return replace(score, num_unknown=self.count_unknown(text))

    def trace(self, text: str, unknown: UnknownPolicy = "error") -> Trace:
        """Record every gate, state and prediction while the model reads `text`.

        Computes with the float32 weights. unknown: as for `generate`. Raises `TextError`.
        """
        from burble.engine.trace import trace

        return trace(self.file, self.encode(text, unknown))

    def holding(self, holds: Sequence[Clamp]) -> ClampedModel:
        """Return an engine in which the given units are clamped: each outputs a fixed number.

        Every other unit computes what it does in `engine`, so comparing the two shows what the
        clamped units are worth.
        """
        from burble.engine.clamping import ClampedModel

        precision: Precision = "float32" if self.engine.kernel == "numpy-float32" else "int8"
        return ClampedModel(self.file, holds, precision)

    def has_training_text(self) -> bool:
        """Return whether the training text is at hand; only a run folder has it."""
        from burble.run_folder.folder import RunFolder

        return self.folder is not None and RunFolder(self.folder).has_text()

    def training_text(self) -> PreparedText:
        """Return the prepared training text. Raises `TextError` if there is no run folder."""
        if self.folder is None or not self.has_training_text():
            raise TextError(
                "The text that this model learned from is not at hand: only the folder of a run "
                "has it. Load that folder, or give a prompt instead."
            )
        from burble.run_folder.folder import RunFolder

        return RunFolder(self.folder).read_text(self.file)

    def random_prompt(self, num_tokens: int, seed: int) -> str:
        """Return a random passage of about `num_tokens` tokens from the held-out text.

        Where nothing was held out, it comes from the training text. Raises `TextError` if there
        is no run folder.
        """
        seed = from_mapping(GenerationRequest, {"seed": seed}).seed
        text = self.training_text()
        ids = text.val_ids if len(text.val_ids) else text.train_ids
        return text.random_passage(ids, num_tokens, seed)

    def save(self, path: str | Path) -> None:
        """Save the model as one file that `burble.load` opens again; replaces an older file.

        Raises `UsageError` if the folder does not exist or `path` is a folder, and
        `ResourceError` if the disk refuses.
        """
        path = _read_path(path, "path")
        if not path.parent.is_dir():
            raise UsageError(
                f"The model cannot be saved in {path.parent}: there is no such folder. Make it "
                "first, or name another."
            )
        if path.is_dir():
            raise UsageError(f"The model cannot be saved as {path}: that is a folder. Name a file.")
        self.file.save(path)

    def export(
        self,
        to: ExportKind,
        path: str | Path,
        *,
        name: str | None = None,
        license: str | None = None,  # noqa: A002 - the model card's word
        language: str | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write the model in another form.

        to: "html", one page that writes in any browser; "onnx", one step as an ONNX graph; "hub",
        a folder with a model card. name: the model's title, by default the name of the path.
        license, language: for the model card, so only with "hub". overwrite: replace what `path`
        holds. Raises `UsageError`, and `MissingExtraError` if "onnx" lacks its packages.
        """
        from burble.export.labels import Labels
        from burble.export.registry import export

        path = _read_path(path, "path")
        labels = Labels(name or path.stem, license, language)
        export(self.file, to, path, labels, overwrite=overwrite)


def load(path: str | Path, precision: Precision | None = None) -> Model:
    """Load a model from its file (`model.safetensors`) or from its run folder.

    precision: "int8" writes the same text on every machine; "float32" is slower and may differ in
    the last bits; None takes int8, unless int8 makes the model's predictions clearly worse.
    Raises `ModelFileError` if there is no model, or if the file is damaged.
    """
    if precision not in (None, *get_args(Precision)):
        raise OptionError(f"must be int8 or float32; found {precision!r}.", "precision")
    path = _read_path(path, "path")
    file = ModelFile.load(path)
    return Model(file, path if os.path.isdir(path) else None, precision)  # noqa: PTH112 - raises nothing


@_takes(*SECTIONS.values())
def train(
    sources: str | Path | Iterable[str | Path],
    *,
    out: str | Path | None = None,
    preset: str | RunConfig | None = None,
    overwrite: bool = False,
    progress: bool | None = None,
    **options: Unpack[RunOptions],
) -> Model:
    """Train a model on one or several texts, and return the best model of the run.

        model = burble.train("book.txt", minutes=5, out="my-run")

    sources: files, folders, glob patterns, addresses or names of known texts ("alice"); one or
    several. out: the folder to keep the run in, so that you can inspect and resume it; without
    it nothing is kept. preset: "tutorial", or a `RunConfig` to start from. overwrite: replace the
    run that `out` holds. progress: show the progress on standard error; None shows it in a
    terminal or a notebook. options: those of `burble train`, such as minutes, hidden_size or
    seed. Without a preset, hidden_size, dropout, input_dropout and weight_decay are chosen to fit
    the text and the time, unless you set them.

    Raises `TextError` if the text cannot be read or is too short, `UsageError` for a wrong
    option, and `UnfinishedError` if the run ends early; its `model` is the best so far when there
    is no `out`.
    """
    folder = None if out is None else _read_path(out, "out")
    request = RunRequest({**options, "sources": _names(sources)}, _base(preset))
    from burble.progress import is_watched, view_for
    from burble.run_hooks import open_run
    from burble.scratch import scratch_folder

    # sys.stderr is None in a program without a console.
    is_shown = sys.stderr and (is_watched(sys.stderr) if progress is None else progress)
    observers = [view_for(sys.stderr)] if is_shown else []
    if folder is not None:
        result = open_run(folder, observers).train(request, overwrite=overwrite)
        return _load_trained(folder, result, folder)
    with scratch_folder() as scratch:
        path = Path(scratch) / "run"
        try:
            result = open_run(path, observers).train(request)
        except UnfinishedError as error:
            from burble.run_folder.folder import RunFolder

            error.keep(load(path) if RunFolder(path).model.exists() else None)
            raise
        return _load_trained(path, replace(result, model=None), None)


def _read_path(path: object, name: str) -> Path:
    """Return the path that an argument names. Raises `OptionError` for anything else."""
    if not isinstance(path, str | os.PathLike) or path == "":
        raise OptionError(f"must be a path; found {brief(repr(path))}.", name)
    return Path(path)


def _names(sources: str | Path | Iterable[str | Path]) -> list[str]:
    named = [sources] if isinstance(sources, str | Path) else sources
    found = list(named) if isinstance(named, Iterable) else []
    if not found or not all(isinstance(each, str | Path) for each in found):
        raise OptionError(
            "must be a path, an address or the name of a known text, or several of these; found "
            f"{brief(repr(sources))}.",
            "sources",
        )
    return [str(source) for source in found]


def _base(preset: str | RunConfig | None) -> RunConfig | None:
    if isinstance(preset, RunConfig | None):
        return preset
    if preset not in tuple(PRESETS):
        raise OptionError(f"must be one of {', '.join(PRESETS)}; found {preset!r}.", "preset")
    return PRESETS[preset]


def _load_trained(path: Path, result: TrainResult, folder: Path | None) -> Model:
    """Load the model of the run in `path`. folder: where the run is kept, if it is."""
    from burble.run_folder.folder import RunFolder

    run = RunRecord(folder, RunFolder(path).read_config(), result)
    return Model(ModelFile.load(path), folder, run=run)
