"""Held-out starts that are spread over what was measured: central first, then far from all that were chosen."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from aesdream.dreaming.excerpts import spread

few = settings(max_examples=25, deadline=None, derandomize=True)


@few
@given(st.integers(5, 60), st.integers(1, 6), st.integers(0, 1000))
def test_every_sound_has_a_place_and_units_do_not_matter(count: int, columns: int, seed: int) -> None:
    measures = np.random.default_rng(seed).normal(size=(count, columns)).round(1)  # with ties
    chosen = spread(measures)
    assert sorted(chosen) == list(range(count))
    assert spread(np.exp(measures) * 7) == chosen


def test_the_first_is_the_most_central_and_the_next_the_farthest() -> None:
    line = np.array([[4.0], [9.0], [1.0], [2.0], [3.0]])
    assert spread(line)[:3] == [4, 1, 2]  # the middle, then the largest before the smallest, which is as far


def test_they_cover_more_than_a_random_choice() -> None:
    measures = np.random.default_rng(3).normal(size=(144, 6))
    ranks = rankdata(measures, axis=0)

    def loneliest(chosen: list[int]) -> float:
        return float(np.linalg.norm(ranks[:, None] - ranks[chosen], axis=2).min(axis=1).max())

    others = [loneliest(np.random.default_rng(seed).choice(144, 20, replace=False).tolist()) for seed in range(50)]
    assert loneliest(spread(measures)[:20]) < min(others)
