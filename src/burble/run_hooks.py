"""The hooks of a training run: samples, final figures and a diagnosis."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from burble.config import RunConfig, SampleConfig, SamplingConfig
from burble.data.prepared import PreparedText
from burble.engine.generate import GenerationRequest, stream_text
from burble.engine.kernels import open_model
from burble.evaluation.evaluate import evaluate, ngram_bits
from burble.evaluation.overlap import learned_share
from burble.evaluation.precision import int8_cost
from burble.model_file import ModelFile
from burble.run_folder.folder import RunFolder
from burble.run_folder.metrics import Metrics
from burble.run_folder.observer import Observer
from burble.tokenizers.base import Ids
from burble.training.diagnosis import diagnose
from burble.training.evidence import Facts
from burble.training.run import Run, TrainResult

# Counting the n-grams of a longer text would keep the user waiting.
_MAX_COUNTED_IDS = 2_000_000

# The length of a sample during training if each token reads a whole window again, which is slow.
_WINDOWED_SAMPLE = 60


def open_run(path: Path, observers: Sequence[Observer] = (), started: float | None = None) -> Run:
    """Return the run in `path`. started: time.monotonic() when the user's command started."""
    return Run(path, make_sampler, _measure, observers, started)


def _measure(result: TrainResult, path: Path) -> TrainResult:
    best = ModelFile.load(path)
    text = RunFolder(path).read_text(best)
    file = _with_final_figures(best, text)
    if file is not best:
        file.save(RunFolder(path).model)
    bits = file.provenance.test_bits_per_char
    if bits is not None:
        nats = bits * math.log(2)
        result = replace(result, test_bits_per_char=bits, test_nats_per_char=nats)
    has_log = RunFolder(path).metrics.exists()
    history = Metrics.read(path) if has_log else Metrics([], [])
    return replace(result, diagnosis=diagnose(history, _facts(result, path, text)))


def _facts(result: TrainResult, path: Path, text: PreparedText) -> Facts:
    held_out, sealed = (
        text.tokenizer.count_characters(ids[1:]) for ids in (text.val_ids, text.test_ids)
    )
    counts = None
    if held_out and len(text.ids) <= _MAX_COUNTED_IDS:
        counts = ngram_bits(text.tokenizer, text.train_ids, text.val_ids)
    return Facts(
        steps=result.steps,
        held_out=held_out,
        vocab_size=text.tokenizer.vocab_size,
        sealed=sealed,
        repeated=learned_share(text.tokenizer, text.train_ids, text.val_ids),
        counts_bits=counts,
        minutes=RunFolder(path).read_config().training.minutes,
        rescues=result.rescues,
    )


def _with_final_figures(file: ModelFile, text: PreparedText) -> ModelFile:
    # The sealed part of the text is used here for the first time.
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


@dataclass(frozen=True)
class FinalSample:
    """A text that a finished model wrote."""

    prompt: str
    text: str


def final_sample(path: Path, config: RunConfig) -> FinalSample:
    """Let the best model of a run write a text, with the configured settings for samples."""
    file = ModelFile.load(path)
    seed = config.training.seed
    prompt = _sample_prompt(RunFolder(path).read_text(file), config.sample, seed)
    request = _sample_request(config.sample, prompt, seed, config.sample.sample_length)
    return FinalSample(prompt, _write(file, request))


def make_sampler(config: SampleConfig, text: PreparedText) -> Callable[[ModelFile, int], str]:
    """Return a function that lets the model of a step write a sample."""
    length = config.sample_length
    if config.sample_window is not None:
        length = min(length, _WINDOWED_SAMPLE)

    def sample(file: ModelFile, step: int) -> str:
        prompt = _sample_prompt(text, config, step)
        return _write(file, _sample_request(config, prompt, step, length))

    return sample


def _write(file: ModelFile, request: GenerationRequest) -> str:
    return "".join(stream_text(open_model(file), file.tokenizer, request))


def _sample_prompt(text: PreparedText, config: SampleConfig, seed: int) -> str:
    """Return a random passage that fills the window, as in the Keras tutorial, or ""."""
    if config.sample_window is None:
        return ""
    return text.random_passage(text.train_ids, config.sample_window, seed)


def _sample_request(config: SampleConfig, prompt: str, seed: int, length: int) -> GenerationRequest:
    return GenerationRequest(
        prompt=prompt,
        max_characters=length,
        sampling=SamplingConfig(temperature=config.sample_temperature),
        seed=seed,
        window=config.sample_window,
    )
