"""The filter bank keeps energy, puts sounds together again and stands on the ERB scale."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aesdream.hearing.bank import LOWEST_HEARD, Bank, bank
from tests.hearing.sounds import RATE, SAMPLES, noise, tone

SHAPES = st.tuples(st.integers(1, 3000), st.sampled_from([30, 45, 100, 8000, 22050, 24000, 96000]), st.sampled_from([1, 2, 4]))


def drawn(samples: int, dtype: torch.dtype = torch.float64, channels: int = 2) -> torch.Tensor:
    return torch.randn(channels, samples, generator=torch.Generator().manual_seed(samples), dtype=dtype)


@settings(max_examples=40, deadline=None)
@given(SHAPES)
def test_unit_gains_give_the_sound_back(shape: tuple[int, int, int]) -> None:
    samples, rate, per_erb = shape
    for dtype, within in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        sound = drawn(samples, dtype)
        found = Bank(samples, rate, per_erb, dtype, torch.device("cpu")).shaped(sound, torch.ones_like, below=1.0)
        torch.testing.assert_close(found, sound, rtol=0, atol=within)


@settings(max_examples=40, deadline=None)
@given(SHAPES)
def test_cells_hold_all_energy_from_20_hertz_up(shape: tuple[int, int, int]) -> None:
    samples, rate, per_erb = shape
    cells, sound = Bank(samples, rate, per_erb, torch.float64, torch.device("cpu")), drawn(samples)
    padded = np.fft.rfft(sound.numpy(), cells.size)
    weight = np.where((np.arange(padded.shape[1]) == 0) | (np.arange(padded.shape[1]) == cells.size // 2), 1, 2)
    heard = np.fft.rfftfreq(cells.size, 1 / rate) >= LOWEST_HEARD
    expected = float((np.abs(padded) ** 2 * weight)[:, heard].sum()) / cells.size  # Parseval
    assert float(cells.powers(sound).mean(-1).sum()) * cells.size == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(SHAPES, st.integers(0, 99))
def test_gains_from_0_to_1_are_a_contraction_that_is_its_own_transpose(shape: tuple[int, int, int], seed: int) -> None:
    samples, rate, per_erb = shape
    cells = Bank(samples, rate, per_erb, torch.float64, torch.device("cpu"))
    first, second = drawn(samples), drawn(samples).flip(-1)
    gains = torch.rand(2, len(cells.bins), cells.frames, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    one, other = (cells.shaped(sound, lambda _: gains, below=0.5) for sound in (first, second))
    assert float((one * second).sum()) == pytest.approx(float((first * other).sum()), abs=1e-9)
    assert float(one.norm()) <= float(first.norm()) * (1 + 1e-12)
    assert float((one * first).sum()) >= -1e-12


def test_bands_are_an_erb_wide() -> None:
    # Glasberg and Moore 1990: ERB(f) = 24.7 (4.37 f / 1000 + 1) hertz.
    cells = bank(SAMPLES, RATE)
    hertz = (10 ** (cells.edges / 21.4) - 1) / 0.00437
    widths, middles = np.diff(hertz)[3:], cells.centres[3:]
    np.testing.assert_allclose(widths, 24.7 * (4.37 * middles / 1000 + 1), rtol=0.03)
    assert hertz[0] == pytest.approx(20)
    assert hertz[-1] == pytest.approx(RATE / 2)
    assert SAMPLES / RATE / 0.02 <= cells.frames <= 1.3 * cells.size / RATE / 0.02


@pytest.mark.parametrize("hertz", [30, 100, 440, 1000, 5000, 11000])
def test_a_tone_is_in_its_own_band_and_the_one_beside_it(hertz: float) -> None:
    cells = bank(SAMPLES, RATE)
    power = cells.powers(torch.from_numpy(tone(hertz, 74)))[0].mean(-1).numpy()
    nearest = np.argsort(np.abs(cells.centres - hertz))[:2]
    assert power[nearest].sum() > 0.97 * power.sum()
    # 74 dB SPL is a mean square of .01, less what the ramps take.
    steady = cells.powers(torch.from_numpy(tone(hertz, 74)))[0][:, cells.frames // 3].sum()
    assert float(steady) == pytest.approx(0.01, rel=0.15)


def test_a_click_is_in_its_frame() -> None:
    cells, sound = bank(SAMPLES, RATE), torch.zeros(1, SAMPLES, dtype=torch.float64)
    sound[0, 12000] = 1
    power = cells.powers(sound)[0, cells.centres > 500].sum(0)
    at = int(12000 / cells.size * cells.frames)
    assert float(power[at - 1 : at + 2].sum()) > 0.95 * float(power.sum())


def test_a_tone_is_steady_and_noise_fluctuates() -> None:
    cells = bank(SAMPLES, RATE)
    band = int(np.argmin(np.abs(cells.centres - 3000)))
    middle = slice(10, 40)
    assert float(cells.fluctuation(torch.from_numpy(tone(3000, 70)))[0, band, middle].mean()) < 0.01
    assert float(cells.fluctuation(torch.from_numpy(noise(70)))[0, band, middle].mean()) == pytest.approx(1, abs=0.3)
    assert float(cells.fluctuation(torch.zeros(1, SAMPLES, dtype=torch.float64)).abs().max()) == 0
