"""What synthetic composers measure in a sound: known determinants, which ignore level and whatever lies under 20 Hz.

Every measure takes a sound (channels, samples) at ``rate`` hertz and returns one finite number; of silence, 0.
Infrasound that begins or ends abruptly is a click besides, and that is heard.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache, wraps
from inspect import unwrap

import numpy as np
import numpy.typing as npt
from scipy.fft import ifft, next_fast_len, rfft
from scipy.ndimage import maximum_filter1d
from scipy.signal import ellip, sosfiltfilt
from scipy.signal.windows import hann

Samples = npt.NDArray[np.floating]
Values = npt.NDArray[np.float64]
Measure = Callable[[Samples, int], float]

EDGE = 24.0  # hertz: from here on up all is heard, under 20 Hz 100 dB less
BLOCK = 0.01  # seconds between two values of an envelope
LOUDNESS = 0.3  # loudness grows with power to this exponent (Stevens)
ONSET = 0.1  # mean rise of a band's loudness, in mean loudness, at which an onset counts half
ROUGHEST = 70.0  # hertz of modulation
FAINTEST = 1e-4  # of a sound's largest magnitude, that is -80 dB: what is left of silence and constants are the filter's own edges


def erb_number(hertz: npt.ArrayLike) -> Values:
    """Frequency on the scale of the ear's equivalent rectangular bandwidths (facts, section 6)."""
    return np.asarray(21.4 * np.log10(1 + 0.00437 * np.asarray(hertz, dtype=np.float64)))


def hertz_of(erb: npt.ArrayLike) -> Values:
    """The frequency of an ERB number."""
    return np.asarray((10 ** (np.asarray(erb, dtype=np.float64) / 21.4) - 1) / 0.00437)


def without_infrasound(sounds: Samples, rate: int) -> Values:
    """Sounds (..., samples) without what lies under 20 Hz, of the same phase: the filter runs forward and back."""
    return np.asarray(sosfiltfilt(_highpass(rate), sounds, axis=-1, padlen=min(sounds.shape[-1] - 1, rate)))


@cache
def _highpass(rate: int) -> Values:
    return np.asarray(ellip(6, 0.1, 50, EDGE, "highpass", fs=rate, output="sos"))


def audible(sound: Samples, rate: int) -> Values | None:
    """The sound at a largest magnitude of 1, without what lies under 20 Hz; None where nothing else was there."""
    peak = float(np.abs(sound).max(initial=0.0))
    if not peak:
        return None
    scaled = sound.astype(np.float64) / peak
    kept = without_infrasound(scaled, rate)
    highest = float(np.abs(kept).max())
    return kept / highest if highest > FAINTEST else None


def _measure(function: Callable[[Values, int], float]) -> Measure:
    """A measure of the audible part of a sound; 0 where there is none."""

    @wraps(function)
    def measured(sound: Samples, rate: int) -> float:
        kept = audible(sound, rate)
        return function(kept, rate) if kept is not None else 0.0

    return measured


@_measure
def brightness(sound: Values, rate: int) -> float:
    """Mean ERB number, weighted by power.

    The power is the sum of the channels' power spectra over the whole sound, so phase between channels does not matter.
    """
    size = next_fast_len(sound.shape[1], real=True)
    spectra = rfft(sound, size, axis=1)
    power = np.sum(spectra.real**2 + spectra.imag**2, axis=0)
    return float(power @ erb_number(np.fft.rfftfreq(size, 1 / rate)) / power.sum())


@_measure
def fluctuation(sound: Values, rate: int) -> float:
    """Modulation of loudness at 2 to 8 Hz: the root mean square of what swings there, out of that of the loudness (0 to 1)."""
    block = max(1, round(BLOCK * rate))
    blocks = sound.shape[1] // block
    if blocks < 2:
        return 0.0
    power = np.square(sound[:, : blocks * block]).reshape(len(sound), blocks, block).mean(axis=(0, 2))
    loudness = power**LOUDNESS
    window = hann(blocks, sym=False)
    swings = np.abs(rfft((loudness - loudness @ window / window.sum()) * window)) ** 2
    hertz = np.fft.rfftfreq(blocks, block / rate)
    band = float(swings[(hertz >= 2) & (hertz <= 8)].sum()) / (blocks * float(np.sum(window**2)))
    return math.sqrt(2 * band / float(np.mean(loudness**2)))


@_measure
def onsets(sound: Values, rate: int) -> float:
    """Onsets a second: peaks of the rise of loudness over 20 ms, summed over ERB bands; a small rise counts less than one."""
    hop = max(1, round(BLOCK * rate))
    size = 2 ** max(4, round(math.log2(0.03 * rate)))
    padded = np.pad(sound, ((0, 0), (size, size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::hop]
    spectra = rfft((frames * hann(size, sym=False)).astype(np.float32), axis=-1)
    power = np.sum(spectra.real**2 + spectra.imag**2, axis=0, dtype=np.float64)
    edges = np.unique(np.searchsorted(np.fft.rfftfreq(size, 1 / rate), hertz_of(np.arange(2, float(erb_number(rate / 2)), 1.5))))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    loudness: Values = bands**LOUDNESS
    rises = np.maximum(loudness[2:] - loudness[:-2], 0).mean(axis=1) / loudness.mean()
    peaks = rises[(rises == maximum_filter1d(rises, 5)) & (rises > 0)]
    return float(np.sum(peaks**2 / (peaks**2 + ONSET**2))) * rate / sound.shape[1]


@_measure
def width(sound: Values, rate: int) -> float:
    """Power of what differs between channels, out of all: 0 for mono, one half for channels that have nothing in common, 1 for opposites."""
    differing = sound - sound.mean(axis=0)
    return float(np.sum(differing**2) / np.sum(sound**2))


@_measure
def roughness(sound: Values, rate: int) -> float:
    """How much of the intensity of ERB bands swings around 70 Hz: the root mean square, out of all, weighted by the root of the bands' power."""
    depths, weights = [], []
    for signal, sampling in _bands(sound, rate):
        envelope = np.square(signal.real) + np.square(signal.imag)
        spectrum = np.abs(rfft(envelope, axis=1))
        hertz = np.fft.rfftfreq(envelope.shape[1], 1 / sampling)
        weight = hertz / ROUGHEST * np.exp(1 - hertz / ROUGHEST)
        weight[hertz < 15] = 0
        power = float(np.sum(spectrum[:, 0] ** 2) + 2 * np.sum(spectrum[:, 1:] ** 2))
        if power:
            depths.append(math.sqrt(2 * float(np.sum((weight * spectrum) ** 2)) / power))
            weights.append(math.sqrt(float(spectrum[:, 0].sum())))
    return float(np.average(depths, weights=weights)) if depths else 0.0


def _bands(sound: Values, rate: int) -> Iterator[tuple[npt.NDArray[np.complexfloating], float]]:
    """Analytic signals (channels, samples) of bands three ERBs wide, one and a half apart, each with its own sampling rate."""
    size = next_fast_len(sound.shape[1], real=True)
    spectra = rfft(sound, size, axis=1)
    numbers = erb_number(np.fft.rfftfreq(size, 1 / rate))
    for centre in np.arange(4.5, float(numbers[-1]) - 1.5, 1.5):
        first, last = np.searchsorted(numbers, [centre - 1.5, centre + 1.5])
        if last - first < 2:
            continue
        shape = np.cos(np.pi / 3 * (numbers[first:last] - centre))
        few = next_fast_len(2 * int(last - first))  # twice the band, so that its squared magnitude does not alias
        yield ifft(spectra[:, first:last] * shape, few, axis=1), few * rate / size


MIXTURE: dict[Measure, float] = {brightness: 4.8, fluctuation: 0.08, width: 0.19}
"""The standard deviation of each over the demo's sounds."""


def mixture(sound: Samples, rate: int) -> float:
    """Brightness, fluctuation and width together, each in standard deviations of the demo's sounds."""
    return sum(measure(sound, rate) / scale for measure, scale in MIXTURE.items())


def at_once(wanted: dict[str, Measure], sound: Samples, rate: int) -> dict[str, float]:
    """Several measures of one sound by name, to the bit what each gives alone; what they have in common is computed once."""
    kept = audible(sound, rate)
    alone = {measure: 0.0 if kept is None else unwrap(measure)(kept, rate) for measure in {*MIXTURE, *wanted.values()} - {mixture}}
    alone[mixture] = sum(alone[measure] / scale for measure, scale in MIXTURE.items())
    return {name: alone[measure] for name, measure in wanted.items()}
