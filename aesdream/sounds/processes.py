"""The small processes that the oracular processor strings into chains.

Their families follow the public relatives of Mushroom (facts, section 5); no list of Mushroom's own is public. A process is one function under
one decorator line: it takes a sound (channels, samples) of float64 whose largest magnitude is 1, its rate in hertz and its parameters by name,
and returns a new sound that may be longer or shorter. ``apply`` scales to and from that magnitude, so a process never depends on level and never
ends louder in peak than it began. Times are in seconds, frequencies in hertz (kept under 0.45 of the rate). Noise comes from a ``seed`` parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft
from scipy.signal import butter, istft, lfilter, oaconvolve, sosfilt, stft

from aesdream.errors import UserError, one_of
from aesdream.seeding import generator

Samples = npt.NDArray[np.float64]
Value = float | int | str


class Range(Protocol):
    """Where a parameter's values come from."""

    def draw(self, rng: np.random.Generator) -> Value: ...
    def holds(self, value: Any) -> bool: ...


@dataclass(frozen=True)
class Uniform:
    """Numbers from low to high, evenly; kept to six digits, so that a record is readable and exact."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        return float(f"{rng.uniform(self.low, self.high):.6g}")

    def holds(self, value: Any) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True)
class Log(Uniform):
    """Numbers from low to high, evenly by ratio."""

    def draw(self, rng: np.random.Generator) -> float:
        return float(f"{min(max(math.exp(rng.uniform(math.log(self.low), math.log(self.high))), self.low), self.high):.6g}")


@dataclass(frozen=True)
class Whole:
    """Whole numbers from low to high, both among them."""

    low: int
    high: int

    def draw(self, rng: np.random.Generator) -> int:
        return int(rng.integers(self.low, self.high, endpoint=True))

    def holds(self, value: Any) -> bool:
        return isinstance(value, int) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of a few names."""

    names: tuple[str, ...]

    def draw(self, rng: np.random.Generator) -> str:
        return self.names[int(rng.integers(len(self.names)))]

    def holds(self, value: Any) -> bool:
        return value in self.names


@dataclass(frozen=True)
class Process:
    """A function of (sound, rate, **parameters) and the range of each parameter."""

    function: Callable[..., Samples]
    ranges: Mapping[str, Range]


PROCESSES: dict[str, Process] = {}
SEED = Whole(0, 2**31 - 1)


def process(**ranges: Range) -> Callable[[Callable[..., Samples]], Callable[..., Samples]]:
    """Register a function as a process under its own name, with the ranges that its parameters are drawn from."""

    def register(function: Callable[..., Samples]) -> Callable[..., Samples]:
        PROCESSES[function.__name__] = Process(function, ranges)
        return function

    return register


def draw(name: str, rng: np.random.Generator) -> dict[str, Value]:
    """Random parameters (JSON-able) for the process ``name``; raises UserError for an unknown one."""
    return {key: span.draw(rng) for key, span in _named(name).ranges.items()}


def apply(name: str, sound: Samples, rate: int, parameters: Mapping[str, Any]) -> Samples:
    """``sound`` (channels, samples) at ``rate`` hertz after one process; for finite input finite, and never beyond the input's largest magnitude.

    Raises UserError for an unknown process and for parameters that are missing, unknown or out of range, a line each.
    """
    chosen = _named(name)
    wrong = [f"{name}: {key} is unknown; valid: {', '.join(chosen.ranges)}" for key in parameters if key not in chosen.ranges]
    for key, span in chosen.ranges.items():
        if key not in parameters:
            wrong.append(f"{name}: {key} is missing; needs a value of {span}")
        elif not span.holds(parameters[key]):
            wrong.append(f"{name}: {key} is {parameters[key]!r}; must be of {span}")
    if wrong:
        raise UserError(*wrong)
    peak = float(np.abs(sound).max(initial=0.0))
    result = chosen.function(sound / (peak or 1.0), rate, **parameters)
    return result / max(1.0, float(np.abs(result).max(initial=0.0))) * peak


def _named(name: str) -> Process:
    if name not in PROCESSES:
        raise one_of("process", name, PROCESSES)
    return PROCESSES[name]


def _seconds(sound: Samples, rate: int) -> Samples:
    return np.arange(sound.shape[1]) / rate


def _tail(sound: Samples, samples: int) -> Samples:
    return np.pad(sound, ((0, 0), (0, samples)))


def _butter(order: int, cutoff: float | list[float], kind: str, rate: int) -> Samples:
    edges = np.minimum(cutoff, 0.45 * rate) if kind != "bandpass" else np.minimum(cutoff, [0.4 * rate, 0.45 * rate])
    return np.asarray(butter(order, edges, kind, fs=rate, output="sos"))


def _read(sound: Samples, places: Samples) -> Samples:
    """The sound at fractional sample places, between its neighbours by a cubic (Catmull-Rom); the ends are held."""
    last = sound.shape[1] - 1
    places = np.clip(places, 0, last)
    whole = places.astype(np.intp)
    part = places - whole
    a, b, c, d = (sound[:, np.clip(whole + step, 0, last)] for step in (-1, 0, 1, 2))
    return b + 0.5 * part * (c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a)))


def _spectra(sound: Samples, rate: int, seconds: float) -> tuple[Samples, int]:
    """Complex spectra (channels, bins, frames) of Hann windows of about ``seconds``, a quarter apart, and the window's length."""
    size = 2 ** max(4, round(math.log2(rate * seconds)))
    padded = _tail(sound, max(0, size - sound.shape[1]))
    return stft(padded, nperseg=size, noverlap=size - size // 4)[2], size


def _sound(spectra: Samples, size: int, samples: int) -> Samples:
    """The sound of ``_spectra`` again, its first ``samples``."""
    return np.asarray(istft(spectra, nperseg=size, noverlap=size - size // 4)[1])[:, :samples]


@process(start=Log(0.5, 2), end=Log(0.5, 2))
def varispeed(sound: Samples, rate: int, *, start: float, end: float) -> Samples:
    """Tape speed that bends from one ratio to another: pitch and time move together."""
    fastest = max(start, end)
    if fastest > 1:
        sound = sosfilt(_butter(8, 0.45 * rate / fastest, "lowpass", rate), sound)
    seconds = sound.shape[1] / math.sqrt(start * end)
    speed = np.geomspace(start, end, max(1, round(seconds)))
    places = np.cumsum(speed) - speed[0]
    return _read(sound, places * min(1.0, (sound.shape[1] - 1) / max(places[-1], 1.0)))


@process(frequency=Log(100, 2000), mix=Uniform(0.5, 1))
def ring_modulation(sound: Samples, rate: int, *, frequency: float, mix: float) -> Samples:
    """Multiplication by a sine."""
    carrier = np.sin(2 * np.pi * min(frequency, 0.45 * rate) * _seconds(sound, rate))
    return sound * (1 - mix + mix * carrier)


@process(sweeps=Log(0.05, 2), delay=Log(0.001, 0.008), depth=Uniform(0.3, 0.95), mix=Uniform(0.5, 1))
def flange(sound: Samples, rate: int, *, sweeps: float, delay: float, depth: float, mix: float) -> Samples:
    """The sound plus itself at a short delay that a sine sweeps."""
    swept = delay * rate * (1 + depth * np.sin(2 * np.pi * sweeps * _seconds(sound, rate)))
    return sound + mix * _read(sound, np.arange(sound.shape[1]) - swept)


@process(kind=Choice(("lowpass", "highpass", "bandpass")), cutoff=Log(200, 4000), octaves=Log(0.3, 2), order=Whole(1, 4))
def butterworth(sound: Samples, rate: int, *, kind: str, cutoff: float, octaves: float, order: int) -> Samples:
    """A maximally flat filter; ``octaves`` is the width of a band around ``cutoff``."""
    edges = [cutoff * 2 ** (-octaves / 2), cutoff * 2 ** (octaves / 2)] if kind == "bandpass" else cutoff
    return np.asarray(sosfilt(_butter(order, edges, kind, rate), sound))


@process(start=Log(150, 6000), end=Log(150, 6000), sharpness=Log(3, 40))
def swept_resonance(sound: Samples, rate: int, *, start: float, end: float, sharpness: float) -> Samples:
    """A resonance whose centre glides through the sound; ``sharpness`` is its Q."""
    spectra, size = _spectra(sound, rate, 0.04)
    bins = np.fft.rfftfreq(size, 1 / rate)[:, None]
    centre = np.minimum(np.geomspace(start, end, spectra.shape[-1]), 0.45 * rate)
    gain = 1 / np.sqrt(1 + (sharpness * (bins**2 - centre**2) / (centre * np.maximum(bins, rate / size))) ** 2)
    return _sound(spectra * gain, size, sound.shape[1])


@process(delay=Log(0.01, 0.35), decay=Uniform(0.5, 0.98))
def comb(sound: Samples, rate: int, *, delay: float, decay: float) -> Samples:
    """Feedback at a fixed delay, ``decay`` a round, with up to 2 s of ringing after the sound."""
    period = max(1, round(delay * rate))
    ringing = min(2 * rate, math.ceil(period * math.log(1e-3) / math.log(decay)))
    rounds = math.ceil((sound.shape[1] + ringing) / period)
    folded = _tail(sound, rounds * period - sound.shape[1]).reshape(len(sound), rounds, period)
    return np.asarray(lfilter([1.0], [1.0, -decay], folded, axis=1)).reshape(len(sound), -1)


@process(seconds=Log(0.2, 2.5), mix=Uniform(0.2, 0.9), seed=SEED)
def reverb(sound: Samples, rate: int, *, seconds: float, mix: float, seed: int) -> Samples:
    """A room made of noise that falls by 60 dB in ``seconds``, a noise of its own for every channel."""
    fall = 10 ** (-3 * np.arange(max(1, round(seconds * rate))) / (seconds * rate))
    response = generator(seed).standard_normal((len(sound), len(fall))) * fall
    response *= mix / np.sqrt(np.sum(response**2, axis=1, keepdims=True))
    response[:, 0] += 1 - mix
    return np.asarray(oaconvolve(sound, response, axes=1))


@process(drive=Log(2, 60))
def distortion(sound: Samples, rate: int, *, drive: float) -> Samples:
    """A soft clipper, brought back to the mean power that went in."""
    bent = np.tanh(drive * sound)
    return bent * math.sqrt(float(np.mean(sound**2)) / (float(np.mean(bent**2)) or 1.0))


@process(bits=Uniform(2.5, 8), hold=Log(1500, 16000))
def bit_crush(sound: Samples, rate: int, *, bits: float, hold: float) -> Samples:
    """Fewer bits, and every value held so that ``hold`` values a second remain."""
    steps = 2 ** (bits - 1)
    places = np.arange(sound.shape[1])
    held = places if hold >= rate else np.floor(np.floor(places * (hold / rate)) * (rate / hold)).astype(np.intp)
    return np.rint(sound[:, held] * steps) / steps


@process(seconds=Log(0.1, 10))
def retrograde(sound: Samples, rate: int, *, seconds: float) -> Samples:
    """Backwards, piece by piece; the pieces fade over 5 ms at both ends."""
    piece = min(sound.shape[1], max(2, round(seconds * rate)))
    pieces = math.ceil(sound.shape[1] / piece)
    folded = _tail(sound, pieces * piece - sound.shape[1]).reshape(len(sound), pieces, piece)[:, :, ::-1]
    ramp = np.arange(1, piece + 1) / (0.005 * rate)
    return (folded * np.minimum(1.0, np.minimum(ramp, ramp[::-1]))).reshape(len(sound), -1)


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
    grains = _read(sound, (starts[:, None] + speeds[:, None] * within).ravel()).reshape(len(sound), count, 2, half)
    grains *= (np.sin(np.pi * (within + 0.5) / (2 * half)) ** 2).reshape(2, half)
    return (grains[:, 1:, 0] + grains[:, :-1, 1]).reshape(len(sound), -1)[:, : sound.shape[1]]


@process(strokes=Whole(2, 6), spacing=Log(0.015, 0.15), decay=Uniform(0.4, 0.95))
def flam(sound: Samples, rate: int, *, strokes: int, spacing: float, decay: float) -> Samples:
    """The sound struck several times in quick succession, ``decay`` a stroke."""
    gap = max(1, round(spacing * rate))
    struck = _tail(sound, gap * (strokes - 1))
    for stroke in range(1, strokes):
        struck[:, stroke * gap : stroke * gap + sound.shape[1]] += decay**stroke * sound
    return struck


@process(beats=Log(0.7, 18), depth=Uniform(0.5, 1), hardness=Log(0.5, 20))
def tremolo(sound: Samples, rate: int, *, beats: float, depth: float, hardness: float) -> Samples:
    """Loudness that swings ``beats`` times a second; the harder, the more it is a gate."""
    swing = np.tanh(hardness * np.sin(2 * np.pi * beats * _seconds(sound, rate))) / math.tanh(hardness)
    return sound * (1 - depth / 2 + depth / 2 * swing)


@process(seconds=Log(0.1, 3), seed=SEED)
def spectral_blur(sound: Samples, rate: int, *, seconds: float, seed: int) -> Samples:
    """Magnitudes averaged over ``seconds`` under random phases, the same for every channel: near a freeze at the long end."""
    spectra, size = _spectra(sound, rate, 0.08)
    frames, padded = spectra.shape[-1], 2 * spectra.shape[-1]
    fall = np.exp(-np.arange(frames) * (size / 4 / rate) / seconds)
    smooth = irfft(rfft(np.abs(spectra), padded, axis=-1) * rfft(fall / fall.sum(), padded), padded, axis=-1)[..., :frames]
    phases = generator(seed).uniform(0, 2 * np.pi, spectra.shape[1:])
    return _sound(np.maximum(smooth, 0) * np.exp(1j * phases), size, sound.shape[1])
