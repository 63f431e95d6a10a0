"""`Run`: plan, train or resume a run in a folder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burble.capacity import num_weights
from burble.data.prepare import describe_changed_sources, prepare_to_learn
from burble.errors import OptionError, UsageError
from burble.run_folder.folder import RunFolder
from burble.run_folder.log import RunLog
from burble.run_folder.observer import Observer, Observers, RunFacts
from burble.shell import burble_line
from burble.system_errors import guard_write
from burble.text.sources import check_sources
from burble.training.budget import Budget, Clock
from burble.training.holding import hold_folder, hold_new_folder
from burble.training.learners.choice import describe_change
from burble.training.learners.registry import (
    choose_learner,
    describe_lack,
    find_resume_options,
    open_backend,
)
from burble.training.loop import Loop
from burble.training.plan import Steps, make_plan
from burble.training.recent import RecentFigures
from burble.training.rescue import Rescue
from burble.training.signals import StopSignals
from burble.training.start import make_batching, start_again, start_fresh
from burble.training.store import Store
from burble.training.validation import Validation
from burble.training.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from burble.config import RunConfig, SampleConfig
    from burble.data.prepared import PreparedText
    from burble.training.learner import Backend
    from burble.training.learners.choice import Choice
    from burble.training.plan import Plan
    from burble.training.request import RunRequest
    from burble.training.start import Start
    from burble.training.store import Sampler
    from burble.training.team import Team

    MakeSampler = Callable[[SampleConfig, PreparedText], Sampler]

# The options that may change when a run is resumed. The others define the run.
RESUMABLE = {"minutes", "epochs", "steps", "patience", "threads", "learner", "precision"}


@dataclass(frozen=True)
class TrainResult:
    """The result of a finished run."""

    model: str | None  # path of the model file; None if the run kept no folder
    val_bits_per_char: float | None
    val_nats_per_char: float | None
    steps: int
    chars_seen: int
    seconds: float
    parameters: int
    seed: int
    rescues: int = 0
    """How often it diverged and went back with half the learning rate."""

    diagnosis: str | None = None
    """How the run went and what to do, in plain words."""

    test_bits_per_char: float | None = None
    """The figure of the saved model on the sealed part of the text, None if nothing was sealed."""

    test_nats_per_char: float | None = None


@dataclass(frozen=True)
class Run:
    """A run in the folder `path`.

    torchrun starts one in each process. Only process 0 returns: the others exit after training.
    """

    path: Path
    make_sampler: MakeSampler
    """Returns a function that lets a model write a sample."""

    measure: Callable[[TrainResult, Path], TrainResult]
    """Adds the figures of the finished model to the result."""

    observers: Sequence[Observer] = ()
    started: float | None = None
    """time.monotonic() when the user's command started; None counts from the start of training."""

    def plan(self, request: RunRequest) -> Plan:
        """Prepare the text in the folder, measure the machine, and return the plan."""
        asked = request.resolve()
        choice = choose_learner(asked.training)
        config = asked.with_options(choice.options())
        with open_backend(choice) as backend:
            self._note_lack(choice)
            text = prepare_to_learn(config, RunFolder(self.path).data, self._message)
            return _plan(config, request.left_to_plan, text, backend)

    def train(self, request: RunRequest, *, overwrite: bool = False) -> TrainResult:
        """Train a new run. `overwrite` replaces a run that is already in the folder.

        Raises `UsageError` if the folder or the options cannot be used, `TextError` for the text,
        `DivergedError` or `TrainingInterruptedError` if training does not finish.
        """
        with guard_write(self.path):
            return self.measure(self._train(request, overwrite=overwrite), self.path)

    def _train(self, request: RunRequest, *, overwrite: bool) -> TrainResult:
        folder, asked = RunFolder(self.path), request.resolve()
        # Before there is a folder for the run, which may be called as a source that is missing.
        check_sources(asked.sources)
        choice = choose_learner(asked.training)
        chosen = asked.with_options(choice.options())
        with (
            StopSignals() as signals,
            open_backend(choice) as backend,
            hold_new_folder(backend.team, folder),
        ):

            def prepare() -> tuple[RunConfig, bool]:
                if folder.open_new(overwrite=overwrite):
                    self._message(f"The run in {self.path}/ had made no step yet. It starts over.")
                self._note_lack(choice)
                config = self._prepare(chosen, request.left_to_plan, folder, backend)
                folder.begin(config)
                return config, folder.is_aside

            config, folder.is_aside = backend.team.run_on_leader(prepare)
            watch = Watch(Clock(started=self.started), signals, backend.team)
            return self._learn(start_fresh(config, folder), folder, backend, watch)

    def _prepare(
        self, config: RunConfig, names: frozenset[str], folder: RunFolder, backend: Backend
    ) -> RunConfig:
        """Prepare the text in the folder, and return the configuration with every option decided.

        names: the options that a plan decides.
        """
        text = prepare_to_learn(config, folder.data, self._message)
        backend.team.check_rows(make_batching(config, text).rows)
        if names:
            plan = _plan(config, names, text, backend)
            self._message(plan.line())
            return plan.config
        if config.training.precision == "auto":
            config, _ = backend.measure(config, text.tokenizer.vocab_size)
        return config

    def resume(self, changes: Mapping[str, Any]) -> TrainResult:
        """Continue the run. `changes` are options among `RESUMABLE`.

        Raises the errors of `train`, and `ModelFileError` if the saved state cannot be used.
        """
        _check_changes(changes, self.path)
        with guard_write(self.path):
            return self.measure(self._resume(changes), self.path)

    def _resume(self, changes: Mapping[str, Any]) -> TrainResult:
        folder = RunFolder(self.path)
        # The processes of a team connect by their device, so the configuration is read first.
        recorded = folder.read_config()
        options = find_resume_options(recorded.training, changes)
        choice = choose_learner(recorded.with_options(options).training)
        with (
            StopSignals() as signals,
            open_backend(choice) as backend,
            hold_folder(backend.team, self.path),
        ):
            was_dropped = backend.team.run_on_leader(folder.recover)
            recorded = folder.read_config()
            config = recorded.with_options({**options, **choice.options()})
            start = start_again(config, folder)
            backend.team.run_on_leader(lambda: _check_budget(changes, self.path, start))
            backend.team.run_on_leader(lambda: folder.write_config(start.config))
            watch = Watch(Clock(start.position.seconds, self.started), signals, backend.team)
            self._note_what_differs(start, recorded, backend.team, was_dropped=was_dropped)
            return self._learn(start, folder, backend, watch)

    def _message(self, text: str) -> None:
        Observers(self.observers).message(text)

    def _note_lack(self, choice: Choice) -> None:
        for lack in describe_lack(choice):
            self._message(lack)

    def _note_what_differs(
        self, start: Start, recorded: RunConfig, team: Team, *, was_dropped: bool
    ) -> None:
        if not team.leads:
            return
        if was_dropped:
            self._message(
                f"A new run in {self.path}/ was stopped before its first save. The older run, "
                "which it would have replaced, continues."
            )
        change = describe_change(recorded.training, start.config.training)
        if change is not None and start.position.step:
            self._message(change)
        changed = describe_changed_sources(start.config, start.text)
        if changed is not None:
            self._message(
                f"{changed} since this run started. The run continues with its own copy of the "
                "old text. To learn the new text, start a new run."
            )

    def _learn(
        self, start: Start, folder: RunFolder, backend: Backend, watch: Watch
    ) -> TrainResult:
        team, log = backend.team, RunLog(folder)
        team.check_rows(start.batching.rows)
        observer = Observers([log, *self.observers]) if team.leads else Observer()
        sampler = self.make_sampler(start.config.sample, start.text)
        store = Store(start.config, start.text, folder, log, observer, sampler, team)
        loop = _make_loop(start, backend, store, watch)
        facts = _collect_facts(start, self.path)
        try:
            observer.started(facts)
            watch.signals.is_learning = True
            with team.reporting_once():
                position = loop.run()
        finally:
            observer.finished()
        if store.is_aside:
            raise UsageError(
                "The budget was used up before the first step, so the old run in "
                f"{self.path}/ was kept. Use more minutes."
            )
        team.finish()
        bits = position.best_bits
        return TrainResult(
            model=str(folder.model),
            val_bits_per_char=bits,
            val_nats_per_char=None if bits is None else bits * math.log(2),
            steps=position.step,
            chars_seen=position.chars_seen,
            seconds=watch.clock.seconds(),
            parameters=facts.num_parameters,
            seed=start.config.training.seed,
            rescues=position.rescues,
        )


def _make_loop(start: Start, backend: Backend, store: Store, watch: Watch) -> Loop:
    training, batching = start.config.training, start.batching
    tokenizer, observer = start.text.tokenizer, store.observer
    budget = Budget.from_config(training, batching.steps_per_epoch)
    validation = Validation(batching, tokenizer, budget, store.team)
    recent = RecentFigures(observer, watch.clock, tokenizer, batching.steps_per_epoch)
    rescue = Rescue(observer, store, start.saved)
    learner = start.build_learner(backend)
    parts = (learner, budget, validation, recent, rescue, store, watch)
    loop = Loop(training, batching, *parts, start.position)
    if start.saved is not None:
        loop.restore(start.saved)
        store.restore_logs(start.saved)
    return loop


def _plan(config: RunConfig, names: frozenset[str], text: PreparedText, backend: Backend) -> Plan:
    vocab_size = text.tokenizer.vocab_size
    config, speed = backend.measure(config, vocab_size)
    steps = Steps.of(make_batching(config, text), config.data.seq_len)
    return make_plan(config, names, steps, vocab_size, speed)


def _collect_facts(start: Start, path: Path) -> RunFacts:
    return RunFacts(
        start.config,
        path,
        start.text,
        num_weights(start.config.network, start.text.tokenizer.vocab_size),
        start.batching.rows,
        start.batching.steps_per_epoch,
        start.batching.note,
        None if start.saved is None else start.saved.position.step,
    )


def _check_changes(changes: Mapping[str, Any], path: Path) -> None:
    if "sources" in changes:
        resume = burble_line("train", "--resume", path)
        anew = burble_line("train", *map(str, changes["sources"]), "-o", "FOLDER")
        raise UsageError(
            f"The run in {path}/ began with another text, and is resumed with that one only.",
            "Resume it without a text, or learn the other one in another folder.",
            f"Resume it without a text ({resume}), or learn the other one anew: {anew}",
        )
    if fixed := sorted(changes.keys() - RESUMABLE):
        raise OptionError(
            f"cannot be changed in a run that is resumed: only {', '.join(sorted(RESUMABLE))} can. "
            "Leave it out, or train anew.",
            *fixed,
        )
    if changes.get("precision") == "auto":
        raise UsageError(
            "A run is resumed in the precision it has, in float32 or in bfloat16. Leave precision "
            "out."
        )


def _check_budget(changes: Mapping[str, Any], path: Path, start: Start) -> None:
    position = start.position
    used = {
        "minutes": position.seconds / 60,
        "epochs": position.step / start.batching.steps_per_epoch,
        "steps": position.step,
    }
    for name, amount in used.items():
        if changes.get(name) is not None and changes[name] < amount:
            raise OptionError(
                f"must be at least {amount:g}, which the run in {path}/ has used already; found "
                f"{changes[name]:g}. Give more than that, and it learns on.",
                name,
            )
