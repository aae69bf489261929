"""What pictures of a sound are drawn from: envelopes, spectrograms and responses, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# One colour range for every spectrogram of an appendix, so that two of them can be compared: dB relative to a sine at full scale.
FLOOR_DB, CEILING_DB = -90.0, 0.0
_WINDOW_SECONDS = 0.064
ROWS, COLUMNS = 128, 480


def envelope(sound: NDArray[np.float32], columns: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The smallest and largest value of a sound in each of ``columns`` equal stretches.

    ``sound`` [shape=(channels, samples)]; returns two arrays [shape=(channels, at most columns)].
    """
    edges = np.unique(np.linspace(0, sound.shape[1], columns + 1).astype(int))[:-1]
    low = np.minimum.reduceat(sound, edges, axis=1)
    high = np.maximum.reduceat(sound, edges, axis=1)
    return low.astype(np.float32), high.astype(np.float32)


def to_mel(hertz: Array | float) -> Array:
    """Frequency on the mel scale (O'Shaughnessy's formula): nearly linear below 700 Hz, logarithmic above."""
    return 2595.0 * np.log10(1.0 + np.asarray(hertz, dtype=np.float64) / 700.0)


def spectrogram(sound: NDArray[np.float32], rate: int, rows: int, columns: int) -> NDArray[np.uint8]:
    """Mean power over the channels of a sound [shape=(channels, samples)] in Hann windows of about 64 ms [shape=(rows, columns)].

    Rows are mel bands from 0 Hz to Nyquist, equally wide in mel; 0 to 255 stand for ``FLOOR_DB`` to ``CEILING_DB``.
    """
    size = 1 << round(np.log2(_WINDOW_SECONDS * rate))
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    samples = sound.shape[1]
    centres = ((np.arange(columns) + 0.5) * samples / columns).astype(int)
    padded = np.pad(sound, ((0, 0), (size // 2, size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, centres] * window
    power = (np.abs(np.fft.rfft(frames, axis=2)) ** 2).mean(axis=0) * (2.0 / window.sum()) ** 2
    decibels = 10.0 * np.log10(np.maximum(_bands(power.astype(np.float64), rate, rows).T, 1e-12))
    scaled = (decibels - FLOOR_DB) / (CEILING_DB - FLOOR_DB) * 255.0
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)


def _bands(power: Array, rate: int, rows: int) -> Array:
    """The largest power in each band; where a band is narrower than a bin, the bins are interpolated."""
    bins = to_mel(np.linspace(0.0, rate / 2, power.shape[1]))
    edges = np.linspace(0.0, bins[-1], rows + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    out = np.empty((len(power), rows))
    inside = np.searchsorted(bins, edges)
    for row in range(rows):
        first, last = inside[row], inside[row + 1]
        if last > first:
            out[:, row] = power[:, first:last].max(axis=1)
        else:
            share = (centres[row] - bins[first - 1]) / (bins[first] - bins[first - 1])
            out[:, row] = (1 - share) * power[:, first - 1] + share * power[:, first]
    return out


@dataclass(frozen=True)
class View:
    """A sound as pictures show it: its envelope ``low`` and ``high`` [shape=(channels, columns)] and its spectrogram [shape=(rows, columns)]."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    heat: NDArray[np.uint8]
    seconds: float
    nyquist: float

    def half(self) -> View:
        """The same with half the columns and rows, for small pictures."""
        low, high = (extreme(side[:, : side.shape[1] // 2 * 2].reshape(len(side), -1, 2), axis=2) for side, extreme in self._sides())
        rows, columns = (length // 2 * 2 for length in self.heat.shape)
        pairs = self.heat[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2)
        return View(low, high, pairs.max(axis=1).max(axis=2), self.seconds, self.nyquist)

    def _sides(self) -> tuple[tuple[NDArray[np.float32], Any], tuple[NDArray[np.float32], Any]]:
        return (self.low, np.min), (self.high, np.max)


def view(sound: NDArray[np.float32], rate: int) -> View:
    """What pictures need of a sound [shape=(channels, samples)]."""
    low, high = envelope(sound, COLUMNS)
    return View(low, high, spectrogram(sound, rate, ROWS, COLUMNS), sound.shape[1] / rate, rate / 2)


def response(kernel: Array, rate: int, points: int = 900) -> tuple[Array, Array]:
    """A kernel's gain in dB for each channel [shape=(channels, points)] at ``points`` frequencies (Hz) equally far apart on a log scale from 1 Hz to Nyquist.

    An exact null stands at -120 dB.
    """
    hertz = np.geomspace(1.0, rate / 2, points)
    taps = np.arange(kernel.shape[1])
    gains = np.empty((kernel.shape[0], points))
    for start in range(0, points, 100):
        wave = np.exp(-2j * np.pi * np.outer(taps, hertz[start : start + 100] / rate))
        gains[:, start : start + 100] = np.abs(kernel @ wave)
    return hertz, 20.0 * np.log10(np.maximum(gains, 1e-6))
