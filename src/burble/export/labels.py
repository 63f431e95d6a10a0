"""Describe an exported model in words."""

from dataclasses import dataclass

from burble.cells import CELLS
from burble.model_file import ModelFile


@dataclass(frozen=True)
class Labels:
    """Facts about a model that only its author knows."""

    name: str
    license: str | None = None
    language: str | None = None


def describe_model(model: ModelFile) -> str:
    """Return a sentence on the network and its vocabulary."""
    network, tokenizer = model.network, model.tokenizer
    kind = CELLS[network.cell].title
    layers = "1 layer" if network.num_layers == 1 else f"{network.num_layers} layers"
    return (
        f"A recurrent network ({kind}, {layers} of {network.hidden_size:,} units, "
        f"{model.num_weights:,} weights) that knows {tokenizer.vocab_size:,} {tokenizer.unit}s."
    )


def describe_training(model: ModelFile) -> str:
    """Return a sentence on the training text and the score; empty if they are not known."""
    origin = model.provenance
    if not origin.num_characters:
        return ""
    learned = f"It learned from a text of {origin.num_characters:,} characters"
    if origin.val_bits_per_char is None:
        return f"{learned}."
    return (
        f"{learned} and predicts the part that was held out with "
        f"{origin.val_bits_per_char:.3f} bits per character."
    )
