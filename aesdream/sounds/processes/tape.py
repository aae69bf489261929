"""What a tape machine does: speed, and direction."""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import butter, sosfilt

from aesdream.seeding import generator
from aesdream.sounds.processes.registry import SEED, Log, Samples, Uniform, process
from aesdream.sounds.processes.shared import HIGHEST, edges, folded, read


@process(start=Log(0.5, 2), end=Log(0.5, 2))
def varispeed(sound: Samples, rate: int, *, start: float, end: float) -> Samples:
    """Tape speed that bends from one ratio to another: pitch and time move together."""
    fastest = max(start, end)
    if fastest > 1:
        sound = sosfilt(butter(8, HIGHEST * rate / fastest, "lowpass", fs=rate, output="sos"), sound)
    seconds = sound.shape[1] / math.sqrt(start * end)
    speed = np.geomspace(start, end, max(1, round(seconds)))
    places = np.cumsum(speed) - speed[0]
    return read(sound, places * min(1.0, (sound.shape[1] - 1) / max(places[-1], 1.0)))


@process(wobbles=Log(0.1, 9), depth=Log(0.005, 0.4))
def warble(sound: Samples, rate: int, *, wobbles: float, depth: float) -> Samples:
    """Tape speed that swings ``wobbles`` times a second by ``depth`` of itself; the length stays."""
    places = np.arange(sound.shape[1])
    swing = depth * rate / (2 * np.pi * wobbles)
    return read(sound, places + swing * np.sin(2 * np.pi * wobbles / rate * places))


@process(seconds=Log(0.08, 1.5), octaves=Uniform(0.2, 1), seed=SEED)
def short_varispeed(sound: Samples, rate: int, *, seconds: float, octaves: float, seed: int) -> Samples:
    """Piece by piece at a speed of its own, up to ``octaves`` faster or slower; every piece starts in its place and fades over 5 ms."""
    piece = min(sound.shape[1], max(2, round(seconds * rate)))
    pieces = math.ceil(sound.shape[1] / piece)
    speeds = 2 ** generator(seed).uniform(-octaves, octaves, pieces)
    places = np.arange(pieces)[:, None] * piece + speeds[:, None] * np.arange(piece)
    return (read(sound, places.ravel()).reshape(len(sound), pieces, piece) * edges(piece, rate)).reshape(len(sound), -1)


@process(seconds=Log(0.1, 10))
def retrograde(sound: Samples, rate: int, *, seconds: float) -> Samples:
    """Backwards, piece by piece; the pieces fade over 5 ms at both ends."""
    piece = min(sound.shape[1], max(2, round(seconds * rate)))
    return (folded(sound, piece)[:, :, ::-1] * edges(piece, rate)).reshape(len(sound), -1)
