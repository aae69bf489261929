"""Which filters of one model are found again in another.

What all filters of a layer do alike (how loud a sound is, mostly) makes any two of them alike, trained or not. So the first principal component of a
layer's responses to held-out sounds is taken away, in each model for itself, before its filters are paired one to one with those of the other
(Hungarian assignment) so that the sum of correlations is the largest. A best assignment finds good pairs in noise too: "found again" is what
correlates more than 95 of 100 pairs between models that learned shuffled labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.float64]
FEWEST = 3
"""Living filters that a layer must have in both models; with two, nothing is left to compare once their common part is gone."""
PERCENTILE = 95.0
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Matches:
    """Filters of one model and those of another that they are paired with, and how their responses correlate [shape=(pairs,)]."""

    one: NDArray[np.intp]
    other: NDArray[np.intp]
    correlation: Array


def living(responses: Array) -> NDArray[np.intp]:
    """The filters whose responses (sounds, filters) vary."""
    wide = np.ptp(responses, axis=0)
    return np.flatnonzero(wide > _ROUNDING * np.abs(responses).max(initial=0.0))


def without_first_component(responses: Array) -> Array:
    """Responses (sounds, filters) of living filters, each at mean 0 and variance 1, less their first principal component."""
    scaled = (responses - responses.mean(axis=0)) / responses.std(axis=0)
    left, sizes, right = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(scaled - sizes[0] * np.outer(left[:, 0], right[0]))


def matched(one: Array, other: Array) -> Matches | None:
    """The best one-to-one pairs between two models' filters, given their responses to the same sounds [shape=(sounds, filters)].

    Filters that do not vary are left out; None where either layer has fewer than ``FEWEST`` others.
    """
    mine, theirs = living(one), living(other)
    if min(len(mine), len(theirs)) < FEWEST:
        return None
    alike = correlations(without_first_component(one[:, mine]), without_first_component(other[:, theirs]))
    rows, columns = linear_sum_assignment(alike, maximize=True)
    return Matches(mine[rows], theirs[columns], alike[rows, columns])


def correlations(one: Array, other: Array) -> Array:
    """Of every column of one (n, a) with every column of another (n, b); 0 beside what is constant, or was but for rounding."""
    return _unit(one).T @ _unit(other)


def _unit(columns: Array) -> Array:
    centred = columns - columns.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    return np.divide(centred, norms, out=np.zeros_like(centred), where=norms > _ROUNDING * len(columns) ** 0.5)


def found_above(controls: Sequence[Array]) -> float:
    """Above which correlation a pair counts as found again: the 95th percentile of the pairs between models of shuffled labels; NaN without any."""
    every = np.concatenate([np.zeros(0), *controls])
    return float(np.percentile(every, PERCENTILE)) if every.size else float("nan")
