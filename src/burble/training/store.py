"""Where a run leaves its models, states and samples; of a team only the leader writes."""

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

# A run that is killed loses no more than this of its work.
_SAVE_SECONDS = 60.0


@dataclass
class Store:
    config: RunConfig
    text: PreparedText
    folder: RunFolder
    log: RunLog
    observer: Observer
    sampler: Sampler
    team: Team

    def __post_init__(self) -> None:
        self.is_aside = self.folder.is_aside  # whether it will replace another, in every process

    def publish(
        self, position: Position, reading: Reading, progress: float, learner: Learner
    ) -> None:
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
        return seconds - position.seconds > _SAVE_SECONDS

    def save(self, position: Position, seconds: float, learner: Learner) -> Checkpoint:
        metrics_bytes, samples_bytes = self.team.run_on_leader(self.log.sizes)
        position = replace(
            position, seconds=seconds, metrics_bytes=metrics_bytes, samples_bytes=samples_bytes
        )
        saved = Checkpoint(position, learner.state())
        self.team.run_on_leader(lambda: checkpoint.write(saved, self.folder.last))
        return saved

    def restore_logs(self, state: Checkpoint) -> None:
        sizes = (state.position.metrics_bytes, state.position.samples_bytes)
        self.team.run_on_leader(lambda: self.log.cut(sizes))

    def replace_old(self) -> None:
        if self.is_aside:
            self.team.run_on_leader(self.folder.replace_old)
            self.is_aside = False

    def describe_remains(self) -> str:
        if self.is_aside:
            return f"The run in {self.folder.path}/ that it was to replace is as it was."
        return f"{self.folder.model} is the best model before that."

    def describe_resuming(self) -> str:
        if self.is_aside:
            return f"The new run was not saved yet. {self.describe_remains()}"
        line = burble_line("train", "--resume", self.folder.path)
        return f"Everything is saved. Go on with: {line}"
