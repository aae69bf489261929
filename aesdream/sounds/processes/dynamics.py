"""What acts on values: clipping, folding, compressing, fewer bits."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from aesdream.sounds.processes.registry import Log, Samples, Uniform, process
from aesdream.sounds.processes.shared import as_loud_as, folded

BLOCK = 0.001
"""Seconds between two values of a compressor's gain."""


@process(drive=Log(2, 60))
def distortion(sound: Samples, rate: int, *, drive: float) -> Samples:
    """A soft clipper, brought back to the mean power that went in."""
    return as_loud_as(np.tanh(drive * sound), sound)


@process(drive=Log(1.2, 12), offset=Uniform(0, 0.5))
def fold(sound: Samples, rate: int, *, drive: float, offset: float) -> Samples:
    """A sine as the curve between in and out, so that large values fold back; an ``offset`` adds even harmonics."""
    bent = np.sin(np.pi / 2 * (drive * sound + offset)) - np.sin(np.pi / 2 * offset)
    return as_loud_as(bent, sound)


@process(threshold=Uniform(-45, -12), ratio=Log(2, 30), seconds=Log(0.005, 0.3))
def compression(sound: Samples, rate: int, *, threshold: float, ratio: float, seconds: float) -> Samples:
    """What exceeds ``threshold`` decibels below the loudest value is divided by ``ratio``; the level is smoothed over ``seconds``."""
    block = max(1, round(BLOCK * rate))
    powers = np.square(folded(sound, block)).mean(axis=(0, 2))
    fall = np.exp(-block / rate / seconds)
    level = np.sqrt(np.maximum(lfilter([1 - fall], [1, -fall], powers), 0))
    knee = 10 ** (threshold / 20)
    gains = (np.maximum(level, knee) / knee) ** (1 / ratio - 1)
    gain = np.interp(np.arange(sound.shape[1]), np.arange(len(gains)) * block + block / 2, gains)
    return as_loud_as(sound * gain, sound)


@process(bits=Uniform(2.5, 8), hold=Log(1500, 16000))
def bit_crush(sound: Samples, rate: int, *, bits: float, hold: float) -> Samples:
    """Fewer bits, and every value held so that ``hold`` values a second remain."""
    steps = 2 ** (bits - 1)
    places = np.arange(sound.shape[1])
    held = places if hold >= rate else np.floor(np.floor(places * (hold / rate)) * (rate / hold)).astype(np.intp)
    return np.rint(sound[:, held] * steps) / steps
