"""The report on a model reading the end of a text, which the page shows in a frame."""

from burble.config import UnknownPolicy
from burble.engine.generate import encode_text
from burble.engine.trace import trace
from burble.errors import BurbleError
from burble.inspection.bounds import Bounds
from burble.inspection.trace.report import report
from burble.inspection.trace.series import Choice
from burble.model_file import ModelFile
from burble.serving.http.errors import refuse_text

# Arrives in a moment and is drawn as fast as you type: about 6 MB as base64.
BOUNDS = Bounds(max_tokens=1_000, max_values=4 << 20)

CONTEXT = 10
"""Tokens of context, at most, for each that is shown: 10,000 take 3 s at 1×512."""

_GUESSES = 5


def look_inside(file: ModelFile, text: str, unknown: UnknownPolicy) -> str:
    """Return the report, as HTML, on the end of `text` in its context. Raises `RefusalError`."""
    try:
        ids = encode_text(file, text, unknown)
        longest = BOUNDS.longest(file.network)
        # The shown part begins at a whole character; the context is what comes before it.
        start = file.tokenizer.cut_before(ids, max(0, len(ids) - longest))
        context = ids[max(0, start - CONTEXT * longest) : start]
        return report(file, trace(file, ids[start:], context), Choice(), _GUESSES)
    except BurbleError as error:
        raise refuse_text(error, "text") from error
