"""Reading sound files of any kind, and preparing them alike.

Preparation is the thesis's (Methods): trim to a fixed length, half-second linear fade-out at its end. The order is channels, resample, trim or
pad, fade, level, quantise to 16 bit. ``channels: 1``, ``levels: peak`` and no fade-out are what the paper's network hears (facts, section 3).
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from aesdream.config import Section

CHANNELS = 2
FULL_SCALE = 32768
RMS_LEVEL = 0.1
"""The root mean square that ``levels: rms`` aims at (-20 dB of full scale)."""
STREAMED_SIZE = 0xFFFFFF00
"""A WAV header with at least this size was written to a pipe, its true length unknown; that is no truncation."""
CUT_SHORT = ("lacks an end-of-stream bit", "Junk after the last page", "does not match value from 'ds64' chunk")
"""What libsndfile notes of an Ogg and an RF64 that end too early."""

Samples = NDArray[np.floating[Any]]


class Preparation(Section):
    """How every sound is made alike (thesis, Methods; the defaults are the thesis's)."""

    sample_rate: int = Field(48000, ge=1000, le=384000)
    seconds: float = Field(10.0, gt=0)
    fade_out: float = Field(0.5, ge=0)
    levels: Literal["full_scale", "peak", "rms"] = "full_scale"
    short: Literal["pad", "refuse"] = "pad"
    channels: Literal[1, 2] = 2
    """1: the mean of both channels."""

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without ``channels`` where there are two: runs that were made before the key existed stay what they are."""
        return {key: value for key, value in handler(self).items() if (key, value) != ("channels", CHANNELS)}

    @property
    def samples(self) -> int:
        """Length of a prepared sound in samples."""
        return round(self.seconds * self.sample_rate)


class UnreadableSound(Exception):
    """A sound file that cannot be used; the message says why and what would be right."""


@dataclass(frozen=True)
class Inspection:
    """What one look at a whole sound file found; ``problem`` is None where it can be used."""

    sha256: str = ""
    audio: str = ""
    """A digest of the decoded segment: equal for the same audio in another container."""
    seconds: float = 0.0
    problem: str | None = None
    channels: int = 0
    """0 where nobody counted them."""


def read(path: Path, start: float = 0.0, end: float | None = None) -> tuple[NDArray[np.float32], int]:
    """The sound (channels, samples) in a file, or its segment from ``start`` to ``end`` seconds, and its sample rate.

    Raises UnreadableSound for a file that is missing, empty, truncated, undecodable, silent, holds NaN or infinity, or has more than two channels.
    """
    if not path.is_file():
        raise UnreadableSound("no such file; correct its path, or take it out")
    if path.stat().st_size == 0:
        raise UnreadableSound("the file is empty; copy or export it again")
    try:
        with soundfile.SoundFile(os.fsencode(path)) as opened:
            rate, promised, log = opened.samplerate, opened.frames, opened.extra_info
            if opened.channels > CHANNELS:
                raise UnreadableSound(f"{opened.channels} channels; mix them down to one or two")
            # 16-bit integers are copied as they are and scaled once, below, which gives the same floats in half the time.
            decoded = opened.read(dtype="int16" if opened.subtype == "PCM_16" else "float32", always_2d=True)
    except (RuntimeError, TypeError, ValueError, MemoryError) as error:  # the last two where a header promises more than any file holds
        why = str(error).split(": ")[-1].rstrip(".") or "broken stream"
        raise UnreadableSound(f"cannot be decoded as audio ({why}); if it was truncated copy it again, else export it as WAV or FLAC") from None
    if len(decoded) < promised or _cut_short(log):
        raise UnreadableSound("truncated: it ends before its header says; copy or export it again")
    return _segment(decoded.T, rate, start, end), rate


def _cut_short(log: str) -> bool:
    sizes = re.findall(r"^ *(?:data|SSND|riff|Data Size) *: (\d+) \(should be (\d+)\)", log, re.MULTILINE)
    return any(int(there) < int(claimed) < STREAMED_SIZE for claimed, there in sizes) or any(note in log for note in CUT_SHORT)


def _segment(decoded: NDArray[Any], rate: int, start: float, end: float | None) -> NDArray[np.float32]:
    last = decoded.shape[1] if end is None else round(end * rate)
    if last > decoded.shape[1]:
        raise UnreadableSound(f"is {decoded.shape[1] / rate:.3f} s long, its segment ends at {end:g} s; let it end earlier")
    sound = decoded[:, round(start * rate) : last].astype(np.float32, order="C")
    if decoded.dtype == np.int16:
        sound *= np.float32(1 / FULL_SCALE)
    if not sound.size:
        raise UnreadableSound("holds no samples; export it again")
    lowest, highest = float(sound.min()), float(sound.max())  # NaN if there is one
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise UnreadableSound("holds NaN or infinite values; export it again")
    if max(-lowest, highest) < 0.5 / FULL_SCALE:
        raise UnreadableSound("silent: nothing can be heard in it; leave it out, or export it again")
    return sound


def inspect(path: Path, start: float = 0.0, end: float | None = None, *, at_least: float = 0.0) -> Inspection:
    """Decode a file once and say what it is or why it cannot be used; ``at_least`` seconds are asked of it. Never raises for bad audio."""
    try:
        sound, rate = read(path, start, end)
        seconds = sound.shape[1] / rate
        if seconds < at_least:
            raise UnreadableSound(f"is {seconds:.3f} s long, the study refuses less than {at_least:g} s; leave it out, or let sounds.short be pad")
    except UnreadableSound as error:
        return Inspection(problem=str(error))
    except OSError as error:
        return Inspection(problem=f"cannot be read ({error.strerror}); make it readable, or leave it out")
    with path.open("rb") as opened:
        whole = hashlib.file_digest(opened, "sha256").hexdigest()
    return Inspection(whole, hashlib.sha256(sound.tobytes() + str((rate, sound.shape)).encode()).hexdigest(), seconds, channels=len(sound))


def in_channels(sound: Samples, channels: int = CHANNELS) -> Samples:
    """A sound (1 or 2 channels, samples) in as many channels as wanted: mono copied to both, or the mean of both."""
    if len(sound) == channels:
        return sound
    return np.repeat(sound, channels, axis=0) if len(sound) == 1 else sound.mean(0, keepdims=True, dtype=sound.dtype)


def resampled(sound: Samples, rate: int, wanted: int) -> Samples:
    """``sound`` (channels, samples) at another sample rate (soxr, high quality)."""
    return sound if rate == wanted else np.ascontiguousarray(soxr.resample(sound.T, rate, wanted, quality="HQ").T)


def prepare(sound: Samples, rate: int, how: Preparation) -> NDArray[np.int16]:
    """A sound (1 or 2 channels, samples) in [-1, 1] at ``rate`` Hz as the study prepares it: (``how.channels``, ``how.samples``) int16.

    With 16-bit input at the study's rate and ``full_scale`` it equals ``sox -D in out trim 0 T fade t 0 T F`` within one step.
    """
    sound = resampled(in_channels(sound, how.channels), rate, how.sample_rate)[:, : how.samples]
    fitted = np.zeros((how.channels, how.samples), sound.dtype if how.levels == "full_scale" else np.float64)
    fitted[:, : sound.shape[1]] = sound
    fade = min(round(how.fade_out * how.sample_rate), how.samples)
    ending = fitted[:, how.samples - fade :] * (np.arange(fade, 0, -1) / fade if fade else 1.0)
    if how.levels == "full_scale":  # a power of two: exact in any precision, but for the ending
        return np.concatenate([quantised(fitted[:, : how.samples - fade]), quantised(ending)], axis=1)
    fitted[:, how.samples - fade :] = ending
    return quantised(fitted * _gain(fitted, how))


def _gain(sound: NDArray[np.float64], how: Preparation) -> float:
    peak = float(np.abs(sound).max())
    if peak == 0:
        return 1.0
    most = (FULL_SCALE - 1) / FULL_SCALE / peak
    return most if how.levels == "peak" else min(most, RMS_LEVEL / float(np.sqrt(np.mean(sound**2))))


def quantised(sound: Samples) -> NDArray[np.int16]:
    """Samples in [-1, 1] as 16-bit integers, rounded to the nearest, clipped at the ends of the range."""
    scaled = sound * FULL_SCALE
    np.rint(scaled, out=scaled)
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled).astype(np.int16)


def floating(sound: NDArray[np.int16]) -> NDArray[np.float32]:
    """16-bit integers as float32 in [-1, 1), the values that a network sees."""
    return sound.astype(np.float32) / np.float32(FULL_SCALE)
