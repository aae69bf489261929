"""How alike two sounds are to a coarse ear, so that of near-copies only one is kept.

A sound is looked at as a coarse spectrogram: the levels of 24 bands, equally wide on the ear's scale, in 12 equal parts of its length, in decibels
under its loudest cell. Gain, phase and what differs between channels change nothing, a shift of some milliseconds little; order in time counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.fft import next_fast_len, rfft
from scipy.signal.windows import hann

from aesdream.sounds.measures import erb_number

Samples = npt.NDArray[np.floating]
Cells = npt.NDArray[np.float64]

BANDS, PARTS = 24, 12
LOWEST, HIGHEST = 40.0, 16_000.0
RANGE_DB = 45.0
"""What is further under the loudest cell counts as nothing."""
NEAR_DB = 3.0
"""Two sounds nearer than this are near-copies; docs/sounds.md says how the number was found."""


def cells(sound: Samples, rate: int) -> Cells:
    """The levels (BANDS * PARTS,) of a sound (channels, samples), band by band, in decibels from 0 (its loudest cell) down to -RANGE_DB."""
    length = max(1, -(-sound.shape[1] // PARTS))
    padded = np.zeros((len(sound), PARTS * length), np.float32)
    padded[:, : sound.shape[1]] = sound
    size = next_fast_len(max(length, 256), real=True)
    spectra = rfft(padded.reshape(len(sound), PARTS, length) * hann(length, sym=False).astype(np.float32), size, axis=-1)
    power: Cells = np.asarray(np.sum(spectra.real**2 + spectra.imag**2, axis=0, dtype=np.float64))
    numbers = erb_number(np.fft.rfftfreq(size, 1 / rate))
    edges = np.linspace(
        float(erb_number(LOWEST)), float(erb_number(HIGHEST)), BANDS + 1
    )  # the same for every rate, so that sounds of any two can be compared
    bands = np.stack([power[:, (numbers >= low) & (numbers < high)].sum(axis=1) for low, high in pairwise(edges)])
    loudest = float(bands.max())
    if not loudest:
        return np.full(BANDS * PARTS, -RANGE_DB)
    return np.asarray(np.maximum(10 * np.log10(np.maximum(bands / loudest, 1e-12)), -RANGE_DB).ravel())


def distance(one: Cells, other: Cells) -> float:
    """The root mean square difference, in decibels, of two sounds' cells, over those in which either has anything."""
    there = (one > -RANGE_DB) | (other > -RANGE_DB)
    return float(np.sqrt(np.mean(np.square(one[there] - other[there])))) if there.any() else 0.0


def nearest(sound: Cells, others: Iterable[tuple[str, Cells]]) -> tuple[str, float] | None:
    """Which of some named sounds is nearest, and how far it is; None where there are none."""
    return min(((name, distance(sound, other)) for name, other in others), key=lambda found: (found[1], found[0]), default=None)
