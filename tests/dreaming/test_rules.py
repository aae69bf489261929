from __future__ import annotations

import pytest
import torch

from aesdream.dreaming.rules import RULES, multipliers

SIZES = {
    "std": lambda step: step.std(correction=0),
    "max": lambda step: step.abs().max(),
    "mean": lambda step: step.abs().mean(),
    "norm": lambda step: step.norm(),
}


def gradients(scale: float = 1.0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    drawn = torch.Generator().manual_seed(4)
    return ((torch.randn(3, 2, 5000, generator=drawn, dtype=torch.float64) + 2) * torch.tensor([1e-3, 1.0, 50.0])[:, None, None] * scale).to(dtype)


@pytest.mark.parametrize("rule", SIZES)
def test_a_step_has_the_size_that_its_rule_promises(rule: str):
    gradient = gradients()
    for one, factor in zip(gradient, multipliers(rule, 0.002, gradient), strict=True):
        assert float(SIZES[rule](one * factor)) == pytest.approx(0.002, rel=1e-9)


def test_the_plain_step_is_the_gradient_times_the_step():
    assert torch.equal(multipliers("plain", 0.3, gradients()), torch.full((3,), 0.3, dtype=torch.float64))


@pytest.mark.parametrize("rule", SIZES)
@pytest.mark.parametrize("scale", [1e-15, 1e12])
def test_the_scale_of_the_gradient_does_not_matter(rule: str, scale: float):
    gradient = gradients(scale, torch.float32)
    for one, factor in zip(gradient, multipliers(rule, 0.002, gradient), strict=True):
        assert float(SIZES[rule](one.double() * factor.double())) == pytest.approx(0.002, rel=1e-5)


@pytest.mark.parametrize("rule", RULES)
def test_a_zero_gradient_is_a_zero_step_beside_others(rule: str):
    gradient = gradients()
    gradient[1] = 0
    factors = multipliers(rule, 0.002, gradient)
    assert torch.isfinite(factors).all()
    assert not (gradient[1] * factors[1]).any()
    assert factors[0] > 0
    assert factors[2] > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("value", [1e-12, 0.37, -8e6, 1 / 3])
@pytest.mark.parametrize("samples", [1, 5000, 480_000])
def test_a_gradient_that_is_one_number_has_no_deviation_and_is_a_zero_step(value: float, samples: int, dtype: torch.dtype):
    assert multipliers("std", 0.002, torch.full((1, 2, samples), value, dtype=dtype)).tolist() == [0]


@pytest.mark.parametrize("rule", SIZES)
def test_the_size_holds_for_a_sound_of_the_thesis_length_in_single_precision(rule: str):
    gradient = torch.randn(1, 2, 480_000, generator=torch.Generator().manual_seed(4)) * 1e-3 + 3e-3
    assert float(SIZES[rule](gradient.double() * multipliers(rule, 0.002, gradient).double())) == pytest.approx(0.002, rel=1e-5)


@pytest.mark.parametrize("rule", SIZES)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_gives_no_number(rule: str, value: float):
    gradient = gradients()
    gradient[0, 1, 7] = value
    assert torch.isnan(multipliers(rule, 0.002, gradient)).tolist() == [True, False, False]


@pytest.mark.parametrize("rule", RULES)
def test_sounds_are_scaled_each_by_itself(rule: str):
    gradient = gradients()
    together = multipliers(rule, 0.01, gradient)
    for one, factor in zip(gradient, together, strict=True):
        assert float(multipliers(rule, 0.01, one[None])[0]) == pytest.approx(float(factor), rel=1e-12)


def test_a_spectrogram_is_scaled_like_a_waveform():
    gradient = gradients()
    assert torch.equal(multipliers("std", 0.01, gradient.view(3, 2, 50, 100)), multipliers("std", 0.01, gradient))


@pytest.mark.parametrize("rule", RULES)
def test_the_place_in_a_batch_does_not_change_a_bit(rule: str):
    gradient = torch.randn(4, 2, 50_001, generator=torch.Generator().manual_seed(4))
    gradient[3] = gradient[0]
    factors = multipliers(rule, 0.002, gradient)
    assert factors[0] == factors[3]
    assert torch.equal(multipliers(rule, 0.002, gradient.flip(0)), factors.flip(0))
