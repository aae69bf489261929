from __future__ import annotations

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfilt

from aesdream.seeding import generator
from aesdream.sounds import audio
from aesdream.sounds.likeness import BANDS, NEAR_DB, PARTS, RANGE_DB, cells, distance, nearest
from aesdream.sounds.oracular import TROMBONE

RATE = 16_000


@pytest.fixture(scope="module")
def phrase() -> np.ndarray:
    samples, rate = soundfile.read(TROMBONE, frames=48_000 * 6)
    return audio.resampled(samples.T, rate, RATE)


def apart(one: np.ndarray, other: np.ndarray, rate: int = RATE, other_rate: int = RATE) -> float:
    return distance(cells(one, rate), cells(other, other_rate))


def test_a_tone_lies_in_its_band_and_its_part() -> None:
    sound = np.zeros((2, 12 * RATE))
    sound[:, 5 * RATE : 6 * RATE] = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    found = cells(sound, RATE).reshape(BANDS, PARTS)
    erb = 21.4 * np.log10(1 + 0.00437 * np.array([40, 1000, 16_000]))
    band = int((erb[1] - erb[0]) / (erb[2] - erb[0]) * BANDS)
    assert np.unravel_index(found.argmax(), found.shape) == (band, 5)
    assert found.max() == 0
    assert set(found[:, :5].ravel()) == set(found[:, 6:].ravel()) == {-RANGE_DB}


def test_what_no_ear_calls_another_sound_is_a_near_copy(phrase: np.ndarray) -> None:
    noise = generator(1, "noise").standard_normal(phrase.shape) * 10 ** (-60 / 20)
    same = {
        "softer": phrase / 7,
        "channels exchanged": phrase[::-1],
        "out of phase": phrase * [[1], [-1]],
        "mono": phrase.mean(0, keepdims=True),
        "a breath of noise": phrase + noise * np.abs(phrase).max(),
        "20 ms later": np.roll(phrase, RATE // 50, axis=1),
        "a touch of treble": sosfilt(butter(1, 6000, fs=RATE, output="sos"), phrase),
    }
    assert {name: round(apart(phrase, other), 2) for name, other in same.items() if apart(phrase, other) >= NEAR_DB} == {}


def test_what_is_another_sound_is_none(phrase: np.ndarray) -> None:
    seconds = np.arange(phrase.shape[1]) / RATE
    others = {
        "backwards": phrase[:, ::-1],
        "an octave up": np.repeat(audio.resampled(phrase, 2 * RATE, RATE), 1, axis=1),
        "ring modulated": phrase * np.sin(2 * np.pi * 300 * seconds),
        "the high half": sosfilt(butter(4, 800, "highpass", fs=RATE, output="sos"), phrase),
        "trembling slowly": phrase * (0.5 + 0.5 * np.sin(2 * np.pi * 0.7 * seconds)),
    }
    assert {name: round(apart(phrase, other), 2) for name, other in others.items() if apart(phrase, other) < 1.5 * NEAR_DB} == {}


def test_distance_is_symmetric_and_zero_to_itself(phrase: np.ndarray) -> None:
    one, other = cells(phrase, RATE), cells(phrase[:, : 3 * RATE], RATE)
    assert distance(one, one) == 0
    assert distance(one, other) == distance(other, one) > 0


def test_sample_rates_do_not_matter_where_both_have_the_band(phrase: np.ndarray) -> None:
    low = sosfilt(butter(8, 3000, fs=RATE, output="sos"), phrase)
    assert apart(low, audio.resampled(low, RATE, 44_100), RATE, 44_100) < 0.5


@pytest.mark.parametrize("sound", [np.zeros((2, 8000)), np.zeros((1, 1)), np.ones((1, 1)), np.full((2, 50), 1e-300)])
def test_silence_and_next_to_nothing_are_finite(sound: np.ndarray) -> None:
    found = cells(sound, RATE)
    assert found.shape == (BANDS * PARTS,)
    assert np.isfinite(found).all()
    assert distance(found, found) == 0


def test_the_nearest_is_named_and_the_first_name_wins_a_tie() -> None:
    here = np.zeros(BANDS * PARTS)
    assert nearest(here, []) is None
    assert nearest(here, [("far", here - 9), ("b", here - 2), ("a", here - 2)]) == ("a", pytest.approx(2))
