"""Resonances: gliding, pulsed, and banks of them."""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import iirpeak, lfilter

from aesdream.sounds.processes.registry import Log, Samples, Uniform, Whole, process
from aesdream.sounds.processes.shared import HIGHEST, convolved, seconds_of, sound_of, spectra, window_size


@process(start=Log(150, 6000), end=Log(150, 6000), sharpness=Log(3, 40))
def swept_resonance(sound: Samples, rate: int, *, start: float, end: float, sharpness: float) -> Samples:
    """A resonance whose centre glides through the sound; ``sharpness`` is its Q."""
    size = window_size(rate, 0.04)
    values = spectra(sound, size)
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / rate), rate / size)
    centre = np.minimum(np.geomspace(start, end, values.shape[1]), HIGHEST * rate)[:, None]
    gain = 1 / np.sqrt(1 + (sharpness * (hertz / centre - centre / hertz)) ** 2)
    return sound_of(values * gain.astype(np.float32), size, sound.shape[1])


@process(frequency=Log(100, 4000), sharpness=Log(5, 60), attack=Log(0.005, 0.5), fall=Log(0.1, 4))
def pulsed_resonance(sound: Samples, rate: int, *, frequency: float, sharpness: float, attack: float, fall: float) -> Samples:
    """A resonance under an envelope that rises for ``attack`` seconds, dies away with ``fall`` as its time constant and starts again."""
    poles = iirpeak(min(frequency, HIGHEST * rate), sharpness, fs=rate)
    within = seconds_of(sound, rate) % (attack + 3 * fall)
    envelope = np.minimum(within / attack, np.exp(-np.maximum(within - attack, 0) / fall))
    return np.asarray(lfilter(*poles, sound, axis=1)) * envelope


@process(frequency=Log(60, 1200), partials=Whole(3, 10), spread=Uniform(0.8, 1.6), seconds=Log(0.05, 1.5))
def resonators(sound: Samples, rate: int, *, frequency: float, partials: int, spread: float, seconds: float) -> Samples:
    """A bank of resonances at ``frequency`` times 1, 2, 3 and on to the power ``spread`` (1: a string); the lowest fades by 60 dB in ``seconds``."""
    time = np.arange(max(2, round(seconds * rate))) / rate
    response = np.zeros(len(time))
    for number in range(1, partials + 1):
        if frequency * number**spread < HIGHEST * rate:
            response += np.exp(-math.log(1000) * math.sqrt(number) / seconds * time) * np.sin(2 * np.pi * frequency * number**spread * time)
    return convolved(sound, response)
