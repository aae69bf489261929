"""Noise that nobody hears: under the threshold beside a sound, and below 20 Hz."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

from aesdream.hearing.bank import LOWEST_HEARD, bank
from aesdream.hearing.thresholds import IN_QUIET, power_of

MARGIN = 10.0
"""dB below the threshold: what is shaped in one cell is heard a little in its neighbours, and of noise one cell in a hundred is 7 dB above the
mean."""
RAMP = 0.1
"""Seconds over which noise rises and falls at the ends; cut off it would be a click."""


def quiet_noise(limits: NDArray[np.floating], samples: int, rate: int, drawn: np.random.Generator) -> NDArray[np.float32]:
    """Noise (..., samples) that lies ``MARGIN`` dB under ``limits`` (..., bands, frames), the ``threshold`` of a sound as long, taken from three
    frames the lowest, and infrasound as far under the threshold in quiet at 20 Hz."""
    bands, level = bank(samples, rate, 1, torch.float32), 10 ** (-MARGIN / 10)
    wanted = torch.from_numpy(level * minimum_filter1d(limits.astype(np.float32), 3, axis=-1))
    white = torch.from_numpy(drawn.standard_normal((*limits.shape[:-2], samples), dtype=np.float32))
    shaped = bands.shaped(white, lambda power: torch.where(power > 0, (wanted / power).sqrt(), 0), below=0.0)
    edge = np.minimum(np.arange(samples), np.arange(samples)[::-1]) / (RAMP * rate)
    infrasound = _infrasound(white, rate, math.sqrt(level * power_of(IN_QUIET[0])))
    return np.asarray((shaped.numpy() + infrasound) * np.sin(np.pi / 2 * np.minimum(edge, 1)) ** 2, np.float32)


def _infrasound(white: torch.Tensor, rate: int, rms: float) -> NDArray[np.float32]:
    """What white noise (..., samples) has under 20 Hz, at a level of its own."""
    samples = white.shape[-1]
    spectrum = torch.fft.rfft(white)
    below = int(np.searchsorted(np.fft.rfftfreq(samples, 1 / rate), LOWEST_HEARD))
    spectrum[..., below:] = 0
    return np.asarray(torch.fft.irfft(spectrum, n=samples).numpy() * rms / math.sqrt(max(1, 2 * below - 1) / samples))
