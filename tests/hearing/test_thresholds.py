"""What is heard: against published values, and tones where it is known whether they are heard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesdream.hearing import audibility, threshold
from aesdream.hearing.thresholds import HERTZ, IN_QUIET, bark, in_quiet, spreading
from tests.hearing.sounds import RATE, SAMPLES, SILENCE, noise, tone


def heard(change: np.ndarray, start: np.ndarray, rate: int = RATE) -> float:
    share = audibility(change, start, rate)["share_audible"]
    assert share is not None
    return share


def first_heard(hertz: float, start: np.ndarray) -> float:
    """The level in dB SPL from which on most of a tone is heard."""
    return next(level for level in range(-20, 100) if heard(tone(hertz, level), start) > 0.5)


@pytest.mark.parametrize("hertz", [h for h in HERTZ if h <= 10000])
def test_the_threshold_in_quiet_is_near_terhardts_formula(hertz: float) -> None:
    # Terhardt 1979: another fit to other data.
    k = hertz / 1000
    formula = 3.64 * k**-0.8 - 6.5 * np.exp(-0.6 * (k - 3.3) ** 2) + 0.001 * k**4
    assert float(in_quiet(hertz)) == pytest.approx(formula, abs=8)


def test_the_threshold_in_quiet_is_the_standards_table_and_rises_beyond_it() -> None:
    # ISO 226:2003, table 1, and ISO 389-7:2005 from 14 kHz: typed a second time, so that a slip in the table is seen.
    assert in_quiet([20, 100, 1000, 3150, 4000, 10000, 12500, 14000, 16000]).tolist() == pytest.approx(
        [78.5, 26.5, 2.4, -6, -5.4, 13.9, 12.3, 18.4, 40.2]
    )
    assert in_quiet(HERTZ).tolist() == pytest.approx(IN_QUIET)
    assert in_quiet([1, 10]).tolist() == [78.5, 78.5]
    assert 60 > float(in_quiet(18000)) > 50  # ISO 389-7 has more: nothing is called inaudible too early


def test_masking_spreads_as_schroeder_published() -> None:
    # Schroeder, Atal and Hall 1979: nothing at the masker, slopes of 25 dB a Bark downwards and 10 upwards.
    assert float(spreading(0)) == pytest.approx(0, abs=0.01)
    assert float(spreading(-5) - spreading(-6)) == pytest.approx(25, abs=0.5)
    assert float(spreading(6) - spreading(5)) == pytest.approx(-10, abs=0.5)


def test_critical_bands_are_zwickers() -> None:
    # Zwicker 1961: upper edges of the first, fifth, tenth, fifteenth and twentieth band.
    np.testing.assert_allclose(bark([100, 510, 1270, 2700, 6400]), [1, 5, 10, 15, 20], atol=0.25)


@pytest.mark.parametrize("hertz", [25, 30, 45, 60, 100, 250, 1000, 3300, 8000, 11500])
def test_a_tone_is_heard_20_db_over_the_threshold_in_quiet_and_not_20_db_under(hertz: float) -> None:
    level = float(in_quiet(hertz))
    over = audibility(tone(hertz, level + 20), SILENCE, RATE)
    assert over["share_audible"] is not None
    assert over["share_audible"] > 0.97
    assert over["above_db"] is not None
    assert 10 < over["above_db"] < 25
    assert heard(tone(hertz, level - 20), SILENCE) < 0.01


def test_a_tone_is_masked_by_a_louder_neighbour_in_its_erb_and_not_by_one_far_away() -> None:
    soft = tone(1050, 38)
    assert heard(soft, SILENCE) > 0.97
    assert heard(soft, tone(1000, 70)) < 0.01
    assert heard(soft, tone(6000, 70)) > 0.95
    assert heard(soft, tone(150, 70)) > 0.95


def test_masking_reaches_further_up_than_down() -> None:
    masker = tone(1000, 80)
    assert first_heard(1600, masker) > first_heard(620, masker) + 5


def test_a_tone_in_white_noise_is_heard_from_about_the_noise_of_its_erb() -> None:
    # Hawkins and Stevens 1950: the critical ratio, 18 dB at 1 kHz, 23 dB at 4 kHz, over the noise's level in one hertz.
    for hertz, ratio in ((1000, 18), (4000, 23)):
        spectrum_level = 70 - 10 * np.log10(RATE / 2)
        assert -7 < first_heard(hertz, noise(70)) - (spectrum_level + ratio) < 0  # it errs toward what is heard


@pytest.mark.parametrize("hertz", [100, 1000, 4000, 8000])
def test_a_tone_made_louder_is_heard_to_be_from_about_the_least_difference_that_people_notice(hertz: float) -> None:
    # Facts, section 6: half a decibel to one.
    def share(decibels: float) -> float:
        return heard(tone(hertz, 70) * (10 ** (decibels / 20) - 1), tone(hertz, 70))

    assert share(0.3) < 0.01
    assert share(1) > 0.9


def test_what_sounds_in_another_frame_or_channel_masks_nothing() -> None:
    soft = tone(1050, 38)
    soft[:, : SAMPLES // 2 + 1500] = 0
    masker = tone(1000, 70)
    masker[:, SAMPLES // 2 :] = 0
    assert heard(soft, masker) > 0.9
    both = np.concatenate([tone(1050, 38), 0 * soft])
    assert heard(both, np.concatenate([0 * masker, tone(1000, 70)])) > 0.95
    assert heard(both, np.concatenate([tone(1000, 70), 0 * masker])) < 0.01


def test_infrasound_is_no_energy_that_is_heard() -> None:
    slow = tone(8, 90)
    assert heard(slow, SILENCE) < 1e-3
    both = audibility(slow + tone(1000, 70), SILENCE, RATE)
    assert both["share_audible"] == pytest.approx(0.01, rel=0.15)  # 20 dB less


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.floats(0, 40), st.sampled_from([8000, 24000, 44100]), st.integers(1, 5000), st.integers(1, 2))
def test_what_is_louder_is_heard_no_less_and_masks_no_less(seed: int, more: float, rate: int, samples: int, channels: int) -> None:
    drawn = np.random.default_rng(seed)
    start, change = drawn.standard_normal((2, channels, samples)) * 0.1
    change *= 10 ** drawn.uniform(-5, 0)
    gain = 10 ** (more / 20)
    assert (threshold(gain * start, rate) >= threshold(start, rate) * (1 - 1e-9)).all()
    assert (heard(gain * change, start, rate)) >= heard(change, start, rate) - 1e-9
    assert (heard(change, gain * start, rate)) <= heard(change, start, rate) + 1e-9


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 2000),
    st.integers(1, 3),
    st.sampled_from([20, 44, 100, 8000, 24000, 192000]),
    st.sampled_from([0.0, 1e-300, 1e-30, 1e-9, 1.0, 1e6]),
    st.sampled_from([0.0, 1e-30, 1.0, 1e6]),
)
def test_any_sound_of_any_length_rate_and_level_is_told_in_numbers(samples: int, channels: int, rate: int, level: float, base: float) -> None:
    change, start = np.random.default_rng(samples).standard_normal((2, channels, samples))
    limits = threshold(base * start, rate)
    assert np.isfinite(limits).all()
    assert (limits > 0).all()
    told = audibility((level * change).astype(np.float32), (base * start).astype(np.float32), rate)
    share, above = told["share_audible"], told["above_db"]
    assert (share is None) == (not np.any((level * change).astype(np.float32)))
    assert share is None or -1e-9 <= share <= 1 + 1e-6
    assert (above is None) == (not share)
    assert above is None or 0 < above < 400


def test_a_change_of_nothing_has_no_share() -> None:
    assert audibility(SILENCE, tone(500, 70), RATE) == {"share_audible": None, "above_db": None}
