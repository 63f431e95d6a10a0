"""The models that are served, by name."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from burble.engine.kernels import open_model
from burble.errors import UsageError
from burble.model_file import MODEL_NAME, ModelFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from burble.engine.step_model import StepModel


@dataclass(frozen=True)
class ServedModel:
    """A model, ready to write."""

    name: str
    path: Path
    file: ModelFile
    engine: StepModel
    created: int = field(default_factory=lambda: int(time.time()))

    @classmethod
    def open(cls, path: Path, name: str | None = None) -> ServedModel:
        """A model file or a run folder; it is named after it. Raises `ModelFileError`."""
        file = ModelFile.load(path)
        return cls(name or _name(path.resolve()), path, file, open_model(file))

    def described(self) -> dict[str, Any]:
        """As OpenAI lists a model, and what else is worth knowing."""
        network, tokenizer, provenance = (
            self.file.network,
            self.file.tokenizer,
            self.file.provenance,
        )
        return {
            "id": self.name,
            "object": "model",
            "created": self.created,
            "owned_by": "burble",
            "burble": {
                "cell": network.cell,
                "num_layers": network.num_layers,
                "hidden_size": network.hidden_size,
                "tokenizer": tokenizer.kind,
                "vocab_size": tokenizer.vocab_size,
                "kernel": self.engine.kernel,
                "val_bits_per_char": provenance.val_bits_per_char,
            },
        }


def _name(path: Path) -> str:
    """After the file, but for one in a run: after the run's folder."""
    if path.name == MODEL_NAME:
        return path.parent.name
    return path.stem if path.is_file() else path.name


class Models:
    """Models by name, the first of them for those who name none."""

    def __init__(self, models: Sequence[ServedModel]) -> None:
        self._models: dict[str, ServedModel] = {}
        for model in models:
            if model.name in self._models:
                raise UsageError(
                    f"Two models would be called {model.name!r}: {self._models[model.name].path} "
                    f"and {model.path}. Rename one of them."
                )
            self._models[model.name] = model

    def all(self) -> list[ServedModel]:
        """In the order they were named."""
        return list(self._models.values())

    def find(self, name: str | None) -> ServedModel | None:
        """The model of this name, or the first; None where there is none."""
        if name is None:
            return next(iter(self._models.values()), None)
        return self._models.get(name)
