"""Going a given distance along a given direction, without asking the network: controls along noises."""

from __future__ import annotations

import torch

HALVINGS = 40
"""Of the factor on the direction: the distance is met to the last bits of a sample."""


def displaced(start: torch.Tensor, direction: torch.Tensor, distance: float, bounds: tuple[float, float] = (-1.0, 1.0)) -> torch.Tensor:
    """``start`` moved along ``direction`` (its shape, not zero) to a root mean square ``distance``.

    What clipping to ``bounds`` takes away is made up for by a larger factor, up to a thousand, where even that does not reach it.
    """
    exact, way = start.double(), direction.double()
    way = way * (distance / way.square().mean().sqrt())

    def moved(factor: float) -> torch.Tensor:
        return (exact + factor * way).clamp(*bounds)

    low, high = 0.0, 1.0
    while high < 1000 and (moved(high) - exact).square().mean().sqrt() < distance:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if (moved(middle) - exact).square().mean().sqrt() > distance else (middle, high)
    return moved(high).to(start.dtype)
