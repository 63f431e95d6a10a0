"""`TorchLearner`: the learner that uses torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from burble.training.dropout import draw_masks
from burble.training.initial import initial_weights
from burble.training.layout import ADAM_MOMENTS
from burble.training.learner import LARGEST_WEIGHT, NO_TARGETS, BatchFigures, StepFigures
from burble.training.learners.torch.average import WeightAverage
from burble.training.learners.torch.device import find_device
from burble.training.learners.torch.loss import loss_of
from burble.training.learners.torch.network import Network
from burble.training.learners.torch.optimizer import adamw, clip_gradients
from burble.training.learners.torch.precision import check_precision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np
    from torch import Tensor

    from burble.config import RunConfig
    from burble.data.batch import Batch
    from burble.model_file import Weights
    from burble.training.learner import Arrays
    from burble.training.learners.torch.network import Masks, NetworkState
    from burble.training.learners.torch.processes import TorchTeam


class TorchLearner:
    """A network in torch, its optimizer, the average of its weights, and the carried state."""

    def __init__(self, config: RunConfig, vocab_size: int, rows: int, team: TorchTeam) -> None:
        self._config = config
        self._vocab_size = vocab_size
        self._device = find_device(config.training.device)
        check_precision(config, self._device)
        self._team = team
        self._rows = rows
        weights = initial_weights(config.network, vocab_size, config.training.seed)
        network = Network(config.network, weights, config.training.precision)
        self._network = network.to(self._device)
        self._optimizer = adamw(self._network, config.training)
        self._average = WeightAverage(self._network, config.training.averaging)
        self._carried = team.shard_state(self._network.start(rows))
        self._steps = 0

    def step(self, batch: Batch, rate: float, share: float) -> StepFigures:
        self._optimizer.zero_grad(set_to_none=True)
        *sums, carried = self._backward(batch)
        loss, correct = self._team.add_up(self._network, *sums)
        norm = clip_gradients(self._network, self._config.training.grad_clip or math.inf)
        figures = StepFigures(loss, round(correct), norm)
        if figures.is_finite:
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            self._optimizer.step()
            self._steps += 1
            self._average.update(self._steps, share)
            self._carried = carried
        return figures

    def _backward(self, batch: Batch) -> tuple[Tensor, Tensor, NetworkState]:
        """Return this process's part of the mean loss and of the correct targets, and its state."""
        own = self._team.shard(batch)
        masks = self._masks(*batch.inputs.shape)
        loss, correct, carried = loss_of(self._network, own, self._carried, self._device, masks)
        if not own.num_targets:
            # All rows are padding at the end of an epoch, and the mean of nothing would be NaN.
            return torch.zeros_like(loss), correct, carried
        loss = loss * (own.num_targets / batch.num_targets)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), correct, carried

    def _masks(self, time: int, rows: int) -> Masks:
        """Draw the dropout masks for all rows, and return this process's part."""
        every = draw_masks(self._config, self._vocab_size, self._steps, (time, rows))
        own = self._team.rows(rows)
        return tuple(
            None if mask is None else torch.from_numpy(mask[:, own]).to(self._device)
            for mask in every
        )

    def score(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, BatchFigures]]:
        state: NetworkState | None = None
        self._network.eval()
        try:
            with self._average.applied():
                for batch in batches:
                    if not batch.mask.any():
                        yield batch, NO_TARGETS
                        continue
                    state = state or self._network.start(batch.inputs.shape[1])
                    figures, state = self._score_one(batch, state)
                    yield batch, figures
        finally:
            self._network.train()

    @torch.no_grad()
    def _score_one(self, batch: Batch, state: NetworkState) -> tuple[BatchFigures, NetworkState]:
        loss, correct, state = loss_of(self._network, batch, state, self._device)
        return BatchFigures(loss.item(), int(correct.item())), state

    def averaged(self) -> Weights:
        with self._average.applied():
            return {name: _copy(tensor) for name, tensor in self._network.state_dict().items()}

    def is_sound(self) -> bool:
        every = [*self._network.state_dict().values(), *self._average.state().values()]
        # The comparison is false for NaN, too.
        return all(bool((weights.abs() < LARGEST_WEIGHT).all()) for weights in every)

    def state(self) -> Arrays:
        tensors = {f"average.{name}": tensor for name, tensor in self._average.state().items()}
        tensors |= {
            f"network.{name}": tensor for name, tensor in self._network.state_dict().items()
        }
        for name, parameter in self._network.named_parameters():
            for key, moment in self._optimizer.state[parameter].items():
                tensors[f"optimizer.{key}.{name}"] = moment
        for depth, layer in enumerate(self._team.gather(self._carried)):
            for place, part in enumerate(layer):
                tensors[f"carried.{depth}.{place}"] = part
        return {name: _copy(tensor) for name, tensor in tensors.items()}

    def restore(self, state: Mapping[str, np.ndarray[Any, Any]], steps: int) -> None:
        tensors = {name: torch.tensor(array, device=self._device) for name, array in state.items()}
        self._network.load_state_dict(
            {name: tensors[f"network.{name}"] for name in self._network.state_dict()}, strict=True
        )
        self._average.load({name: tensors[f"average.{name}"] for name in self._average.state()})
        for name, parameter in self._network.named_parameters():
            self._optimizer.state[parameter] = {
                key: tensors[f"optimizer.{key}.{name}"]
                for key in ADAM_MOMENTS
                if f"optimizer.{key}.{name}" in tensors
            }
        fresh = self._network.start(self._rows)
        carried = tuple(
            tuple(tensors[f"carried.{depth}.{place}"] for place in range(len(layer)))
            for depth, layer in enumerate(fresh)
        )
        self._carried = self._team.shard_state(carried)
        self._steps = steps


def _copy(tensor: Tensor) -> np.ndarray[Any, Any]:
    return tensor.detach().cpu().numpy().copy()
