"""Tokenizers by kind: a new one is one file and one line here."""

from burble.tokenizers.base import Tokenizer
from burble.tokenizers.byte import ByteTokenizer
from burble.tokenizers.char import CharTokenizer

TOKENIZERS: dict[str, type[Tokenizer]] = {
    tokenizer.kind: tokenizer for tokenizer in (CharTokenizer, ByteTokenizer)
}


def tokenizer_from_json(mapping: object) -> Tokenizer:
    if not isinstance(mapping, dict) or mapping.get("kind") not in list(TOKENIZERS):
        raise ValueError(f"the tokenizer must be one of {', '.join(TOKENIZERS)}")
    return TOKENIZERS[mapping["kind"]].from_json(mapping)
