"""Made-up recordings: pieces played on a soundfont, softer notes darker, mixed, and put into a room of their own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from aesdream.seeding import Name, generator
from aesdream.sounds import audio
from aesdream.sounds.instruments import fonts, midi, scores

RATE = 44_100
"""IRMAS's."""
CUTOFFS = (900.0, 2400.0, 9000.0)
"""Hertz of the low-pass at the softest, between, and at the loudest: velocity alone barely changes a sample's timbre."""
OVER_ACCOMPANIMENT_DB = (3.0, 12.0)
TOGETHER_DB = 3.0
"""The most by which one of several predominant instruments is softer than the loudest."""
REVERBERATION = (0.15, 1.2)
WET_DB = (-24.0, -8.0)
TILT_DB = 4.0
PEAK = 0.9

Sound = NDArray[np.float64]


def sketch_of(seed: int, recording: tuple[Name, ...], labels: tuple[str, ...]) -> scores.Sketch:
    """The sketch of a recording, known by its path of names."""
    return scores.sketched(generator(seed, "instruments", *recording, "sketch"), labels)


def recorded(font: Path, seed: int, recording: tuple[Name, ...], labels: tuple[str, ...], seconds: float) -> Sound:
    """A recording of ``labels`` over an accompaniment: (2, ``seconds`` at ``RATE``), a function of the arguments and the font's bytes alone."""
    drawn = partial(generator, seed, "instruments", *recording)
    sketch = sketch_of(seed, recording, labels)
    mix = drawn("mix")
    whole = np.zeros((2, round(seconds * fonts.RATE)))
    for number in range(len(labels)):
        rng = drawn("melody", number)
        part, loudness = scores.melody(rng, sketch, number, seconds), scores.dynamics(rng, seconds)
        # The renderer squares expression.
        played = fonts.played(font, midi.file([part], seconds, 10 ** (loudness / 40)), seconds)
        whole += _loud(shaded(played, loudness), -float(mix.uniform(0, TOGETHER_DB)))
    under = fonts.played(font, midi.file(scores.accompaniment(drawn("accompaniment"), sketch, seconds), seconds), seconds)
    whole += _loud(under, -float(mix.uniform(*OVER_ACCOMPANIMENT_DB)))
    whole = in_a_room(drawn("room"), whole)
    return np.asarray(audio.resampled(whole * (PEAK / max(float(np.abs(whole).max()), 1e-9)), fonts.RATE, RATE))


def _loud(sound: Sound, level_db: float) -> Sound:
    """The sound at a root mean square of ``level_db``, whatever it was; silence stays silent."""
    rms = float(np.sqrt(np.mean(sound**2)))
    return sound * (10 ** (level_db / 20) / rms) if rms > 0 else sound


def shaded(sound: Sound, loudness: NDArray[np.float64]) -> Sound:
    """Softer is darker: a low-pass that follows ``loudness`` (dB below the loudest, every ``midi.STEP`` seconds) over ``CUTOFFS``."""
    at = np.arange(sound.shape[1]) / (midi.STEP * fonts.RATE)
    place = np.interp(at, np.arange(len(loudness)), 1 - loudness / scores.SOFTEST_DB) * (len(CUTOFFS) - 1)
    darker = [sosfilt(butter(2, cutoff, fs=fonts.RATE, output="sos"), sound) for cutoff in CUTOFFS]
    return np.asarray(sum(np.clip(1 - np.abs(place - number), 0, 1) * version for number, version in enumerate(darker)))


def in_a_room(rng: np.random.Generator, dry: Sound) -> Sound:
    """The sound with a room's noise-like decay, its length and level drawn for the recording, and a tilt of the spectrum."""
    decay, wet_db, tilt_db = rng.uniform(*REVERBERATION), rng.uniform(*WET_DB), rng.uniform(-TILT_DB, TILT_DB)
    times = np.arange(round(decay * fonts.RATE)) / fonts.RATE
    response = rng.standard_normal((2, len(times))) * 10 ** (-3 * times / decay)
    response *= 10 ** (wet_db / 20) / np.sqrt(np.sum(response**2, axis=1, keepdims=True))
    wet = fftconvolve(dry, response, axes=1)[:, : dry.shape[1]]
    high = sosfilt(butter(1, 1500, "highpass", fs=fonts.RATE, output="sos"), dry + wet)
    return np.asarray(dry + wet + (10 ** (tilt_db / 20) - 1) * high)
