"""The rules of synthetic composers as judges that can be dreamed: their values, their slopes, and how far they lead."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aesdream.dreaming import dream
from aesdream.dreaming.determinants import Rule
from aesdream.sounds.composers import COMPOSERS, determinants

RATE = 16000


def sounds(seed: int = 0, seconds: float = 1.3) -> torch.Tensor:
    """Noise in bursts, tones and rumble, of which each channel has its own share."""
    drawn, count = np.random.default_rng(seed), round(seconds * RATE)
    times = np.arange(count) / RATE
    tones = sum(drawn.uniform(0.1, 1) * np.sin(2 * np.pi * drawn.uniform(50, 5000) * times) for _ in range(6))
    bursts = drawn.standard_normal(count) * (np.sin(2 * np.pi * drawn.uniform(2, 9) * times) > 0.3)
    mixed = np.stack([share * tones + (1 - share) * bursts for share in drawn.uniform(0.2, 0.8, 2)]) + 0.1
    return torch.from_numpy((0.2 * mixed / np.abs(mixed).max()).astype(np.float32))


@pytest.mark.parametrize("composer", COMPOSERS)
def test_a_rule_says_what_its_composer_measures(composer: str) -> None:
    heard = torch.stack([sounds(seed) for seed in range(4)])
    told = [determinants(sound.numpy(), RATE)[composer] for sound in heard]
    said = Rule(composer, RATE)(heard.double())
    assert said[:, 1].tolist() == pytest.approx(told, rel=1e-5)
    assert torch.equal(said[:, 0], -said[:, 1])


@pytest.mark.parametrize("composer", COMPOSERS)
def test_the_slope_of_a_rule_is_that_of_finite_differences(composer: str) -> None:
    heard = sounds(1)[None].double().requires_grad_()
    rule = Rule(composer, RATE)
    (slope,) = torch.autograd.grad(rule(heard)[0, 1], heard)
    assert torch.isfinite(slope).all()
    way = slope / slope.norm()
    step = 1e-9 * float(heard.detach().norm())
    with torch.no_grad():
        differences = float(rule(heard + step * way)[0, 1] - rule(heard - step * way)[0, 1]) / (2 * step)
    assert differences == pytest.approx(float(slope.norm()), rel=0.02)


@pytest.mark.parametrize("composer", COMPOSERS)
def test_a_dream_of_a_rule_moves_its_measure_more_than_noise_as_loud(composer: str) -> None:
    start = sounds(2)
    away = 0.03 * float(start.square().mean().sqrt())
    found = dream(Rule(composer, RATE), "said", [1, 0], start, side="margin", steps=40, step=away / 8, stop_rms=away)
    before = determinants(start.numpy(), RATE)[composer]
    up, down = (determinants(sound.numpy(), RATE)[composer] - before for sound in found.sounds)
    noise = away * torch.randn(start.shape, generator=torch.Generator().manual_seed(0))
    by_noise = abs(determinants((start + noise).numpy(), RATE)[composer] - before)
    assert up > 2 * by_noise
    assert down < -2 * by_noise


@pytest.mark.parametrize("composer", COMPOSERS)
def test_the_slope_of_a_rule_holds_in_directions_of_its_own_and_at_both_halves_of_a_sound(composer: str) -> None:
    heard = sounds(1)[None].double().requires_grad_()
    rule = Rule(composer, RATE)
    (slope,) = torch.autograd.grad(rule(heard)[0, 1], heard)
    drawn = torch.Generator().manual_seed(0)
    halves = torch.arange(heard.shape[-1]) < heard.shape[-1] // 2
    for mask in (halves, ~halves):
        way = torch.randn(heard.shape, generator=drawn, dtype=torch.float64) * mask
        way = way + slope * mask / slope.norm() * way.norm()  # noise alone is nearly at right angles to any slope
        step = 1e-9 * float(heard.detach().norm() / way.norm())
        with torch.no_grad():
            differences = float(rule(heard + step * way)[0, 1] - rule(heard - step * way)[0, 1]) / (2 * step)
        assert differences == pytest.approx(float((slope * way).sum()), rel=0.05)


@pytest.mark.parametrize("composer", COMPOSERS)
def test_of_silence_and_of_what_nobody_hears_a_rule_says_what_its_measure_says(composer: str) -> None:
    heard = torch.stack([torch.zeros(2, RATE), torch.full((2, RATE), 0.3)]).requires_grad_()
    said = Rule(composer, RATE)(heard)
    assert said[:, 1].tolist() == [determinants(sound.numpy(), RATE)[composer] for sound in heard.detach()] == [0, 0]
    (slope,) = torch.autograd.grad(said[:, 1].sum(), heard)
    assert torch.isfinite(slope).all()


def test_rules_are_told_from_each_other_by_their_form() -> None:
    assert len({repr(Rule(composer, rate)) for composer in COMPOSERS for rate in (16000, 44100)}) == 2 * len(COMPOSERS)
