"""The text that a model is looked at with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from burble.cli.terminal import tell
from burble.data.prepare import prepare
from burble.evaluation.evaluate import held_out_cut
from burble.text.sources import find_documents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from burble.api import Model
    from burble.config import UnknownPolicy
    from burble.data.prepared import PreparedText


def read_sources(
    model: Model, sources: Sequence[str], folder: Path, *, whole: bool, unknown: UnknownPolicy
) -> PreparedText:
    """Read the sources as the model's own text was read, into `folder`.

    Held out are the end of the model's training text, or all of another text; all if `whole`.
    """
    return prepare(
        find_documents(sources),
        model.file.normalization,
        model.file.tokenizer,
        (lambda _: 0) if whole else partial(held_out_cut, provenance=model.file.provenance),
        folder,
        say=tell,
        unknown=unknown,
    )


def part_read(text: PreparedText) -> str:
    """What of the text is held out, in words."""
    if text.facts.cut_characters:
        return "the held-out end of the training text"
    return "the whole text"
