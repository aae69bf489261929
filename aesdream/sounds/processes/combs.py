"""Delays that feed back."""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import lfilter

from aesdream.sounds.processes.registry import Log, Samples, Uniform, process
from aesdream.sounds.processes.shared import HIGHEST, folded, tail

RINGING = 2.0
"""Seconds after the sound for which a loop may go on."""


@process(delay=Log(0.01, 0.35), decay=Uniform(0.5, 0.98))
def comb(sound: Samples, rate: int, *, delay: float, decay: float) -> Samples:
    """Feedback at a fixed delay, ``decay`` a round, with up to 2 s of ringing after the sound."""
    period = max(1, round(delay * rate))
    ringing = min(round(RINGING * rate), math.ceil(period * math.log(1e-3) / math.log(decay)))
    rounds = folded(tail(sound, ringing), period)
    return np.asarray(lfilter([1.0], [1.0, -decay], rounds, axis=1)).reshape(len(sound), -1)


@process(start=Log(0.01, 0.35), end=Log(0.01, 0.35), decay=Uniform(0.5, 0.95))
def sliding_comb(sound: Samples, rate: int, *, start: float, end: float, decay: float) -> Samples:
    """Feedback at a delay that glides from one length to another, ``decay`` a round, read between samples."""
    samples = sound.shape[1] + round(RINGING * rate)
    delays = np.geomspace(max(3.0, start * rate), max(3.0, end * rate), samples)
    lead = math.ceil(delays.max()) + 1  # silence to read from before the sound
    ringing = np.pad(sound, ((0, 0), (lead, samples - sound.shape[1])))
    places = lead + np.arange(samples) - delays
    before = np.floor(places).astype(np.intp)
    part = decay * (places - before)
    whole = decay - part
    step = int(delays.min()) - 1  # no sample of a step reads another of the same
    for at in range(0, samples, step):
        span = slice(at, at + step)
        ringing[:, lead:][:, span] += whole[span] * ringing[:, before[span]] + part[span] * ringing[:, before[span] + 1]
    return ringing[:, lead:]


@process(delay=Log(0.005, 0.3), amount=Uniform(0.5, 1.4), drive=Log(0.5, 6), cutoff=Log(300, 8000))
def feedback(sound: Samples, rate: int, *, delay: float, amount: float, drive: float, cutoff: float) -> Samples:
    """A delay that feeds back through a soft clipper and a one-pole low-pass; beyond an ``amount`` of 1 it howls on its own, and stays bounded."""
    period = max(1, round(delay * rate))
    rounds = folded(tail(sound, round(RINGING * rate)), period)
    fall = math.exp(-2 * math.pi * min(cutoff, HIGHEST * rate) / rate)
    state = np.zeros((len(sound), 1))
    for at in range(1, rounds.shape[1]):
        back, state = lfilter([amount * (1 - fall)], [1.0, -fall], np.tanh(drive * rounds[:, at - 1]), axis=1, zi=state)
        rounds[:, at] += back
    return rounds.reshape(len(sound), -1)


@process(delay=Log(0.005, 0.25), frequency=Log(20, 2000), amount=Uniform(0.5, 0.97))
def ring_feedback(sound: Samples, rate: int, *, delay: float, frequency: float, amount: float) -> Samples:
    """A delay that feeds back through a ring modulator: every round moves the partials further apart."""
    period = max(1, round(delay * rate))
    rounds = folded(tail(sound, round(RINGING * rate)), period)
    turns = 2 * np.pi * min(frequency, HIGHEST * rate) / rate * np.arange(rounds.shape[1] * period)
    carrier = (amount * np.sin(turns)).reshape(-1, period)
    for at in range(1, rounds.shape[1]):
        rounds[:, at] += carrier[at] * rounds[:, at - 1]
    return rounds.reshape(len(sound), -1)
