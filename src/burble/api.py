"""What `import burble` offers: `train`, `load`, `Model`."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burble.config import SamplingConfig
from burble.data.prepared import DATA_FOLDER
from burble.engine.generate import (
    GenerationRequest,
    count_unknown,
    encode_text,
    read_prompt,
    stream_text,
    write_texts,
)
from burble.engine.holding import HoldingModel
from burble.engine.kernels import open_model
from burble.engine.trace import trace
from burble.errors import TextError, UsageError
from burble.evaluation.evaluate import evaluate
from burble.mapping import from_mapping
from burble.model_file import ModelFile
from burble.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from burble.config import RunConfig, UnknownPolicy
    from burble.data.prepared import PreparedText
    from burble.engine.holding import Hold
    from burble.engine.numpy_model import Precision
    from burble.engine.trace import Trace
    from burble.export.registry import ExportKind
    from burble.score import Score
    from burble.tokenizers.base import Ids


class Model:
    """A trained model, ready to write and to score. Built by `load` or `train`."""

    def __init__(
        self, file: ModelFile, folder: Path | None = None, precision: Precision | None = None
    ) -> None:
        self.file = file
        self.folder = folder
        """Where its run lies, with the text it learned from; None for a model file alone."""

        self.engine = open_model(file, precision)

    def generate(self, prompt: str = "", **options: Any) -> str:
        """The text after `prompt`; options as for `stream`."""
        return "".join(self.stream(prompt, **options))

    def stream(
        self,
        prompt: str = "",
        *,
        length: int = 300,
        stop: str | Sequence[str] = (),
        seed: int | None = None,
        window: int | None = None,
        unknown: UnknownPolicy = "error",
        **sampling: Any,
    ) -> Iterator[str]:
        """The text after `prompt`, piece by piece.

        length: characters to write. stop: text or texts to stop before. seed: the same seed gives
        the same text; a random one where None. window: characters to re-read for each new one.
        unknown: what to do with characters the model has never seen: error, skip or nearest.
        Other options are those of `SamplingConfig`: temperature, top_k, top_p, min_p,
        repetition_penalty.
        """
        request = GenerationRequest(
            prompt=self.read_prompt(prompt, unknown),
            length=length,
            sampling=from_mapping(SamplingConfig, sampling, "sampling"),
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            seed=random_seed() if seed is None else seed,
            window=window,
        )
        return self.run(request)

    def run(self, request: GenerationRequest) -> Iterator[str]:
        """Carry out a request whose prompt is as `read_prompt` gives it."""
        return stream_text(self.engine, self.file.tokenizer, request)

    def run_all(self, requests: Sequence[GenerationRequest]) -> list[str]:
        """The texts of many such requests, written side by side; each is what `run` gives."""
        return write_texts(self.engine, self.file.tokenizer, requests)

    def read_prompt(self, prompt: str, unknown: UnknownPolicy = "error") -> str:
        """The prompt as the model reads it: normalised as its text was, and encodable."""
        return read_prompt(self.file, prompt, unknown)

    def encode(self, text: str, unknown: UnknownPolicy = "error") -> Ids:
        """The text's tokens, (tokens,), normalised as the model's own text was."""
        return encode_text(self.file, text, unknown)

    def count_unknown(self, text: str) -> int:
        """Return how many characters of `text` the model has never seen."""
        return count_unknown(self.file, text)

    def score(self, text: str, unknown: UnknownPolicy = "error") -> Score:
        """How well the model foresees `text`, read from a fresh state; at least 2 characters."""
        score = evaluate(self.engine, self.file.tokenizer, self.encode(text, unknown), "stream")
        return replace(score, num_unknown=self.count_unknown(text))

    def trace(self, text: str, unknown: UnknownPolicy = "error") -> Trace:
        """What goes on inside while the model reads `text` from a fresh state.

        In float32, for (tokens · layers · units) numbers of each gate and state. Raises
        `TextError` where there is no text, or characters the model has never seen.
        """
        return trace(self.file, self.encode(text, unknown))

    def holding(self, holds: Sequence[Hold]) -> HoldingModel:
        """This model with some of its units held; else it computes what `engine` does."""
        precision: Precision = "float32" if self.engine.kernel == "numpy-float32" else "int8"
        return HoldingModel(self.file, holds, precision)

    def has_training_text(self) -> bool:
        """Whether the text it learned from lies beside it."""
        return self.folder is not None and (self.folder / DATA_FOLDER).is_dir()

    def training_text(self) -> PreparedText:
        """The text of the model's run. Raises `TextError` where only the model file is at hand."""
        if self.folder is None or not self.has_training_text():
            raise TextError(
                "The text this model learned from is not beside it: only a run folder has it. Give "
                "a prompt instead."
            )
        return RunFolder(self.folder).read_text(self.file)

    def random_prompt(self, length: int, seed: int) -> str:
        """`length` characters from a random place of the held-out text of the model's run."""
        text = self.training_text()
        ids = text.val_ids if len(text.val_ids) else text.train_ids
        return text.random_passage(ids, length, seed)

    def save(self, path: str | Path) -> None:
        """Write the model as one file. Raises `UsageError` where there is no such folder."""
        path = Path(path)
        if not path.parent.is_dir():
            raise UsageError(
                f"The model cannot be saved in {path.parent}: there is no such folder."
            )
        self.file.save(path)

    def export(
        self,
        to: ExportKind,
        path: str | Path,
        *,
        name: str | None = None,
        license: str | None = None,  # noqa: A002 - the model card's word
        language: str | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write the model in another form: html, onnx or hub. Raises `UsageError`.

        name: what it calls itself, by default after the path. license, language: for the card of
        a hub folder.
        """
        from burble.export.labels import Labels
        from burble.export.registry import export

        path = Path(path)
        labels = Labels(name or path.stem, license, language)
        export(self.file, to, path, labels, overwrite=overwrite)


def load(path: str | Path, precision: Precision | None = None) -> Model:
    """A model from its file or its run folder. Raises `ModelFileError`.

    precision: int8, the same text on every machine; or float32, for reference; where None, int8
    unless the model would lose by it.
    """
    path = Path(path)
    return Model(ModelFile.load(path), path if path.is_dir() else None, precision)


def train(
    sources: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    preset: RunConfig | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Model:
    """Train on files, folders, addresses or known texts, and return the best model.

    out: folder for the run, with all that a later look or a resume needs; without it the run
    leaves nothing behind. preset: options to start from. options: any knob of `RunConfig` by its
    name, such as minutes, hidden_size, lowercase, seed; without a preset, a plan sets those that
    are not given.
    """
    from burble.runs import open_run
    from burble.training.request import RunRequest

    named = [sources] if isinstance(sources, str | Path) else sources
    request = RunRequest({"sources": [str(source) for source in named], **options}, preset)
    if out is not None:
        open_run(Path(out)).train(request, overwrite=overwrite)
        return load(out)
    with tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True) as scratch:
        return load(open_run(Path(scratch) / "run").train(request).model)


def random_seed() -> int:
    """A seed short enough to be read out and typed again."""
    return secrets.randbelow(1_000_000)
