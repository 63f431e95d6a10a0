"""Normalise every text and every prompt: Unicode form, then lower case."""

import unicodedata
from collections.abc import Iterable, Iterator

from burble.config import NormalizationConfig

# Longer than any run of combining marks in real text, and than the context of Greek final sigma.
_CONTEXT = 64


def normalize(text: str, config: NormalizationConfig) -> str:
    """Return `text` in the configured Unicode form and case."""
    if config.unicode_form is not None:
        text = unicodedata.normalize(config.unicode_form, text)
    return text.lower() if config.lowercase else text


def normalize_stream(chunks: Iterable[str], config: NormalizationConfig) -> Iterator[str]:
    """Yield normalised pieces. Joined, they equal the whole text normalised at once."""
    pending = ""
    for chunk in chunks:
        pending += chunk
        cut = _find_safe_cut(pending, config)
        yield normalize(pending[:cut], config)
        pending = pending[cut:]
    yield normalize(pending, config)


def _find_safe_cut(text: str, config: NormalizationConfig) -> int:
    """Return the last place where both sides can be normalised separately, or 0."""
    if config.unicode_form is None and not config.lowercase:
        return len(text)
    # The right side needs context too, so the search starts before the end.
    for cut in range(len(text) - _CONTEXT, 0, -1):
        left, right = text[max(0, cut - _CONTEXT) : cut], text[cut : cut + _CONTEXT]
        if normalize(left, config) + normalize(right, config) == normalize(left + right, config):
            return cut
    return 0
