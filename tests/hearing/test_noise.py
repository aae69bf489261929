"""Noise that nobody hears is noise, and nobody hears it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from aesdream.dreaming.anatomy import share_below
from aesdream.hearing import audibility, quiet_noise, threshold
from tests.hearing.sounds import RATE, SAMPLES, SILENCE, noise, tone


def gated(sound: np.ndarray) -> np.ndarray:
    return sound * (np.arange(sound.shape[1]) // 3000 % 2)


STARTS = {
    "silence": SILENCE,
    "tone": tone(440, 80),
    "noise": noise(70, channels=2),
    "gated tone": gated(tone(440, 80, channels=2)),
    "gated noise": gated(noise(70)),
}


@pytest.mark.parametrize("name", STARTS)
def test_the_noise_lies_under_the_threshold_beside_its_sound(name: str) -> None:
    start = STARTS[name]
    found = quiet_noise(threshold(start, RATE), SAMPLES, RATE, np.random.default_rng(3))
    assert found.shape == start.shape
    assert found.dtype == np.float32
    told = audibility(found, start, RATE)
    assert told["share_audible"] is not None
    assert told["share_audible"] < 0.002
    # What little is over the threshold is heard alone no more than some dB.
    assert told["above_db"] is None or told["above_db"] < 6
    share = share_below(found, RATE)
    assert share is not None
    assert share > 0.5


@pytest.mark.parametrize(("samples", "rate"), [(1, 8000), (700, 8000), (5000, 44100), (300, 30)])
def test_any_length_and_rate_has_its_noise(samples: int, rate: int) -> None:
    start = np.random.default_rng(1).standard_normal((2, samples)) * 0.1
    found = quiet_noise(threshold(start, rate), samples, rate, np.random.default_rng(3))
    assert found.shape == start.shape
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 0.4


def test_louder_sounds_hide_more_where_they_are_and_the_same_draw_is_the_same_noise() -> None:
    soft, loud = (quiet_noise(threshold(tone(1000, level), RATE), SAMPLES, RATE, np.random.default_rng(5)) for level in (50, 90))
    hertz, one = welch(soft[0], RATE, nperseg=4096)
    _, other = welch(loud[0], RATE, nperseg=4096)
    near, far = (hertz > 900) & (hertz < 1200), hertz > 8000
    assert 10 * np.log10(other[near].mean() / one[near].mean()) == pytest.approx(40, abs=8)
    assert 10 * np.log10(other[far].mean() / one[far].mean()) == pytest.approx(0, abs=1)
    again = quiet_noise(threshold(tone(1000, 50), RATE), SAMPLES, RATE, np.random.default_rng(5))
    np.testing.assert_array_equal(soft, again)
