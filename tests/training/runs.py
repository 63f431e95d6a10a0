"""Small runs for the tests: a made-up language, a tiny network, a few seconds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from burble.config import RunConfig
from burble.data.prepared import PreparedText
from burble.folder_names import CONFIG_NAME, DATA_FOLDER
from burble.run_hooks import open_run
from burble.run_toml import read_config
from burble.training import checkpoint
from burble.training.layout import Layout
from burble.training.request import RunRequest
from burble.training.start import make_batching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burble.run_folder.observer import Observer
    from burble.training.checkpoint import Checkpoint
    from burble.training.run import TrainResult


def _has_bfloat16() -> bool:
    try:
        import torch
    except ModuleNotFoundError:
        return False
    from burble.training.learners.torch.precision import has_bfloat16

    return has_bfloat16("lstm", torch.device("cpu"))


needs_bfloat16 = pytest.mark.skipif(
    not _has_bfloat16(), reason="no torch here has an LSTM in bfloat16 for this processor"
)

TINY: dict[str, Any] = {
    "hidden_size": 24,
    "embedding_size": 8,
    "seq_len": 12,
    "batch_size": 6,
    "steps": 80,
    "dropout": 0.3,
    "sample_length": 20,
    "precision": "float32",
}


def made_up_text(sentences: int = 200, seed: int = 0) -> str:
    """Sentences of invented words; the same seed invents the same."""
    draw = random.Random(seed)  # noqa: S311 - not a secret
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 3))) for _ in range(60)]
    lines = (" ".join(draw.choices(words, k=draw.randint(3, 9))) for _ in range(sentences))
    return "".join(line.capitalize() + ".\n" for line in lines)


def write_text(folder: Path, sentences: int = 200) -> Path:
    path = folder / "text.txt"
    path.write_text(made_up_text(sentences), encoding="utf-8")
    return path


def tiny_config(text: Path, **options: Any) -> RunConfig:
    return RunConfig().with_options({"sources": (str(text),), **TINY, **options})


def train_tiny(
    folder: Path, observers: Sequence[Observer] = (), sentences: int = 200, **options: Any
) -> TrainResult:
    config = tiny_config(write_text(folder, sentences), **options)
    return train_run(config, folder / "run", observers)


def train_run(
    config: RunConfig, path: Path, observers: Sequence[Observer] = (), *, overwrite: bool = False
) -> TrainResult:
    """Train what is configured to the end, without a plan."""
    return open_run(path, observers).train(RunRequest(base=config), overwrite=overwrite)


def resume_tiny(folder: Path, **changes: Any) -> TrainResult:
    return open_run(folder / "run").resume(changes)


def layout(run: Path) -> Layout:
    """What the state of the run in this folder must hold."""
    config = read_config(run / CONFIG_NAME)
    text = PreparedText.load(run / DATA_FOLDER)
    return Layout(config, text.tokenizer.vocab_size, make_batching(config, text).rows)


def saved_state(run: Path) -> Checkpoint:
    return checkpoint.read(run / "last", layout(run))
