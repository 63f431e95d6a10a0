"""A training run from its configuration: text, batches, network, loop, result."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from burble.data.prepare import prepare_to_learn
from burble.data.prepared import PreparedText
from burble.data.registry import BATCHINGS
from burble.errors import ModelFileError, UsageError
from burble.model_file import ModelFile
from burble.training import checkpoint
from burble.training.budget import Budget, Clock
from burble.training.checkpoint import read_manifest
from burble.training.device import find_device, settle_device
from burble.training.distributed import Team, open_team
from burble.training.layout import Layout
from burble.training.machine import check_precision, settle_precision
from burble.training.network import Network
from burble.training.observer import Observer, Observers, RunFacts
from burble.training.plan import PLANNED, Steps, make_plan
from burble.training.run_folder import RunFolder, RunLog
from burble.training.trainer import Setup, Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from burble.config import RunConfig, SampleConfig
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
    diagnosis: str | None = None
    """What became of the run, in plain words."""


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
    with open_team(config.training.device) as team:
        observer = _observer(team, folder, observers)
        begin = partial(_begin, config, folder, team, given, observer=observer, overwrite=overwrite)
        config = team.lead(begin)
        clock = Clock(started=started)
        result = _run(
            config, folder, clock, team=team, observer=observer, make_sampler=make_sampler
        )
        team.dismiss()
    return result


def _begin(
    config: RunConfig,
    folder: RunFolder,
    team: Team,
    given: AbstractSet[str] | None,
    *,
    observer: Observer,
    overwrite: bool,
) -> RunConfig:
    """Prepare the text and the folder; returns the configuration with all knobs set."""
    folder.check_free(overwrite=overwrite)
    path, was_there = folder.path, folder.path.exists()
    try:
        text = prepare_to_learn(config, folder.staging, observer.noted)
        batching = BATCHINGS[config.data.batching](text, config.data, config.training.seed)
        team.check(batching.rows)
        if given is not None and not given >= PLANNED:
            plan = plan_run(config, given, text, team.size)
            config = plan.config
            observer.noted(plan.line())
        elif config.training.precision == "auto":
            config, _ = _measured(config, text, team.size)
        folder.begin(config)
    finally:
        # What could not be read leaves no trace.
        shutil.rmtree(folder.staging, ignore_errors=True)
        if not was_there and not folder.config.exists():
            shutil.rmtree(path, ignore_errors=True)
    return config


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
    config = settle_device(folder.read_config().with_options(changes))
    with open_team(config.training.device) as team:
        clock = Clock(read_manifest(folder.last).position.seconds, started)
        observer = _observer(team, folder, observers)
        result = _run(
            config,
            folder,
            clock,
            team=team,
            observer=observer,
            make_sampler=make_sampler,
            resumed=True,
        )
        team.dismiss()
    return result


def _observer(team: Team, folder: RunFolder, observers: list[Observer]) -> Observer:
    return Observers([RunLog(folder), *observers]) if team.leads else Observer()


def _run(
    config: RunConfig,
    folder: RunFolder,
    clock: Clock,
    *,
    team: Team,
    observer: Observer,
    make_sampler: MakeSampler,
    resumed: bool = False,
) -> TrainResult:
    # All that is in the folder is checked before a network is built, or anything is written there.
    _use_threads(config)
    text = PreparedText.load(folder.data)
    batching = BATCHINGS[config.data.batching](text, config.data, config.training.seed)
    team.check(batching.rows)
    saved = _read_state(config, folder, text, batching.rows) if resumed else None
    network = _build_network(config, text)
    team.join(network)
    setup = Setup(
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
    trainer = Trainer(setup)
    if saved is not None:
        team.lead(partial(folder.write_config, config))
        trainer.resume(saved)
    try:
        observer.started(_facts(setup, saved))
        position = trainer.run()
    finally:
        observer.finished()
    bits = position.best_bits
    return TrainResult(
        model=str(folder.model),
        val_bits_per_char=bits,
        val_nats_per_char=None if bits is None else bits * math.log(2),
        steps=position.step,
        chars_seen=position.chars_seen,
        seconds=clock.seconds(),
        parameters=_num_parameters(setup.network),
        seed=config.training.seed,
    )


def _read_state(config: RunConfig, folder: RunFolder, text: PreparedText, rows: int) -> Checkpoint:
    """Read where the run was left, and check that its model is of the same network and text."""
    saved = checkpoint.read(folder.last, Layout(config, text.tokenizer.vocab_size, rows))
    if folder.model.exists():
        model = ModelFile.load(folder.model)
        if model.network != config.network or not text.is_of(model.tokenizer):
            raise ModelFileError(
                f"{folder.model} is not of this run: its network or its tokens are others. Move "
                "it away to go on with the run."
            )
    return saved


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
