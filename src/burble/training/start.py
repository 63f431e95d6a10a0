"""Start a run, fresh or from its saved state."""

from dataclasses import dataclass

from burble.config import RunConfig
from burble.data.batch import Batching
from burble.data.prepared import PreparedText
from burble.data.registry import BATCHINGS
from burble.errors import ModelFileError
from burble.model_file import ModelFile
from burble.run_folder.folder import RunFolder
from burble.training import checkpoint
from burble.training.checkpoint import Checkpoint
from burble.training.layout import Layout
from burble.training.learner import Backend, Learner
from burble.training.position import Position


@dataclass(frozen=True)
class Start:
    """What a run starts from."""

    config: RunConfig
    text: PreparedText
    batching: Batching
    saved: Checkpoint | None = None

    @property
    def position(self) -> Position:
        """The position that the run continues from."""
        return Position() if self.saved is None else self.saved.position

    def build_learner(self, backend: Backend) -> Learner:
        """Return a fresh learner for the run."""
        return backend.build(self.config, self.text.tokenizer.vocab_size, self.batching.rows)


def start_fresh(config: RunConfig, folder: RunFolder) -> Start:
    """Return the start of a new run on the prepared text. Raises `TextError`."""
    text = PreparedText.load(folder.data)
    return Start(config, text, make_batching(config, text))


def start_again(config: RunConfig, folder: RunFolder) -> Start:
    """Return the start from the saved state, or a fresh one if the run made no step.

    Raises `TextError` or `ModelFileError` if the text, the state or the model is of another run.
    """
    start = start_fresh(config, folder)
    if not folder.has_state() and not folder.has_learned():
        return start
    text, rows = start.text, start.batching.rows
    saved = checkpoint.read(folder.last, Layout(config, text.tokenizer.vocab_size, rows))
    if folder.model.exists():
        model = ModelFile.load(folder.model)
        if model.network != config.network or not text.is_of(model.tokenizer):
            raise ModelFileError(
                f"{folder.model} is not of this run: its network or its tokens are others. Move it "
                "away, then resume the run."
            )
    return Start(config, text, start.batching, saved)


def make_batching(config: RunConfig, text: PreparedText) -> Batching:
    """Return the configured batching of a text. Raises `TextError` if the text is too short."""
    return BATCHINGS[config.data.batching](text, config.data, config.training.seed)
