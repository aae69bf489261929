from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from aesdream.dreaming import bands
from aesdream.dreaming.excerpts import excerpt
from aesdream.errors import UserError
from aesdream.seeding import generator

FAMILIES = [f"song {number // 2}" for number in range(24)]
LABELS = np.eye(3, dtype=np.uint8)[[number % 3 for number in range(24)]]
CLASSES = ["cel", "cla", "flu"]


def test_bands_are_described_by_mean_deviation_and_range_over_all_batches():
    values = torch.randn(10, 1, 7, 4, generator=torch.Generator().manual_seed(0)) * 3 - 2
    found = bands.bands(nn.Identity(), values.split(3))
    flat = values.double().reshape(-1, 4).numpy()
    np.testing.assert_allclose(found["mean"], flat.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found["deviation"], flat.std(0), rtol=1e-10)
    assert (found["low"], found["high"]) == (flat.min(), flat.max())
    with pytest.raises(ValueError, match="no spectrograms"):
        bands.bands(nn.Identity(), [])


def test_noise_has_each_bands_mean_and_deviation_and_stays_in_range():
    known = {"low": -12.0, "high": 4.0, "mean": [-6.0, 0.0], "deviation": [1.0, 0.5]}
    drawn = bands.noise(known, 20_000, generator(1, "noise", 0))
    assert drawn.shape == (1, 20_000, 2)
    np.testing.assert_allclose(drawn[0].mean(0), known["mean"], atol=0.03)
    np.testing.assert_allclose(drawn[0].std(0), known["deviation"], rtol=0.03)
    tight = bands.noise({**known, "low": -6.5, "high": 0.1}, 1000, generator(1, "noise", 0))
    assert tight.min() >= np.float32(-6.5)
    assert tight.max() <= np.float32(0.1)


def test_two_decibels_are_230_thousandths_of_a_natural_logarithm():
    start = np.zeros((43, 128))
    found = bands.distance(start, start + 0.230)
    assert found["rmse_db"] == pytest.approx(2.0, abs=0.003)
    assert found["mean_abs_db"] == pytest.approx(2.0, abs=0.003)
    assert found["share_over_1db"] == 1
    half = start.copy()
    half[:, ::2] = math.log(10) / 10  # 2 dB in every other band
    found = bands.distance(start, half)
    assert found == {"rmse_db": pytest.approx(math.sqrt(2)), "mean_abs_db": pytest.approx(1.0), "share_over_1db": 0.5}


def test_held_out_sounds_come_evenly_over_classes_and_from_other_families_first():
    drawn = [excerpt(number, LABELS, FAMILIES, range(24), CLASSES, 5) for number in range(24)]
    assert len({one.index for one in drawn}) == 24
    assert all(LABELS[one.index, one.right] == 1 for one in drawn)
    assert [one.right for one in drawn] == [0, 1, 2] * 8
    assert all(one.wrong != one.right for one in drawn)
    for right in range(3):
        mine = [one for one in drawn if one.right == right]
        assert {one.wrong for one in mine[:2]} == {0, 1, 2} - {right}
        assert len({FAMILIES[one.index] for one in mine[:5]}) == 5
    assert drawn == [excerpt(number, LABELS, FAMILIES, list(range(24))[::-1], CLASSES, 5) for number in range(24)]


def test_sounds_of_several_labels_are_not_dreamed():
    labels = LABELS.copy()
    labels[::2, 1] = 1
    drawn = [excerpt(number, labels, FAMILIES, range(24), CLASSES, 5) for number in range(9)]
    assert all(labels[one.index].sum() == 1 for one in drawn)


def test_more_held_out_sounds_than_there_are_say_how_many_there_are():
    with pytest.raises(UserError, match="held-out-7 would be sound 3 of class 'cla', which has 2 held-out sounds of one label; ask for at most 6"):
        excerpt(7, LABELS, FAMILIES, range(6), CLASSES, 5)
