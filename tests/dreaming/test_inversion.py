from __future__ import annotations

import numpy as np
import torch

from aesdream.dreaming import bands, inversion
from aesdream.models.frontends import LogMel
from aesdream.seeding import generator

RATE, SAMPLES = 22050, 11025


def front_end() -> LogMel:
    return LogMel(RATE, 1024, 512, 40, 1e-5)


def tones() -> np.ndarray:
    """Some harmonics and a little noise, in two channels: (2, samples)."""
    time = np.arange(SAMPLES) / RATE
    sound = sum(np.sin(2 * np.pi * 220 * k * time) / k for k in range(1, 12)) * 0.2
    return (np.stack([sound, 0.8 * sound]) + generator(0, "noise").normal(0, 0.01, (2, SAMPLES))).astype(np.float32)


def heard(sound: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return front_end()(torch.from_numpy(sound)[None])[0].numpy()


def test_an_unchanged_spectrogram_with_its_own_phase_is_the_sound_itself():
    sound = tones()
    found = inversion.with_phase(front_end(), sound, heard(sound))
    assert found.shape == (1, SAMPLES)
    np.testing.assert_allclose(found[0], sound.mean(0), atol=2e-5)


def test_a_louder_spectrogram_with_its_own_phase_is_a_louder_sound():
    sound = tones()
    found = inversion.with_phase(front_end(), sound, heard(sound) + 0.5)
    inner = slice(2048, SAMPLES - 2048)
    np.testing.assert_allclose(found[0, inner], np.exp(0.5) * sound.mean(0)[inner], atol=0.02)


def test_a_changed_band_is_heard_where_it_was_changed():
    sound, wanted = tones(), heard(tones())
    wanted[:, 4:18, 10] += 1.0
    found = heard(inversion.with_phase(front_end(), sound, wanted))
    change = found - heard(sound)
    assert change[0, 6:16, 10].mean() > 0.4
    assert np.abs(change[0, :, 25:]).mean() < 0.05


def test_a_change_that_is_smooth_in_time_and_frequency_is_mostly_carried_over():
    sound, before = tones(), heard(tones())
    shape = np.outer(np.sin(np.linspace(0, 3, before.shape[1])), np.cos(np.linspace(0, 4, before.shape[2])))
    wanted = before + 0.4 * shape[None].astype(np.float32)
    found = heard(inversion.with_phase(front_end(), sound, wanted))
    assert bands.distance(wanted, found)["rmse_db"] < 0.4 * bands.distance(wanted, before)["rmse_db"]


def test_silence_stays_silent_and_finite():
    silent = np.zeros((1, SAMPLES), np.float32)
    found = inversion.with_phase(front_end(), silent, heard(silent) + 3)
    assert not found.any()


def test_griffin_lim_finds_a_sound_that_is_heard_much_like_the_spectrogram_and_repeats_itself():
    wanted = heard(tones())
    found = inversion.by_griffin_lim(front_end(), wanted, SAMPLES, 7)
    assert found.shape == (1, SAMPLES)
    assert np.array_equal(found, inversion.by_griffin_lim(front_end(), wanted, SAMPLES, 7))
    assert bands.distance(wanted[:, 1:-1], heard(found)[:, 1:-1])["rmse_db"] < 6
