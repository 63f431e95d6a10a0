"""Where the model of this moment comes from."""

from __future__ import annotations

from burble.config import RunConfig
from burble.data.prepared import PreparedText
from burble.model_file import ModelFile, Provenance, Weights
from burble.training.position import Position
from burble.version import __version__


def model_of(
    config: RunConfig, text: PreparedText, position: Position, weights: Weights
) -> ModelFile:
    provenance = Provenance(
        text_fingerprint=text.facts.fingerprint,
        num_characters=text.facts.num_characters,
        cut_characters=text.facts.cut_characters,
        sealed_characters=text.facts.sealed_characters,
        batching=config.data.batching,
        val_bits_per_char=position.best_bits,
        steps=position.step,
        chars_seen=position.chars_seen,
        seconds=position.seconds,
        seed=config.training.seed,
        burble_version=__version__,
    )
    return ModelFile(config.network, text.tokenizer, weights, text.normalization, provenance)
