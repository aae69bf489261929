"""Filters, fixed and swept."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, ellip, sosfilt

from aesdream.sounds.processes.registry import Choice, Log, Samples, Uniform, Whole, process
from aesdream.sounds.processes.shared import HIGHEST, octave_edges, sound_of, spectra, window_size

KINDS = Choice(("lowpass", "highpass", "bandpass"))


def _edges(kind: str, cutoff: float, octaves: float, rate: int) -> float | list[float]:
    return octave_edges(cutoff, octaves, rate) if kind == "bandpass" else min(cutoff, HIGHEST * rate)


@process(kind=KINDS, cutoff=Log(200, 4000), octaves=Log(0.3, 2), order=Whole(1, 4))
def butterworth(sound: Samples, rate: int, *, kind: str, cutoff: float, octaves: float, order: int) -> Samples:
    """A maximally flat filter; ``octaves`` is the width of a band around ``cutoff``."""
    return np.asarray(sosfilt(butter(order, _edges(kind, cutoff, octaves, rate), kind, fs=rate, output="sos"), sound))


@process(kind=KINDS, cutoff=Log(200, 4000), octaves=Log(0.5, 2), order=Whole(3, 6), ripple=Uniform(0.2, 3), rejection=Uniform(40, 80))
def elliptic(sound: Samples, rate: int, *, kind: str, cutoff: float, octaves: float, order: int, ripple: float, rejection: float) -> Samples:
    """A filter with the steepest edge; ``ripple`` and ``rejection`` in decibels."""
    edge = _edges(kind, cutoff, octaves, rate)
    return np.asarray(sosfilt(ellip(order, ripple, rejection, edge, kind, fs=rate, output="sos"), sound))


@process(kind=KINDS, start=Log(150, 6000), end=Log(150, 6000), octaves=Log(0.3, 2), order=Whole(1, 4), sweeps=Whole(1, 6))
def swept_filter(sound: Samples, rate: int, *, kind: str, start: float, end: float, octaves: float, order: int, sweeps: int) -> Samples:
    """A maximally flat filter whose edge, or centre, glides to and fro between two frequencies."""
    size = window_size(rate, 0.04)
    values = spectra(sound, size)
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / rate), 1.0)
    turn = 1 - np.abs(1 - np.linspace(0, sweeps, values.shape[1]) % 2)[:, None]
    centre = np.minimum(start * (end / start) ** turn, HIGHEST * rate)
    if kind == "bandpass":
        width = 2 ** (octaves / 2) - 2 ** (-octaves / 2)
        distance = np.abs(hertz / centre - centre / hertz) / width
    else:
        distance = hertz / centre if kind == "lowpass" else centre / hertz
    gain = 1 / np.sqrt(1 + distance ** (2 * order))
    return sound_of(values * gain.astype(np.float32), size, sound.shape[1])
