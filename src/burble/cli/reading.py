"""The text that a model is looked at with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from burble.api import Model
from burble.cli.terminal import print_message
from burble.config import ReadingConfig, UnknownPolicy
from burble.data.prepared import PreparedText
from burble.engine.generate import count_unknown
from burble.model_file import ModelFile


@contextmanager
def read_sources(
    model: Model,
    sources: Sequence[str],
    reading: ReadingConfig,
    *,
    whole: bool,
    unknown: UnknownPolicy,
) -> Iterator[PreparedText]:
    """Read the sources, normalised and cut into tokens as the model's own text was.

    Of another text than the model's own, or if `whole`, all is held out.
    """
    from burble.data.prepare import encode_spooled, spool_text
    from burble.evaluation.evaluate import known_cuts, score_all
    from burble.scratch import scratch_folder
    from burble.text.sources import find_documents

    file = model.file
    with scratch_folder() as folder:
        found = find_documents(sources, reading.encoding)
        with spool_text(found, file.normalization, Path(folder), print_message) as text:
            cuts = score_all(text.whole) if whole else known_cuts(text.whole, file.provenance)
            prepared = encode_spooled(text, file.tokenizer, cuts, unknown)
        yield prepared


def describe_unknown(number: int, total: int, unknown: UnknownPolicy) -> str | None:
    """Return what became of the unknown ones of `total` characters; None where there are none."""
    if not number:
        return None
    fate = "left out" if unknown == "skip" else "replaced by the nearest that it knows"
    one = "character was" if number == 1 else "characters were"
    return (
        f"{number:,} of {total:,} ({number / total:.1%}) {one} {fate}: the model has never seen "
        + ("it." if number == 1 else "them.")
    )


def report_unknown(file: ModelFile, text: str, unknown: UnknownPolicy) -> int:
    """Tell what became of a text's characters that the model has never seen; return how many."""
    number = count_unknown(file, text)
    if line := describe_unknown(number, len(text), unknown):
        print_message(line)
    return number


def part_read(text: PreparedText) -> str:
    if text.facts.cut_characters:
        end = "part" if text.facts.sealed_characters else "end"
        return f"the held-out {end} of the training text"
    return "the whole text"
