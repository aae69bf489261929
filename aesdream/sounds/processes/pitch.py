"""Pitch without time, time without pitch: Signalsmith's stretcher (python-stretch), which repeats itself only from a seed."""

from __future__ import annotations

import numpy as np
from python_stretch import Signalsmith

from aesdream.sounds.processes.registry import SEED, Log, Samples, Uniform, process


def _stretched(sound: Samples, rate: int, speed: float, semitones: float, seed: int) -> Samples:
    stretcher = Signalsmith.Stretch(seed)
    stretcher.preset(len(sound), rate)
    stretcher.setTimeFactor(speed)
    stretcher.setTransposeSemitones(semitones)
    return np.asarray(stretcher.process(np.ascontiguousarray(sound, np.float32)), np.float64)


@process(semitones=Uniform(-19, 19), seed=SEED)
def pitch_shift(sound: Samples, rate: int, *, semitones: float, seed: int) -> Samples:
    """Every frequency times the same ratio; the length stays."""
    return _stretched(sound, rate, 1.0, semitones, seed)


@process(factor=Log(0.4, 2.5), seed=SEED)
def time_stretch(sound: Samples, rate: int, *, factor: float, seed: int) -> Samples:
    """``factor`` times as long; the pitch stays."""
    return _stretched(sound, rate, min(1 / factor, sound.shape[1]), 0.0, seed)  # never less than a sample
