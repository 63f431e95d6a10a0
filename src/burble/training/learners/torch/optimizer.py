"""Clip gradients and update weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from burble.config import TrainingConfig
    from burble.training.learners.torch.network import Network


def clip_gradients(network: Network, limit: float) -> float:
    """Scale the gradient down to the norm `limit` (Pascanu et al. 2013). Return the norm before.

    Most gradients are short enough and are only measured. That takes half the time of torch's own
    function, which multiplies them by 1.
    """
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients])
    norm = float(torch.linalg.vector_norm(norms))
    if norm > limit:
        torch._foreach_mul_(gradients, limit / norm)
    return norm


def adamw(network: Network, config: TrainingConfig) -> torch.optim.AdamW:
    """Return an AdamW optimizer (Loshchilov and Hutter 2019). Only matrices decay, not biases."""
    matrices = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in network.parameters() if parameter.ndim == 1]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": config.weight_decay},
            {"params": biases, "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.epsilon,
        fused=True,
    )
