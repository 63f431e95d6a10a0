"""A training run from its configuration: text, batches, network, loop, result."""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from burble.data.prepare import changed_sources, prepare_to_learn
from burble.data.prepared import PreparedText
from burble.data.registry import BATCHINGS
from burble.errors import ModelFileError, UsageError
from burble.model_file import ModelFile
from burble.run_folder import RunFolder
from burble.run_lock import locked
from burble.system_errors import guard_write
from burble.training import checkpoint
from burble.training.budget import Budget, Clock
from burble.training.checkpoint import Position
from burble.training.device import find_device, settle_device
from burble.training.distributed import Team, open_team
from burble.training.layout import Layout
from burble.training.machine import check_precision, settle_precision
from burble.training.network import Network
from burble.training.observer import Observer, Observers, RunFacts
from burble.training.plan import PLANNED, Steps, make_plan
from burble.training.run_log import RunLog
from burble.training.trainer import Setup, Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from burble.config import RunConfig, SampleConfig
    from burble.data.batch import Batching
    from burble.training.checkpoint import Checkpoint
    from burble.training.plan import Plan

    Sampler = Callable[[ModelFile, int], str]
    MakeSampler = Callable[[SampleConfig, PreparedText], Sampler]

# What may be asked for anew when a run is resumed; the rest is the run.
RESUMABLE = {"minutes", "epochs", "steps", "patience", "threads", "precision"}


@dataclass(frozen=True)
class TrainResult:
    """What a finished run reports."""

    model: str
    val_bits_per_char: float | None
    val_nats_per_char: float | None
    steps: int
    chars_seen: int
    seconds: float
    parameters: int
    seed: int
    rescues: int = 0
    """How often it diverged, and was taken back with half the learning rate."""

    diagnosis: str | None = None
    """What became of the run, in plain words."""

    test_bits_per_char: float | None = None
    """Of the saved model on the sealed part of the text; None where nothing was sealed."""

    test_nats_per_char: float | None = None


def train(
    config: RunConfig,
    path: Path,
    *,
    observers: list[Observer],
    make_sampler: MakeSampler,
    given: AbstractSet[str] | None = None,
    overwrite: bool = False,
    started: float | None = None,
) -> TrainResult:
    """Train in the folder `path`.

    given: the knobs that were asked for; the plan sets the others. None: `config` is complete.
    started: on time.monotonic, when the user's wait began.

    Under torchrun only process 0 returns; the others leave when the run is learned.
    """
    folder = RunFolder(path)
    config = settle_device(config)
    with open_team(config.training.device) as team, _new_run(team, folder):
        observer = _observer(team, folder, observers)
        begin = partial(_begin, config, folder, team, given, observer=observer, overwrite=overwrite)
        config, folder.is_aside = team.lead(begin)
        clock, loaded = Clock(started=started), _load_text(config, folder, team)
        setup = _set_up(config, folder, clock, loaded, team, observer, make_sampler)
        result = _run(setup, None)
        team.dismiss()
    return result


@contextmanager
def _new_run(team: Team, folder: RunFolder) -> Iterator[None]:
    """Hold the folder of a new run; one that fails before it has a place leaves no trace."""
    is_new = team.lead(partial(_make_folder, folder.path))
    try:
        with _held(team, folder.path):
            try:
                yield
            finally:
                if team.leads:
                    folder.discard()
    finally:
        if is_new and team.leads:
            with suppress(OSError):  # it is not empty: the run is there
                folder.path.rmdir()


def _make_folder(path: Path) -> bool:
    """Make the folder where there is none; returns whether there was none."""
    is_new = not path.exists()
    RunFolder(path).check_plain()
    with guard_write(path):
        path.mkdir(parents=True, exist_ok=True)
    return is_new


@contextmanager
def _held(team: Team, path: Path) -> Iterator[None]:
    """Hold the lock of the folder, in the process that leads."""
    with ExitStack() as stack:
        team.lead(partial(stack.enter_context, locked(path)))
        yield


def _begin(
    config: RunConfig,
    folder: RunFolder,
    team: Team,
    given: AbstractSet[str] | None,
    *,
    observer: Observer,
    overwrite: bool,
) -> tuple[RunConfig, bool]:
    """Prepare the text and the folder; returns the configuration with all knobs set, and whether
    the run is written aside for now.
    """
    if folder.open_new(overwrite=overwrite):
        observer.noted(f"The run in {folder.path}/ had made no step yet: it starts over.")
    text = prepare_to_learn(config, folder.data, observer.noted)
    batching = BATCHINGS[config.data.batching](text, config.data, config.training.seed)
    team.check(batching.rows)
    if given is not None and not given >= PLANNED:
        plan = plan_run(config, given, text, team.size)
        config = plan.config
        observer.noted(plan.line())
    elif config.training.precision == "auto":
        config, _ = _measured(config, text, team.size)
    folder.begin(config)
    return config, folder.is_aside


def plan_run(
    config: RunConfig, given: AbstractSet[str], text: PreparedText, processes: int = 1
) -> Plan:
    """The plan for this text on this machine; `given` knobs stay as they are."""
    config, rate = _measured(settle_device(config), text, processes)
    batching = BATCHINGS[config.data.batching](text, config.data, config.training.seed)
    steps = Steps.of(batching, config.data)
    return make_plan(config, given, steps, text.tokenizer.vocab_size, rate)


def _measured(config: RunConfig, text: PreparedText, processes: int) -> tuple[RunConfig, float]:
    """The configuration with its precision decided, and floating-point operations a second."""
    _use_threads(config)
    # One process is timed with its share of a batch; the others are taken to be as fast.
    share = config.with_options({"batch_size": config.data.batch_size // processes})
    device = find_device(config.training.device)
    settled, rate = settle_precision(share, text.tokenizer.vocab_size, device)
    return config.with_options({"precision": settled.training.precision}), processes * rate


def resume(
    path: Path,
    changes: dict[str, Any],
    *,
    observers: list[Observer],
    make_sampler: MakeSampler,
    started: float | None = None,
) -> TrainResult:
    """Go on with the run in `path`; `changes` are options among `RESUMABLE`."""
    folder = RunFolder(path)
    if fixed := sorted(set(changes) - RESUMABLE):
        raise UsageError(
            f"A resumed run keeps its {', '.join(fixed)}. Only {', '.join(sorted(RESUMABLE))} can "
            "be changed; for another network, train anew."
        )
    if changes.get("precision") == "auto":
        raise UsageError("A run is resumed in the precision it has, in float32 or in bfloat16.")
    # Processes find each other by their device, so the configuration is read before that.
    with open_team(settle_device(folder.read_config()).training.device) as team, _held(team, path):
        was_dropped = team.lead(folder.settle)
        config = settle_device(folder.read_config().with_options(changes))
        text, batching = _load_text(config, folder, team)
        saved = _read_state(config, folder, text, batching.rows)
        position = saved.position if saved else Position()
        team.lead(partial(_check_resumable, changes, folder, position, batching))
        team.lead(partial(folder.write_config, config))
        clock = Clock(position.seconds, started)
        observer = _observer(team, folder, observers)
        if was_dropped:
            observer.noted(f"A run that was to replace {path}/ was stopped before its first save.")
        _note_what_differs(config, text, observer)
        setup = _set_up(config, folder, clock, (text, batching), team, observer, make_sampler)
        result = _run(setup, saved)
        team.dismiss()
    return result


def _load_text(config: RunConfig, folder: RunFolder, team: Team) -> tuple[PreparedText, Batching]:
    text = PreparedText.load(folder.data)
    batching = BATCHINGS[config.data.batching](text, config.data, config.training.seed)
    team.check(batching.rows)
    return text, batching


def _read_state(
    config: RunConfig, folder: RunFolder, text: PreparedText, rows: int
) -> Checkpoint | None:
    """Read where the run was left, and check that its model is of the same network and text; None
    where it has learned nothing yet.
    """
    if not folder.has_state() and not folder.has_learned():
        return None
    saved = checkpoint.read(folder.last, Layout(config, text.tokenizer.vocab_size, rows))
    if folder.model.exists():
        model = ModelFile.load(folder.model)
        if model.network != config.network or not text.is_of(model.tokenizer):
            raise ModelFileError(
                f"{folder.model} is not of this run: its network or its tokens are others. Move "
                "it away to go on with the run."
            )
    return saved


def _check_resumable(
    changes: dict[str, Any], folder: RunFolder, position: Position, batching: Batching
) -> None:
    """Raise `UsageError` where a budget that is given anew was used up before."""
    used = {
        "minutes": position.seconds / 60,
        "epochs": position.step / batching.steps_per_epoch,
        "steps": position.step,
    }
    for name, amount in used.items():
        if changes.get(name) is not None and changes[name] < amount:
            raise UsageError(
                f"The run in {folder.path}/ has used {amount:g} {name} already, so {name} must be "
                f"more than that; found {changes[name]:g}."
            )


def _note_what_differs(config: RunConfig, text: PreparedText, observer: Observer) -> None:
    changed = changed_sources(config, text)
    if changed is not None:
        observer.noted(
            f"{changed} since this run began. It continues with the text as it was then, of which "
            "it has a copy. To learn the new text, train anew."
        )


def _observer(team: Team, folder: RunFolder, observers: list[Observer]) -> Observer:
    return Observers([RunLog(folder), *observers]) if team.leads else Observer()


def _run(setup: Setup, saved: Checkpoint | None) -> TrainResult:
    folder, observer = setup.folder, setup.observer
    trainer = Trainer(setup)
    if saved is not None:
        trainer.resume(saved)
    try:
        observer.started(_facts(setup, saved))
        position = trainer.run()
    finally:
        observer.finished()
    if folder.is_aside:
        raise UsageError(
            "The budget was used up before the first step, so the run that is in "
            f"{folder.path}/ was kept. Give more minutes."
        )
    bits = position.best_bits
    return TrainResult(
        model=str(folder.model),
        val_bits_per_char=bits,
        val_nats_per_char=None if bits is None else bits * math.log(2),
        steps=position.step,
        chars_seen=position.chars_seen,
        seconds=setup.clock.seconds(),
        parameters=_num_parameters(setup.network),
        seed=setup.config.training.seed,
        rescues=position.rescues,
    )


def _set_up(
    config: RunConfig,
    folder: RunFolder,
    clock: Clock,
    loaded: tuple[PreparedText, Batching],
    team: Team,
    observer: Observer,
    make_sampler: MakeSampler,
) -> Setup:
    """Put together what the run is made of."""
    _use_threads(config)
    text, batching = loaded
    network = _build_network(config, text)
    team.join(network)
    return Setup(
        config,
        text,
        batching,
        network,
        folder,
        RunLog(folder),
        observer,
        make_sampler(config.sample, text),
        Budget.from_config(config.training, batching.steps_per_epoch),
        clock,
        team,
    )


def _facts(setup: Setup, saved: Checkpoint | None) -> RunFacts:
    return RunFacts(
        setup.config,
        setup.folder.path,
        setup.text,
        _num_parameters(setup.network),
        setup.batching.rows,
        setup.batching.steps_per_epoch,
        None if saved is None else saved.position.step,
    )


def _num_parameters(network: Network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _use_threads(config: RunConfig) -> None:
    if config.training.threads is not None:
        torch.set_num_threads(config.training.threads)


def _build_network(config: RunConfig, text: PreparedText) -> Network:
    device = find_device(config.training.device)
    check_precision(config, device)
    network = Network(
        config.network,
        text.tokenizer.vocab_size,
        dropout=config.training.dropout,
        input_dropout=config.training.input_dropout,
        locked_dropout=config.training.locked_dropout,
        precision=config.training.precision,
        generator=torch.Generator().manual_seed(config.training.seed),
    ).to(device)
    network.draw_from(torch.Generator(device))
    return network
