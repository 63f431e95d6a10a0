"""The models that are served, by name."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from burble.engine.kernels import open_model
from burble.engine.step_model import StepModel
from burble.errors import ModelFileError, TextError, UsageError
from burble.evaluation.copied import CopyFinder
from burble.folder_names import MODEL_NAME
from burble.model_file import ModelFile
from burble.serving.completions.logprobs import token_labels
from burble.serving.completions.names import readable
from burble.serving.completions.prefix_cache import PrefixCache
from burble.serving.completions.responses import ModelDescription
from burble.serving.http.errors import RefusalError


@dataclass(frozen=True)
class ServedModel:
    name: str
    path: Path
    file: ModelFile
    engine: StepModel
    prefix_cache: PrefixCache
    created: int = field(default_factory=lambda: int(time.time()))

    @classmethod
    def open(cls, path: Path, name: str | None = None) -> Self:
        """Open a model file or run folder, named after it by default. Raises `ModelFileError`."""
        file = ModelFile.load(path)
        engine = open_model(file)
        return cls(name or _name(path.resolve()), path, file, engine, PrefixCache(engine))

    @cached_property
    def labels(self) -> list[str]:
        return token_labels(self.file.tokenizer)

    def describe(self) -> ModelDescription:
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
    if path.name == MODEL_NAME:
        path = path.parent
    return readable(path.stem if path.is_file() else path.name)


class Models:
    """The served models by name, the first being the default, and those of runs."""

    def __init__(
        self, models: Sequence[ServedModel], of_runs: Callable[[], Mapping[str, Path]] = dict
    ) -> None:
        """of_runs: returns the model files of runs by the runs' names, newest first."""
        self._find_of_runs = of_runs
        self._of_runs: dict[str, tuple[int, ServedModel | ModelFileError]] = {}
        self._finders: dict[Path, CopyFinder | None] = {}
        self._models: dict[str, ServedModel] = {}
        for model in models:
            if model.name in self._models:
                raise UsageError(
                    f"Two models would be called {model.name!r}: {self._models[model.name].path} "
                    f"and {model.path}. Rename one of them."
                )
            self._models[model.name] = model

    def all(self) -> list[ServedModel]:
        """Return the models in the order they were given, then those of runs, newest first."""
        paths = self._find_of_runs()
        of_runs = [self._of_run(*item) for item in paths.items() if item[0] not in self._models]
        return [
            *self._models.values(),
            *(model for model in of_runs if isinstance(model, ServedModel)),
        ]

    async def find(self, name: str | None) -> ServedModel:
        """Return the model of this name, or the first. Raises `RefusalError` if there is none."""
        at_hand = self._models.get(next(iter(self._models), "") if name is None else name)
        # Only models of runs need the disk.
        return await asyncio.to_thread(self._search, name) if at_hand is None else at_hand

    def _search(self, name: str | None) -> ServedModel:
        known = self.all()
        for model in known:
            if name in {None, model.name}:
                return model
        names = ", ".join(one.name for one in known) or "none yet: train one"
        problem = f"There is no model {name!r}. Models: {names}."
        if name is None:
            problem = "There is no model yet. Train one first."
        _, broken = self._of_runs.get(name or "", (0, None))
        if isinstance(broken, ModelFileError):
            problem = broken.over_http
        raise RefusalError(404, problem, param="model", code="model_not_found")

    def copy_finder(self, model: ServedModel) -> CopyFinder | None:
        """Return what finds passages of the training text, or None if that is not at hand."""
        folder = model.path if model.path.is_dir() else model.path.parent
        if folder not in self._finders:
            try:
                self._finders[folder] = CopyFinder.of(folder)
            except TextError as error:
                raise RefusalError(404, error.over_http, param="model") from error
        return self._finders[folder]

    def _of_run(self, name: str, path: Path) -> ServedModel | ModelFileError | None:
        """Return the best model of a run so far, or its error; load it again when it changes."""
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return None
        if name not in self._of_runs or self._of_runs[name][0] != changed:
            try:
                self._of_runs[name] = changed, ServedModel.open(path, name)
            except ModelFileError as error:
                self._of_runs[name] = changed, error
        return self._of_runs[name][1]
