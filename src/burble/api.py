"""What `import burble` offers: `train`, `load`, `Model`."""

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

# What only some calls need is imported where they need it: writing shall begin at once.
from burble.model_file import ModelFile
from burble.tokenizers.base import Ids
from burble.training.request import RunRequest

if TYPE_CHECKING:
    from burble.config import RunOptions, SamplingOptions
    from burble.data.prepared import PreparedText
    from burble.engine.holding import Hold, HoldingModel
    from burble.engine.trace import Trace
    from burble.export.registry import ExportKind
    from burble.run_folder.metrics import Metrics
    from burble.score import Score
    from burble.training.run import TrainResult

Function = TypeVar("Function", bound="Callable[..., Any]")


def _takes(*sections: type[Any]) -> Callable[[Function], Function]:
    """Give a function with `**options` a signature of the knobs, for `help` and notebooks."""
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
    """What a model knows of the run that made it."""

    folder: Path | None  # None where it left nothing behind
    config: RunConfig
    result: TrainResult

    def metrics(self) -> Metrics:
        """Read the figures that the run logged. Raises `UsageError` where it left no folder."""
        if self.folder is None:
            raise UsageError(
                "The run left no log, since it was trained without a folder. To keep one, train "
                'with out="my-run".'
            )
        from burble.run_folder.metrics import Metrics

        return Metrics.read(self.folder)


class Model:
    """A trained model, ready to write and to score. Built by `load` or `train`."""

    def __init__(
        self,
        file: ModelFile,
        folder: Path | None = None,
        precision: Precision | None = None,
        run: RunRecord | None = None,
    ) -> None:
        self.file = file
        self.folder = folder  # of its run, with the text it learned from; None without one
        self.run = run  # the run that `train` made it in; None for a model that was loaded
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
        """Return what became of the run, in plain words; None for a model that was loaded."""
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
        """Return the text after `prompt`; options as for `stream`."""
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
        """Return the text after `prompt`, piece by piece.

        length: characters to write. stop: text or texts to stop before. seed: the same seed gives
        the same text; a random one where None. window: tokens to re-read for each new one.
        unknown: what to do with characters the model has never seen: error, skip or nearest.
        sampling: how the next character is chosen; `burble generate --help` describes it.
        """
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
        except OptionError as error:  # here it is called length
            raise error.spelled(lambda name: name.replace("max_characters", "length")) from None
        prompt = self.read_prompt(request.prompt, unknown)
        return self.write(replace(request, prompt=prompt, sampling=chosen))

    def write(self, request: GenerationRequest) -> Iterator[str]:
        """Carry out a request whose prompt is as `read_prompt` gives it."""
        return stream_text(self.engine, self.file.tokenizer, request)

    def write_all(self, requests: Sequence[GenerationRequest]) -> list[str]:
        """Return the texts of many such requests, written side by side; each as `write` gives."""
        return write_texts(self.engine, self.file.tokenizer, requests)

    def read_prompt(self, prompt: str, unknown: UnknownPolicy = "error") -> str:
        """Return the prompt as the model reads it: normalised as its text was, and encodable."""
        return read_prompt(self.file, prompt, unknown)

    def encode(self, text: str, unknown: UnknownPolicy = "error") -> Ids:
        """Return the text's tokens, (tokens,), normalised as the model's own text was."""
        return encode_text(self.file, text, unknown)

    def count_unknown(self, text: str) -> int:
        """Return how many characters of `text` the model has never seen."""
        return count_unknown(self.file, text)

    def score(self, text: str, unknown: UnknownPolicy = "error") -> Score:
        """Measure how well the model predicts `text`, of at least 2 characters."""
        from burble.evaluation.evaluate import evaluate

        score = evaluate(self.engine, self.file.tokenizer, self.encode(text, unknown), "stream")
        return replace(score, num_unknown=self.count_unknown(text))

    def trace(self, text: str, unknown: UnknownPolicy = "error") -> Trace:
        """Record every gate and state while the model reads `text`. Raises `TextError`."""
        from burble.engine.trace import trace

        return trace(self.file, self.encode(text, unknown))

    def holding(self, holds: Sequence[Hold]) -> HoldingModel:
        """Return this model with some of its units held; else it computes what `engine` does."""
        from burble.engine.holding import HoldingModel

        precision: Precision = "float32" if self.engine.kernel == "numpy-float32" else "int8"
        return HoldingModel(self.file, holds, precision)

    def has_training_text(self) -> bool:
        from burble.run_folder.folder import RunFolder

        return self.folder is not None and RunFolder(self.folder).has_text()

    def training_text(self) -> PreparedText:
        """Return the text of its run. Raises `TextError` where only the model file is at hand."""
        if self.folder is None or not self.has_training_text():
            raise TextError(
                "The text that this model learned from is not at hand: only the folder of a run "
                "has it. Load that folder, or give a prompt instead."
            )
        from burble.run_folder.folder import RunFolder

        return RunFolder(self.folder).read_text(self.file)

    def random_prompt(self, num_tokens: int, seed: int) -> str:
        """Return about `num_tokens` from a random place of the held-out text of the model's run."""
        seed = from_mapping(GenerationRequest, {"seed": seed}).seed
        text = self.training_text()
        ids = text.val_ids if len(text.val_ids) else text.train_ids
        return text.random_passage(ids, num_tokens, seed)

    def save(self, path: str | Path) -> None:
        """Write the model as one file. Raises `UsageError` where there is no such folder."""
        path = Path(path)
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
        """Write the model in one of the forms of `burble export`. Raises `UsageError`.

        name: what it calls itself, by default after the path. license, language: for the card of
        a hub folder.
        """
        from burble.export.labels import Labels
        from burble.export.registry import export

        path = Path(path)
        labels = Labels(name or path.stem, license, language)
        export(self.file, to, path, labels, overwrite=overwrite)


def load(path: str | Path, precision: Precision | None = None) -> Model:
    """Return a model from its file or its run folder. Raises `ModelFileError`.

    precision: int8, the same text on every machine; float32; None: int8 unless it costs too much.
    """
    if precision not in (None, *get_args(Precision)):
        raise OptionError(f"must be int8 or float32; found {precision!r}.", "precision")
    path = Path(path)
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
    """Train on files, folders, addresses or known texts, and return the best model.

    out: folder for the run, to look at and to resume; without one the run leaves nothing behind,
    and the `UnfinishedError` of one that stops early has its best model. preset: "tutorial", or a
    configuration to start from. overwrite: replace a run that is in the folder. progress: show how
    it goes on standard error; None: in a terminal or a notebook. options: see `burble train -h`;
    without a preset, a plan sets hidden_size, dropout, input_dropout and weight_decay.
    """
    request = RunRequest({**options, "sources": _names(sources)}, _base(preset))
    from burble.progress import is_watched, view_for
    from burble.run_hooks import open_run
    from burble.scratch import scratch_folder

    # A program without a console has no stderr.
    is_shown = sys.stderr and (is_watched(sys.stderr) if progress is None else progress)
    observers = [view_for(sys.stderr)] if is_shown else []
    if out is not None:
        result = open_run(Path(out), observers).train(request, overwrite=overwrite)
        return _load_trained(Path(out), result, Path(out))
    with scratch_folder() as scratch:
        path = Path(scratch) / "run"
        try:
            result = open_run(path, observers).train(request)
        except UnfinishedError as error:
            from burble.run_folder.folder import RunFolder

            error.keep(load(path) if RunFolder(path).model.exists() else None)
            raise
        return _load_trained(path, replace(result, model=None), None)


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
    """Load the model of the run in `path`; `folder`: where the run stays."""
    from burble.run_folder.folder import RunFolder

    run = RunRecord(folder, RunFolder(path).read_config(), result)
    return Model(ModelFile.load(path), folder, run=run)
