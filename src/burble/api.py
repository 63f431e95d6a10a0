"""What `import burble` offers: `train`, `load`, `Model`."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burble.config import RunConfig, SamplingConfig
from burble.engine.generate import (
    GenerationRequest,
    count_unknown,
    encode_text,
    read_prompt,
    stream_text,
    write_texts,
)
from burble.engine.kernels import open_model
from burble.errors import MissingExtraError, OptionError, TextError, UsageError
from burble.mapping import from_mapping

# What only some calls need is imported where they need it: writing shall begin at once.
from burble.model_file import MODEL_NAME, ModelFile
from burble.system_errors import guard_write
from burble.threads import settle_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from burble.config import SampleConfig, UnknownPolicy
    from burble.data.prepared import PreparedText
    from burble.engine.holding import Hold, HoldingModel
    from burble.engine.numpy_model import Precision
    from burble.engine.trace import Trace
    from burble.export.registry import ExportKind
    from burble.score import Score
    from burble.tokenizers.base import Ids
    from burble.training.evidence import Facts
    from burble.training.gradients import FlowOfRun
    from burble.training.observer import Observer
    from burble.training.plan import Plan
    from burble.training.run import TrainResult

# Of a longer text the n-gram model would take longer than a person waits.
_MAX_NGRAM_IDS = 2_000_000

# While a run goes on, a sample that re-reads a window for each character is kept this short.
_WINDOWED_SAMPLE = 60


class Model:
    """A trained model, ready to write and to score. Built by `load` or `train`."""

    def __init__(
        self, file: ModelFile, folder: Path | None = None, precision: Precision | None = None
    ) -> None:
        self.file = file
        self.folder = folder
        """Where its run lies, with the text it learned from; None for a model file alone."""

        self.engine = open_model(file, precision)

    def generate(self, prompt: str = "", **options: Any) -> str:
        """The text after `prompt`; options as for `stream`."""
        return "".join(self.stream(prompt, **options))

    def stream(
        self,
        prompt: str = "",
        *,
        length: int = 300,
        stop: str | Sequence[str] = (),
        seed: int | None = None,
        window: int | None = None,
        unknown: UnknownPolicy = "error",
        **sampling: Any,
    ) -> Iterator[str]:
        """The text after `prompt`, piece by piece.

        length: characters to write. stop: text or texts to stop before. seed: the same seed gives
        the same text; a random one where None. window: characters to re-read for each new one.
        unknown: what to do with characters the model has never seen: error, skip or nearest.
        Other options are those of `SamplingConfig`: temperature, top_k, top_p, min_p,
        repetition_penalty.
        """
        try:
            request = GenerationRequest(
                prompt=self.read_prompt(prompt, unknown),
                max_characters=length,
                sampling=from_mapping(SamplingConfig, sampling),
                stop=(stop,) if isinstance(stop, str) else tuple(stop),
                seed=random_seed() if seed is None else seed,
                window=window,
            )
        except OptionError as error:  # here it is called length
            raise error.spelled(lambda name: name.replace("max_characters", "length")) from None
        return self.run(request)

    def run(self, request: GenerationRequest) -> Iterator[str]:
        """Carry out a request whose prompt is as `read_prompt` gives it."""
        return stream_text(self.engine, self.file.tokenizer, request)

    def run_all(self, requests: Sequence[GenerationRequest]) -> list[str]:
        """The texts of many such requests, written side by side; each is what `run` gives."""
        return write_texts(self.engine, self.file.tokenizer, requests)

    def read_prompt(self, prompt: str, unknown: UnknownPolicy = "error") -> str:
        """The prompt as the model reads it: normalised as its text was, and encodable."""
        return read_prompt(self.file, prompt, unknown)

    def encode(self, text: str, unknown: UnknownPolicy = "error") -> Ids:
        """The text's tokens, (tokens,), normalised as the model's own text was."""
        return encode_text(self.file, text, unknown)

    def count_unknown(self, text: str) -> int:
        """Return how many characters of `text` the model has never seen."""
        return count_unknown(self.file, text)

    def score(self, text: str, unknown: UnknownPolicy = "error") -> Score:
        """How well the model foresees `text`, read from a fresh state; at least 2 characters."""
        from burble.evaluation.evaluate import evaluate

        score = evaluate(self.engine, self.file.tokenizer, self.encode(text, unknown), "stream")
        return replace(score, num_unknown=self.count_unknown(text))

    def trace(self, text: str, unknown: UnknownPolicy = "error") -> Trace:
        """What goes on inside while the model reads `text` from a fresh state.

        In float32, for (tokens · layers · units) numbers of each gate and state. Raises
        `TextError` where there is no text, or characters the model has never seen.
        """
        from burble.engine.trace import trace

        return trace(self.file, self.encode(text, unknown))

    def holding(self, holds: Sequence[Hold]) -> HoldingModel:
        """This model with some of its units held; else it computes what `engine` does."""
        from burble.engine.holding import HoldingModel

        precision: Precision = "float32" if self.engine.kernel == "numpy-float32" else "int8"
        return HoldingModel(self.file, holds, precision)

    def has_training_text(self) -> bool:
        """Whether the text it learned from lies beside it."""
        from burble.data.prepared import DATA_FOLDER

        return self.folder is not None and (self.folder / DATA_FOLDER).is_dir()

    def training_text(self) -> PreparedText:
        """The text of the model's run. Raises `TextError` where only the model file is at hand."""
        if self.folder is None or not self.has_training_text():
            raise TextError(
                "The text this model learned from is not beside it: only a run folder has it. Give "
                "a prompt instead."
            )
        return _text_of(self.file, self.folder)

    def random_prompt(self, num_tokens: int, seed: int) -> str:
        """Return about `num_tokens` from a random place of the held-out text of the model's run."""
        text = self.training_text()
        ids = text.val_ids if len(text.val_ids) else text.train_ids
        return random_passage(text, ids, num_tokens, seed)

    def save(self, path: str | Path) -> None:
        """Write the model as one file. Raises `UsageError` where there is no such folder."""
        path = Path(path)
        if not path.parent.is_dir():
            raise UsageError(
                f"The model cannot be saved in {path.parent}: there is no such folder."
            )
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
        """Write the model in another form: html, onnx or hub. Raises `UsageError`.

        name: what it calls itself, by default after the path. license, language: for the card of
        a hub folder.
        """
        from burble.export.labels import Labels
        from burble.export.registry import export

        path = Path(path)
        labels = Labels(name or path.stem, license, language)
        export(self.file, to, path, labels, overwrite=overwrite)


def load(path: str | Path, precision: Precision | None = None) -> Model:
    """A model from its file or its run folder. Raises `ModelFileError`.

    precision: int8, the same text on every machine; or float32, for reference; where None, int8
    unless the model would lose by it.
    """
    path = Path(path)
    return Model(ModelFile.load(path), path if path.is_dir() else None, precision)


def train(
    sources: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    preset: RunConfig | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Model:
    """Train on files, folders, addresses or known texts, and return the best model.

    out: folder for the run, with all that a later look or a resume needs; without it the run
    leaves nothing behind. preset: options to start from. options: any knob of `RunConfig` by its
    name, such as minutes, hidden_size, lowercase, seed; without a preset, a plan sets those that
    are not given.
    """
    named = [sources] if isinstance(sources, str | Path) else sources
    config = RunConfig() if preset is None else preset
    config = config.with_options({"sources": [str(source) for source in named], **options})
    given = options.keys() if preset is None else None
    if out is not None:
        run_training(config, Path(out), given=given, overwrite=overwrite)
        return load(out)
    import tempfile

    with tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True) as scratch:
        result = run_training(config, Path(scratch) / "run", given=given)
        return load(result.model)


def run_training(
    config: RunConfig,
    path: Path,
    *,
    given: AbstractSet[str] | None = None,
    observers: Sequence[Observer] = (),
    overwrite: bool = False,
    started: float | None = None,
) -> TrainResult:
    """Train in the folder `path`, with observers that hear how it goes.

    given: the knobs that were asked for, where a plan shall set the others.
    """
    with guard_write(path):
        result: TrainResult = _training().train(
            config,
            path,
            observers=list(observers),
            make_sampler=make_sampler,
            given=given,
            overwrite=overwrite,
            started=started,
        )
        return _finish(result, path)


def plan_training(config: RunConfig, given: AbstractSet[str], text: PreparedText) -> Plan:
    """What a run on this text would train; `given` knobs stay as they are."""
    plan: Plan = _training().plan_run(config, given, text)
    return plan


def gradient_flow(file: ModelFile, ids: Ids) -> FlowOfRun:
    """How the gradient fades on its way back through held-out ids, (tokens,), in the network that
    the model once was and in the one that it became.
    """
    _training()
    from burble.training.gradients import flow_of_run

    return flow_of_run(file, ids)


def resume_training(
    path: Path,
    changes: dict[str, Any],
    *,
    observers: Sequence[Observer] = (),
    started: float | None = None,
) -> TrainResult:
    """Go on with the run in `path`, some of its budget changed."""
    with guard_write(path):
        result: TrainResult = _training().resume(
            path, changes, observers=list(observers), make_sampler=make_sampler, started=started
        )
        return _finish(result, path)


def _finish(result: TrainResult, path: Path) -> TrainResult:
    """Measure what a run that is done came to: what int8 costs its model, its score on the sealed
    part of the text, and a diagnosis.
    """
    from burble.training.diagnosis import diagnose
    from burble.training.evidence import History

    best = ModelFile.load(path)
    text = _text_of(best, path)
    file = _with_final_figures(best, text)
    if file is not best:
        file.save(path / MODEL_NAME)
    bits = file.provenance.test_bits_per_char
    if bits is not None:
        nats = bits * math.log(2)
        result = replace(result, test_bits_per_char=bits, test_nats_per_char=nats)
    return replace(result, diagnosis=diagnose(History.read(path), _facts(result, path, text)))


def _facts(result: TrainResult, path: Path, text: PreparedText) -> Facts:
    """What a diagnosis needs beside the log."""
    from burble.evaluation.evaluate import ngram_bits
    from burble.evaluation.overlap import learned_share
    from burble.run_folder import RunFolder
    from burble.training.evidence import Facts

    held_out = text.tokenizer.count_characters(text.val_ids[1:])
    counts = None
    if held_out and len(text.ids) <= _MAX_NGRAM_IDS:
        counts = ngram_bits(text.tokenizer, text.train_ids, text.val_ids)
    return Facts(
        steps=result.steps,
        held_out=held_out,
        vocab_size=text.tokenizer.vocab_size,
        repeated=learned_share(text.tokenizer, text.train_ids, text.val_ids),
        counts_bits=counts,
        minutes=RunFolder(path).read_config().training.minutes,
        rescues=result.rescues,
    )


def _with_final_figures(file: ModelFile, text: PreparedText) -> ModelFile:
    """The model with what is measured once it is chosen, on the parts of the text that there are.

    The sealed part is read here and nowhere before.
    """
    from burble.evaluation.evaluate import evaluate
    from burble.evaluation.precision import int8_cost

    if _can_score(file, text.val_ids):
        cost = int8_cost(file, text.val_ids)
        file = replace(file, provenance=replace(file.provenance, int8_cost_bits=cost))
    if _can_score(file, text.test_ids):
        sealed = evaluate(open_model(file), file.tokenizer, text.test_ids, "stream")
        bits = sealed.bits_per_char
        file = replace(file, provenance=replace(file.provenance, test_bits_per_char=bits))
    return file


def _can_score(file: ModelFile, ids: Ids) -> bool:
    return file.tokenizer.count_characters(ids[1:]) >= 1


def _text_of(file: ModelFile, folder: Path) -> PreparedText:
    """Load the text of a run. Raises `TextError` for ids that would mean other tokens to its model,
    or none.
    """
    from burble.data.prepared import DATA_FOLDER, PreparedText

    text = PreparedText.load(folder / DATA_FOLDER)
    if not text.is_of(file.tokenizer):
        raise TextError(
            f"The text in {folder / DATA_FOLDER} is not the one that {folder / MODEL_NAME} learned "
            "from: their tokens differ. Use the folder that `burble train` made."
        )
    return text


def _training() -> Any:
    settle_threads()
    try:
        from burble.training import run
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("Training", "train") from error
    return run


@dataclass(frozen=True)
class FinalSample:
    """What a finished model wrote, and after which prompt."""

    prompt: str
    text: str


def final_sample(path: Path, config: RunConfig) -> FinalSample:
    """What the best model of a run writes, under the settings of its samples."""
    model = load(path)
    seed = config.training.seed
    prompt = _sample_prompt(model.training_text(), config.sample, seed)
    request = _sample_request(config.sample, prompt, seed, config.sample.sample_length)
    return FinalSample(prompt, "".join(model.run(request)))


def make_sampler(config: SampleConfig, text: PreparedText) -> Callable[[ModelFile, int], str]:
    """The training loop's way to see what the model of this moment writes."""
    length = config.sample_length
    if config.sample_window is not None:
        length = min(length, _WINDOWED_SAMPLE)

    def sample(model: ModelFile, step: int) -> str:
        prompt = _sample_prompt(text, config, step)
        return "".join(Model(model).run(_sample_request(config, prompt, step, length)))

    return sample


def _sample_prompt(text: PreparedText, config: SampleConfig, seed: int) -> str:
    """With a window, a random passage to fill it, as in the Keras tutorial; else nothing."""
    if config.sample_window is None:
        return ""
    return random_passage(text, text.train_ids, config.sample_window, seed)


def _sample_request(config: SampleConfig, prompt: str, seed: int, length: int) -> GenerationRequest:
    return GenerationRequest(
        prompt=prompt,
        max_characters=length,
        sampling=SamplingConfig(temperature=config.sample_temperature),
        seed=seed,
        window=config.sample_window,
    )


def random_passage(text: PreparedText, ids: Any, num_tokens: int, seed: int) -> str:
    """Return about `num_tokens` of ids from a random place, as whole characters."""
    import numpy as np

    place = int(np.random.default_rng(seed).integers(max(1, len(ids) - num_tokens)))
    ends = (place, min(place + num_tokens, len(ids)))
    start, end = (text.tokenizer.cut_before(ids, end) for end in ends)
    return text.tokenizer.decode(ids[start:end])


def random_seed() -> int:
    """A seed short enough to be read out and typed again."""
    return int.from_bytes(os.urandom(8)) % 1_000_000
