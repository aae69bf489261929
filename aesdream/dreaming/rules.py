"""How a gradient becomes a step: every rule moves each sound along its own gradient and only chooses how far.

``plain`` is the thesis's (its step size is stated nowhere), ``std`` the notebook's that it cites, ``mean`` the image original's, ``max`` Audio
DeepDream's option.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Measure = Callable[[torch.Tensor], torch.Tensor]
BLOCK = 4096
"""Values that are added up in their own precision; what blocks hold is added in double. A single sum of a sound's million values in single
precision is off by a thousandth, and a deviation beside a large mean by far more."""
CONSTANT = 256
"""A variance below this many roundings of the squared mean is none: the gradient is one number."""


def _sums(gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums (batch,) of the values (batch, n) and of their squares, in double."""
    whole = gradient.shape[1] // BLOCK * BLOCK
    parts = (gradient[:, :whole].reshape(len(gradient), whole // BLOCK, BLOCK), gradient[:, None, whole:])
    plain = sum((part.sum(2).double().sum(1) for part in parts), start=torch.zeros((), dtype=torch.float64, device=gradient.device))
    squares = sum((torch.linalg.vector_norm(part, dim=2).double().square().sum(1) for part in parts), start=torch.zeros_like(plain))
    return plain, squares


def _one(plain: torch.Tensor, squares: torch.Tensor, count: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.ones_like(squares).to(dtype)


def _norm(plain: torch.Tensor, squares: torch.Tensor, count: int, dtype: torch.dtype) -> torch.Tensor:
    return squares.sqrt().to(dtype)


def _deviation(plain: torch.Tensor, squares: torch.Tensor, count: int, dtype: torch.dtype) -> torch.Tensor:
    variance = squares / count - (plain / count).square()
    rounding = CONSTANT * torch.finfo(dtype).eps * squares / count
    return torch.where(variance <= rounding, 0, variance).sqrt().to(dtype)


SIZES_FROM_SUMS = {"plain": _one, "norm": _norm, "std": _deviation}
"""The rules whose size (batch,) follows from the sum of a gradient's values, the sum of their squares (both in double), and their count."""


def _from_sums(rule: str) -> Measure:
    return lambda gradient: SIZES_FROM_SUMS[rule](*_sums(gradient), gradient.shape[1], gradient.dtype)


RULES: dict[str, Measure] = {
    "plain": _from_sums("plain"),
    "std": _from_sums("std"),
    "max": lambda gradient: gradient.abs().amax(dim=1),
    "mean": lambda gradient: gradient.abs().mean(dim=1),
    "norm": _from_sums("norm"),
}
"""What each rule divides the gradient (batch, values) by, a number a sound."""


def multipliers(rule: str, step: float, gradient: torch.Tensor) -> torch.Tensor:
    """The factor (batch,) by which each sound's gradient (batch, ...) becomes its step; 0 where the gradient is zero, NaN where it is not finite."""
    return scaled(step, RULES[rule](gradient.flatten(1)))


def scaled(step: float, size: torch.Tensor) -> torch.Tensor:
    """``step`` divided by a rule's size (batch,); 0 where that is zero, NaN where it is not finite."""
    factors = torch.where(size > 0, step / size.clamp_min(torch.finfo(size.dtype).tiny), torch.zeros_like(size))
    return torch.where(torch.isfinite(size), factors, torch.nan)
