"""What pictures of a sound are drawn from: envelopes, spectrograms and responses, as plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

Array = NDArray[np.float64]

# One colour range for every spectrogram of an appendix, so that two of them can be compared: dB relative to a sine at full scale.
FLOOR_DB, CEILING_DB = -90.0, 0.0
_WINDOW_SECONDS = 0.064
ROWS, COLUMNS = 112, 400


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
    power = (np.abs(rfft(frames, axis=2)) ** 2).mean(axis=0) * (2.0 / window.sum()) ** 2
    decibels = 10.0 * np.log10(np.maximum(_bands(power.astype(np.float64), rate, rows).T, 1e-12))
    scaled = (decibels - FLOOR_DB) / (CEILING_DB - FLOOR_DB) * 255.0
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)


def _bands(power: Array, rate: int, rows: int) -> Array:
    """The largest power in each band; where a band is narrower than a bin, the bins are interpolated."""
    bins = to_mel(np.linspace(0.0, rate / 2, power.shape[1]))
    edges = np.linspace(0.0, bins[-1], rows + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    first, last = np.searchsorted(bins, edges[:-1]), np.searchsorted(bins, edges[1:])
    above = np.clip(np.searchsorted(bins, centres), 1, len(bins) - 1)
    share = (centres - bins[above - 1]) / (bins[above] - bins[above - 1])
    between = (1 - share) * power[:, above - 1] + share * power[:, above]
    largest = np.maximum.reduceat(power, np.minimum(first, power.shape[1] - 1), axis=1)
    return np.where(last > first, largest, between)


@dataclass(frozen=True)
class View:
    """A sound as pictures show it: its envelope ``low`` and ``high`` [shape=(channels, columns)] and its spectrogram [shape=(rows, columns)].

    ``change`` [shape=(2, columns)] is the smallest and the largest, over both channels, of what was added to its start, ``change_heat`` the
    spectrogram of that; None where it is not known.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    heat: NDArray[np.uint8]
    samples: int
    rate: int
    change: NDArray[np.float32] | None = None
    change_heat: NDArray[np.uint8] | None = None

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.samples / self.rate

    @property
    def nyquist(self) -> float:
        """Half its sample rate: the upper edge of its spectrogram."""
        return self.rate / 2

    def half(self) -> View:
        """The same with half the columns and rows, for small pictures."""
        rows, columns = (length // 2 * 2 for length in self.heat.shape)
        pairs = self.heat[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2)
        change = None if self.change is None else np.concatenate([_paired(self.change[:1]).min(axis=2), _paired(self.change[1:]).max(axis=2)])
        low, high = _paired(self.low).min(axis=2), _paired(self.high).max(axis=2)
        return View(low, high, pairs.max(axis=1).max(axis=2), self.samples, self.rate, change)


def _paired(side: NDArray[np.float32]) -> NDArray[np.float32]:
    return side[:, : side.shape[1] // 2 * 2].reshape(len(side), -1, 2)


def view(sound: NDArray[np.float32], rate: int, start: NDArray[np.float32] | None = None) -> View:
    """What pictures need of a sound [shape=(channels, samples)], and of what it adds to a ``start`` of the same shape."""
    low, high = envelope(sound, COLUMNS)
    change = change_heat = None
    if start is not None:
        smallest, largest = envelope(sound - start, COLUMNS)
        change = np.stack([smallest.min(axis=0), largest.max(axis=0)])
        change_heat = spectrogram(sound - start, rate, ROWS, COLUMNS)
    return View(low, high, spectrogram(sound, rate, ROWS, COLUMNS), sound.shape[1], rate, change, change_heat)


def response(kernel: Array, rate: int, points: int = 900) -> tuple[Array, Array]:
    """Frequencies (Hz), ``points`` of them equally far apart on a log scale from 1 Hz to Nyquist, and a kernel's gain there.

    Gains are in dB, for each channel [shape=(channels, points)]; an exact null stands at -120 dB.
    """
    hertz = np.geomspace(1.0, rate / 2, points)
    taps = np.arange(kernel.shape[1])
    gains = np.empty((kernel.shape[0], points))
    for start in range(0, points, 100):
        wave = np.exp(-2j * np.pi * np.outer(taps, hertz[start : start + 100] / rate))
        gains[:, start : start + 100] = np.abs(kernel @ wave)
    return hertz, 20.0 * np.log10(np.maximum(gains, 1e-6))


@dataclass(frozen=True)
class Responses:
    """Gains of several kernels over frequency, in ``gains`` [shape=(filters, channels, columns)]: the largest within each column, in dB below the
    kernel's own ``loudest``, of any channel and in hertz (filters,). Columns are as wide as each other on a log scale, between ``edges`` in hertz."""

    edges: Array
    gains: Array
    loudest: Array


def responses(kernels: Array, rate: int, columns: int = 360) -> Responses:
    """The responses of kernels [shape=(filters, channels, taps)] from 1 Hz to Nyquist, looked at eight times as finely as they can swing, so that no
    peak is missed. A kernel that is zero everywhere is at -120 dB and loudest at 0 Hz."""
    size = 2 ** math.ceil(math.log2(8 * kernels.shape[2]))
    hertz, sizes = np.fft.rfftfreq(size, 1 / rate), np.abs(np.fft.rfft(kernels, size))
    edges = np.geomspace(1.0, rate / 2, columns + 1)
    places = np.searchsorted(hertz, edges)
    places[-1] = len(hertz)
    middles = np.interp(np.sqrt(edges[:-1] * edges[1:]), hertz, np.arange(len(hertz)))
    below = np.floor(middles).astype(int)
    part = middles - below
    found = sizes[..., below] * (1 - part) + sizes[..., np.minimum(below + 1, len(hertz) - 1)] * part
    for column, (first, last) in enumerate(pairwise(places)):
        if last > first:
            found[..., column] = np.maximum(found[..., column], sizes[..., first:last].max(axis=-1))
    largest = np.maximum(sizes.max(axis=(1, 2)), 1e-30)[:, None, None]
    return Responses(edges, 20.0 * np.log10(np.maximum(found / largest, 1e-6)), hertz[sizes.max(axis=1).argmax(axis=1)])
