"""Sounds at known levels for the tests of hearing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aesdream.hearing.thresholds import FULL_SCALE

RATE, SAMPLES = 24000, 24000


def tone(hertz: float, level: float, rate: int = RATE, samples: int = SAMPLES, channels: int = 1) -> npt.NDArray[np.float64]:
    """A steady tone (channels, samples) at a level in dB SPL, with ramps of 50 ms, so that it does not click."""
    time = np.arange(samples) / rate
    ramp = np.minimum(1, np.minimum(time, time[::-1]) / 0.05)
    sound = 2**0.5 * 10 ** ((level - FULL_SCALE) / 20) * np.sin(2 * np.pi * hertz * time) * np.sin(np.pi / 2 * ramp) ** 2
    return np.tile(sound, (channels, 1))


def noise(level: float, seed: int = 0, samples: int = SAMPLES, channels: int = 1) -> npt.NDArray[np.float64]:
    """White noise (channels, samples) at a level in dB SPL."""
    return np.random.default_rng(seed).standard_normal((channels, samples)) * 10 ** ((level - FULL_SCALE) / 20)


SILENCE = np.zeros((1, SAMPLES))
