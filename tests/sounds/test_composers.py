"""Composers and descriptors: closed forms, level independence, and counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from aesdream.seeding import generator
from aesdream.sounds.composers import COMPOSERS, correlations, determinants, judge, measured, planted
from aesdream.sounds.descriptors import LEVEL, PLAIN, describe

RATE = 24_000


def sine(hertz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def noise(channels: int = 2, samples: int = RATE, seed: int = 0) -> np.ndarray:
    return generator(seed, "test").uniform(-0.5, 0.5, (channels, samples))


def faded(sound: np.ndarray) -> np.ndarray:
    """As sounds begin and end, over 50 ms."""
    ramp = np.minimum(1, np.arange(sound.shape[-1]) / (0.05 * RATE))
    return sound * ramp * ramp[::-1]


def clicks(per_second: float, seconds: float = 4.0) -> np.ndarray:
    """Short noises at even times."""
    sound, burst = np.zeros((1, round(seconds * RATE))), np.exp(-np.arange(480) / 100)
    for number in range(round(per_second * seconds)):
        at = round((number + 0.5) * RATE / per_second)
        sound[0, at : at + 480] += generator(number, "click").uniform(-1, 1, 480) * burst
    return sound


def swinging(hertz: float, depth: float = 1.0, seconds: float = 4.0) -> np.ndarray:
    """A tone whose loudness swings."""
    return ((1 + depth * sine(hertz, seconds)) * sine(1000, seconds))[None]


@pytest.mark.parametrize("hertz", [100, 440, 3000, 11_000])
def test_brightness_of_a_sine_is_its_erb_number(hertz: float) -> None:
    expected = 21.4 * math.log10(1 + 0.00437 * hertz)
    assert COMPOSERS["bright"].measure(faded(sine(hertz))[None], RATE) == pytest.approx(expected, abs=2e-3)


def test_brightness_of_two_sines_is_weighted_by_power_whichever_channels_hold_them() -> None:
    number = [21.4 * math.log10(1 + 0.00437 * hertz) for hertz in (500, 4000)]
    expected = (number[0] + 4 * number[1]) / 5
    for sound in (np.stack([sine(500), 2 * sine(4000)]), (sine(500) + 2 * sine(4000))[None]):
        assert COMPOSERS["bright"].measure(faded(sound), RATE) == pytest.approx(expected, abs=0.01)


def test_phase_between_channels_changes_no_brightness() -> None:
    sound, measure = noise(), COMPOSERS["bright"].measure
    assert measure(sound * [[1], [-1]], RATE) == pytest.approx(measure(sound, RATE), rel=1e-12)


def test_pulsing_knows_swings_of_2_to_8_hertz_and_no_others() -> None:
    slow, inside, fast = (COMPOSERS["pulsing"].measure(swinging(hertz), RATE) for hertz in (0.5, 4, 20))
    assert inside > 0.4
    assert max(slow, fast) < 0.2 * inside
    shallow = COMPOSERS["pulsing"].measure(swinging(4, 0.2), RATE)
    # Loudness goes with power to .3, amplitude to .6: a small swing of depth d swings by .6 d, root mean square .6 d / sqrt(2).
    assert shallow == pytest.approx(0.6 * 0.2 / math.sqrt(2), rel=0.05)


@pytest.mark.parametrize("per_second", [1, 2, 4, 8, 16])
def test_density_of_clicks_is_their_number_a_second(per_second: float) -> None:
    assert COMPOSERS["dense"].measure(clicks(per_second), RATE) == pytest.approx(per_second, rel=0.03)


def test_a_steady_tone_has_no_onset_but_its_first() -> None:
    assert COMPOSERS["dense"].measure(sine(1000, 4)[None], RATE) < 0.6


def test_width_is_nothing_for_mono_half_for_strangers_and_one_for_opposites() -> None:
    measure, one = COMPOSERS["wide"].measure, noise(1)
    assert measure(one, RATE) == 0
    assert measure(np.vstack([one, one]), RATE) == pytest.approx(0, abs=1e-12)
    assert measure(noise(2), RATE) == pytest.approx(0.5, abs=0.02)
    assert measure(np.vstack([one, -one]), RATE) == pytest.approx(1)


def test_roughness_is_greatest_around_70_hertz_of_modulation() -> None:
    values = {hertz: COMPOSERS["rough"].measure(swinging(hertz), RATE) for hertz in (4, 20, 70, 150, 300)}
    assert max(values, key=values.__getitem__) == 70
    assert values[4] < 0.05 * values[70]
    two = COMPOSERS["rough"].measure((sine(1000, 2) + sine(1070, 2))[None], RATE)
    apart = COMPOSERS["rough"].measure((sine(500, 2) + sine(4000, 2))[None], RATE)
    assert two > 10 * apart


@pytest.mark.parametrize("name", COMPOSERS)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    gain=st.sampled_from([1e-300, 1e-9, 0.3, 100]),
    hertz=st.floats(0.5, 17),
    loudness=st.floats(0.1, 3),
    channels=st.integers(1, 2),
)
def test_no_measure_knows_level_or_what_lies_below_20_hertz(name: str, seed: int, gain: float, hertz: float, loudness: float, channels: int) -> None:
    sound, measure = noise(channels, 2 * RATE, seed) * (1.2 + swinging(3, 1.0, 2.0)), COMPOSERS[name].measure
    plain = measure(sound, RATE)
    assert measure(sound * gain, RATE) == pytest.approx(plain, rel=1e-6, abs=1e-9)
    # It fades in and out: infrasound that begins abruptly is a click, which is heard.
    below = (loudness * (1 + sine(hertz, 2.0)) * np.hanning(2 * RATE))[None]
    assert measure(sound + below, RATE) == pytest.approx(plain, rel=2e-3, abs=1e-3)


@pytest.mark.parametrize("name", COMPOSERS)
def test_silence_and_mere_infrasound_measure_nothing(name: str) -> None:
    measure = COMPOSERS[name].measure
    assert measure(np.zeros((2, RATE)), RATE) == 0
    assert measure(np.ones((2, RATE)), RATE) == 0
    assert measure((sine(5, 2.0) * np.hanning(2 * RATE))[None], RATE) == 0


def test_the_ceiling_is_the_measures_own_auc_against_the_exchanged_labels() -> None:
    scores = generator(4, "scores").normal(size=200)
    judgement = judge(scores, 0.2, 0.1, generator(4, "judge"))
    told = planted("rough", scores, judgement, [f"s{number}" for number in range(200)])
    assert told["exchanged"] == 4
    assert told["exchanged_sounds"] == [f"s{index}" for index in judgement.exchanged]
    assert told["ceiling"]["roc_auc"] == pytest.approx(roc_auc_score(judgement.labels, scores), abs=1e-6)
    assert told["ceiling"]["accuracy"] == 1 - 8 / 200
    assert planted("rough", scores, judge(scores, 0.2, 0, generator(4, "judge")), ["s"] * 200)["ceiling"]["roc_auc"] == 1


def test_correlations_between_measures_are_spearmans() -> None:
    rng = generator(5, "table")
    table = {"one": rng.normal(size=30), "two": rng.integers(4, size=30), "still": np.ones(30)}
    rows = [line.split() for line in correlations(table).splitlines()]
    assert rows[0] == ["one", "two", "still"]
    assert float(rows[1][2]) == pytest.approx(spearmanr(table["one"], table["two"]).statistic, abs=0.005)
    assert rows[3] == ["still", "-", "-", "-"]


def test_every_composer_measures_every_sound() -> None:
    table = measured((noise(2, 4000, seed), RATE) for seed in range(3))
    assert list(table) == list(COMPOSERS)
    assert all(values.shape == (3,) and np.ptp(values) > 0 for values in table.values())


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
def test_descriptors_and_measures_are_finite_for_hostile_sounds(sound: np.ndarray, rate: int) -> None:
    values = describe(sound, rate)
    assert values.shape == (12,)
    assert np.isfinite(values).all()
    assert all(math.isfinite(composer.measure(sound, rate)) for composer in COMPOSERS.values())


def test_all_determinants_at_once_are_to_the_bit_what_each_measures_alone() -> None:
    for sound in (noise(2, 8000, 3), np.zeros((2, 800)), 1e-3 * noise(1, 4000, 5)):
        assert determinants(sound, RATE) == {name: composer.measure(sound, RATE) for name, composer in COMPOSERS.items()}
