"""The whole state of a run, in memory and on disk, so that it can go back or go on.

Every random choice is a function of seed and step, so the step stands for all of them: the data
cursor, the dropout masks, the samples.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from burble.durable import remove_litter, write_durably
from burble.errors import ModelFileError, UsageError
from burble.mapping import from_mapping, to_mapping
from burble.run_folder import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from burble.training.average import WeightAverage
    from burble.training.network import Network, NetworkState

# What torch's AdamW keeps of each parameter, once it has made a step.
ADAM_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Position:
    """Where a run stands, in numbers."""

    step: int = 0
    seconds: float = 0.0
    chars_seen: int = 0
    best_bits: float | None = None
    stale: int = 0
    """Validations since the best one."""

    validation_batches: int | None = None
    """Of the held-out text, those that each validation reads; None before the first."""

    rate_scale: float = 1.0
    """Halved at each rescue from numbers that were not finite."""

    rescues: int = 0
    metrics_bytes: int = 0
    samples_bytes: int = 0
    """Lengths of the logs."""


@dataclass(frozen=True)
class Checkpoint:
    """Copies of everything that a step changes."""

    position: Position
    tensors: dict[str, Tensor]


class _Tensors(dict[str, "Tensor"]):
    """The tensors of a checkpoint, by name."""

    def __missing__(self, name: str) -> Tensor:
        raise ModelFileError(
            f"The run cannot be resumed: what was saved of it lacks {name}, perhaps since another "
            "version of burble wrote it. Its model can still be used; to go on learning, train "
            "again."
        )


def capture(
    position: Position,
    network: Network,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage,
    carried: NetworkState,
) -> Checkpoint:
    """Copy the state of a run."""
    tensors = {f"average.{name}": tensor for name, tensor in average.state().items()}
    tensors |= {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        for key, moment in optimizer.state[parameter].items():
            tensors[f"optimizer.{key}.{name}"] = moment
    for depth, layer in enumerate(carried):
        for place, part in enumerate(layer):
            tensors[f"carried.{depth}.{place}"] = part
    return Checkpoint(position, {name: tensor.detach().clone() for name, tensor in tensors.items()})


def restore(
    checkpoint: Checkpoint,
    network: Network,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage,
    rows: int,
) -> NetworkState:
    """Put a run back where `checkpoint` was taken; returns the carried state.

    Raises `ModelFileError` where the checkpoint lacks something that this run needs.
    """
    tensors = _Tensors(checkpoint.tensors)
    network.load_state_dict(
        {name: tensors[f"network.{name}"] for name in network.state_dict()}, strict=True
    )
    average.load({name: tensors[f"average.{name}"] for name in average.state()})
    for name, parameter in network.named_parameters():
        optimizer.state[parameter] = {
            key: tensors[f"optimizer.{key}.{name}"].clone()
            for key in ADAM_MOMENTS
            if f"optimizer.{key}.{name}" in tensors
        }
    return tuple(
        tuple(tensors[f"carried.{depth}.{place}"].clone() for place in range(len(layer)))
        for depth, layer in enumerate(network.start(rows))
    )


def write(checkpoint: Checkpoint, folder: Path) -> None:
    """Write to disk: the tensors under a new name, then the manifest that points to them."""
    from safetensors.torch import save

    folder.mkdir(exist_ok=True)
    name = f"state-{checkpoint.position.step}-{time.time_ns()}.safetensors"
    tensors = {key: tensor.cpu().contiguous() for key, tensor in checkpoint.tensors.items()}
    write_durably(folder / name, save(tensors))
    manifest = {"file": name, "position": to_mapping(checkpoint.position)}
    write_durably(folder / MANIFEST, json.dumps(manifest, indent=1).encode())
    for old in folder.glob("state-*.safetensors"):
        if old.name != name:
            old.unlink()
    remove_litter(folder)


def read(folder: Path) -> Checkpoint:
    """Read what `write` left. Raises `ModelFileError` where it is missing or broken."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        position = from_mapping(Position, manifest["position"], "position")
        tensors = load((folder / manifest["file"]).read_bytes())
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, UsageError) as error:
        raise ModelFileError(
            f"The run cannot be resumed: {folder} is missing or broken ({error}). The model beside "
            "it can still be used; to go on learning, train again."
        ) from error
    return Checkpoint(position, tensors)
