"""Going a given distance along a given direction: exactly so far, clipped or not, and never back."""

from __future__ import annotations

import pytest
import torch

from aesdream.dreaming.directions import displaced


def drawn(seed: int, size: float) -> torch.Tensor:
    return size * torch.randn((2, 4000), generator=torch.Generator().manual_seed(seed))


def far(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.double() - other.double()).square().mean().sqrt())


@pytest.mark.parametrize("loud", [0.1, 0.6])
def test_a_displaced_sound_is_as_far_as_asked_for_and_within_bounds(loud: float) -> None:
    start = drawn(1, loud).clamp(-1, 1)
    moved = displaced(start, drawn(2, 7.0), 0.05)
    assert far(moved, start) == pytest.approx(0.05, rel=1e-5)
    assert moved.abs().max() <= 1
    assert moved.dtype == start.dtype


def test_it_goes_along_its_direction_and_against_it_the_other_way() -> None:
    start, way = drawn(3, 0.1), drawn(4, 1.0)
    there, back = (displaced(start, sign * way, 0.01) - start for sign in (1, -1))
    torch.testing.assert_close(there, -back, atol=1e-6, rtol=0)
    torch.testing.assert_close(there, 0.01 * way / way.square().mean().sqrt(), atol=1e-6, rtol=0)


def test_a_start_that_cannot_be_moved_so_far_within_bounds_ends_as_far_as_it_can() -> None:
    start = torch.zeros(1, 100)
    assert far(displaced(start, torch.ones(1, 100), 3.0), start) == pytest.approx(1)
