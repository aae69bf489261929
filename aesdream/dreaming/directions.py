"""Where a dream might have gone without a gradient: as far from its start, along a noise."""

from __future__ import annotations

import numpy as np
import torch

HALVINGS = 40
"""Of the factor on the noise: the distance is met to the last bits of a sample."""


def displaced(
    start: torch.Tensor, drawn: np.random.Generator, distance: float, forward: bool, bounds: tuple[float, float] = (-1.0, 1.0)
) -> torch.Tensor:
    """``start`` (channels, samples) moved along white noise, or against it where not ``forward``, to a root mean square ``distance``.

    What clipping to ``bounds`` takes away is made up for by a larger factor; where even a thousand times the distance does not reach it, that is taken.
    """
    noise = torch.from_numpy(drawn.standard_normal(tuple(start.shape))).to(start.device)
    noise = (noise if forward else -noise) * (distance / noise.square().mean().sqrt())
    exact = start.double()

    def moved(factor: float) -> torch.Tensor:
        return (exact + factor * noise).clamp(*bounds)

    low, high = 0.0, 1.0
    while high < 1000 and (moved(high) - exact).square().mean().sqrt() < distance:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if (moved(middle) - exact).square().mean().sqrt() > distance else (middle, high)
    return moved(high).to(start.dtype)
