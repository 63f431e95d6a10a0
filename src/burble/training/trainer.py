"""The one loop: step, and at each milestone validate, keep the best, save, and show a sample."""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from burble.errors import DivergedError, TrainingInterruptedError
from burble.metrics import StepMetrics, ValidationMetrics
from burble.model_file import ModelFile, Provenance
from burble.score import NOTHING
from burble.training import checkpoint
from burble.training.average import WeightAverage
from burble.training.budget import learning_rate
from burble.training.checkpoint import MAX_RESCUES, Checkpoint, Position
from burble.training.measure import affordable, batch_score, loss_of, score_network
from burble.training.optimizer import adamw, clip_gradients
from burble.training.signals import StopSignals
from burble.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from burble.config import RunConfig
    from burble.data.batch import Batch, Batching
    from burble.data.prepared import PreparedText
    from burble.run_folder import RunFolder
    from burble.score import Score
    from burble.training.budget import Budget, Clock
    from burble.training.distributed import Team
    from burble.training.network import Network, NetworkState
    from burble.training.observer import Observer
    from burble.training.run_log import RunLog

# Validations in a run, evenly spaced over its budget.
MILESTONES = 20

# Of a run that is timed, validation may take this share before some of it is left out.
_VALIDATION_SHARE = 0.05

# Of a timed run one validation may take this share; it reads less of the held-out text then.
_ONE_VALIDATION_SHARE = 0.01

# A timed run keeps this many seconds, and those of one validation, for its end.
_CLOSING_SECONDS = 0.3

# A run that is killed loses no more than this of its work.
_SAVE_SECONDS = 60.0

# No network learns with such weights; left alone, their products overflow float32.
_LARGEST_WEIGHT = 1e6
_LOG_SECONDS = 0.5


@dataclass(frozen=True)
class Setup:
    """What a run is made of."""

    config: RunConfig
    text: PreparedText
    batching: Batching
    network: Network
    folder: RunFolder
    log: RunLog
    observer: Observer
    sampler: Callable[[ModelFile, int], str]
    budget: Budget
    clock: Clock
    team: Team


class Trainer:
    """One run, and where it stands.

    Every process of a team has one, and all take the same turns: what could differ between them,
    clock, signals and what is on disk, comes from the team.
    """

    def __init__(self, setup: Setup) -> None:
        self.position = Position()
        self._setup = setup
        self._team = setup.team
        self._training = setup.config.training
        self._network = setup.network
        self._optimizer = adamw(setup.network, self._training)
        self._average = WeightAverage(setup.network, self._training.averaging)
        self._device = torch.device(self._training.device)
        self._carried = self._team.own(setup.network.start(setup.batching.rows))
        self._signals = StopSignals()
        self._is_aside = setup.folder.is_aside
        self._good: Checkpoint | None = None
        self._passed = 0
        self._validation_seconds = 0.0
        self._reserve = _CLOSING_SECONDS
        self._start_counting()
        self._agree()

    def resume(self, saved: Checkpoint) -> None:
        """Go back to where `saved` was taken."""
        self._go_to(saved)
        self._good = saved
        sizes = (saved.position.metrics_bytes, saved.position.samples_bytes)
        self._team.lead(partial(self._setup.log.cut, sizes))

    def run(self) -> Position:
        """Learn until the budget or the patience ends.

        Raises `TrainingInterruptedError` after a signal, everything saved, and `DivergedError`
        where three rescues did not help.
        """
        with self._signals:
            if self._good is None:
                self._milestone()
            while self._progress() < 1 and not self._out_of_patience():
                self._step()
                self._agree()
                self._pass_milestones()
                self._save_now_and_then()
                self._stop_if_asked()
        return self.position

    def _agree(self) -> None:
        """Look at the clock and for signals, together."""
        self._now, self._stop = self._team.agree(
            self._setup.clock.seconds(), self._signals.requested
        )

    def _stop_if_asked(self) -> None:
        if self._stop is not None:
            signal = self._stop
            # Otherwise the state before, which is sound, stays.
            if not self._is_aside and self._is_sound(None):
                self._save_state()
            raise self._team.told_once(TrainingInterruptedError(self._how_to_resume(), signal))

    def _progress(self) -> float:
        return self._setup.budget.progress(self.position.step, self._now + self._reserve)

    def _out_of_patience(self) -> bool:
        patience = self._training.patience
        return patience is not None and self.position.stale >= patience

    def _step(self) -> None:
        training, step = self._training, self.position.step
        batch = self._setup.batching.batch(step)
        # Dropout draws by seed and step, so that a resumed run draws the same.
        self._network.dropout.generator.manual_seed((training.seed * 1_000_003 + step) % 2**63)
        self._optimizer.zero_grad(set_to_none=True)
        *figures, carried = self._backward(batch)
        loss, correct = self._team.add_up(self._network, *figures)
        norm = clip_gradients(self._network, training.grad_clip or math.inf)
        if not math.isfinite(loss) or not math.isfinite(norm):
            self._rescue(f"the loss was {loss:g}, the gradient's norm {norm:g}")
            return
        rate = learning_rate(training, step, self._progress()) * self.position.rate_scale
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._average.update(step + 1, rate / training.learning_rate)
        self._carried = carried
        self._count(batch, loss, round(correct), rate=rate, norm=norm)

    def _backward(self, batch: Batch) -> tuple[Tensor, Tensor, NetworkState]:
        """This process's part of the gradient, of the mean loss and of the likeliest."""
        share = self._team.share(batch)
        loss, correct, carried = loss_of(self._network, share, self._carried, self._device)
        if not share.num_targets:
            # The padding at the end of an epoch; the mean of nothing is not a number.
            return torch.zeros_like(loss), correct, carried
        loss = loss * (share.num_targets / batch.num_targets)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), correct, carried

    def _count(self, batch: Batch, loss: float, correct: int, *, rate: float, norm: float) -> None:
        score = batch_score(loss, correct, batch, self._setup.text.tokenizer)
        self._recent += score
        self._newest = (rate, norm)
        self.position = dataclasses.replace(
            self.position,
            step=self.position.step + 1,
            chars_seen=self.position.chars_seen + score.num_characters,
        )
        seconds = self._setup.clock.seconds()
        # Often enough to watch, rare enough that a run of hours has a log of thousands of lines.
        if seconds - self._recent_since >= max(_LOG_SECONDS, seconds / 1000):
            self._report_steps()

    def _report_steps(self) -> None:
        """Report the mean over the steps since the last report, if there were any."""
        if not self._recent.num_characters:
            return
        seconds, (rate, norm) = self._setup.clock.seconds(), self._newest
        self._setup.observer.stepped(
            StepMetrics(
                step=self.position.step,
                seconds=seconds,
                progress=self._progress(),
                train_bits_per_char=self._recent.bits_per_char,
                accuracy=self._recent.accuracy,
                learning_rate=rate,
                grad_norm=norm,
                chars_per_second=self._recent.num_characters
                / max(seconds - self._recent_since, 1e-9),
                epoch=self.position.step / self._setup.batching.steps_per_epoch,
            )
        )
        self._start_counting()

    def _start_counting(self) -> None:
        self._recent = NOTHING
        self._newest = (0.0, 0.0)
        self._recent_since = self._setup.clock.seconds()

    def _pass_milestones(self) -> None:
        progress = self._progress()
        due = int(progress * MILESTONES)
        if due <= self._passed:
            return
        self._passed = due
        too_slow = self._validation_seconds > _VALIDATION_SHARE * self._now
        if self._setup.budget.seconds is None or progress >= 1 or not too_slow:
            self._milestone()
        else:
            with self._average.applied():
                if self._is_sound(None):
                    self._team.lead(lambda: self._show_sample(self._model_file()))
            self._agree()

    def _milestone(self) -> None:
        """Look at the averaged weights, and save where the run stands."""
        # Beside each figure of the held-out text there is one of the training text.
        self._report_steps()
        with self._average.applied():
            is_sound = self._validate()
        if is_sound:
            self._good = self._save_state()
            self._take_place()
            self._start_counting()
        else:
            self._rescue("the weights or the validation had no sensible value any more")

    def _take_place(self) -> None:
        """Let a run that replaces another do so, now that it has a model of its own."""
        if self._is_aside and self.position.step > 0:
            self._team.lead(self._setup.folder.take_place)
            self._is_aside = False

    def _validate(self) -> bool:
        """Validate, keep the model if it is the best, show what it writes; whether it is sound."""
        score, took, num_batches = self._team.lead(self._score_held_out)
        self._validation_seconds += took
        self._reserve = took + _CLOSING_SECONDS
        bits = score.bits_per_char if score.num_characters else None
        if not self._is_sound(bits):
            return False
        best_bits = self.position.best_bits
        best = bits is None or best_bits is None or bits < best_bits
        self._agree()
        self.position = dataclasses.replace(
            self.position,
            seconds=self._now,
            best_bits=bits if best else best_bits,
            stale=0 if best else self.position.stale + 1,
            validation_batches=num_batches,
        )
        accuracy = None if bits is None else score.accuracy
        self._team.lead(partial(self._publish, bits, accuracy, best=best))
        return True

    def _score_held_out(self) -> tuple[Score, float, int]:
        """The score, the seconds it took, and the batches it read: as many each time."""
        started, seconds = time.monotonic(), self._setup.budget.seconds
        batches = self._setup.batching.validation()
        if self.position.validation_batches is not None:
            batches = itertools.islice(batches, self.position.validation_batches)
        elif seconds is not None:
            batches = affordable(batches, _ONE_VALIDATION_SHARE * seconds)
        score, num_batches = score_network(
            self._network, batches, self._setup.text.tokenizer, self._device
        )
        return score, time.monotonic() - started, num_batches

    def _publish(self, bits: float | None, accuracy: float | None, *, best: bool) -> None:
        """Tell of a validation, keep the model if it is the best, show what it writes."""
        self._setup.observer.validated(
            ValidationMetrics(
                step=self.position.step,
                seconds=self.position.seconds,
                progress=self._progress(),
                val_bits_per_char=bits,
                val_accuracy=accuracy,
                best=best,
            )
        )
        model = self._model_file()
        if best:
            model.save(self._setup.folder.model)
        self._show_sample(model)

    def _show_sample(self, model: ModelFile) -> None:
        step = self.position.step
        self._setup.observer.sampled(step, self._setup.sampler(model, step))

    def _is_sound(self, bits: float | None) -> bool:
        weights = self._network.state_dict().values()
        # The comparison is false for NaN, too.
        return (bits is None or math.isfinite(bits)) and all(
            bool((weight.abs() < _LARGEST_WEIGHT).all()) for weight in weights
        )

    def _save_now_and_then(self) -> None:
        since = self._now - self.position.seconds
        if since > _SAVE_SECONDS and self._is_sound(None):
            if self._is_aside:
                self._milestone()
            else:
                self._save_state()

    def _save_state(self) -> Checkpoint:
        metrics_bytes, samples_bytes = self._team.lead(self._setup.log.sizes)
        self._agree()
        self.position = dataclasses.replace(
            self.position,
            seconds=self._now,
            metrics_bytes=metrics_bytes,
            samples_bytes=samples_bytes,
        )
        carried = self._team.whole(self._carried)
        saved = checkpoint.capture(
            self.position, self._network, self._optimizer, self._average, carried
        )
        self._team.lead(partial(checkpoint.write, saved, self._setup.folder.last))
        self._agree()
        return saved

    def _rescue(self, reason: str) -> None:
        """Go back to the last good state with half the learning rate."""
        scale, rescues = self.position.rate_scale / 2, self.position.rescues + 1
        if self._good is None or rescues > MAX_RESCUES:
            raise self._team.told_once(
                DivergedError(
                    f"Training diverged at step {self.position.step}: {reason}. {rescues - 1} "
                    f"times it was taken back with half the learning rate. {self._what_is_left()} "
                    "Try a smaller --learning-rate."
                )
            )
        self._setup.observer.noted(
            f"At step {self.position.step} {reason}: back to step {self._good.position.step} with "
            f"{scale:g} of the learning rate."
        )
        self._go_to(self._good)
        self.position = dataclasses.replace(self.position, rate_scale=scale, rescues=rescues)

    def _go_to(self, saved: Checkpoint) -> None:
        carried = checkpoint.restore(
            saved, self._network, self._optimizer, self._average, self._setup.batching.rows
        )
        self._carried = self._team.own(carried)
        self.position = saved.position
        self._passed = int(self._progress() * MILESTONES)
        self._start_counting()

    def _model_file(self) -> ModelFile:
        weights = {
            name: tensor.cpu().numpy() for name, tensor in self._network.state_dict().items()
        }
        facts = self._setup.text.facts
        provenance = Provenance(
            text_fingerprint=facts.fingerprint,
            num_characters=facts.num_characters,
            cut_characters=facts.cut_characters,
            sealed_characters=facts.sealed_characters,
            batching=self._setup.config.data.batching,
            val_bits_per_char=self.position.best_bits,
            steps=self.position.step,
            chars_seen=self.position.chars_seen,
            seconds=self.position.seconds,
            seed=self._training.seed,
            burble_version=__version__,
        )
        return ModelFile(
            self._setup.config.network,
            self._setup.text.tokenizer,
            weights,
            self._setup.text.normalization,
            provenance,
        )

    def _what_is_left(self) -> str:
        folder = self._setup.folder
        if self._is_aside:
            return f"The run in {folder.path}/ that it was to replace is as it was."
        return f"{folder.model} is the best model before that."

    def _how_to_resume(self) -> str:
        if self._is_aside:
            return f"Stopped before the first save of the new run. {self._what_is_left()}"
        return (
            f"Stopped at step {self.position.step}; everything is saved. Go on with: "
            f"burble train --resume {self._setup.folder.path}"
        )
