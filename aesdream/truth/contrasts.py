"""What dreams moved of every determinant, and how sure that is.

A dream toward "interesting" and one toward "not" begin with the same sound and stop at the same RMS from it. What both do to a determinant is what
any change of that size does; in what they differ is what the network's judgement asks for: the *contrast*, Δ(interesting) − Δ(not), where Δ is dream
less start, in standard deviations of the corpus.

**The interval.** Models of one split share their training sounds, their held-out sounds and so their starts; what varies independently are splits,
and there are few. A percentile interval of means drawn again from ten models is too narrow twice over: its variance is a sum of squares over n where
n − 1 would be right, with normal quantiles where Student's are wider; and it takes models that share a split for independent. So starts are
averaged within a model, models within a split, and Student's t with splits − 1 degrees of freedom is taken over the splits. That is exact where the
means of splits are normal (each is one of 40 contrasts or so), whatever the variances of splits, models and starts; the tests measure its coverage.
Like every interval from splits of one corpus it speaks of other splits and seeds on these sounds, not of other sounds.

**Claims.** "Beats its row" and "beyond every control" mean that each of several intervals lies above zero. A claim that needs all of them is wrong at
most as often as one of them alone (intersection-union), so no correction for their number is needed; for the number of rows it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from aesdream.training.statistics import LEVEL, Estimate, number

Array = NDArray[np.float64]
BySplit = Mapping[int, Array]
"""Of every split its mean contrasts, one a determinant [shape=(determinants,)]."""


def contrasts(interesting: Array, other: Array, start: Array, spread: Array) -> Array:
    """Δ(interesting) − Δ(not) in standard deviations, given what both dreams and their start measure [shape=(..., determinants)] and the corpus's
    standard deviations [shape=(determinants,)]; NaN for a determinant that does not vary.
    """
    return np.asarray(standardised(interesting - start, spread) - standardised(other - start, spread))


def standardised(change: Array, spread: Array) -> Array:
    """Changes in standard deviations of the corpus; NaN where those are zero."""
    wide = np.broadcast_to(spread, change.shape)
    return np.divide(change, wide, out=np.full(change.shape, np.nan), where=wide > 0)


def by_split(values: Array, splits: Sequence[int]) -> dict[int, Array]:
    """The mean over starts of each model, then over the models of each split; what is missing (NaN) is left out.

    ``values`` [shape=(models, starts, determinants)], ``splits`` [shape=(models,)]. A split of which nothing is there has no entry.
    """
    of_models = [_mean(model) for model in values]
    found: dict[int, Array] = {}
    for split in sorted(set(splits)):
        members = np.array([model for model, own in zip(of_models, splits, strict=True) if own == split])
        if np.isfinite(members).any():
            found[split] = _mean(members)
    return found


def _mean(values: Array) -> Array:
    """Over the first axis, of what is defined."""
    there = np.isfinite(values)
    total, count = np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def estimate(values: ArrayLike) -> Estimate:
    """The mean of independent values (n,) with Student's 95 % interval; undefined values are left out.

    No bounds for fewer than two values, nor where they do not vary: that is a lack of evidence and not certainty.
    """
    given = np.asarray(values, dtype=np.float64)
    given = given[np.isfinite(given)]
    mean = float(given.mean()) if given.size else float("nan")
    low = high = float("nan")
    if given.size > 1 and np.ptp(given) > 1e-12 * np.abs(given).max():
        half = float(student.ppf((1 + LEVEL) / 2, given.size - 1)) * float(given.std(ddof=1)) / given.size**0.5
        low, high = mean - half, mean + half
    return {"value": number(mean), "low": number(low), "high": number(high)}


def cells(moved: BySplit, determinants: int) -> list[Estimate]:
    """The contrast of every determinant with its interval."""
    stacked = stack(moved, determinants)
    return [estimate(column) for column in stacked.T]


def stack(moved: BySplit, determinants: int) -> Array:
    """The means of all splits as one array [shape=(splits, determinants)]."""
    return np.array([moved[split] for split in sorted(moved)], dtype=np.float64).reshape(-1, determinants)


def difference(one: BySplit, other: BySplit, determinants: int) -> list[Estimate]:
    """How much more the first moved each determinant than the second: paired by split, since both began with the same sounds there."""
    common = one.keys() & other.keys()
    return cells({split: one[split] - other[split] for split in common}, determinants)


def above(found: Estimate) -> bool:
    """Whether the whole interval lies above zero."""
    return found["low"] is not None and found["low"] > 0


def below(found: Estimate) -> bool:
    """Whether the whole interval lies below zero."""
    return found["high"] is not None and found["high"] < 0


def beyond(own: Sequence[Estimate], differences: Sequence[Sequence[Estimate]]) -> list[bool]:
    """For every determinant whether its interval and that of its difference to every control lie on the same side of zero; without controls never."""
    found = []
    for place, cell in enumerate(own):
        every = [cell, *(control[place] for control in differences)]
        found.append(bool(differences) and (all(map(above, every)) or all(map(below, every))))
    return found


@dataclass(frozen=True)
class Margin:
    """How far one contrast lies above the size of another, ``rival``'s: the difference, or the sum where the rival moved downward."""

    rival: int
    found: Estimate


def margin(own: Array, others: Mapping[int, Array]) -> Margin | None:
    """How far a contrast (splits,) lies above its closest rival's size, whichever sign that has; None without rivals, or where none has bounds.

    ``others`` holds the rivals' contrasts over the same splits. The contrast beats them all exactly where the interval of this one lies above zero:
    the closest is the one whose interval reaches down furthest.
    """
    compared = [Margin(rival, estimate(own - sign * values)) for rival, values in others.items() for sign in (1, -1)]
    bounded = [one for one in compared if one.found["low"] is not None]
    return min(bounded, key=lambda one: one.found["low"] or 0.0, default=None)


def apart(own: Array, other: Array, correlation: float) -> Array:
    """What moved of one determinant beyond what comes with the other in the corpus, in standard deviations of that rest.

    ``own`` and ``other`` are contrasts of two determinants of that Pearson correlation; NaN where one is a function of the other. A dream that moved
    only the other, and with it what goes with it in the corpus, leaves 0.
    """
    rest = 1 - correlation**2
    return np.asarray((own - correlation * other) / rest**0.5) if rest > 1e-9 else np.full(own.shape, np.nan)
