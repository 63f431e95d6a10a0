"""`burble eval`."""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from burble import api
from burble.cli.eval_view import describe
from burble.cli.options import parse
from burble.cli.reading import read_sources
from burble.config import ReadingConfig, UnknownPolicy
from burble.engine.numpy_model import Precision
from burble.evaluation.evaluate import Protocol, baselines, evaluate
from burble.evaluation.overlap import LARGE_SHARE, PASSAGE, learned_share

if TYPE_CHECKING:
    from burble.data.prepared import PreparedText
    from burble.tokenizers.base import Ids

Report = dict[str, Any]


@dataclass(frozen=True)
class EvalCommand:
    """Measure how well a model foresees a text.

    Of the text the model was trained on, only what it did not learn from is scored, the held-out
    and the sealed part each for itself; of any other text, all. What the model learned from word
    for word is looked for in it, where that is at hand.
    """

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="MODEL")]
    """A model file, or the folder of a run."""

    sources: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="SOURCE ...")]
    """The text: files, folders, globs, addresses, - for standard input, or known texts."""

    protocol: Protocol = "stream"
    """stream: one pass, the state carried; windows: random windows of 256 from a fresh state."""

    whole: bool = False
    """Score all of the text, what was learned from included."""

    precision: Precision | None = None
    """int8 is what the model writes with; float32 is for reference, and slower. Where none is
    given, int8 unless the model would lose by it."""

    baselines: bool = True
    """Also measure counting alone (n-gram counts) and xz, where the training text is at hand."""

    unknown: UnknownPolicy = "error"
    """What to do with characters that the model has never seen."""

    reading: ReadingConfig = field(default_factory=ReadingConfig)

    json: bool = False
    """Print one JSON object."""


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Score, and print the figures."""
    command = parse(EvalCommand, "eval", args)
    model = api.load(command.model, command.precision)
    with tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True) as scratch:
        text = read_sources(
            model,
            command.sources,
            command.reading,
            Path(scratch),
            whole=command.whole,
            unknown=command.unknown,
        )
        report = _measure(command, model, text)
    shown = json.dumps(report) if command.json else "\n".join(describe(report, text))
    sys.stdout.write(shown + "\n")


def _measure(command: EvalCommand, model: api.Model, text: PreparedText) -> Report:
    """Return the figures of the held-out part, null where there is none, those of the sealed part
    under "sealed", and what was unknown in both.
    """
    sealed = _measure_part(command, model, text, text.test_ids) if len(text.test_ids) else None
    if sealed and model.file.tokenizer.count_characters(text.val_ids[1:]) < 1:
        figures = dict.fromkeys(sealed) | {"protocol": command.protocol}
    else:
        figures = _measure_part(command, model, text, text.val_ids)
    return {
        **figures,
        "sealed": sealed,
        "unknown": command.unknown,
        "unknown_chars": text.facts.unknown_characters,
        "unknown_share": text.facts.unknown_characters / text.facts.num_characters,
    }


def _measure_part(
    command: EvalCommand, model: api.Model, text: PreparedText, ids: Ids
) -> dict[str, Any]:
    tokenizer = model.file.tokenizer
    score = evaluate(model.engine, tokenizer, ids, command.protocol)
    train_ids = _training_ids(model, text)
    compared = None
    if command.baselines and len(train_ids):
        compared = dataclasses.asdict(baselines(tokenizer, train_ids, ids))
    learned = _learned_share(model, text, ids)
    return {
        "bits_per_char": score.bits_per_char,
        "nats_per_char": score.nats_per_char,
        "perplexity": score.perplexity,
        "accuracy": score.accuracy,
        "num_chars": score.num_characters,
        "protocol": command.protocol,
        "baselines": compared,
        "learned_share": learned,
        "held_out": None if learned is None else learned < LARGE_SHARE,
    }


def _learned_share(model: api.Model, text: PreparedText, ids: Ids) -> float | None:
    """The share of ids that the model learned from word for word; None where that is not known."""
    provenance = model.file.provenance
    is_its_own = text.facts.fingerprint == provenance.text_fingerprint
    if is_its_own and not text.facts.cut_characters:
        return provenance.cut_characters / text.facts.num_characters
    learned = _training_ids(model, text)
    if not len(learned) or len(ids) < PASSAGE:
        return None
    return learned_share(model.file.tokenizer, learned, ids)


def _training_ids(model: api.Model, text: PreparedText) -> Ids:
    """What the model learned from: in the text itself, in its run, or not at hand (no ids)."""
    if len(text.train_ids) or not model.has_training_text():
        return text.train_ids
    return model.training_text().train_ids
