"""Measures of a judge on a small set of related sounds, and how far each can be trusted.

Validation sets are small and their sounds are related (facts.md section 1, points 3 to 5), so a measure is never computed alone: whole families
are drawn again with replacement, many times, and the measure is computed in every draw, all draws at once. A draw is a row of weights, how often
each sound counts; ``weights=None`` is one draw in which each sound counts once, the set as it is.

A sound is judged positive where its score, the probability of the positive class, is above .5: a judge that cannot tell (.5 and .5) says no.
Inside numpy an undefined value (0 / 0, such as the precision of a judge that never says yes) is NaN; ``number`` turns it into None on its way out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Draws = NDArray[np.float64]
Estimate = dict[str, float | None]
Split = tuple[int, int]

THRESHOLD = 0.5
LEVEL = 0.95
TRUSTED = 10
"""Sounds of a class on a validation side under which a bootstrap's intervals are not to be trusted."""


class Resampling:
    """The families of a corpus, drawn again with replacement, as many a draw as there are.

    One object serves every set and model of a run: a family that is absent from a draw is absent from it for all of them, which makes differences
    between models paired and lets a mean over splits be resampled as a whole. Families are sorted first, so their order changes nothing.
    """

    def __init__(self, families: Iterable[str], draws: int, random: np.random.Generator) -> None:
        names = sorted(set(families))
        self._column = {name: i for i, name in enumerate(names)}
        self._counts = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws).astype(np.float64)
        self._shares = random.standard_exponential((draws, len(names)))

    def weights(self, families: Sequence[str]) -> Draws:
        """How often each sound counts in each draw [shape=(draws, n)], given its family; ValueError for a family that the corpus lacks."""
        return self._counts[:, self._columns(families)]

    def shares(self, families: Sequence[str]) -> Draws:
        """As ``weights``, of the Bayesian bootstrap (Rubin 1981): how much a family counts is from the exponential distribution, so that none is
        absent from a draw. For means over classes of which some have one family or two: a draw that lost those would be a mean over fewer classes.
        """
        return self._shares[:, self._columns(families)]

    def _columns(self, families: Sequence[str]) -> list[int]:
        unknown = sorted({family for family in families if family not in self._column})
        if unknown:
            raise ValueError(f"families {', '.join(unknown[:5])}: not in the corpus that is resampled")
        return [self._column[family] for family in families]


class _Tally:
    """Weighted counts of a judged set, a value a draw, each computed when a measure first asks for it."""

    def __init__(self, labels: ArrayLike, scores: ArrayLike, weights: Draws | None, prevalence: float) -> None:
        self._truth, self._scores, self.prevalence = np.asarray(labels, dtype=bool), np.asarray(scores, dtype=np.float64), prevalence
        self._weights = np.ones((1, self._truth.size)) if weights is None else np.asarray(weights, dtype=np.float64)
        said = self._scores > THRESHOLD
        self.tp, self.fp = self._sum(said & self._truth), self._sum(said & ~self._truth)
        self.fn, self.tn = self._sum(~said & self._truth), self._sum(~said & ~self._truth)

    def _sum(self, chosen: NDArray[np.bool_]) -> Draws:
        return self._weights @ chosen.astype(np.float64)

    @cached_property
    def recall(self) -> Draws:
        return ratio(self.tp, self.tp + self.fn)

    @cached_property
    def specificity(self) -> Draws:
        return ratio(self.tn, self.tn + self.fp)

    @cached_property
    def ranked(self) -> tuple[Draws, Draws]:
        """True and false positives [shape=(draws, distinct scores)] when everything down to each distinct score is called positive."""
        order, ends = _ranking(self._scores)
        weights = self._weights[:, order]
        positive = np.cumsum(weights * self._truth[order], axis=1)[:, ends]
        return positive, np.cumsum(weights, axis=1)[:, ends] - positive


def ratio(part: Draws, whole: Draws, otherwise: float = math.nan) -> Draws:
    """``part / whole``, and ``otherwise`` where the whole is zero."""
    return np.divide(part, whole, out=np.full(whole.shape, otherwise, np.float64), where=whole > 0)


def _ranking(scores: Draws) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The order from the highest score down, and the last place in it of each distinct score: tied sounds are never told apart."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    return order, np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))


def _roc_auc(t: _Tally) -> Draws:
    tp, fp = t.ranked
    gained = np.diff(tp, axis=1, prepend=0)
    return ratio((np.diff(fp, axis=1, prepend=0) * (tp - gained / 2)).sum(axis=1), (t.tp + t.fn) * (t.fp + t.tn))


def _average_precision(t: _Tally) -> Draws:
    tp, fp = t.ranked
    return ratio((np.diff(tp, axis=1, prepend=0) * ratio(tp, tp + fp, otherwise=0)).sum(axis=1), t.tp + t.fn)


def _precision_at_prevalence(t: _Tally) -> Draws:
    tp, fp = t.recall * t.prevalence, (1 - t.specificity) * (1 - t.prevalence)
    return ratio(tp, tp + fp)


def _f1_at_prevalence(t: _Tally) -> Draws:
    tp, fp = t.recall * t.prevalence, (1 - t.specificity) * (1 - t.prevalence)
    return ratio(2 * tp, tp + fp + t.prevalence)


MEASURES: dict[str, Callable[[_Tally], Draws]] = {
    "precision": lambda t: ratio(t.tp, t.tp + t.fp),
    "recall": lambda t: t.recall,
    "specificity": lambda t: t.specificity,
    "npv": lambda t: ratio(t.tn, t.tn + t.fn),
    "f1": lambda t: ratio(2 * t.tp, 2 * t.tp + t.fp + t.fn),
    "accuracy": lambda t: ratio(t.tp + t.tn, t.tp + t.fp + t.fn + t.tn),
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "precision_at_prevalence": _precision_at_prevalence,
    "f1_at_prevalence": _f1_at_prevalence,
}


def measures(
    labels: ArrayLike,
    scores: ArrayLike,
    weights: Draws | None = None,
    *,
    prevalence: float = math.nan,
    names: Iterable[str] = tuple(MEASURES),
) -> dict[str, Draws]:
    """The measures ``names`` of a judge in every draw, each [shape=(draws,)], or [shape=(1,)] without weights; NaN where undefined.

    ``labels`` [shape=(n,), n at least 1] hold 1 for the positive class, ``scores`` [shape=(n,)] its probability, ``weights`` [shape=(draws, n)]
    come from ``Resampling.weights``. ROC AUC gives a tied pair half a point; average precision is the sum of precision times the step in recall
    over the distinct scores (both as scikit-learn has them). The two at ``prevalence`` are what precision and F1 would be, at this recall and
    this specificity, in a set with that share of positives: the corpus's, where oversampling has changed the set's own (facts.md section 1,
    point 3); without a prevalence they are undefined.
    """
    tally = _Tally(labels, scores, weights, prevalence)
    return {name: MEASURES[name](tally) for name in names}


def confusion(labels: ArrayLike, scores: ArrayLike) -> dict[str, int]:
    """How many sounds are true and false positives, false and true negatives."""
    tally = _Tally(labels, scores, None, math.nan)
    return {name: int(getattr(tally, name)[0]) for name in ("tp", "fp", "fn", "tn")}


def number(value: float) -> float | None:
    """``value`` to six significant digits as JSON may hold it: None where it is undefined."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def estimate(value: float, draws: Draws) -> Estimate:
    """``value`` with its 95 % percentile interval over ``draws`` [shape=(draws,)].

    Undefined draws are left out: the interval is that of the measure given that it is defined. There are no bounds (None) where the value itself
    is undefined, where more than half of the draws are, and where the draws never vary: a bootstrap of 7 hits in 7 trials would claim certainty.
    """
    defined = draws[np.isfinite(draws)]
    low = high = math.nan
    if math.isfinite(value) and 2 * defined.size >= draws.size and defined.size and defined.min() < defined.max():
        low, high = np.percentile(defined, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return {"value": number(value), "low": number(low), "high": number(high)}


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The Wilson score interval (95 %) of a proportion of independent trials; without trials, everything from 0 to 1.

    40 of 54, the recall of the thesis's plain treatment, gives .61 to .84 (facts.md section 1, point 4).
    """
    if n == 0:
        return 0.0, 1.0
    z2 = NormalDist().inv_cdf((1 + LEVEL) / 2) ** 2
    share = successes / n
    centre, half = share + z2 / (2 * n), math.sqrt(z2 * (share * (1 - share) + z2 / (4 * n)) / n)
    low, high = (centre - half) / (1 + z2 / n), (centre + half) / (1 + z2 / n)
    return low if successes else 0.0, high if successes < n else 1.0


def mean_of_defined(values: Draws) -> Draws:
    """The mean over the first axis of what is defined in it; NaN where nothing is."""
    defined = np.isfinite(values)
    return ratio(np.where(defined, values, 0).sum(axis=0), defined.sum(axis=0).astype(np.float64))


def spread(values: Mapping[Split, float]) -> Estimate:
    """Mean and standard deviations of a value over models, keyed by (split, seed); undefined values are left out, ``n`` counts the others.

    ``sd_splits`` is the sample standard deviation of the splits' means (the seeds' part in it shrinks with their number), ``sd_seeds`` that of
    the seeds around their split's mean, pooled over splits. None where there is but one split, or but one seed in each.
    """
    splits: dict[int, list[float]] = {}
    for (split, _), value in sorted(values.items()):
        if math.isfinite(value):
            splits.setdefault(split, []).append(value)
    everything = [value for group in splits.values() for value in group]
    freedom = len(everything) - len(splits)
    squares = sum(float(np.var(group)) * len(group) for group in splits.values())
    return {
        "mean": number(float(np.mean(everything))) if everything else None,
        "sd_splits": number(float(np.std([np.mean(group) for group in splits.values()], ddof=1))) if len(splits) > 1 else None,
        "sd_seeds": number(math.sqrt(squares / freedom)) if freedom > 0 else None,
        "n": len(everything),
    }


def curves(labels: ArrayLike, scores: ArrayLike) -> dict[str, list[list[float]]]:
    """Points to plot: ``roc`` as [false positive rate, recall] and ``precision_recall`` as [recall, precision], from the highest threshold down.

    Points on the straight line between their neighbours are left out, so drawn lines are exact. The precision-recall points begin at recall 0
    with the first threshold's precision: the area under their steps (each precision held over the recall gained there) is the average
    precision. A curve that is undefined (no positives; for ``roc``, no negatives either) has no points.
    """
    tally = _Tally(labels, scores, None, math.nan)
    (tp,), (fp,) = tally.ranked
    positives, negatives = tally.tp[0] + tally.fn[0], tally.fp[0] + tally.tn[0]
    if not positives:
        return {"roc": [], "precision_recall": []}
    rises = np.diff(tp, prepend=0) > 0
    edge = rises | np.append(rises[1:], True)  # between rises of recall, precision falls on a vertical line
    recall, precision = tp[edge] / positives, tp[edge] / (tp + fp)[edge]
    return {
        "roc": _corners(np.append(0, fp), np.append(0, tp), negatives, positives) if negatives else [],
        "precision_recall": np.column_stack([np.append(0, recall), np.append(precision[0], precision)]).tolist(),
    }


def _corners(x: Draws, y: Draws, x_scale: float, y_scale: float) -> list[list[float]]:
    """The points (x / x_scale, y / y_scale) at which a path of whole counts turns, with its ends; exact, as the counts are."""
    dx, dy = np.diff(x), np.diff(y)
    turns = np.concatenate([[True], dx[:-1] * dy[1:] != dx[1:] * dy[:-1], [True]])
    return np.column_stack([x[turns] / x_scale, y[turns] / y_scale]).tolist()
