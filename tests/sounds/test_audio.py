"""Reading sounds of any kind, refusing those that cannot be used, and preparing them as SoX does."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from aesdream import config
from aesdream.seeding import generator
from aesdream.sounds import audio
from aesdream.sounds.audio import FULL_SCALE, RMS_LEVEL, Inspection, Preparation, UnreadableSound

THESIS = Preparation()
SMALL = Preparation(sample_rate=8000, seconds=0.5, fade_out=0.1)
CD_AND_BEYOND = [8000, 11025, 22050, 44100, 48000, 96000]


def noise(samples: int, channels: int = 2, level: float = 0.3) -> np.ndarray:
    return generator(0, "noise", samples).uniform(-level, level, (samples, channels))


def tone(rate: int, hertz: float = 440.0, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def sox(path: Path, how: Preparation) -> np.ndarray:
    """What SoX makes of a file: (channels, samples) int16."""
    out = path.with_suffix(".sox.wav")
    seconds, fade = f"{how.seconds:g}", f"{how.fade_out:g}"
    subprocess.run(["sox", "-D", path, out, "trim", "0", seconds, "fade", "t", "0", seconds, fade], check=True, capture_output=True)
    return soundfile.read(out, dtype="int16", always_2d=True)[0].T


@pytest.mark.parametrize("seconds", [10.7, 10, 9.8, 6.3], ids=lambda s: f"{s} s")
@pytest.mark.parametrize("channels", [1, 2])
def test_preparation_equals_sox_within_one_step_for_every_sample(tmp_path: Path, seconds: float, channels: int) -> None:
    path = tmp_path / "sound.wav"
    values = generator(1, "sox").integers(-FULL_SCALE, FULL_SCALE, (round(seconds * 48_000), channels), endpoint=False).astype(np.int16)
    soundfile.write(path, values, 48_000, subtype="PCM_16")
    prepared = audio.prepare(*audio.read(path), THESIS)
    expected = sox(path, THESIS)
    assert prepared.shape == (2, 480_000)
    assert expected.shape == (channels, 480_000)
    assert np.abs(prepared.astype(int) - expected).max() <= 1
    assert not prepared[:, len(values) :].any()


def test_one_channel_is_the_mean_of_both_as_sox_mixes_them_down(tmp_path: Path) -> None:
    path, mixed = tmp_path / "sound.wav", tmp_path / "mixed.wav"
    soundfile.write(path, noise(4000), 8000, subtype="PCM_16")
    subprocess.run(["sox", "-D", path, mixed, "channels", "1"], check=True, capture_output=True)
    how = Preparation(sample_rate=8000, seconds=0.5, fade_out=0, channels=1)
    prepared = audio.prepare(*audio.read(path), how)
    assert prepared.shape == (1, 4000)
    expected = soundfile.read(mixed, dtype="int16")[0]
    assert np.abs(prepared[0].astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(audio.prepare(*audio.read(mixed), how)[0], expected)


def test_the_papers_preparation_divides_the_mean_of_both_channels_by_its_largest_magnitude() -> None:
    paper = Preparation(sample_rate=22_050, seconds=1, fade_out=0, levels="peak", channels=1)
    sound = noise(44_100, level=0.1).T
    prepared = audio.floating(audio.prepare(sound, 44_100, paper))[0]
    expected = soxr.resample(sound.mean(0), 44_100, 22_050, quality="HQ")
    np.testing.assert_allclose(prepared, expected / np.abs(expected).max(), atol=1e-4)


def test_a_preparation_in_two_channels_reads_as_it_did_before_there_was_a_choice() -> None:
    assert "channels" not in config.plain(THESIS)
    mono = Preparation(channels=1)
    assert Preparation(**config.plain(mono)) == mono
    assert Preparation(**config.plain(THESIS)) == THESIS


def test_a_fade_other_than_the_thesiss_equals_soxs_too(tmp_path: Path) -> None:
    how = Preparation(sample_rate=22_050, seconds=1.5, fade_out=0.9)
    soundfile.write(tmp_path / "sound.wav", noise(40_000, level=1), 22_050, subtype="PCM_16")
    difference = audio.prepare(*audio.read(tmp_path / "sound.wav"), how).astype(int) - sox(tmp_path / "sound.wav", how)
    assert np.abs(difference).max() <= 1


def test_no_fade_leaves_every_sample_as_it_was(tmp_path: Path) -> None:
    how = SMALL.model_copy(update={"fade_out": 0.0})
    values = generator(2, "plain").integers(-FULL_SCALE, FULL_SCALE, (4000, 2)).astype(np.int16)
    soundfile.write(tmp_path / "sound.flac", values, 8000)
    np.testing.assert_array_equal(audio.prepare(*audio.read(tmp_path / "sound.flac"), how), values.T)


@pytest.mark.parametrize(
    ("suffix", "subtype", "error"),
    [
        ("wav", "PCM_U8", 2**-7),
        ("wav", "PCM_16", 2**-15),
        ("wav", "PCM_24", 2**-23),
        ("wav", "PCM_32", 2**-23),
        ("wav", "FLOAT", 2**-24),
        ("wav", "DOUBLE", 2**-24),
        ("aiff", "PCM_16", 2**-15),
        ("aiff", "PCM_24", 2**-23),
        ("flac", "PCM_16", 2**-15),
        ("flac", "PCM_24", 2**-23),
        ("caf", "PCM_16", 2**-15),
        ("w64", "PCM_16", 2**-15),
        ("au", "PCM_16", 2**-15),
        ("rf64", "PCM_16", 2**-15),
    ],
)
def test_a_lossless_file_is_read_to_the_bit_depth_of_its_format(tmp_path: Path, suffix: str, subtype: str, error: float) -> None:
    sound = noise(3000)
    path = tmp_path / f"sound.{suffix}"
    soundfile.write(path, sound, 44_100, subtype=subtype)
    read, rate = audio.read(path)
    assert rate == 44_100
    np.testing.assert_allclose(read, sound.T, rtol=0, atol=1.01 * error)


@pytest.mark.parametrize("suffix", ["ogg", "mp3", "opus"])
def test_a_compressed_file_is_read_and_sounds_as_it_did(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"sound.{suffix}"
    soundfile.write(path, tone(48_000), 48_000, format="OGG" if suffix == "opus" else None, subtype="OPUS" if suffix == "opus" else None)
    prepared = audio.prepare(*audio.read(path), Preparation(seconds=0.9, fade_out=0))
    spectrum = np.abs(np.fft.rfft(prepared[0] * np.hanning(prepared.shape[1])))
    assert spectrum.argmax() / 0.9 == pytest.approx(440, abs=1 / 0.9)
    assert np.sqrt(np.mean((prepared / FULL_SCALE) ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("rate", CD_AND_BEYOND)
def test_any_rate_is_resampled_to_the_studys_keeping_pitch_level_and_time(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "sound.wav", tone(rate), rate, subtype="FLOAT")
    how = Preparation(sample_rate=24_000, seconds=1, fade_out=0)
    prepared = audio.floating(audio.prepare(*audio.read(tmp_path / "sound.wav"), how))
    inside = slice(1200, -1200)
    np.testing.assert_allclose(prepared[0, inside], tone(24_000)[inside], atol=2e-3)


def test_what_a_lower_rate_cannot_hold_is_taken_out_and_never_folded_back() -> None:
    prepared = audio.prepare(tone(48_000, 7000.0)[None], 48_000, Preparation(sample_rate=8000, seconds=1, fade_out=0))
    assert np.abs(prepared[:, 400:-400]).max() <= FULL_SCALE * 0.001


def test_mono_is_copied_to_both_channels_and_stereo_is_left_alone() -> None:
    one = noise(4000, 1).T
    both = audio.prepare(one, 8000, SMALL)
    np.testing.assert_array_equal(both[0], both[1])
    two = noise(4000, 2).T
    left, right = audio.prepare(two, 8000, SMALL)
    np.testing.assert_array_equal(left, audio.prepare(two[:1], 8000, SMALL)[0])
    np.testing.assert_array_equal(right, audio.prepare(two[1:], 8000, SMALL)[0])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(gain=st.floats(0.001, 1), levels=st.sampled_from(["peak", "rms"]))
def test_peak_and_rms_levels_are_the_same_whatever_the_level_of_the_input(gain: float, levels: str) -> None:
    prepared = audio.prepare(gain * noise(5000).T, 8000, SMALL.model_copy(update={"levels": levels}))
    if levels == "peak":
        assert np.abs(prepared.astype(int)).max() == FULL_SCALE - 1
    else:
        assert np.sqrt(np.mean((prepared / FULL_SCALE) ** 2)) == pytest.approx(RMS_LEVEL, rel=1e-3)


def test_a_sound_of_few_peaks_stays_below_full_scale_when_levelled_by_rms() -> None:
    clicks = np.zeros((1, 4000))
    clicks[0, ::1000] = 0.9
    prepared = audio.prepare(clicks, 8000, SMALL.model_copy(update={"levels": "rms"}))
    assert np.abs(prepared.astype(int)).max() == FULL_SCALE - 1


def test_full_scale_keeps_a_sounds_own_level_and_clips_nothing_that_fits() -> None:
    quiet = audio.prepare(0.01 * np.ones((1, 4000)), 8000, SMALL)
    assert set(quiet[:, :3200].ravel().tolist()) == {round(0.01 * FULL_SCALE)}
    loud = audio.prepare(np.array([[1.0, -1.0] * 2000]), 8000, SMALL)
    assert (loud.max(), loud.min()) == (FULL_SCALE - 1, -FULL_SCALE)


@given(value=st.integers(-FULL_SCALE, FULL_SCALE - 1))
def test_every_16_bit_value_survives_the_way_to_a_network_and_back(value: int) -> None:
    stored = np.array([[value]], np.int16)
    assert audio.quantised(audio.floating(stored)) == stored
    assert -1 <= audio.floating(stored) < 1


def test_a_segment_is_the_samples_between_its_ends(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "sound.wav", noise(8000), 8000, subtype="FLOAT")
    whole, _ = audio.read(tmp_path / "sound.wav")
    np.testing.assert_array_equal(audio.read(tmp_path / "sound.wav", 0.25, 0.75)[0], whole[:, 2000:6000])
    np.testing.assert_array_equal(audio.read(tmp_path / "sound.wav", 0.5)[0], whole[:, 4000:])
    for start, end, why in ((0.5, 1.001, r"is 1\.000 s long, its segment ends at 1\.001 s; let it end earlier"), (1.0, None, "holds no samples")):
        with pytest.raises(UnreadableSound, match=why):
            audio.read(tmp_path / "sound.wav", start, end)


def test_one_look_knows_the_same_audio_in_another_container(tmp_path: Path) -> None:
    values = (noise(4000) * FULL_SCALE).astype(np.int16)
    for name, rate in (("a.wav", 8000), ("a.flac", 8000), ("b.wav", 16_000)):
        soundfile.write(tmp_path / name, values, rate)
    wav, flac, faster = (audio.inspect(tmp_path / name) for name in ("a.wav", "a.flac", "b.wav"))
    assert wav.problem is flac.problem is faster.problem is None
    assert wav.audio == flac.audio != faster.audio
    assert wav.sha256 != flac.sha256
    assert (wav.seconds, faster.seconds) == (0.5, 0.25)
    other = values.copy()
    other[17, 1] += 1
    soundfile.write(tmp_path / "c.wav", other, 8000)
    assert audio.inspect(tmp_path / "c.wav").audio != wav.audio


def test_a_sound_shorter_than_the_study_allows_is_refused_with_both_lengths(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "sound.wav", noise(4000), 8000)
    assert audio.inspect(tmp_path / "sound.wav", at_least=0.5).problem is None
    problem = audio.inspect(tmp_path / "sound.wav", at_least=0.6).problem
    assert problem == "is 0.500 s long, the study refuses less than 0.6 s; leave it out, or let sounds.short be pad"


def encoded(suffix: str, subtype: str | None = None) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, noise(20_000, level=0.2), 48_000, format=suffix.upper(), subtype=subtype)
    return out.getvalue()


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", None), ("wav", "FLOAT"), ("flac", None), ("ogg", None), ("ogg", "OPUS"), ("aiff", None), ("w64", None), ("rf64", None), ("au", None)],
)
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, suffix: str, subtype: str | None) -> None:
    whole = encoded(suffix, subtype)
    path = tmp_path / f"sound.{suffix}"
    path.write_bytes(whole)
    assert audio.read(path)[0].shape == (2, 20_000)
    for length in {*np.linspace(1, len(whole) - 1, 40).astype(int).tolist(), len(whole) - 4}:
        path.write_bytes(whole[:length])
        with pytest.raises(UnreadableSound, match=r"truncated.*copy or export it again|copy it again, else export it as WAV or FLAC"):
            audio.read(path)


def test_a_wav_that_a_program_piped_out_without_knowing_its_length_is_read(tmp_path: Path) -> None:
    piped = bytearray(encoded("wav", "PCM_16"))
    piped[4:8] = piped[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "sound.wav").write_bytes(piped)
    assert audio.read(tmp_path / "sound.wav")[0].shape == (2, 20_000)


def with_value(value: float) -> Callable[[Path], None]:
    sound = noise(4000)
    sound[1234, 1] = value
    return lambda path: soundfile.write(path, sound, 8000, subtype="FLOAT")


BAD: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": ("x.wav", lambda path: None, "no such file; correct its path, or take it out"),
    "a folder": ("x.wav", lambda path: path.mkdir(), "no such file"),
    "empty": ("x.wav", lambda path: path.touch(), "the file is empty; copy or export it again"),
    "text": ("x.wav", lambda path: path.write_text("not a sound, " * 99), "cannot be decoded as audio .* export it as WAV or FLAC"),
    "text called mp3": ("x.mp3", lambda path: path.write_text("not a sound, " * 99), "cannot be decoded as audio"),
    "headerless": ("x.raw", lambda path: path.write_bytes(bytes(range(256))), "cannot be decoded as audio"),
    "no samples": ("x.wav", lambda path: soundfile.write(path, np.zeros((0, 2)), 8000), "holds no samples; export it again"),
    "silent": ("x.wav", lambda path: soundfile.write(path, np.zeros((4000, 2)), 8000), "silent: nothing can be heard in it; leave it out"),
    "under one step": ("x.wav", lambda path: soundfile.write(path, np.full((4000, 2), 1e-5), 8000, subtype="FLOAT"), "silent"),
    "NaN": ("x.wav", with_value(np.nan), "holds NaN or infinite values; export it again"),
    "infinity": ("x.wav", with_value(-np.inf), "holds NaN or infinite values; export it again"),
    "three channels": ("x.wav", lambda path: soundfile.write(path, noise(4000, 3), 8000), "3 channels; mix them down to one or two"),
    "six channels": ("x.flac", lambda path: soundfile.write(path, noise(4000, 6), 8000), "6 channels; mix them down to one or two"),
    "an impossible length": ("x.flac", lambda path: path.write_bytes(endless()), "cannot be decoded as audio"),
}


def endless() -> bytes:
    """A FLAC whose header leaves its length open, as one that was piped out does."""
    header = bytearray(encoded("flac"))
    header[21] &= 0xF0
    header[22:26] = bytes(4)
    return bytes(header)


@pytest.mark.parametrize("kind", BAD)
def test_a_sound_that_cannot_be_used_is_refused_with_the_reason_and_a_remedy(tmp_path: Path, kind: str) -> None:
    name, write, why = BAD[kind]
    write(tmp_path / name)
    with pytest.raises(UnreadableSound, match=why) as refused:
        audio.read(tmp_path / name)
    assert audio.inspect(tmp_path / name) == Inspection(problem=str(refused.value))
