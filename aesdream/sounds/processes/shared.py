"""What processes of several families need: reading between samples, pieces, filters' edges, short-time spectra."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft
from scipy.signal import oaconvolve
from scipy.signal.windows import hann

from aesdream.sounds.processes.registry import Samples

Spectra = npt.NDArray[np.complexfloating[Any, Any]]
OVERLAP = 4
"""Short-time windows are a quarter of their length apart; squared Hann windows then add up to 1.5."""
HIGHEST = 0.45
"""Of the sample rate: no filter or carrier is set higher."""


def seconds_of(sound: Samples, rate: int) -> Samples:
    """The time of every sample (samples,)."""
    return np.arange(sound.shape[1]) / rate


def tail(sound: Samples, samples: int) -> Samples:
    """The sound with so many zeros after it."""
    longer = np.zeros((len(sound), sound.shape[1] + samples))
    longer[:, : sound.shape[1]] = sound
    return longer


def folded(sound: Samples, piece: int) -> Samples:
    """The sound in pieces of so many samples (channels, pieces, piece), the last filled up with zeros; a copy."""
    pieces = math.ceil(sound.shape[1] / piece)
    return tail(sound, pieces * piece - sound.shape[1]).reshape(len(sound), pieces, piece)


def edges(samples: int, rate: int, seconds: float = 0.005) -> Samples:
    """A gain that fades in and out over ``seconds`` (samples,)."""
    ramp = np.minimum(1.0, np.arange(1, samples + 1) / (seconds * rate))
    return ramp * ramp[::-1]


def read(sound: Samples, places: Samples) -> Samples:
    """The sound at fractional sample places, between its neighbours by a cubic (Catmull-Rom); the ends are held."""
    last = sound.shape[1] - 1
    places = np.clip(places, 0, last)
    whole = places.astype(np.intp)
    part = places - whole
    a, b, c, d = (np.take(sound, whole + step, axis=1, mode="clip") for step in (-1, 0, 1, 2))
    return b + 0.5 * part * (c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a)))


def convolved(sound: Samples, response: Samples) -> Samples:
    """The sound after an impulse response, one for all channels (samples,) or one each (channels, samples), its tail included."""
    return np.asarray(oaconvolve(sound, np.atleast_2d(response), axes=1))


def octave_edges(cutoff: float, octaves: float, rate: int) -> list[float]:
    """The edges of a band around ``cutoff``, both kept under what the rate allows."""
    low, high = cutoff * 2 ** (-octaves / 2), cutoff * 2 ** (octaves / 2)
    return [min(low, (HIGHEST - 0.05) * rate), min(high, HIGHEST * rate)]


def as_loud_as(sound: Samples, before: Samples) -> Samples:
    """``sound`` at the mean power of ``before``."""
    power = float(np.mean(np.square(sound)))
    return sound * math.sqrt(float(np.mean(np.square(before))) / power) if power else sound


def window_size(rate: int, seconds: float) -> int:
    """The power of two nearest to ``seconds``, at least 16 samples."""
    return int(2 ** max(4, round(math.log2(rate * seconds))))


def spectra(sound: Samples, size: int) -> Spectra:
    """Complex spectra (channels, frames, bins), single precision, of Hann windows of ``size`` samples, a quarter of it apart."""
    hop = size // OVERLAP
    frames = math.ceil(sound.shape[1] / hop) + OVERLAP - 1
    padded = np.zeros((len(sound), (frames - 1) * hop + size), np.float32)
    padded[:, size - hop : size - hop + sound.shape[1]] = sound
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::hop]
    return np.asarray(rfft(windows * hann(size, sym=False).astype(np.float32), axis=-1))


def sound_of(values: Spectra, size: int, samples: int) -> Samples:
    """The sound of ``spectra`` again, its first ``samples``: windowed once more, overlapped and added."""
    hop, (channels, frames) = size // OVERLAP, values.shape[:2]
    windows = irfft(values, size, axis=-1) * (hann(size, sym=False) / 1.5).astype(np.float32)
    added = np.zeros((channels, frames + OVERLAP - 1, hop))
    for part in range(OVERLAP):
        added[:, part : part + frames] += windows[:, :, part * hop : (part + 1) * hop]
    return added.reshape(channels, -1)[:, size - hop : size - hop + samples]
