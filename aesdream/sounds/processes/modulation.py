"""Multiplication by something that moves: rings, tremolo; and the flange."""

from __future__ import annotations

import math

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import lfilter

from aesdream.sounds.processes.registry import Choice, Log, Samples, Uniform, process
from aesdream.sounds.processes.shared import HIGHEST, folded, read, seconds_of


@process(frequency=Log(100, 2000), mix=Uniform(0.5, 1))
def ring_modulation(sound: Samples, rate: int, *, frequency: float, mix: float) -> Samples:
    """Multiplication by a sine."""
    carrier = np.sin(2 * np.pi * min(frequency, HIGHEST * rate) * seconds_of(sound, rate))
    return sound * (1 - mix + mix * carrier)


@process(frequency=Log(100, 1200), delay=Log(0.01, 0.12), ratio=Uniform(1.05, 1.6), decay=Uniform(0.5, 0.95))
def fourfold(sound: Samples, rate: int, *, frequency: float, delay: float, ratio: float, decay: float) -> Samples:
    """Four copies, each ring-modulated and combed at ``ratio`` times the last one's frequency and delay, dealt out over the channels."""
    mixed = np.zeros_like(sound)
    for number in range(4):
        carrier = np.sin(2 * np.pi * min(frequency * ratio**number, HIGHEST * rate) * seconds_of(sound, rate))
        rounds = folded(sound * carrier, max(1, round(delay * ratio**number * rate)))
        combed = np.asarray(lfilter([1.0], [1.0, -decay], rounds, axis=1)).reshape(len(sound), -1)[:, : sound.shape[1]]
        mixed += combed * np.where(np.arange(len(sound)) == number % len(sound), 1.0, 0.3)[:, None]
    return mixed


@process(sweeps=Log(0.05, 2), delay=Log(0.001, 0.008), depth=Uniform(0.3, 0.95), mix=Uniform(0.5, 1))
def flange(sound: Samples, rate: int, *, sweeps: float, delay: float, depth: float, mix: float) -> Samples:
    """The sound plus itself at a short delay that a sine sweeps."""
    swept = delay * rate * (1 + depth * np.sin(2 * np.pi * sweeps * seconds_of(sound, rate)))
    return sound + mix * read(sound, np.arange(sound.shape[1]) - swept)


@process(beats=Log(0.7, 18), depth=Uniform(0.5, 1), hardness=Log(0.5, 20))
def tremolo(sound: Samples, rate: int, *, beats: float, depth: float, hardness: float) -> Samples:
    """Loudness that swings ``beats`` times a second; the harder, the more it is a gate."""
    swing = np.tanh(hardness * np.sin(2 * np.pi * beats * seconds_of(sound, rate))) / math.tanh(hardness)
    return sound * (1 - depth / 2 + depth / 2 * swing)


@process(hertz=Log(3, 1500), direction=Choice(("up", "down")))
def frequency_shift(sound: Samples, rate: int, *, hertz: float, direction: str) -> Samples:
    """Every partial moved by the same number of hertz (to the nearest bin of the whole sound); what would pass 0 or half the rate is lost."""
    size = next_fast_len(sound.shape[1], real=True)
    spectrum = rfft(sound, size, axis=1)
    moved = np.zeros_like(spectrum)
    bins = min(round(hertz * size / rate), spectrum.shape[1] - 1)
    if direction == "up":
        moved[:, bins:] = spectrum[:, : spectrum.shape[1] - bins]
    else:
        moved[:, : spectrum.shape[1] - bins] = spectrum[:, bins:]
    return np.asarray(irfft(moved, size, axis=1))[:, : sound.shape[1]]
