"""Dreams that follow the running mean of their gradients: what a bend does to them, and that nothing changes where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from aesdream.dreaming import Dreams, dream
from aesdream.dreaming.climb import Climb
from aesdream.errors import UserError
from tests.dreaming.networks import lively, noise
from tests.dreaming.test_keeping import Ended, ended_after

START = torch.tensor([[0.0, 0.001]])


class Ridge(nn.Module):
    """(batch, 1, 2) -> along the first sample it rises gently, away from zero of the second it falls steeply: the way up is narrow."""

    def __init__(self) -> None:
        super().__init__()
        self.said = nn.Identity()

    def forward(self, place: torch.Tensor) -> torch.Tensor:
        said: torch.Tensor = self.said((place[:, 0, :1] - 20 * place[:, 0, 1:].abs()).expand(-1, 2))
        return said


def test_where_gradients_turn_to_and_fro_momentum_climbs_farther() -> None:
    plain, steady = (dream(Ridge(), "said", [0, 1], START, side="pre", step=0.01, steps=60, momentum=momentum) for momentum in (0.0, 0.9))
    assert (steady.sounds[:, 0, 0] > 3 * plain.sounds[:, 0, 0]).all()


def test_where_the_gradient_is_the_same_everywhere_momentum_changes_nothing() -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(40, 3))
    plain, steady = (dream(linear, "1", [0, 1, 2], noise(shape=(1, 40)), side="pre", steps=10, momentum=momentum) for momentum in (0.0, 0.9))
    assert torch.allclose(plain.sounds, steady.sounds, atol=1e-6)


class Plateau(nn.Module):
    """(batch, 1, 2) -> the first sample, but no more than a hundredth: beyond it there is no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.said = nn.Identity()

    def forward(self, place: torch.Tensor) -> torch.Tensor:
        said: torch.Tensor = self.said(place[:, 0, :1].clamp(max=0.01).expand(-1, 2))
        return said


def test_where_the_gradient_ends_a_dream_stands_still_with_momentum_too() -> None:
    plain, steady = (dream(Plateau(), "said", [0, 1], START, side="pre", step=0.004, steps=60, momentum=momentum) for momentum in (0.0, 0.9))
    assert (plain.sounds[:, 0, 0] > 0.01).all()
    assert torch.allclose(plain.sounds, steady.sounds)


def test_every_dream_has_a_momentum_of_its_own() -> None:
    whole = dream(lively(), "conv3", [0, 1, 2, 3], noise(), side="pre", steps=8, momentum=0.9)
    parts = [dream(lively(), "conv3", targets, noise(), side="pre", steps=8, momentum=0.9) for targets in ([0, 1], [2, 3])]
    assert torch.allclose(whole.sounds, torch.cat([part.sounds for part in parts]), atol=1e-6)
    assert whole.coefficients is None


def test_a_steady_batch_that_was_ended_goes_on_to_its_bits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def one(kept: Path | None) -> Dreams:
        return dream(lively(), "conv3", [0, 1, 2], noise(), side="pre", steps=12, stop_rms=0.02, momentum=0.9, kept=kept, every=0.0)

    wanted = one(None)
    with monkeypatch.context() as patch:
        ended_after(patch, 5)
        with pytest.raises(Ended):
            one(tmp_path / "batch.pt")
    begun: list[int] = []
    restore = Climb.restore
    monkeypatch.setattr(Climb, "restore", lambda self, state: (restore(self, state), begun.append(len(self.trace))))
    found = one(tmp_path / "batch.pt")
    assert begun == [5]
    assert torch.equal(found.sounds, wanted.sounds)


@pytest.mark.parametrize("momentum", [1.0, -0.1])
def test_momentum_that_is_none_is_refused(momentum: float) -> None:
    with pytest.raises(UserError, match=r"momentum: .* must be from 0 to less than 1"):
        dream(lively(), "conv3", [0, 1], noise(), steps=2, momentum=momentum)


@pytest.mark.parametrize("distance", [0.0, -0.1, float("nan")])
def test_a_distance_that_is_none_is_refused(distance: float) -> None:
    with pytest.raises(UserError, match=r"stop_rms: .* must be above zero"):
        dream(lively(), "conv3", [0, 1], noise(), steps=2, stop_rms=distance)
