"""The sound in small pieces, put together anew."""

from __future__ import annotations

import math

import numpy as np

from aesdream.seeding import generator
from aesdream.sounds.processes.registry import SEED, Log, Samples, process
from aesdream.sounds.processes.shared import edges, folded, read


@process(grain=Log(0.02, 0.25), scatter=Log(0.01, 1.5), pitch=Log(0.5, 2), seed=SEED)
def granulation(sound: Samples, rate: int, *, grain: float, scatter: float, pitch: float, seed: int) -> Samples:
    """Overlapping grains, each read from a random place near its own and at random near ``pitch`` times the speed or as it was."""
    rng = generator(seed)
    half = max(1, round(grain * rate / 2))
    count = math.ceil(sound.shape[1] / half) + 1
    within = np.arange(2 * half)
    starts = np.arange(count) * half - half + rng.uniform(-scatter, scatter, count) * rate
    speeds = np.where(rng.random(count) < 0.5, 1.0, pitch)
    starts = np.clip(starts, 0, np.maximum(0, sound.shape[1] - 1 - 2 * half * speeds))
    grains = read(sound, (starts[:, None] + speeds[:, None] * within).ravel()).reshape(len(sound), count, 2, half)
    grains *= (np.sin(np.pi * (within + 0.5) / (2 * half)) ** 2).reshape(2, half)
    return (grains[:, 1:, 0] + grains[:, :-1, 1]).reshape(len(sound), -1)[:, : sound.shape[1]]


@process(seconds=Log(0.04, 1.2), seed=SEED)
def shuffle(sound: Samples, rate: int, *, seconds: float, seed: int) -> Samples:
    """The pieces of the sound in random order; they fade over 5 ms at both ends."""
    piece = min(sound.shape[1], max(2, round(seconds * rate)))
    pieces = folded(sound, piece) * edges(piece, rate)
    return pieces[:, generator(seed).permutation(pieces.shape[1])].reshape(len(sound), -1)
