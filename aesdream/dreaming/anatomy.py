"""What a dream is made of: measures of what it added to its start.

The thesis hoped for tonal or metrical structure and saw segments emphasised, but measured neither (facts, section 1, point 9). Here tonal means
peaks in the spectrum of the change, metrical means peaks in the spectrum of its loudness, and segments are its energy over time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream.dreaming.sonify import LOWEST_HEARD, Sound, rms

SEGMENT_SECONDS = 0.1
ENVELOPE_HERTZ = 100.0
FASTEST_MODULATION = 20.0
ROUNDING = 1e-6
"""Loudness that changes by less than this share of its mean is steady; what is left is rounding."""


def power_spectrum(sound: Sound, rate: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Frequencies in Hz and power summed over channels, of the whole sound (channels, samples) at once."""
    power = np.abs(np.fft.rfft(sound, axis=-1)) ** 2
    return np.fft.rfftfreq(sound.shape[-1], 1 / rate), power.sum(axis=0)


def share_below(sound: Sound, rate: int, hertz: float = LOWEST_HEARD) -> float | None:
    """The share of a sound's energy below a frequency; None for silence."""
    frequencies, power = power_spectrum(sound, rate)
    total = power.sum()
    return float(power[frequencies < hertz].sum() / total) if total > 0 else None


def peakiness(sound: Sound, rate: int) -> float | None:
    """How far the highest peak of the audible spectrum stands above its mean, in dB, over a twelfth of an octave a band; None for silence.

    White noise has about 3 dB, a sine about 20 dB (one band holds everything).
    """
    frequencies, power = power_spectrum(sound, rate)
    edges = LOWEST_HEARD * 2 ** (np.arange(0, 12 * np.log2(rate / 2 / LOWEST_HEARD)) / 12)
    band = np.digitize(frequencies, edges)
    energy, width = np.bincount(band, power, len(edges) + 1)[1:], np.bincount(band, minlength=len(edges) + 1)[1:]
    density = energy[width > 0] / width[width > 0]
    return float(10 * np.log10(density.max() / density.mean())) if density.size and density.mean() > 0 else None


def segments(sound: Sound, rate: int) -> NDArray[np.floating]:
    """Root mean square of every 100 ms of a sound (channels, samples)."""
    length = round(SEGMENT_SECONDS * rate)
    whole = sound[:, : sound.shape[1] // length * length].astype(np.float64)
    return np.sqrt(np.square(whole).reshape(len(sound), -1, length).mean(axis=(0, 2)))


def modulation(sound: Sound, rate: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The spectrum of a sound's loudness: frequencies up to 20 Hz and the share of the modulation's energy at each; zeros for a steady sound."""
    hop = round(rate / ENVELOPE_HERTZ)
    whole = sound[:, : sound.shape[1] // hop * hop].astype(np.float64)
    envelope = np.sqrt(np.square(whole).reshape(len(sound), -1, hop).mean(axis=(0, 2)))
    power = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope)))) ** 2
    frequencies = np.fft.rfftfreq(len(envelope), hop / rate)
    kept = (frequencies > 0) & (frequencies <= FASTEST_MODULATION)
    total = power[kept].sum()
    rounding = np.square(ROUNDING * envelope.sum())
    return frequencies[kept], power[kept] / total if total > rounding else np.zeros(kept.sum())


def extent(dream: Sound, start: Sound, rate: int) -> dict[str, Any]:
    """How far one dream (channels, samples) went from its start, JSON-able."""
    change = dream.astype(np.float64) - start
    return {
        "rms_from_start": rms(change),
        "peak": float(np.abs(dream).max()),
        "share_clipped": float((np.abs(dream) >= 1).mean()),
        "share_under_20hz": share_below(change, rate),
    }


def anatomy(dream: Sound, start: Sound, rate: int) -> dict[str, Any]:
    """The measures of one dream (channels, samples) against its start, JSON-able; see the run folder's dream JSON."""
    change = dream.astype(np.float64) - start
    hertz, share = modulation(change, rate)
    return {
        **extent(dream, start, rate),
        "change": {
            "energy_100ms": _rounded(segments(change, rate)),
            "modulation": {"hertz": _rounded(hertz), "share": _rounded(share)},
            "peakiness": peakiness(change, rate),
            "start_peakiness": peakiness(start, rate),
        },
    }


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
