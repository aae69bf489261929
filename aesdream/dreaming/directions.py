"""Going a given distance along a given direction: where a step ends, and controls along noises, which ask no network."""

from __future__ import annotations

from collections.abc import Callable

import torch

CLOSE, SECANTS = 2.0**-40, 24
"""What may be lacking of a distance, as a part of it (in single precision half a millionth), and the most places that are looked at for that."""


def displaced(start: torch.Tensor, direction: torch.Tensor, distance: float, bounds: tuple[float, float] = (-1.0, 1.0)) -> torch.Tensor:
    """``start`` moved along ``direction`` (its shape, not zero) to a root mean square ``distance``.

    What clipping to ``bounds`` takes away is made up for by a larger factor, up to a thousand, where even that does not reach it.
    """
    exact, way = start.double(), direction.double()
    way = way * (distance / way.square().mean().sqrt())

    def moved(factor: float) -> torch.Tensor:
        return (exact + factor * way).clamp(*bounds)

    def beyond(factor: torch.Tensor) -> float:
        return float((moved(float(factor)) - exact).square().mean().sqrt()) - distance

    high = torch.ones((), dtype=torch.float64)
    while (above := beyond(high)) < 0 and high < 1000:
        high = 2 * high
    factor = crossing(beyond, high, above, CLOSE * distance) if above > 0 else high
    return moved(float(factor)).to(start.dtype)


def crossing(beyond: Callable[[torch.Tensor], float], end: torch.Tensor, above: float, close: float) -> torch.Tensor:
    """Where ``beyond``, not above zero at zero and ``above`` it at ``end``, comes to zero: the last place found that is not above it. By secants; an
    end that stays twice is believed half (Illinois). Along a step distances are nearly straight."""
    high, low = float(end), 0.0
    found = torch.zeros_like(end)
    below = missing = beyond(found)
    last = 0
    for _ in range(SECANTS):
        if missing >= -close:
            break
        place = end.new_tensor(min(max(high - above * (high - low) / (above - below), low), high))
        there = beyond(place)
        if there > 0:
            high, above, below, last = float(place), there, below / (2 if last > 0 else 1), 1
        else:
            low, below, above, last = float(place), there, above / (2 if last < 0 else 1), -1
            found, missing = place, there
    return found
