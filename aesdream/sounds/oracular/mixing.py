"""What finishes a sound after its chain, as a mixing hand would: its length, its ends, its level.

Loudness is normalised so that it tells nothing about what a sound is: without it, sounds normalised to their peaks span some 30 dB, and whoever
judges them learns level.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfilt

Samples = npt.NDArray[np.float64]

LOW_CUT = 20  # hertz; offsets and infrasound would take up level and are not heard
SILENCE = 1e-5  # full scale
TARGET_DB, PEAK_DB = -23.0, -1.0
LIMITER_PASSES, LIMITER_SECONDS = 4, 0.01
STEPS = 2**23  # of full scale, either side of zero


class Silent(Exception):
    """Nothing that can be heard is left; the message says where."""


def heard(sound: Samples, rate: int) -> Samples:
    """A sound (channels, samples) without what lies under 20 Hz."""
    return np.asarray(sosfilt(butter(2, LOW_CUT, "highpass", fs=rate, output="sos"), sound))


def mixed(sound: Samples, rate: int, *, seconds: float, kept: float, place: float, crest_db: float, gain_db: float) -> Samples:
    """A sound (channels, samples) cut or continued to ``seconds`` and levelled over its first ``kept`` seconds. Raises Silent."""
    fitted = _fitted(heard(sound, rate), max(1, round(seconds * rate)), place, rate)
    return _levelled(fitted, rate, max(1, round(kept * rate)), crest_db, gain_db)


def in_24_bits(sound: Samples) -> npt.NDArray[np.float32]:
    """A sound in [-1, 1) rounded to what a 24-bit file holds, which float32 holds, too: memory and files agree to the last bit."""
    return (np.clip(np.rint(sound * STEPS), -STEPS, STEPS - 1) / STEPS).astype(np.float32)


def cut(sound: Samples, length: int, place: float) -> Samples:
    """``length`` samples of a sound that has as many, ``place`` (0 to 1) of the way between its first and its last."""
    start = round(place * (sound.shape[1] - length))
    return sound[:, start : start + length]


def _fitted(sound: Samples, length: int, place: float, rate: int) -> Samples:
    """The sound at exactly ``length``: a longer one is cut, a shorter one repeats with crossfades of equal power; 10 ms of fade at both ends."""
    if sound.shape[1] < length:
        fade = max(1, min(round(0.25 * rate), sound.shape[1] // 4))
        ramp = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade)
        step = max(1, sound.shape[1] - fade)
        once = sound.copy()
        once[:, :fade] *= ramp
        once[:, -fade:] *= ramp[::-1]
        repeats = math.ceil(length / step)
        material = np.zeros((len(sound), repeats * step + fade))
        for start in range(0, repeats * step, step):
            material[:, start : start + sound.shape[1]] += once
        sound = material
    fitted = cut(sound, length, place).copy()
    edge = np.minimum(1.0, np.arange(length) / (0.01 * rate))
    return fitted * edge * edge[::-1]


def _levelled(sound: Samples, rate: int, kept: int, crest_db: float, gain_db: float) -> Samples:
    """The sound at -23 dBFS RMS plus ``gain_db``, limited to peaks of ``crest_db`` above RMS and -1 dBFS.

    The RMS is that of the first ``kept`` samples, the part that a study keeps, silence included: an active RMS would let level tell how dense a
    sound is. RMS and peak together would still tell the crest factor, which is higher for the brighter of these sounds, so the limit is drawn for
    every sound on its own, low enough to act on most.
    """
    ceiling = 10 ** (crest_db / 20)
    for _ in range(LIMITER_PASSES):  # what a pass takes off the peaks lowers the RMS, too
        level = _rms(sound[:, :kept])
        if not level > SILENCE:
            raise Silent("silent")
        sound = sound / level
        if np.abs(sound).max() <= ceiling:
            break
        sound = _limited(sound, ceiling, max(1, round(LIMITER_SECONDS * rate)))
    sound = sound * (10 ** ((TARGET_DB + gain_db) / 20) / _rms(sound[:, :kept]))
    return sound * min(1.0, 10 ** (PEAK_DB / 20) / float(np.abs(sound).max()))


def _rms(sound: Samples) -> float:
    return math.sqrt(float(np.mean(sound**2)))


def _limited(sound: Samples, ceiling: float, width: int) -> Samples:
    """No value beyond the ceiling: one smooth gain for all channels, which starts to fall ``width`` samples ahead of a peak."""
    peaks = maximum_filter1d(np.abs(sound).max(axis=0), 2 * width + 1)
    gain = ceiling / np.maximum(peaks, ceiling)
    return sound * uniform_filter1d(gain, 2 * width + 1)
