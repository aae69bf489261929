"""What is done to short-time spectra: blurred, held still, gated, stretched."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft

from aesdream.seeding import generator
from aesdream.sounds.processes.registry import SEED, Choice, Log, Samples, Uniform, process
from aesdream.sounds.processes.shared import OVERLAP, Spectra, sound_of, spectra, window_size

WINDOW = 0.08
"""Seconds; long enough to keep partials of a low tone apart."""


def _turned(phases: npt.NDArray[np.floating]) -> Spectra:
    """Unit values with these phases, single precision."""
    angles = phases.astype(np.float32)
    return np.asarray(np.cos(angles) + 1j * np.sin(angles))


@process(seconds=Log(0.1, 3), seed=SEED)
def spectral_blur(sound: Samples, rate: int, *, seconds: float, seed: int) -> Samples:
    """Magnitudes averaged over ``seconds`` under random phases, the same for every channel: near a freeze at the long end."""
    size = window_size(rate, WINDOW)
    values = spectra(sound, size)
    fall = np.float32(np.exp(-size / OVERLAP / rate / seconds))
    smooth = (1 - fall) * np.abs(values) + np.float32(1e-20)  # above denormal numbers, which are slow
    for at in range(1, smooth.shape[1]):
        smooth[:, at] += fall * smooth[:, at - 1]
    phases = generator(seed).random(values.shape[1:], np.float32) * np.float32(2 * np.pi)
    return sound_of(smooth * _turned(phases), size, sound.shape[1])


@process(place=Uniform(0, 0.9), seconds=Log(0.3, 6))
def spectral_freeze(sound: Samples, rate: int, *, place: float, seconds: float) -> Samples:
    """At one place the spectrum is held for ``seconds``, every bin turning on as it did there; then the sound goes on."""
    size = window_size(rate, WINDOW)
    hop = size // OVERLAP
    values = spectra(sound, size)
    at = max(1, min(round(place * sound.shape[1] / hop) + OVERLAP // 2, values.shape[1] - 1))
    held = max(1, round(seconds * rate / hop))
    turn = np.angle(values[:, at] * values[:, at - 1].conj())
    still = values[:, at, None] * _turned(np.remainder(turn[:, None] * np.arange(1, held + 1)[:, None], 2 * np.pi))
    return sound_of(np.concatenate([values[:, : at + 1], still, values[:, at + 1 :]], axis=1), size, sound.shape[1] + held * hop)


@process(threshold=Uniform(-50, -10), keep=Choice(("loud", "soft")))
def spectral_gate(sound: Samples, rate: int, *, threshold: float, keep: str) -> Samples:
    """Of every short-time spectrum only what is louder, or softer, than ``threshold`` decibels under its loudest bin."""
    size = window_size(rate, 0.04)
    values = spectra(sound, size)
    powers = np.sum(values.real**2 + values.imag**2, axis=0)
    loud = powers >= powers.max(axis=1, keepdims=True) * 10 ** (threshold / 10)
    return sound_of(values * (loud if keep == "loud" else ~loud), size, sound.shape[1])


@process(factor=Log(8, 200), place=Uniform(0, 1), window=Log(0.08, 0.5), seed=SEED)
def extreme_stretch(sound: Samples, rate: int, *, factor: float, place: float, window: float, seed: int) -> Samples:
    """A moment of the sound, stretched ``factor`` times to the length of the whole; phases are random in every channel, so that transients melt."""
    size = window_size(rate, window)
    hop = size // OVERLAP
    frames = -(-sound.shape[1] // hop) + OVERLAP - 1
    padded = np.zeros((len(sound), max(size, sound.shape[1])), np.float32)
    padded[:, : sound.shape[1]] = sound
    reach = padded.shape[1] - size
    first = place * max(0.0, reach - frames * hop / factor)
    starts = np.minimum(np.rint(first + np.arange(frames) * hop / factor), reach).astype(np.intp)
    taken = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, starts]
    magnitudes = np.abs(rfft(taken * np.hanning(size).astype(np.float32), axis=-1))
    phases = generator(seed).random(magnitudes.shape, np.float32) * np.float32(2 * np.pi)
    return sound_of(magnitudes * _turned(phases), size, sound.shape[1])
