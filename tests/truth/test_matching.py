"""Filters found again, layers that are alike, and dreams that work for other models."""

from __future__ import annotations

import numpy as np
import pytest

from aesdream.seeding import generator
from aesdream.truth.cka import linear_cka
from aesdream.truth.matching import found_above, living, matched, without_first_component
from aesdream.truth.transfer import excited

SOUNDS, FILTERS = 144, 16


def responses(*path: int, filters: int = FILTERS, common: float = 0.0) -> np.ndarray:
    random = generator(0, "responses", *path)
    return random.standard_normal((SOUNDS, filters)) + common * random.standard_normal((SOUNDS, 1))


def test_a_permutation_of_noisy_scaled_filters_is_recovered():
    one = responses(1, common=3.0)
    order = generator(0, "order").permutation(FILTERS)
    other = 5.0 * one[:, order] + 2.0 + 0.2 * responses(2)
    found = matched(one, other)
    assert found is not None
    assert np.array_equal(order[found.other], found.one)
    assert (found.correlation > 0.9).all()


def test_what_all_filters_share_is_no_match():
    shared = generator(0, "loudness").standard_normal((SOUNDS, 1))
    one, other = (responses(place) + 6 * shared for place in (3, 4))
    assert np.abs(np.corrcoef(one.T, other.T)[:FILTERS, FILTERS:]).min() > 0.9
    found, chance = matched(one, other), matched(responses(5), responses(6))
    assert found is not None
    assert chance is not None
    assert found.correlation.mean() == pytest.approx(chance.correlation.mean(), abs=0.06)


def test_dead_filters_have_no_match_and_layers_of_two_are_not_compared():
    one, other = responses(7), responses(8)
    one[:, 3] = 0.0
    assert 3 not in living(one)
    found = matched(one, other)
    assert found is not None
    assert 3 not in found.one
    assert len(found.one) == FILTERS - 1
    assert matched(responses(1, filters=2), other) is None
    assert matched(np.zeros((SOUNDS, 4)), other) is None


def test_the_component_that_is_taken_away_leaves_nothing_in_its_direction():
    one = responses(9, common=2.0)
    rest = without_first_component(one)
    scaled = (one - one.mean(0)) / one.std(0)
    largest = np.linalg.svd(scaled)[0][:, 0]
    assert largest @ rest == pytest.approx(np.zeros(FILTERS), abs=1e-9)


def test_five_of_a_hundred_pairs_of_controls_count_as_found_again():
    pairs = [matched(responses(20 + 2 * k), responses(21 + 2 * k)) for k in range(20)]
    every = [pair.correlation for pair in pairs if pair is not None]
    limit = found_above(every)
    assert np.mean(np.concatenate(every) > limit) == pytest.approx(0.05, abs=0.01)
    assert np.isnan(found_above([]))


def test_kernel_alignment_ignores_rotation_and_scale_and_tells_strangers_apart():
    one = responses(10)
    turn = np.linalg.qr(generator(0, "turn").standard_normal((FILTERS, FILTERS)))[0]
    assert linear_cka(one, one) == pytest.approx(1)
    assert linear_cka(one, 3.0 * one @ turn + 1.0) == pytest.approx(1)
    assert linear_cka(one, responses(11)) < 0.3
    assert linear_cka(one, responses(11, filters=5)) == pytest.approx(linear_cka(responses(11, filters=5), one))
    assert np.isnan(linear_cka(one, np.ones((SOUNDS, 2))))


def test_the_match_that_rises_most_in_its_own_spread_is_excited():
    spread = np.array([1.0, 10.0, 1.0, 0.0])
    assert excited(np.array([2.0, 5.0, 1.0, 99.0]), spread, 0) == 1.0
    assert excited(np.array([2.0, 5.0, 1.0, 99.0]), spread, 1) == 0.0
    assert excited(np.array([1.0, 5.0, 1.0, 0.0]), spread, 2) == 0.75
    assert np.isnan(excited(np.array([1.0, 5.0, 1.0, 9.0]), spread, 3))


def test_by_chance_a_match_stands_in_the_middle():
    random = generator(1, "chance")
    drawn = [excited(random.standard_normal(8), np.ones(8), 0) for _ in range(2000)]
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.03)
