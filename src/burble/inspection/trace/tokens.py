"""Show tokens: in the running text, and one by one."""

from burble.text.printable import label
from burble.tokenizers.base import Ids, Tokenizer

_LAYOUT = {" ", "\t", "\n"}


def token_label(tokenizer: Tokenizer, token: int) -> str:
    """Return a visible label of one token; a byte that is not a character becomes <E2>."""
    return label(tokenizer.label(token))


def running_text(tokenizer: Tokenizer, ids: Ids) -> list[str]:
    """Return what each token adds to the text, or its label if that would be invisible."""
    decoder = tokenizer.stream_decoder()
    pieces = [decoder.push(ids[place : place + 1]) for place in range(len(ids))]
    return [
        "".join(c if c in _LAYOUT else label(c) for c in piece)
        or token_label(tokenizer, int(ids[place]))
        for place, piece in enumerate(pieces)
    ]
