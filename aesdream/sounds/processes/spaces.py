"""Rooms, and where a sound stands between the channels."""

from __future__ import annotations

import numpy as np

from aesdream.seeding import generator
from aesdream.sounds.processes.registry import SEED, Log, Samples, Uniform, process
from aesdream.sounds.processes.shared import convolved, seconds_of


@process(seconds=Log(0.2, 2.5), mix=Uniform(0.2, 0.9), seed=SEED)
def reverb(sound: Samples, rate: int, *, seconds: float, mix: float, seed: int) -> Samples:
    """A room made of noise that falls by 60 dB in ``seconds``, a noise of its own for every channel."""
    fall = 10 ** (-3 * np.arange(max(1, round(seconds * rate))) / (seconds * rate))
    response = generator(seed).standard_normal((len(sound), len(fall))) * fall
    response *= mix / np.sqrt(np.sum(response**2, axis=1, keepdims=True))
    response[:, 0] += 1 - mix
    return convolved(sound, response)


@process(turns=Log(0.05, 6), depth=Uniform(0.4, 1))
def pan(sound: Samples, rate: int, *, turns: float, depth: float) -> Samples:
    """The channels' loudness goes round ``turns`` times a second, each channel's turn after the other's; one channel alone stays as it is."""
    if len(sound) == 1:
        return sound
    phases = 2 * np.pi * np.arange(len(sound)) / len(sound)
    return sound * np.sqrt(1 + depth * np.sin(2 * np.pi * turns * seconds_of(sound, rate) + phases[:, None]))


@process(width=Log(0.05, 8), delay=Log(0.0002, 0.02))
def spread(sound: Samples, rate: int, *, width: float, delay: float) -> Samples:
    """Each channel ``delay`` later than the last, and what differs between channels times ``width``: from nearly mono to mostly apart."""
    late = round(delay * rate)
    apart = np.zeros((len(sound), sound.shape[1] + late * (len(sound) - 1)))
    for number, channel in enumerate(sound):
        apart[number, number * late : number * late + sound.shape[1]] = channel
    middle = apart.mean(axis=0)
    return middle + width * (apart - middle)
