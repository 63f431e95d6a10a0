"""The tokenizers by kind. A new one is one file and one line here."""

from burble.errors import brief
from burble.saved_format import VersionError
from burble.tokenizers.base import Tokenizer
from burble.tokenizers.byte import ByteTokenizer
from burble.tokenizers.char import CharTokenizer

TOKENIZERS: dict[str, type[Tokenizer]] = {
    tokenizer.kind: tokenizer for tokenizer in (CharTokenizer, ByteTokenizer)
}


def tokenizer_from_json(mapping: object) -> Tokenizer:
    """Return the tokenizer that `Tokenizer.to_json` described.

    Raises `VersionError` for an unknown kind, `ValueError` for anything else.
    """
    kind = mapping.get("kind") if isinstance(mapping, dict) else None
    if isinstance(mapping, dict) and isinstance(kind, str) and kind in TOKENIZERS:
        return TOKENIZERS[kind].from_json(mapping)
    error = VersionError if isinstance(kind, str) else ValueError
    raise error(f"the tokenizer must be one of {', '.join(TOKENIZERS)}; found {brief(repr(kind))}")
