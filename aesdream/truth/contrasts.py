"""What dreams moved of every determinant, and how sure that is.

A dream toward "interesting" and one toward "not" begin with the same sound and are compared at the same RMS from it. What both do to a determinant is
what any change of that size does; in what they differ is what the network's judgement asks for: the *contrast*, Δ(interesting) − Δ(not), where Δ is
dream less start, in standard deviations of the corpus.

**The interval.** Models of one split share their training sounds, their held-out sounds and so their starts; what varies independently are splits,
and there are few. A percentile interval of means drawn again from ten models is too narrow twice over: its variance is a sum of squares over n where
n − 1 would be right, with normal quantiles where Student's are wider; and it takes models that share a split for independent. So models are averaged
at each start, starts within a split, and Student's t with splits − 1 degrees of freedom is taken over the splits. That is exact where the means of
splits are normal (each is one of 40 contrasts or so), whatever the variances of splits, models and starts, as long as nothing is shared between
splits: every split needs first weights of its own, or what those do is the same in all of them and never seen. The tests measure both.
Like every interval from splits of one corpus it speaks of other splits and seeds on these sounds, not of other sounds.

**Claims.** "Beats its row" and "beyond every control" mean that each of several intervals lies above a limit. A claim that needs all of them is wrong
at most as often as one of them alone (intersection-union), so no correction for their number is needed. For the number of rows ``holm`` makes one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from aesdream.training.statistics import LEVEL, Estimate, number

SPLITS = 2
"""The fewest independent values that have an interval."""
Array = NDArray[np.float64]
Pairs = Mapping[tuple[int, str], Array]
"""Of every split and start the mean contrasts of its models, one a determinant [shape=(determinants,)]."""


def contrasts(interesting: Array, other: Array, start: Array, spread: Array) -> Array:
    """Δ(interesting) − Δ(not) in standard deviations, given what both dreams and their start measure [shape=(..., determinants)] and the corpus's
    standard deviations [shape=(determinants,)]; NaN for a determinant that does not vary.
    """
    return np.asarray(standardised(interesting - start, spread) - standardised(other - start, spread))


def standardised(change: Array, spread: Array) -> Array:
    """Changes in standard deviations of the corpus; NaN where those are zero."""
    wide = np.broadcast_to(spread, change.shape)
    return np.divide(change, wide, out=np.full(change.shape, np.nan), where=wide > 0)


def by_start(values: Array, splits: Sequence[int], starts: Sequence[str] | None = None) -> dict[tuple[int, str], Array]:
    """The mean over the models of each split at each start; what is missing (NaN) is left out.

    ``values`` [shape=(models, starts, determinants)], ``splits`` [shape=(models,)], ``starts`` [shape=(starts,)]. A start of which nothing is there
    has no entry.
    """
    names = [str(place) for place in range(values.shape[1])] if starts is None else starts
    found: dict[tuple[int, str], Array] = {}
    for split in sorted(set(splits)):
        members = _mean(values[np.equal(splits, split)])
        found.update({(split, name): one for name, one in zip(names, members, strict=True) if np.isfinite(one).any()})
    return found


def by_split(moved: Pairs) -> dict[int, Array]:
    """The mean over the starts of each split."""
    return {split: _mean(np.array([one for (own, _), one in moved.items() if own == split])) for split in sorted({own for own, _ in moved})}


def less(one: Pairs, other: Pairs) -> Pairs:
    """How much more the first moved than the second, at the starts of each split that both have."""
    return {key: one[key] - other[key] for key in one if key in other}


def _mean(values: Array) -> Array:
    """Over the first axis, of what is defined."""
    there = np.isfinite(values)
    total, count = np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def estimate(values: ArrayLike, level: float = LEVEL) -> Estimate:
    """The mean of independent values (n,) with Student's interval; undefined values are left out.

    No bounds for fewer than ``SPLITS`` values, nor where they do not vary: that is a lack of evidence and not certainty.
    """
    given, error = _given(values)
    mean = float(given.mean()) if given.size else float("nan")
    half = float(student.ppf((1 + level) / 2, given.size - 1)) * error if np.isfinite(error) else float("nan")
    return {"value": number(mean), "low": number(mean - half), "high": number(mean + half)}


def bounded(found: Estimate, least: float, most: float) -> Estimate:
    """An estimate of a number that cannot lie outside its bounds (a share, a cosine): neither does its interval."""
    low, high = (None if end is None else min(max(end, least), most) for end in (found["low"], found["high"]))
    return {"value": found["value"], "low": low, "high": high}


def _given(values: ArrayLike) -> tuple[Array, float]:
    """The values that are defined, and the standard error of their mean; NaN where they do not vary."""
    given = np.asarray(values, dtype=np.float64)
    given = given[np.isfinite(given)]
    if given.size < SPLITS or np.ptp(given) <= 1e-12 * np.abs(given).max():
        return given, float("nan")
    return given, float(given.std(ddof=1)) / given.size**0.5


def doubt(values: ArrayLike, limit: float = 0.0) -> float:
    """How probable a mean as large would be if the true one were ``limit``: Student's one-sided p; 1 without evidence."""
    given, error = _given(values)
    return float(student.sf((given.mean() - limit) / error, given.size - 1)) if np.isfinite(error) else 1.0


def holm(doubts: Sequence[float]) -> list[float]:
    """The same for several claims at once (Holm 1979): where one is below a level, so is the chance that any claim at that level is wrong."""
    order, found, largest = np.argsort(doubts, kind="stable"), [1.0] * len(doubts), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(doubts) - rank) * doubts[place]))
        found[place] = largest
    return found


def equivalent(values: ArrayLike) -> float:
    """Within how much of zero the true mean lies: the farther bound of the 90 % interval, which makes two one-sided tests of 5 % each (Schuirmann
    1987); infinite without evidence.
    """
    found = estimate(values, 1 - 2 * (1 - LEVEL))
    return float("inf") if found["low"] is None or found["high"] is None else max(abs(found["low"]), abs(found["high"]))


def cells(moved: Pairs, determinants: int) -> list[Estimate]:
    """The contrast of every determinant with its interval."""
    return [estimate(column) for column in stack(moved, determinants).T]


def stack(moved: Pairs, determinants: int) -> Array:
    """The means of all splits as one array [shape=(splits, determinants)]."""
    return np.array(list(by_split(moved).values()), dtype=np.float64).reshape(-1, determinants)


def difference(one: Pairs, other: Pairs, determinants: int) -> list[Estimate]:
    """How much more the first moved each determinant than the second: paired by split and start, since both began with the same sounds there."""
    return cells(less(one, other), determinants)


def above(found: Estimate, limit: float = 0.0) -> bool:
    """Whether the whole interval lies above a limit."""
    return found["low"] is not None and found["low"] > limit


def below(found: Estimate, limit: float = 0.0) -> bool:
    """Whether the whole interval lies below a limit."""
    return found["high"] is not None and found["high"] < limit


def beyond(own: Sequence[Estimate], differences: Sequence[Sequence[Estimate]]) -> list[bool]:
    """For every determinant whether its interval and that of its difference to every control lie on the same side of zero; without controls never."""
    found = []
    for place, cell in enumerate(own):
        every = [cell, *(control[place] for control in differences)]
        found.append(bool(differences) and (all(map(above, every)) or all(map(below, every))))
    return found


@dataclass(frozen=True)
class Margin:
    """How far one contrast lies above the size of another, ``rival``'s (splits,): the difference, or the sum where the rival moved downward."""

    rival: str
    values: Array

    @property
    def found(self) -> Estimate:
        """Its mean and interval."""
        return estimate(self.values)


def margins(own: Array, rivals: Mapping[str, Array]) -> list[Margin]:
    """How far a contrast (splits,) lies above each rival's size, by both of its signs; it beats them all where every interval lies above zero."""
    return [Margin(rival, own - sign * values) for rival, values in rivals.items() for sign in (1, -1)]


def closest(compared: Sequence[Margin]) -> Margin | None:
    """The rival whose interval reaches down furthest: one without bounds, of which nothing is known, before all others; None without rivals."""
    lows = [(float("-inf") if one.found["low"] is None else one.found["low"], place) for place, one in enumerate(compared)]
    return compared[min(lows)[1]] if lows else None


def surpassing(own: Array, rivals: Mapping[str, Array], admitted: Collection[str]) -> str | None:
    """The one of the ``admitted`` rivals that surely moved more than a contrast did, whichever way either moved: of all rivals, at 95 % together
    (Bonferroni); None without any.
    """
    found: dict[str, float] = {}
    for rival, values in rivals.items():
        if rival not in admitted:
            continue
        sign = np.sign(np.nanmean(values)) if np.isfinite(values).any() else 1.0
        both = [estimate(sign * values - way * own, 1 - (1 - LEVEL) / len(rivals)) for way in (1, -1)]
        if all(map(above, both)):
            found[rival] = min(one["low"] or 0.0 for one in both)
    return max(found, key=lambda rival: found[rival], default=None)


def apart(own: Array, others: Array, corpus: Array, others_corpus: Array) -> Array:
    """What moved of one determinant beyond what comes with all others in the corpus, in standard deviations of that rest.

    ``own`` (splits,) and ``others`` (splits, n) are contrasts; ``corpus`` (sounds,) and ``others_corpus`` (sounds, n) the determinants in standard
    deviations of the corpus, where the first is regressed on the others. NaN where it is a function of them. A dream that moved only the others, and
    with them what goes with them in the corpus, leaves 0 as far as that goes in straight lines.
    """
    centred, columns = corpus - corpus.mean(), others_corpus - others_corpus.mean(axis=0)
    weights = np.linalg.lstsq(columns, centred, rcond=None)[0]
    rest = float((centred - columns @ weights).std())
    return np.asarray((own - others @ weights) / rest) if rest > 1e-4 else np.full(own.shape, np.nan)
