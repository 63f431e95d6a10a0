"""`burble eval`."""

import dataclasses
import json
import sys
from dataclasses import dataclass
from typing import Any

from burble import api
from burble.cli.options import command, json_option, model_argument, text_argument, unknown_option
from burble.cli.reading import read_sources
from burble.cli.views.eval import describe
from burble.config import ReadingConfig, UnknownPolicy
from burble.data.prepared import PreparedText
from burble.engine.numpy_model import Precision
from burble.evaluation.evaluate import Protocol, baselines, evaluate
from burble.evaluation.overlap import LARGE_SHARE, PASSAGE, learned_share
from burble.knobs import knob, sections
from burble.tokenizers.base import Ids

Report = dict[str, Any]


@dataclass(frozen=True)
class EvalCommand:
    """Measure how well a model predicts a text.

    Of the text that the model was trained on, only the held-out part and the sealed part are
    scored, each on its own. Any other text is scored whole. If the training text is available, the
    result includes the share of the scored text that occurs in it word for word.
    """

    model: str = model_argument()
    sources: tuple[str, ...] = text_argument()
    protocol: Protocol = knob(
        "stream",
        "stream: one pass that carries the state; windows: random windows of 256 from a fresh "
        "state.",
    )
    whole: bool = knob(False, "Score the whole text, including what the model learned from.")
    precision: Precision | None = knob(
        None,
        "int8: as the model writes; float32: the slower reference. By default int8, unless it "
        "would harm the model.",
    )
    baselines: bool = knob(
        True, "Also measure n-gram counts and xz, if the training text is available."
    )
    unknown: UnknownPolicy = unknown_option()
    json: bool = json_option()
    reading: ReadingConfig = sections(ReadingConfig, {"reading": ReadingConfig})


@command(
    EvalCommand,
    examples=(
        "burble eval my-model my-text.txt",
        "burble eval my-model another-text.txt --unknown skip",
    ),
)
def main(asked: EvalCommand) -> None:
    model = api.load(asked.model, asked.precision)
    with read_sources(
        model, asked.sources, asked.reading, whole=asked.whole, unknown=asked.unknown
    ) as text:
        report = _measure(asked, model, text)
    shown = json.dumps(report) if asked.json else "\n".join(describe(report, text))
    sys.stdout.write(shown + "\n")


def _measure(asked: EvalCommand, model: api.Model, text: PreparedText) -> Report:
    """Return the figures of the held-out part, and those of the sealed part under "sealed".

    The figures of a part that does not exist are None.
    """
    sealed = _measure_part(asked, model, text, text.test_ids) if len(text.test_ids) else None
    if sealed and model.file.tokenizer.count_characters(text.val_ids[1:]) < 1:
        figures = dict.fromkeys(sealed) | {"protocol": asked.protocol}
    else:
        figures = _measure_part(asked, model, text, text.val_ids)
    return {
        **figures,
        "sealed": sealed,
        "unknown": asked.unknown,
        "unknown_chars": text.facts.unknown_characters,
        "unknown_share": text.facts.unknown_characters / text.facts.num_characters,
    }


def _measure_part(
    asked: EvalCommand, model: api.Model, text: PreparedText, ids: Ids
) -> dict[str, Any]:
    tokenizer = model.file.tokenizer
    score = evaluate(model.engine, tokenizer, ids, asked.protocol)
    train_ids = _training_ids(model, text)
    compared = None
    if asked.baselines and len(train_ids):
        compared = dataclasses.asdict(baselines(tokenizer, train_ids, ids))
    learned = _learned_share(model, text, ids)
    return {
        "bits_per_char": score.bits_per_char,
        "nats_per_char": score.nats_per_char,
        "perplexity": score.perplexity,
        "accuracy": score.accuracy,
        "num_chars": score.num_characters,
        "protocol": asked.protocol,
        "baselines": compared,
        "learned_share": learned,
        "held_out": None if learned is None else learned < LARGE_SHARE,
    }


def _learned_share(model: api.Model, text: PreparedText, ids: Ids) -> float | None:
    provenance = model.file.provenance
    is_its_own = text.facts.fingerprint == provenance.text_fingerprint
    if is_its_own and not text.facts.cut_characters:
        return provenance.cut_characters / text.facts.num_characters
    learned = _training_ids(model, text)
    if not len(learned) or len(ids) < PASSAGE:
        return None
    return learned_share(model.file.tokenizer, learned, ids)


def _training_ids(model: api.Model, text: PreparedText) -> Ids:
    """Return what the model learned from: from the text or its run; no ids if neither has it."""
    if len(text.train_ids) or not model.has_training_text():
        return text.train_ids
    return model.training_text().train_ids
