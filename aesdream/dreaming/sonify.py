"""Sounds for ears: the exact dream as 32-bit float WAV, and a listening copy for pages."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import signal
from scipy.io import wavfile

from aesdream.files import write_bytes, writing
from aesdream.sounds.audio import resampled

LOWEST_HEARD = 20.0
"""Hz; what lies below is felt, not heard, and loudspeakers waste their excursion on it."""
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
CEILING = 0.98
QUALITY = 0.5
"""MP3's variable bit rate, between 0 (best) and 1 (smallest)."""

Sound = NDArray[np.floating]


def audible(sound: Sound, rate: int) -> NDArray[np.float64]:
    """A sound (channels, samples) without what lies below 20 Hz; zero phase, so that events stay where they are."""
    sections = signal.butter(2, LOWEST_HEARD, "highpass", fs=rate, output="sos")
    return np.asarray(signal.sosfiltfilt(sections, sound.astype(np.float64), axis=-1, padlen=min(sound.shape[-1] - 1, rate // 2)))


def rms(sound: Sound) -> float:
    """Root mean square over all samples and channels."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def write_wav(path: Path, sound: Sound, rate: int) -> None:
    """The exact sound (channels, samples) as 32-bit float WAV; scipy's writer, because libsndfile's notes the time of writing in the file."""
    with writing(path) as aside, aside.open("wb") as out:
        wavfile.write(out, rate, np.ascontiguousarray(sound.T, dtype=np.float32))


def read_wav(path: Path) -> NDArray[np.float32]:
    """What ``write_wav`` wrote: (channels, samples)."""
    return np.asarray(soundfile.read(path, dtype="float32", always_2d=True)[0].T)


def listening_copy(path: Path, sound: Sound, rate: int, like: Sound | None = None) -> None:
    """Write ``encoded`` to a path."""
    write_bytes(path, encoded(sound, rate, like))


def encoded(sound: Sound, rate: int, like: Sound | None = None) -> bytes:
    """An MP3 of ``sound`` (channels, samples) for pages: no infrasound, as loud as ``like`` where its peaks allow, never clipped."""
    heard = audible(sound, rate)
    level = rms(heard)
    wanted = 0.0 if like is None else rms(audible(like, rate))
    if wanted > 0 and level > 0:
        heard = heard * (wanted / level)
    heard = heard * min(1.0, CEILING / max(float(np.abs(heard).max()), 1e-9))
    usual = min((r for r in MP3_RATES if r >= rate), default=MP3_RATES[-1])
    data = resampled(heard, rate, usual).clip(-1, 1)
    out = io.BytesIO()
    soundfile.write(out, data.T.astype(np.float32), usual, format="MP3", bitrate_mode="VARIABLE", compression_level=QUALITY)
    return out.getvalue()


def level_of(copy: bytes) -> float | None:
    """How loud a listening copy is as it is decoded: its RMS in dB relative to full scale, None for silence. Raises soundfile.LibsndfileError."""
    level = rms(soundfile.read(io.BytesIO(copy), dtype="float32", always_2d=True)[0].T)
    return 20.0 * float(np.log10(level)) if level > 0 else None
