"""Fold the input of the first layer into a table with one row for each token."""

import numpy as np

from burble.arithmetic import Float32
from burble.engine.quantization import fine_product
from burble.model_file import ModelFile

# An embedding is folded if the table has at most this many numbers (32 MB). Beyond that, the first
# layer multiplies the embedding's rows as the layers above multiply their inputs.
MAX_FOLDED = 1 << 23


def is_folded(model: ModelFile) -> bool:
    """Return whether the first layer reads a table: always, unless its embedding is too large."""
    rows, vocab_size = len(model.weights["layers.0.bias"]), model.tokenizer.vocab_size
    return model.network.input != "embedding" or vocab_size * rows <= MAX_FOLDED


def input_table(model: ModelFile) -> Float32 | None:
    """Return x·W_ih + b of the first layer for each token, (vocab, gates · hidden).

    None if the input is not folded.
    """
    if not is_folded(model):
        return None
    weight_ih, bias = model.weights["layers.0.weight_ih"], model.weights["layers.0.bias"]
    vocab_size = model.tokenizer.vocab_size
    match model.network.input:
        case "embedding":
            return fine_product(model.weights["embedding.weight"], weight_ih) + bias
        case "one-hot":
            return np.ascontiguousarray(weight_ih.T) + bias
        case "scalar":
            numbers = np.arange(vocab_size, dtype=np.float32) / np.float32(vocab_size)
            return numbers[:, None] * weight_ih[:, 0] + bias
