from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from aesdream.dreaming.sonify import audible, listening_copy, read_wav, rms, write_wav

RATES = [8000, 11000, 22050, 24000, 44100, 48000, 96000]


def tone(hertz: float, rate: int, level: float, seconds: float = 2.0) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return np.stack([level * np.sin(2 * np.pi * hertz * time), level * np.cos(2 * np.pi * hertz * time)]).astype(np.float32)


def share_under(hertz: float, sound: np.ndarray, rate: int) -> float:
    power = np.abs(np.fft.rfft(sound * np.hanning(sound.shape[-1]))) ** 2
    return float(power[:, np.fft.rfftfreq(sound.shape[-1], 1 / rate) < hertz].sum() / power.sum())


def copied(path: Path, sound: np.ndarray, rate: int, like: np.ndarray | None = None) -> tuple[np.ndarray, int]:
    listening_copy(path, sound, rate, like)
    data, found = soundfile.read(path, always_2d=True)
    return data.T, found


@pytest.mark.parametrize("rate", [8000, 48000])
def test_a_wav_read_back_is_the_same_bits(tmp_path: Path, rate: int):
    sound = np.random.default_rng(1).uniform(-1, 1, (2, 999)).astype(np.float32)
    sound[:, :6] = [1, -1, 0, np.float32(1e-30), np.nextafter(np.float32(1), np.float32(0)), np.float32(2**-24)]
    write_wav(tmp_path / "dream.wav", sound, rate)
    assert read_wav(tmp_path / "dream.wav").dtype == np.float32
    assert np.array_equal(read_wav(tmp_path / "dream.wav"), sound)
    found, data = wavfile.read(tmp_path / "dream.wav")
    assert found == rate
    assert np.array_equal(data.T, sound)
    assert soundfile.info(tmp_path / "dream.wav").subtype == "FLOAT"


def test_the_bytes_repeat(tmp_path: Path):
    sound = tone(300, 24000, 0.3) + tone(5, 24000, 0.4)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_wav(tmp_path / name / f"{name}.wav", sound, 24000)
        listening_copy(tmp_path / name / f"{name}.mp3", sound, 24000, sound)
    for suffix in ("wav", "mp3"):
        assert (tmp_path / "a" / f"a.{suffix}").read_bytes() == (tmp_path / "b" / f"b.{suffix}").read_bytes()


def test_nothing_but_the_files_is_left(tmp_path: Path):
    write_wav(tmp_path / "a.wav", tone(300, 8000, 0.1), 8000)
    listening_copy(tmp_path / "a.mp3", tone(300, 8000, 0.1), 8000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp3", "a.wav"]


@pytest.mark.parametrize("rate", RATES)
def test_a_listening_copy_has_no_infrasound_and_the_loudness_of_its_start(tmp_path: Path, rate: int):
    start = tone(300, rate, 0.2)
    dream = 0.1 * start + tone(4, rate, 0.8) + tone(700, rate, 0.02)
    assert share_under(20, dream, rate) > 0.99
    heard, found = copied(tmp_path / "copy.mp3", dream, rate, start)
    assert found in (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
    assert found >= min(rate, 48000)
    assert share_under(20, heard, found) < 5e-3
    # the encoder adds some silence at both ends; the middle is steady
    middle = slice(round(0.5 * found), round(1.5 * found))
    assert abs(20 * np.log10(rms(heard[:, middle]) / rms(start))) < 1
    assert len(heard) == 2
    assert heard.shape[1] / found == pytest.approx(2.0, abs=0.15)


def test_a_copy_that_would_clip_is_turned_down_instead(tmp_path: Path):
    rate = 24000
    bursts = tone(300, rate, 0.5) * (np.arange(2 * rate) % rate < rate // 50)
    heard, _ = copied(tmp_path / "copy.mp3", bursts, rate, tone(300, rate, 0.9))
    assert rms(heard) < 0.5 * rms(tone(300, rate, 0.9))
    assert 0.8 < np.abs(heard).max() <= 1


def test_without_a_start_its_level_is_kept(tmp_path: Path):
    heard, found = copied(tmp_path / "copy.mp3", tone(300, 24000, 0.2), 24000)
    assert rms(heard[:, found // 2 : 3 * found // 2]) == pytest.approx(rms(tone(300, 24000, 0.2)), rel=0.05)


@pytest.mark.parametrize("samples", [1, 30, 8000])
def test_silence_and_very_short_sounds_are_copied_too(tmp_path: Path, samples: int):
    heard, _ = copied(tmp_path / "copy.mp3", np.zeros((2, samples), np.float32), 8000, tone(300, 8000, 0.2))
    assert np.isfinite(heard).all()
    assert not np.abs(heard).max(initial=0) > 1e-3


def test_the_high_pass_keeps_tones_in_place_and_takes_offsets_away():
    rate = 8000
    sound = tone(200, rate, 0.3).astype(np.float64)
    middle = slice(rate // 2, 3 * rate // 2)
    assert np.abs((audible(sound + 0.4, rate) - sound)[:, middle]).max() < 0.01


def test_what_grew_out_of_silence_is_heard(tmp_path: Path):
    sound = tone(440, 8000, 0.1)
    data, _ = copied(tmp_path / "dream.mp3", sound, 8000, np.zeros_like(sound))
    assert rms(data) == pytest.approx(rms(sound), rel=0.1)
