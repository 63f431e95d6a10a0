"""Save the models, states and samples of a run. In a team, only the leader writes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from burble.config import RunConfig
from burble.data.prepared import PreparedText
from burble.model_file import ModelFile, Provenance
from burble.run_folder.folder import RunFolder
from burble.run_folder.log import RunLog
from burble.run_folder.metrics import ValidationMetrics
from burble.run_folder.observer import Observer
from burble.shell import burble_line
from burble.training import checkpoint
from burble.training.checkpoint import Checkpoint
from burble.training.learner import Learner
from burble.training.position import Position
from burble.training.team import Team
from burble.training.validation import Reading
from burble.version import __version__

Sampler = Callable[[ModelFile, int], str]

# A killed run loses at most this many seconds of its work.
_SAVE_SECONDS = 60.0


@dataclass
class Store:
    """Writes a run to its folder."""

    config: RunConfig
    text: PreparedText
    folder: RunFolder
    log: RunLog
    observer: Observer
    sampler: Sampler
    team: Team

    def __post_init__(self) -> None:
        # Every process of a team needs it, but only the leader's folder changes.
        self.is_aside = self.folder.is_aside

    def publish(
        self, position: Position, reading: Reading, progress: float, learner: Learner
    ) -> None:
        """Report a validation, save the model if it is the best so far, and show a sample."""
        is_best = position.stale == 0
        figures = (position.step, position.seconds, progress, reading.bits, reading.accuracy)

        def publish() -> None:
            model = self._model(position, learner)
            self.observer.validated(ValidationMetrics(*figures, is_best))
            if is_best:
                model.save(self.folder.model)
            self._sample(model, position.step)

        self.team.run_on_leader(publish)

    def show_sample(self, position: Position, learner: Learner) -> None:
        """Let the model write a sample, and show it."""
        self.team.run_on_leader(lambda: self._sample(self._model(position, learner), position.step))

    def _model(self, position: Position, learner: Learner) -> ModelFile:
        text, facts = self.text, self.text.facts
        provenance = Provenance(
            text_fingerprint=facts.fingerprint,
            num_characters=facts.num_characters,
            cut_characters=facts.cut_characters,
            sealed_characters=facts.sealed_characters,
            batching=self.config.data.batching,
            val_bits_per_char=position.best_bits,
            steps=position.step,
            chars_seen=position.chars_seen,
            seconds=position.seconds,
            seed=self.config.training.seed,
            burble_version=__version__,
        )
        network, weights = self.config.network, learner.averaged()
        return ModelFile(network, text.tokenizer, weights, text.normalization, provenance)

    def _sample(self, model: ModelFile, step: int) -> None:
        self.observer.sampled(step, self.sampler(model, step))

    def is_due(self, position: Position, seconds: float) -> bool:
        """Return whether it is time to save. seconds: how long the run has taken."""
        return seconds - position.seconds > _SAVE_SECONDS

    def save(self, position: Position, seconds: float, learner: Learner) -> Checkpoint:
        """Save the state of the run, and return it."""
        metrics_bytes, samples_bytes = self.team.run_on_leader(self.log.sizes)
        position = replace(
            position, seconds=seconds, metrics_bytes=metrics_bytes, samples_bytes=samples_bytes
        )
        saved = Checkpoint(position, learner.state())
        self.team.run_on_leader(lambda: checkpoint.write(saved, self.folder.last))
        return saved

    def restore_logs(self, state: Checkpoint) -> None:
        """Remove from the logs what came after a checkpoint."""
        sizes = (state.position.metrics_bytes, state.position.samples_bytes)
        self.team.run_on_leader(lambda: self.log.cut(sizes))

    def replace_old(self) -> None:
        """Replace the older run in the folder by this one, if there is one."""
        if self.is_aside:
            self.team.run_on_leader(self.folder.replace_old)
            self.is_aside = False

    def describe_remains(self) -> str:
        """Return a sentence about what is left of a run that failed."""
        if self.is_aside:
            return f"The old run in {self.folder.path}/ was not replaced."
        return f"{self.folder.model} is the best model before that."

    def describe_resuming(self) -> str:
        """Return a sentence about how to continue a run that was stopped."""
        if self.is_aside:
            return f"The new run was not saved yet. {self.describe_remains()}"
        line = burble_line("train", "--resume", self.folder.path)
        return f"Everything is saved. Continue with: {line}"
