"""`burble eval`."""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from burble import api
from burble.cli.options import parse
from burble.cli.reading import part_read, read_sources, unknown_line
from burble.config import UnknownPolicy
from burble.engine.numpy_model import Precision
from burble.evaluation.evaluate import Protocol, baselines, evaluate
from burble.evaluation.overlap import LARGE_SHARE, PASSAGE, learned_share

if TYPE_CHECKING:
    from burble.data.prepared import PreparedText
    from burble.tokenizers.base import Ids


@dataclass(frozen=True)
class EvalCommand:
    """Measure how well a model foresees a text.

    Of the text the model was trained on, only the held-out end is scored; of any other, all. What
    the model learned from word for word is looked for in it, where that is at hand.
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
    with tempfile.TemporaryDirectory(prefix="burble-") as scratch:
        text = read_sources(
            model, command.sources, Path(scratch), whole=command.whole, unknown=command.unknown
        )
        report = _measure(command, model, text)
    if command.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        _print(report, _part(report, text))


def _measure(command: EvalCommand, model: api.Model, text: PreparedText) -> dict[str, Any]:
    tokenizer = model.file.tokenizer
    score = evaluate(model.engine, tokenizer, text.val_ids, command.protocol)
    compared = None
    train_ids = _training_ids(model, text)
    if command.baselines and len(train_ids):
        compared = dataclasses.asdict(baselines(tokenizer, train_ids, text.val_ids))
    learned = _learned_share(model, text)
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
        "unknown": command.unknown,
        "unknown_chars": text.facts.unknown_characters,
        "unknown_share": text.facts.unknown_characters / text.facts.num_characters,
    }


def _learned_share(model: api.Model, text: PreparedText) -> float | None:
    """The share of what is scored that the model learned from word for word; None where that is not
    known.
    """
    provenance = model.file.provenance
    is_its_own = text.facts.fingerprint == provenance.text_fingerprint
    if is_its_own and not text.facts.cut_characters:
        return provenance.cut_characters / text.facts.num_characters
    learned = _training_ids(model, text)
    if not len(learned) or len(text.val_ids) < PASSAGE:
        return None
    return learned_share(model.file.tokenizer, learned, text.val_ids)


def _training_ids(model: api.Model, text: PreparedText) -> Ids:
    """What the model learned from: in the text itself, in its run, or not at hand (no ids)."""
    if len(text.train_ids) or not model.has_training_text():
        return text.train_ids
    return model.training_text().train_ids


def _part(report: dict[str, Any], text: PreparedText) -> str:
    """What is scored, in words; what was learned is not called held out."""
    part = part_read(text)
    return part.replace("the held-out end", "the end") if report["held_out"] is False else part


def _learned_line(report: dict[str, Any]) -> str:
    """What the figure is worth as one of text that the model has not seen."""
    share = report["learned_share"]
    if share is None and report["num_chars"] < PASSAGE:
        return (
            f"The text is too short to look for passages that the model learned from: they have "
            f"{PASSAGE} characters."
        )
    if share is None:
        return (
            "Whether the model learned from this text cannot be checked: what it learned from is "
            "not beside it. Name the folder of its run."
        )
    if report["held_out"] is False:
        return (
            f"This is no held-out figure: the model learned from {share:.1%} of this text word for "
            "word. It shows how well the model remembers, not how well it does on new text."
        )
    return (
        f"learned word for word: {share:.1%} of this text, in passages of {PASSAGE} characters or "
        "more"
    )


def _print(report: dict[str, Any], part: str) -> None:
    lines = [
        f"{report['bits_per_char']:.4f} bits per character ({report['nats_per_char']:.4f} nats, "
        f"perplexity {report['perplexity']:.2f}, accuracy {report['accuracy']:.1%})",
        f"on {report['num_chars']:,} characters: {part}; protocol {report['protocol']}",
    ]
    compared = report["baselines"]
    if isinstance(compared, dict):
        lines.append(f"n-gram model: {compared['ngram']:.4f} · xz: {compared['xz']:.4f}")
    lines.append(_learned_line(report))
    if line := _unknown_line(report):
        lines.append(line)
    sys.stdout.write("\n".join(lines) + "\n")


def _unknown_line(report: dict[str, Any]) -> str | None:
    number, share = report["unknown_chars"], report["unknown_share"]
    return unknown_line(number, round(number / share), report["unknown"]) if number else None
