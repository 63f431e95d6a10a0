"""Models of random weights: small, without training, the same from the same seed everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burble.config import NetworkConfig, NormalizationConfig
from burble.model_file import ModelFile, Provenance
from burble.tokenizers.byte import ByteTokenizer
from burble.tokenizers.char import CharTokenizer

if TYPE_CHECKING:
    from burble.cells import CellKind
    from burble.config import InputKind
    from burble.engine.cells import Float32
    from burble.tokenizers.base import Tokenizer

LETTERS = "\n abcdefgh"


def random_model(
    *,
    cell: CellKind = "lstm",
    input: InputKind = "embedding",  # noqa: A002 - the knob's name
    num_layers: int = 1,
    hidden_size: int = 12,
    embedding_size: int = 5,
    residual: bool = False,
    vocabulary: str | None = LETTERS,
    seed: int = 0,
    scale: float = 1.0,
    head_scale: float = 1.0,
    normalization: NormalizationConfig | None = None,
    provenance: Provenance | None = None,
) -> ModelFile:
    """Weights are even in [-scale, scale], those of the head times `head_scale`: a large one sets
    the logits far apart. `vocabulary` None makes a model of bytes.
    """
    tokenizer: Tokenizer = ByteTokenizer()
    if vocabulary is not None:
        tokenizer = CharTokenizer.from_characters(set(vocabulary))
    network = NetworkConfig(
        cell=cell,
        input=input,
        num_layers=num_layers,
        hidden_size=hidden_size,
        embedding_size=embedding_size,
        residual=residual,
    )
    # The numbers of a bit generator are NumPy's promise; those of its distributions are not.
    numbers = np.random.Generator(np.random.PCG64(seed))
    weights: dict[str, Float32] = {}
    for name, shape in network.tensor_shapes(tokenizer.vocab_size).items():
        reach = scale * (head_scale if name.startswith("head.") else 1.0)
        weights[name] = ((numbers.random(shape) * 2 - 1) * reach).astype(np.float32)
    return ModelFile(
        network,
        tokenizer,
        weights,
        normalization or NormalizationConfig(),
        provenance or Provenance(),
    )


def uniform_model(vocabulary: str | None = LETTERS) -> ModelFile:
    """A model to which every token is as likely as any other."""
    return random_model(vocabulary=vocabulary, head_scale=0.0)
