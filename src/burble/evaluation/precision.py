"""Measure how much worse int8 makes a model, on text it has not learned from."""

from burble.data.scan import VALIDATION_STREAMS, VALIDATION_WARMUP, scan
from burble.engine.kernels import open_model
from burble.engine.numpy_model import Precision
from burble.engine.scoring import score_batches
from burble.model_file import ModelFile
from burble.tokenizers.base import Ids

# Both read the same text, so their difference needs far fewer tokens than the figure itself.
_TOKENS = 1 << 15


def int8_cost(file: ModelFile, ids: Ids) -> float:
    """Return how many bits per character int8 adds on the first 32,768 of `ids`."""
    return _bits(file, ids, "int8") - _bits(file, ids, "float32")


def _bits(file: ModelFile, ids: Ids, precision: Precision) -> float:
    batches = scan(ids[:_TOKENS], VALIDATION_STREAMS, VALIDATION_WARMUP)
    return score_batches(open_model(file, precision), file.tokenizer, batches).bits_per_char
