"""Composers and descriptors: closed forms, level independence, and counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aesdream.seeding import generator
from aesdream.sounds.composers import COMPOSERS, judge
from aesdream.sounds.descriptors import LEVEL, PLAIN, describe

RATE = 24_000


def sine(hertz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def noise(channels: int = 2, samples: int = RATE, seed: int = 0) -> np.ndarray:
    return generator(seed, "test").uniform(-0.5, 0.5, (channels, samples))


@pytest.mark.parametrize("hertz", [40, 440, 3000, 11_000])
def test_brightness_of_a_sine_is_its_erb_number(hertz: float) -> None:
    expected = 21.4 * math.log10(1 + 0.00437 * hertz)
    assert COMPOSERS["bright"].measure(sine(hertz)[None], RATE) == pytest.approx(expected, abs=1e-6)


def test_brightness_of_two_sines_is_weighted_by_power_whichever_channels_hold_them() -> None:
    number = [21.4 * math.log10(1 + 0.00437 * hertz) for hertz in (500, 4000)]
    expected = (number[0] + 4 * number[1]) / 5
    for sound in (np.stack([sine(500), 2 * sine(4000)]), (sine(500) + 2 * sine(4000))[None]):
        assert COMPOSERS["bright"].measure(sound, RATE) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("gain", [1e-300, 1e-9, 0.3, 100])
def test_brightness_does_not_change_with_gain_or_with_phase_between_channels(gain: float) -> None:
    sound, measure = noise(), COMPOSERS["bright"].measure
    assert measure(sound * gain, RATE) == pytest.approx(measure(sound, RATE), rel=1e-6)
    assert measure(sound * [[1], [-1]], RATE) == pytest.approx(measure(sound, RATE), rel=1e-12)


def test_brightness_ignores_what_lies_below_20_hertz_and_silence_has_none() -> None:
    measure = COMPOSERS["bright"].measure
    assert measure((sine(1000) + 5 * sine(10) + 3)[None], RATE) == pytest.approx(measure(sine(1000)[None], RATE), abs=1e-6)
    assert measure(np.zeros((2, RATE)), RATE) == 0


def test_a_thousand_sounds_are_judged_with_the_thesis_counts_and_eight_exchanged_a_side() -> None:
    scores = generator(1, "scores").normal(size=998)
    judgement = judge(scores, 0.164, 0.05, generator(1, "judge"))
    ideal = np.zeros(998, dtype=int)
    ideal[np.argsort(scores)[-164:]] = 1
    assert judgement.labels.sum() == 164
    assert np.flatnonzero(judgement.labels != ideal).tolist() == judgement.exchanged.tolist()
    assert ideal[judgement.exchanged].sum() == 8
    assert len(judgement.exchanged) == 16


def test_a_judgement_is_repeatable_and_without_exchange_follows_the_rule() -> None:
    scores = generator(2, "scores").normal(size=100)
    first, again = (judge(scores, 0.2, 0.25, generator(3, "judge")) for _ in range(2))
    assert first.labels.tolist() == again.labels.tolist()
    plain = judge(scores, 0.2, 0.0, generator(3, "judge"))
    assert scores[plain.labels == 1].min() > scores[plain.labels == 0].max()
    assert not len(plain.exchanged)


def test_level_descriptors_of_a_sine_are_its_level() -> None:
    values = dict(zip(LEVEL + PLAIN, describe(np.stack([0.5 * sine(1000)] * 2), RATE), strict=True))
    assert values["peak_db"] == pytest.approx(20 * math.log10(0.5), abs=0.01)
    assert values["crest_db"] == pytest.approx(10 * math.log10(2), abs=0.01)
    assert values["rms_db"] == pytest.approx(values["peak_db"] - values["crest_db"], abs=0.01)
    assert values["centroid_hz"] == pytest.approx(1000, abs=15)
    assert values["zero_crossings_hz"] == pytest.approx(2000, abs=2)
    assert values["side_share"] == pytest.approx(0, abs=1e-6)


def test_loudness_that_beats_four_times_a_second_shows_as_modulation() -> None:
    tone = sine(1000, 4)
    place = (LEVEL + PLAIN).index("modulation_2_8")
    at_4, at_20 = (describe((tone * (1 + 0.8 * sine(beats, 4)))[None], RATE)[place] for beats in (4, 20))
    assert at_4 > 0.95
    assert at_20 < 0.05


def test_plain_descriptors_do_not_change_with_gain_and_level_moves_by_it() -> None:
    loud, soft = describe(noise(), RATE), describe(0.01 * noise(), RATE)
    np.testing.assert_allclose(soft[2:], loud[2:], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(loud[:2] - soft[:2], 40, atol=0.001)


HOSTILE = {
    "silence": np.zeros((2, RATE)),
    "denormals": np.full((2, RATE), 5e-324),
    "direct current": np.ones((2, RATE)),
    "a click": np.eye(2, RATE),
    "one sample": np.ones((1, 1)),
    "mono": noise(1),
    "square": np.sign(noise(2)),
    "six channels": noise(6, 1000),
}


@pytest.mark.parametrize("sound", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("rate", [8000, 96_000])
def test_descriptors_and_brightness_are_finite_for_hostile_sounds(sound: np.ndarray, rate: int) -> None:
    values = describe(sound, rate)
    assert values.shape == (12,)
    assert np.isfinite(values).all()
    assert math.isfinite(COMPOSERS["bright"].measure(sound, rate))
