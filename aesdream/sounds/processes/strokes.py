"""The sound struck more than once, cut short, or stuck."""

from __future__ import annotations

import numpy as np

from aesdream.sounds.processes.registry import Log, Samples, Uniform, Whole, process
from aesdream.sounds.processes.shared import edges, folded, tail


@process(strokes=Whole(2, 6), spacing=Log(0.015, 0.15), decay=Uniform(0.4, 0.95))
def flam(sound: Samples, rate: int, *, strokes: int, spacing: float, decay: float) -> Samples:
    """The sound struck several times in quick succession, ``decay`` a stroke."""
    return _struck(sound, np.arange(strokes) * max(1, round(spacing * rate)), decay)


@process(strokes=Whole(3, 16), first=Log(0.015, 0.4), last=Log(0.015, 0.4), decay=Uniform(0.6, 1))
def sliding_flam(sound: Samples, rate: int, *, strokes: int, first: float, last: float, decay: float) -> Samples:
    """The sound struck many times, the strokes drawing together or apart, ``decay`` a stroke."""
    return _struck(sound, np.rint(np.cumsum([0, *np.geomspace(first, last, strokes - 1)]) * rate).astype(int), decay)


def _struck(sound: Samples, starts: np.ndarray, decay: float) -> Samples:
    struck = tail(sound, int(starts[-1]))
    for number, start in enumerate(starts[1:], 1):
        struck[:, start : start + sound.shape[1]] += decay**number * sound
    return struck


@process(place=Uniform(0, 1), share=Log(0.05, 0.7), fade=Log(0.005, 0.3))
def truncation(sound: Samples, rate: int, *, place: float, share: float, fade: float) -> Samples:
    """A part of the sound, ``place`` of the way between its first and its last possible start, faded at both ends."""
    samples = max(1, round(share * sound.shape[1]))
    start = round(place * (sound.shape[1] - samples))
    return sound[:, start : start + samples] * edges(samples, rate, min(fade, samples / rate / 2))


@process(seconds=Log(0.03, 0.6), repeats=Whole(2, 8))
def stutter(sound: Samples, rate: int, *, seconds: float, repeats: int) -> Samples:
    """Of every so many pieces the first, as often as there were pieces; the length stays."""
    piece = min(sound.shape[1], max(2, round(seconds * rate)))
    pieces = folded(sound, piece) * edges(piece, rate)
    return pieces[:, np.arange(pieces.shape[1]) // repeats * repeats].reshape(len(sound), -1)[:, : sound.shape[1]]
