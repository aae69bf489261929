from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.signal import welch

from aesdream.dreaming.anatomy import anatomy, modulation, peakiness, power_spectrum, segments, share_below

RATE = 8000
TIME = np.arange(4 * RATE) / RATE


def white(seed: int = 1, samples: int = 4 * RATE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2, samples))


def sine(hertz: float) -> np.ndarray:
    return np.stack([np.sin(2 * np.pi * hertz * TIME)] * 2)


@pytest.mark.parametrize("rate", [400, 1000])
def test_white_noise_has_the_share_under_20_hz_of_its_bandwidth(rate: int):
    assert share_below(white(samples=200_000), rate) == pytest.approx(20 / (rate / 2), rel=0.05)


@pytest.mark.parametrize(("hertz", "share"), [(5, 1.0), (19, 1.0), (21, 0.0), (300, 0.0)])
def test_a_sine_lies_wholly_on_its_side_of_20_hz(hertz: float, share: float):
    assert share_below(sine(hertz), RATE) == pytest.approx(share, abs=1e-9)


def test_a_mixture_has_the_share_of_its_energies_and_channels_count_alike():
    mixed = np.stack([3 * sine(10)[0], sine(100)[0]])
    assert share_below(mixed, RATE) == pytest.approx(0.9, abs=1e-9)
    assert share_below(mixed[::-1], RATE) == pytest.approx(0.9, abs=1e-9)


def test_the_power_spectrum_keeps_the_energy():
    frequencies, power = power_spectrum(white(), RATE)
    both_sides = 2 * power.sum() - power[0] - power[-1]
    assert both_sides / white().shape[1] == pytest.approx((white() ** 2).sum())
    assert frequencies[-1] == RATE / 2


def test_silence_has_no_share_and_no_peak():
    silence = np.zeros((2, RATE))
    assert share_below(silence, RATE) is None
    assert peakiness(silence, RATE) is None
    assert not segments(silence, RATE).any()
    assert not modulation(silence, RATE)[1].any()


def test_a_sine_is_far_peakier_than_noise_and_level_does_not_matter():
    noisy, tonal = peakiness(white(), RATE), peakiness(sine(440), RATE)
    assert 0 < noisy < 6
    assert tonal > 15
    assert peakiness(1e-4 * sine(440), RATE) == pytest.approx(tonal, abs=1e-6)
    both = peakiness(sine(440) + white(), RATE)
    assert noisy < both < tonal


def test_infrasound_is_no_peak():
    assert peakiness(white() + 100 * sine(5), RATE) == pytest.approx(peakiness(white(), RATE), abs=0.01)


@pytest.mark.parametrize("hertz", [2, 4, 8])
def test_a_tone_that_swells_peaks_at_the_rate_of_its_swelling(hertz: float):
    frequencies, share = modulation((1 + 0.8 * np.sin(2 * np.pi * hertz * TIME)) * sine(440), RATE)
    assert frequencies[share.argmax()] == pytest.approx(hertz, abs=0.01)
    assert share[np.abs(frequencies - hertz) < 0.6].sum() > 0.95
    assert share.sum() == pytest.approx(1)
    assert frequencies.min() > 0
    assert frequencies.max() <= 20


def test_white_noise_is_modulated_everywhere():
    frequencies, share = modulation(white(samples=60 * RATE), RATE)
    slow, fast = share[frequencies <= 10].sum(), share[frequencies > 10].sum()
    assert slow == pytest.approx(fast, abs=0.1)


@pytest.mark.parametrize("sound", [sine(400), 0.3 * sine(1000), np.full((2, RATE), 0.3), np.full((2, RATE), 0.1, np.float32)])
def test_a_steady_sound_has_no_modulation(sound: np.ndarray):
    assert not modulation(sound, RATE)[1].any()


def test_segments_are_the_root_mean_square_of_every_tenth_of_a_second():
    step = np.zeros((2, RATE + 123))
    step[0, RATE // 2 :] = 0.6
    step[1, RATE // 2 :] = -0.8
    assert segments(step, RATE) == pytest.approx([0] * 5 + [np.sqrt(0.5)] * 5)


def test_a_segment_in_which_half_is_loud():
    sound = np.zeros((1, RATE // 10))
    sound[0, : RATE // 20] = 1
    assert segments(sound, RATE) == pytest.approx([np.sqrt(0.5)])


def test_the_modulation_of_noise_agrees_with_an_independent_estimate():
    swell = 1 + 0.5 * np.sin(2 * np.pi * 6 * TIME)
    sound = swell * white()
    envelope = np.sqrt((sound**2).reshape(2, -1, 80).mean((0, 2)))
    hertz, power = welch(envelope - envelope.mean(), 100, nperseg=200)
    frequencies, share = modulation(sound, RATE)
    assert frequencies[share.argmax()] == pytest.approx(hertz[power.argmax()], abs=0.5)


def test_a_dream_is_measured_against_its_start():
    start = 0.2 * sine(300)
    dream = (start + 0.1 * sine(4)).astype(np.float32)
    dream[:, 0] = 1
    found = anatomy(dream, start.astype(np.float32), RATE)
    assert found["rms_from_start"] == pytest.approx(0.1 / np.sqrt(2), rel=0.01)
    assert found["peak"] == 1
    assert found["share_clipped"] == pytest.approx(1 / len(TIME))
    assert found["share_under_20hz"] > 0.99
    assert len(found["change"]["energy_100ms"]) == 40
    assert len(found["change"]["modulation"]["hertz"]) == len(found["change"]["modulation"]["share"])
    assert found["change"]["start_peakiness"] > 15
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_dream_that_did_not_move_is_measured_too():
    start = 0.2 * sine(300)
    found = anatomy(start, start, RATE)
    assert found["rms_from_start"] == 0
    assert found["share_under_20hz"] is None
    assert found["change"]["peakiness"] is None
    json.dumps(found, allow_nan=False)
