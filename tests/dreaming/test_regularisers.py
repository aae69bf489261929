"""What a regularised dream adds is what its regularisers say, whatever the rule, the start, the network and the batch."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from aesdream.dreaming import dream
from aesdream.dreaming.anatomy import share_below
from aesdream.dreaming.climb import Climb
from aesdream.dreaming.regularisers import PER_ERB, REGULARISERS, Ground, in_order, infrasound, masked
from aesdream.dreaming.rules import RULES
from aesdream.errors import UserError
from aesdream.hearing import audibility, bank, threshold
from aesdream.models.layers import Layer
from tests.dreaming.networks import SAMPLES, SETTINGS, lively, noise
from tests.hearing.sounds import RATE, tone
from tests.hearing.sounds import SAMPLES as SECOND

ALL = tuple(REGULARISERS)


class Matched(nn.Module):
    """(batch, channels, samples) -> the product with one template a class: its gradient is the template."""

    def __init__(self, *templates: np.ndarray) -> None:
        super().__init__()
        self.out = nn.Linear(templates[0].size, len(templates), bias=False, dtype=torch.float64)
        with torch.no_grad():
            self.out.weight.copy_(torch.from_numpy(np.stack([template.flatten() for template in templates])))

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        return self.out(sound.flatten(1))

    def layers(self) -> dict[str, Layer]:
        return {"class": Layer(self.out, torch.sigmoid, self.out.out_features)}


def added(template: np.ndarray, start: np.ndarray, *regularisers: str, **how: object) -> np.ndarray:
    """What a dream along a template adds to a start (channels, samples); one step, without bounds, if not said."""
    arguments = {"side": "pre", "rule": "norm", "step": 1.0, "steps": 1, "bounds": None, **how}
    found = dream(Matched(template), "class", [0], torch.from_numpy(start), regularisers=regularisers, sample_rate=RATE, **arguments)
    return found.sounds[0].numpy() - start


def slow(samples: int = SECOND) -> np.ndarray:
    """Mostly infrasound, and an offset."""
    time = np.arange(samples) / RATE
    return (np.sin(2 * np.pi * 3 * time) + 0.5 + 0.01 * np.sin(2 * np.pi * 700 * time))[None]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("bounds", [None, (-1.0, 1.0)])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_infrasound_adds_nothing_under_20_hertz_whatever_the_rule(rule: str, bounds: tuple[float, float] | None, momentum: float) -> None:
    step = 1e-4 if rule == "plain" and not momentum else 0.01
    change = added(slow(), 0.1 * tone(300, 80), "infrasound", rule=rule, step=step, steps=20, bounds=bounds, momentum=momentum)
    assert np.abs(change).max() > 1e-6
    share = share_below(change, RATE)
    assert share is not None
    assert share < 1e-12


def test_infrasound_is_an_orthogonal_projection() -> None:
    change = added(slow(), np.zeros((1, SECOND)), "infrasound", rule="plain", step=1.0)
    spectrum = np.fft.rfft(slow())
    spectrum[:, np.fft.rfftfreq(SECOND, 1 / RATE) < 20] = 0
    np.testing.assert_allclose(change, np.fft.irfft(spectrum, SECOND), atol=1e-12)


def test_clipping_brings_back_hardly_any_infrasound() -> None:
    start = 10 * tone(300, 74)  # of its samples a tenth are outside the bounds before, none after the first step
    start = start.clip(-0.98, 0.98)
    how = {"rule": "std", "step": 0.02, "steps": 8, "bounds": (-1.0, 1.0)}
    fast = added(slow(), start, "infrasound", **how)
    plain = added(slow(), start, **how)
    assert np.abs(fast + start).max() == 1
    share, without = share_below(fast, RATE), share_below(plain, RATE)
    assert share is not None
    assert without is not None
    assert share < 1e-2
    assert without > 0.5


def test_masked_goes_where_it_is_heard() -> None:
    start = tone(1000, 80)
    near, far = tone(1020, 60), tone(4000, 60)
    change = added(near + far, start, "masked", stop_rms=0.003)
    power = bank(SECOND, RATE).powers(torch.from_numpy(change))[0].mean(-1).numpy()
    centres = bank(SECOND, RATE).centres
    under, over = power[(centres > 850) & (centres < 1250)].sum(), power[(centres > 3500) & (centres < 4600)].sum()
    assert over > 100 * under  # of two equal tones
    assert over > 0.97 * power.sum()
    plain = added(near + far, start, stop_rms=0.003)
    shares = [audibility(one, start, RATE)["share_audible"] for one in (plain, change)]
    assert shares[0] == pytest.approx(0.5, abs=0.05)
    assert shares[1] is not None
    assert shares[1] > 0.99


def test_masked_leaves_alone_what_stands_far_over_the_threshold_and_takes_infrasound() -> None:
    drawn = np.random.default_rng(0).standard_normal((1, SECOND))
    silence = np.zeros((1, SECOND))
    loud = added(drawn, silence, "masked", rule="norm", step=1.0, stop_rms=0.5)
    plain = added(drawn, silence, rule="norm", step=1.0, stop_rms=0.5)
    assert float((loud * plain).sum() / np.linalg.norm(loud) / np.linalg.norm(plain)) > 0.99
    share = share_below(added(slow(), silence, "masked"), RATE)
    assert share is not None
    assert share < 1e-12


def test_what_masked_leaves_has_the_energy_for_which_it_was_weighed() -> None:
    start, rms = torch.from_numpy(tone(500, 70)), 0.004
    gradient = torch.from_numpy(np.random.default_rng(0).standard_normal((1, SECOND)) * np.linspace(1, 0, SECOND) ** 6)
    cells = bank(SECOND, RATE)
    ground = Ground(start[None], RATE, rms)
    without = infrasound(ground)
    gradient = without(gradient, 0)
    kept = masked(ground)(gradient, 0)
    # P / (P + T) of the change that has the wanted distance, found here by trying.
    power = cells.powers(gradient / gradient.abs().max()).numpy()
    limit = threshold(start.numpy(), RATE)
    low, high = -30.0, 30.0
    for _ in range(80):
        times = np.exp((low + high) / 2)
        share = times * power / (times * power + limit)
        level = (times * power * share**2).sum() / cells.frames * cells.size / SECOND
        low, high = (low, np.log(times)) if level > rms**2 else (np.log(times), high)
    expected = without(cells.shaped(gradient, lambda _: torch.from_numpy(share), below=0.0), 0)
    torch.testing.assert_close(kept, expected, rtol=1e-4, atol=1e-6)


def test_smooth_takes_peaks_inside_an_erb_down_and_keeps_its_energy_and_phase() -> None:
    fine = bank(SECOND, RATE, PER_ERB)
    uneven = torch.rand(1, len(fine.bins), 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 30
    drawn = torch.from_numpy(np.random.default_rng(0).standard_normal((1, SECOND)))
    template = fine.shaped(drawn, lambda power: 10 ** (uneven / 20) + 0 * power, below=1.0)
    change = torch.from_numpy(added(template.numpy(), np.zeros((1, SECOND)), "smooth", rule="plain", step=1.0))

    def levels(sound: torch.Tensor) -> np.ndarray:
        return 10 * np.log10(fine.powers(sound)[0, 4:-4].mean(-1).numpy())

    def roughness(sound: torch.Tensor) -> float:
        return float(np.abs(np.diff(levels(sound))).mean())

    assert roughness(change) < 0.6 * roughness(template)
    coarse = bank(SECOND, RATE)
    before, after = (coarse.powers(sound)[0, 3:-2].mean(-1) for sound in (template, change))
    assert float((10 * (after / before).log10()).abs().mean()) < 2
    # Every part keeps its phase, so what comes out points the way of what went in.
    assert float((template * change).sum() / template.norm() / change.norm()) > 0.8


def test_smooth_makes_no_noise_of_a_tone() -> None:
    template = tone(2000, 80)
    change = added(template, np.zeros((1, SECOND)), "smooth")
    spectrum = np.abs(np.fft.rfft(change[0])) ** 2
    hertz = np.fft.rfftfreq(SECOND, 1 / RATE)
    assert spectrum[np.abs(hertz - 2000) < 20].sum() > 0.99 * spectrum.sum()


HOSTILE = st.sampled_from(["noise", "silence", "constant", "click", "loud", "tiny"])


def hostile(kind: str, samples: int, channels: int) -> torch.Tensor:
    sound = torch.zeros(channels, samples, dtype=torch.float64)
    if kind == "click":
        sound[:, samples // 2] = 1
    elif kind != "silence":
        drawn = torch.randn(channels, samples, generator=torch.Generator().manual_seed(samples), dtype=torch.float64)
        sound = {"noise": 0.1 * drawn, "constant": sound + 0.7, "loud": drawn.clamp(-1, 1), "tiny": 1e-30 * drawn}[kind]
    return sound


@settings(max_examples=50, deadline=None)
@given(
    HOSTILE,
    HOSTILE,
    st.integers(1, 900),
    st.integers(1, 2),
    st.sampled_from([30, 100, 8000, 24000, 192000]),
    st.sampled_from([torch.float32, torch.float64]),
    st.sampled_from([names for count in (1, 2, 3) for names in combinations(ALL, count)]),
)
def test_any_gradient_beside_any_start_still_points_uphill(
    start: str, kind: str, samples: int, channels: int, rate: int, dtype: torch.dtype, names: tuple[str, ...]
) -> None:
    ground = Ground(hostile(start, samples, channels)[None].to(dtype), rate, 0.02)
    gradient = hostile(kind, samples, channels).to(dtype)
    found = gradient
    for name in in_order(names):
        before, found = found, REGULARISERS[name](ground)(found, 0)
        assert found.shape == gradient.shape
        assert found.dtype == dtype
        assert torch.isfinite(found).all()
        assert float((before * found).sum()) >= -1e-6 * float(before.norm()) * float(found.norm())
    assert float((gradient * found).sum()) >= -1e-6 * float(gradient.norm()) * float(found.norm())  # of all together


@pytest.mark.parametrize("name", ALL)
def test_a_gradient_scaled_is_a_step_scaled(name: str) -> None:
    ground = Ground(torch.from_numpy(tone(500, 70))[None], RATE, None)
    gradient = torch.from_numpy(np.random.default_rng(0).standard_normal((1, SECOND)))
    one = REGULARISERS[name](ground)(gradient, 0)
    torch.testing.assert_close(REGULARISERS[name](ground)(1e-12 * gradient, 0), 1e-12 * one, rtol=1e-6, atol=1e-18)


EVEN = SETTINGS.model_copy(update={"filters": (4, 8), "hidden": 8})


@pytest.mark.parametrize("stop_rms", [None, 0.02])
@pytest.mark.parametrize("names", [*[(name,) for name in ALL], ALL])
def test_what_a_regularised_dream_becomes_does_not_depend_on_whose_batch_it_is_in(names: tuple[str, ...], stop_rms: float | None) -> None:
    network, starts, targets = lively(settings=EVEN), [noise(seed) for seed in range(5)], [0, 1, 0, 1, 1]
    how = {"side": "pre", "steps": 6, "step": 0.01, "stop_rms": stop_rms, "regularisers": names, "sample_rate": 8000}
    together = dream(network, "class", targets, starts, **how)
    for order in ([4, 3, 2, 1, 0], [2, 2, 2, 0, 1]):
        other = dream(network, "class", [targets[i] for i in order], [starts[i] for i in order], **how)
        for place, row in enumerate(order):
            assert torch.equal(other.sounds[place], together.sounds[row])
            assert torch.equal(other.activation[place], together.activation[row])
    assert torch.equal(dream(network, "class", targets, starts, **how).sounds, together.sounds)


@pytest.mark.parametrize("names", [*[(name,) for name in ALL], ALL])
@pytest.mark.parametrize("level", [0.2, 0.9])
def test_a_distance_is_met_exactly_and_stood_at(names: tuple[str, ...], level: float) -> None:
    network, start = lively(dtype=torch.float64), noise(level=level, dtype=torch.float64)
    wanted = 0.03
    found = dream(
        network, "conv2", [0, 1, 2], start, side="pre", step=0.01, steps=40, stop_rms=wanted, regularisers=names, sample_rate=8000
    )  # fmt: skip
    assert (found.steps < 40).all()
    away = (found.sounds - start).square().flatten(1).mean(1).sqrt()
    torch.testing.assert_close(away, torch.full_like(away, wanted), rtol=1e-5, atol=0)
    for row in range(3):
        taken = int(found.steps[row])
        assert found.activation[row, taken] > found.activation[row, 0]
        assert len(set(found.activation[row, taken:].tolist())) == 1


def test_single_and_double_precision_agree() -> None:
    how = {"side": "pre", "steps": 5, "regularisers": ALL, "sample_rate": 8000, "step": 0.005}
    single, double = (dream(lively(dtype=dtype), "conv3", [0, 1], noise(dtype=dtype), **how) for dtype in (torch.float32, torch.float64))
    torch.testing.assert_close(single.sounds.double(), double.sounds, rtol=0, atol=2e-4)


def test_a_regularised_batch_that_was_ended_goes_on_to_its_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = {"side": "pre", "steps": 9, "regularisers": ALL, "sample_rate": 8000, "stop_rms": 0.05}
    wanted = dream(lively(), "conv3", [0, 1, 2], noise(), **how)
    step, calls = Climb.step, []

    def until(self: Climb, rule: str, size: float) -> None:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        step(self, rule, size)

    with monkeypatch.context() as patch:
        patch.setattr(Climb, "step", until)
        with pytest.raises(KeyboardInterrupt):
            dream(lively(), "conv3", [0, 1, 2], noise(), kept=tmp_path / "kept.pt", every=0.0, **how)
    found = dream(lively(), "conv3", [0, 1, 2], noise(), kept=tmp_path / "kept.pt", every=0.0, **how)
    assert torch.equal(found.sounds, wanted.sounds)
    assert torch.equal(found.activation, wanted.activation)


def test_what_no_regulariser_touches_has_coefficients_and_a_regularised_dream_has_none() -> None:
    plain = dream(lively(), "conv2", [0, 1], noise(), steps=2)
    kept = dream(lively(), "conv2", [0, 1], noise(), steps=2, regularisers=("smooth",), sample_rate=8000)
    assert plain.coefficients is not None
    assert kept.coefficients is None
    assert kept.sounds.shape == (2, 2, SAMPLES)


def test_where_nothing_can_be_heard_a_dream_stands_still() -> None:
    change = added(np.ones((1, SECOND)), np.zeros((1, SECOND)), "infrasound", rule="plain", step=1e-3, steps=3)
    assert np.abs(change).max() < 1e-12
    assert not added(np.zeros((1, SECOND)), np.zeros((1, SECOND)), *ALL).any()


@pytest.mark.parametrize(("names", "rate", "said"), [(("infra",), 8000, "smooth, masked, infrasound"), (("smooth",), None, "sample_rate")])
def test_what_is_wrong_is_said(names: tuple[str, ...], rate: int | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        dream(lively(), "conv2", [0, 1], noise(), steps=1, regularisers=names, sample_rate=rate)


def test_a_gradient_that_is_not_finite_is_an_error_as_ever() -> None:
    network = Matched(np.full((1, 500), np.inf))
    with pytest.raises(FloatingPointError):
        dream(network, "class", [0], torch.full((1, 500), 0.1).double(), side="pre", steps=1, regularisers=ALL, sample_rate=8000)
