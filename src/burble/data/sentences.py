"""Batches of one sentence a row. Shorter ones are padded and masked, longer ones are cut."""

import re
from functools import partial

import numpy as np

from burble.config import DataConfig
from burble.data.batch import Batch, gather
from burble.data.prepared import PreparedText
from burble.data.shuffle import ShuffledRows
from burble.errors import TextError
from burble.tokenizers.base import Ids, Tokenizer

# A sentence ends after the white space behind its closing mark and quotes, or at an empty line.
_SENTENCE_END = re.compile(r"""[.!?…]+["'”’)\]]*\s+|[。！？]+[」』”’）]*\s*|\n\s*\n""")
_CHUNK_IDS = 1 << 20


class SentenceBatching(ShuffledRows):
    """Train on whole sentences, each from a fresh state.

    A row reads one sentence and the token before it, and predicts every token of the sentence.
    """

    def __init__(self, text: PreparedText, config: DataConfig, seed: int) -> None:
        parts = (text.train_ids, text.val_ids)
        starts = [find_sentence_starts(ids, text.tokenizer) for ids in parts]
        if len(starts[0]) < 2:
            raise TextError(
                f"The text is too short: {len(text.train_ids):,} {text.tokenizer.unit}s to learn "
                "from, and sentences need 2. Give more text, a few pages at least."
            )
        train, val = (
            (max(0, len(begins) - 1), partial(_sentence_batch, ids, begins, config.seq_len))
            for ids, begins in zip(parts, starts, strict=True)
        )
        super().__init__(config.batch_size, seed, train, val)
        self.targets = self.rows * config.seq_len


def find_sentence_starts(
    ids: Ids, tokenizer: Tokenizer
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return where each sentence begins, followed by the end of the text: (sentences + 1,)."""
    starts: list[int] = [0]
    pending = 0
    while pending < len(ids):
        chunk = ids[pending : pending + _CHUNK_IDS]
        ends = _find_ends(tokenizer, chunk)
        whole = pending + len(chunk) == len(ids)
        # A sentence that the chunk cuts off is read again in the next chunk.
        if not whole and len(ends) > 1:
            ends = ends[:-1]
        if whole:
            ends = [*ends, len(chunk)]
        elif not ends:
            ends = [tokenizer.cut_before(chunk, len(chunk) - 1)]
        starts.extend(pending + end for end in ends)
        pending += ends[-1]
    unique = np.unique(np.asarray(starts, dtype=np.int64))
    # Token 0 cannot be predicted: no token comes before it.
    return unique if len(ids) > 1 else unique[:0]


def _find_ends(tokenizer: Tokenizer, chunk: Ids) -> list[int]:
    text = tokenizer.decode(chunk)
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if len(text) == len(chunk):
        return ends
    # A character can be several tokens, so count the tokens up to each end.
    lengths = np.cumsum(
        [len(tokenizer.encode(text[a:b])) for a, b in zip([0, *ends], ends, strict=False)]
    )
    return [int(end) for end in lengths]


def _sentence_batch(
    ids: Ids,
    starts: np.ndarray[tuple[int], np.dtype[np.int64]],
    seq_len: int,
    items: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Batch:
    first = np.maximum(starts[items], 1)
    lengths = np.minimum(starts[items + 1] - first, seq_len)
    tokens = gather(ids, first - 1, seq_len + 1)
    return Batch(
        inputs=tokens[:-1],
        targets=tokens[1:],
        mask=np.arange(seq_len)[:, None] < lengths[None, :],
        reset=np.ones(len(items), dtype=np.bool_),
    )
