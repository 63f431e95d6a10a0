"""`burble eval`."""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from burble import api
from burble.cli.options import parse
from burble.cli.reading import part_read, read_sources
from burble.config import UnknownPolicy
from burble.engine.numpy_model import Precision
from burble.evaluation.evaluate import Protocol, baselines, evaluate

if TYPE_CHECKING:
    from burble.data.prepared import PreparedText
    from burble.tokenizers.base import Ids


@dataclass(frozen=True)
class EvalCommand:
    """Measure how well a model foresees a text.

    Of the text the model was trained on, only the held-out end is scored; of any other, all.
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
    """Also measure an n-gram model and xz, where the training text is at hand."""

    unknown: UnknownPolicy = "error"
    """What to do with characters that the model has never seen."""

    json: bool = False
    """Print one JSON object."""


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Score, and print the figures."""
    command = parse(EvalCommand, "eval", args)
    model = api.load(command.model, command.precision)
    with tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True) as scratch:
        text = read_sources(
            model, command.sources, Path(scratch), whole=command.whole, unknown=command.unknown
        )
        report = _measure(command, model, text)
    if command.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        _print(report, part=part_read(text))


def _measure(command: EvalCommand, model: api.Model, text: PreparedText) -> dict[str, object]:
    tokenizer = model.file.tokenizer
    score = evaluate(model.engine, tokenizer, text.val_ids, command.protocol)
    compared = None
    train_ids = _training_ids(model, text)
    if command.baselines and len(train_ids):
        compared = dataclasses.asdict(baselines(tokenizer, train_ids, text.val_ids))
    return {
        "bits_per_char": score.bits_per_char,
        "nats_per_char": score.nats_per_char,
        "perplexity": score.perplexity,
        "accuracy": score.accuracy,
        "num_chars": score.num_characters,
        "protocol": command.protocol,
        "baselines": compared,
    }


def _training_ids(model: api.Model, text: PreparedText) -> Ids:
    """What the model learned from: in the text itself, in its run, or not at hand (no ids)."""
    if len(text.train_ids) or not model.has_training_text():
        return text.train_ids
    return model.training_text().train_ids


def _print(report: dict[str, object], part: str) -> None:
    lines = [
        f"{report['bits_per_char']:.4f} bits per character ({report['nats_per_char']:.4f} nats, "
        f"perplexity {report['perplexity']:.2f}, accuracy {report['accuracy']:.1%})",
        f"on {report['num_chars']:,} characters: {part}; protocol {report['protocol']}",
    ]
    compared = report["baselines"]
    if isinstance(compared, dict):
        lines.append(f"n-gram model: {compared['ngram']:.4f} · xz: {compared['xz']:.4f}")
    sys.stdout.write("\n".join(lines) + "\n")
