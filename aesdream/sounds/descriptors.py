"""Plain descriptors of a sound: what a simple listener-free baseline can know, beside which a network's judgement is put.

``LEVEL`` tells how loud a sound is and nothing else should follow from it; ``PLAIN`` does not change with gain. Spectra are those of Hann windows
of about 40 ms without overlap, the channels' power summed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft
from scipy.signal.windows import hann

Samples = npt.NDArray[np.floating]
Values = npt.NDArray[np.float64]

LEVEL = ("rms_db", "peak_db")
PLAIN = (
    "crest_db",
    "zero_crossings_hz",
    "centroid_hz",
    "bandwidth_hz",
    "rolloff_hz",
    "flatness_db",
    "flux",
    "low_share",
    "modulation_2_8",
    "side_share",
)
FLOOR_DB = -120.0
BLOCK = 0.01  # seconds of the loudness envelope's step
LOW_HZ = 200.0


def describe(sound: Samples, rate: int) -> Values:
    """``LEVEL`` and ``PLAIN`` of a sound (channels, samples) at ``rate`` hertz, (12,) and always finite; of silence, the floor and zeros.

    rms_db, peak_db: dB re full scale, floored at -120. crest_db: their difference. zero_crossings_hz: sign changes a second, mean of channels.
    centroid_hz, bandwidth_hz: mean and standard deviation of frequency, weighted by power. rolloff_hz: 85 % of the power lies below.
    flatness_db: geometric over arithmetic mean of the power spectrum, floored. flux: mean distance (0 to 1) between neighbouring normalised spectra.
    low_share: power below 200 Hz. modulation_2_8: share of the loudness envelope's fluctuation at 2 to 8 Hz. side_share: power of the difference
    between two channels, out of that of sum and difference (0 for mono).
    """
    values = np.zeros(len(LEVEL) + len(PLAIN))
    values[:2] = FLOOR_DB
    peak = float(np.abs(sound).max(initial=0.0))
    if not peak:
        return values
    scaled = (sound / peak).astype(np.float32)
    power = float(np.mean(np.square(scaled), dtype=np.float64))
    peak_db = 20 * float(np.log10(peak))
    crest = -10 * float(np.log10(power))
    signs = np.signbit(scaled)
    crossings = float(np.mean(signs[:, 1:] != signs[:, :-1])) * rate if sound.shape[1] > 1 else 0.0
    values[:4] = max(peak_db - crest, FLOOR_DB), max(peak_db, FLOOR_DB), crest, crossings
    values[4:] = (*_spectral(scaled, rate), _modulation(scaled, rate), _side_share(scaled))
    return values


def _spectral(sound: npt.NDArray[np.float32], rate: int) -> tuple[float, ...]:
    """centroid_hz, bandwidth_hz, rolloff_hz, flatness_db, flux and low_share."""
    size = 2 ** max(4, round(np.log2(0.04 * rate)))
    frames = -(-sound.shape[1] // size)
    padded = np.zeros((len(sound), frames * size), dtype=np.float32)
    padded[:, : sound.shape[1]] = sound
    spectra = rfft(padded.reshape(len(sound), frames, size) * hann(size, sym=False).astype(np.float32), axis=-1)
    powers = np.sum(spectra.real**2 + spectra.imag**2, axis=0)
    mean = powers.mean(axis=0, dtype=np.float64)
    total = float(mean.sum())
    if not total:  # all the sound lies where the window is zero
        return (0.0,) * 6
    share = mean / total
    hertz = np.fft.rfftfreq(size, 1 / rate)
    centroid = float(share @ hertz)
    bandwidth = float(np.sqrt(share @ (hertz - centroid) ** 2))
    rolloff = float(hertz[np.searchsorted(np.cumsum(share), 0.85)])
    flatness = float(10 * (np.mean(np.log10(np.maximum(share, 1e-12))) - np.log10(share.mean())))
    sums = powers.sum(axis=1, keepdims=True)
    shapes = np.divide(powers, sums, out=np.zeros_like(powers), where=sums > 0)
    flux = float(np.abs(np.diff(shapes, axis=0)).sum(axis=1).mean() / 2) if frames > 1 else 0.0
    return centroid, bandwidth, rolloff, flatness, flux, float(share[hertz < LOW_HZ].sum())


def _modulation(sound: npt.NDArray[np.float32], rate: int) -> float:
    """Share of the fluctuation of the envelope (RMS of 10 ms blocks) that lies at 2 to 8 Hz."""
    block = max(1, round(BLOCK * rate))
    blocks = sound.shape[1] // block
    if blocks < 2:
        return 0.0
    envelope = np.sqrt(np.square(sound[:, : blocks * block]).reshape(len(sound), blocks, block).mean(axis=(0, 2), dtype=np.float64))
    power = np.abs(rfft(envelope - envelope.mean())) ** 2
    hertz = np.fft.rfftfreq(blocks, block / rate)
    total = float(power.sum())
    return float(power[(hertz >= 2) & (hertz <= 8)].sum()) / total if total else 0.0


def _side_share(sound: npt.NDArray[np.float32]) -> float:
    if len(sound) != 2:
        return 0.0
    middle, side = (float(np.sum(np.square(sound[0] + sign * sound[1]), dtype=np.float64)) for sign in (1, -1))
    return side / (middle + side)
