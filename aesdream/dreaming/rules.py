"""How a gradient becomes a step: every rule moves each sound along its own gradient and only chooses how far.

``plain`` is the thesis's (its step size is stated nowhere), ``std`` the notebook's that it cites, ``mean`` the image original's, ``max`` Audio
DeepDream's option.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Measure = Callable[[torch.Tensor], torch.Tensor]

RULES: dict[str, Measure] = {
    "plain": lambda gradient: torch.ones(len(gradient), dtype=gradient.dtype, device=gradient.device),
    "std": lambda gradient: gradient.std(dim=1, correction=0),
    "max": lambda gradient: gradient.abs().amax(dim=1),
    "mean": lambda gradient: gradient.abs().mean(dim=1),
    "norm": lambda gradient: torch.linalg.vector_norm(gradient, dim=1),
}
"""What each rule divides the gradient (batch, values) by, a number a sound."""


def multipliers(rule: str, step: float, gradient: torch.Tensor) -> torch.Tensor:
    """The factor (batch,) by which each sound's gradient (batch, ...) becomes its step; 0 where the gradient is zero, never NaN."""
    flat = gradient.flatten(1)
    size = RULES[rule](flat)
    return torch.where(size > 0, step / size.clamp_min(torch.finfo(size.dtype).tiny), torch.zeros_like(size))
