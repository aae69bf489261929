"""Whether a judge means what it says: its probabilities beside what came true, and its models beside each other.

Sounds of a split's validation side were heard by none of that split's models, so the mean of what those say is what a panel would have said of
new sounds: of such sounds, from such a corpus. Of others nothing is known before someone has listened.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream.training.evaluation import Judged
from aesdream.training.statistics import THRESHOLD, Draws, Estimate, Resampling, estimate, measures, number, wilson

BINS = 10
Numbers = NDArray[np.float64]


def held_out(evaluations: Iterable[Mapping[str, Any]]) -> Judged:
    """A judgement for every sound and split that held it out: its probability is the mean of what that split's models say of it.

    ``evaluations`` are the contents of evaluation.json; windows count as the sounds that they come from.
    """
    found: dict[tuple[int, str], list[float]] = {}
    known: dict[tuple[int, str], tuple[str, int]] = {}
    for told in evaluations:
        judged = told["sets"].get("sounds", told["sets"]["validation"])["predictions"]
        for name, family, label, probability in zip(*(judged[key] for key in ("id", "family", "label", "probability")), strict=True):
            found.setdefault((told["split"], name), []).append(probability)
            known[told["split"], name] = family, label
    rows = sorted(found)
    return Judged(
        [name for _, name in rows],
        [known[row][0] for row in rows],
        np.array([known[row][1] for row in rows], np.int64),
        np.array([np.mean(found[row]) for row in rows]),
    )


def calibration(judged: Judged, resampling: Resampling, random: np.random.Generator) -> dict[str, Any]:
    """How far a judge's probabilities can be taken at their word, JSON-able; intervals by bootstrap over families.

    ``sounds`` are the different ones among the ``judgements``. ``bins``: between which probabilities, how many judgements, their mean probability,
    and the share of them that is positive. ``brier``: the mean
    squared error; ``brier_of_the_share``: that of one who always says how many are positive. ``ece``: the mean distance between a bin's two shares,
    weighted by its judgements; as it is never under 0, ``ece_if_calibrated`` tells how large it is, and up to where 95 % of it lies, for a judge of
    the same sounds, each as often, whose every word is true.
    """
    weights = resampling.weights(judged.families)
    inside = np.minimum((judged.probabilities * BINS).astype(int), BINS - 1)
    members = [np.flatnonzero(inside == number) for number in range(BINS)]
    said, truth = judged.probabilities, judged.labels.astype(np.float64)
    squares = (truth - said) ** 2
    places = {name: place for place, name in enumerate(dict.fromkeys(judged.ids))}
    drawn = random.random((len(weights), len(places)))  # once a sound, however often it is judged: its label is one
    made = drawn[:, [places[name] for name in judged.ids]] < said
    chance = _ece(made - said, np.ones_like(made, np.float64), members)
    area = {name: measures(judged.labels, said, w, names=["roc_auc"])["roc_auc"] for name, w in (("value", None), ("draws", weights))}
    return {
        "sounds": len(places),
        "judgements": len(said),
        "families": len(set(judged.families)),
        "positive": number(float(truth.mean())),
        "roc_auc": estimate(float(area["value"][0]), area["draws"]),
        "brier": estimate(float(squares.mean()), _mean(squares, weights)),
        "brier_of_the_share": number(float(truth.mean() * (1 - truth.mean()))),
        "ece": estimate(float(_ece((truth - said)[None], np.ones((1, len(said))), members)[0]), _ece((truth - said)[None], weights, members)),
        "ece_if_calibrated": {"value": number(float(chance.mean())), "high": number(float(np.percentile(chance, 95)))},
        "bins": [_bin(place, rows, judged, weights) for place, rows in enumerate(members) if len(rows)],
    }


def _mean(values: Numbers, weights: Draws) -> Draws:
    with np.errstate(invalid="ignore"):
        return (weights @ values) / weights.sum(axis=1)


def _ece(errors: Numbers, weights: Draws, members: Sequence[NDArray[np.intp]]) -> Draws:
    """For errors and weights (draws, n) or (1, n): the sum over bins of the magnitude of their summed error, out of all weight."""
    both = errors * weights
    with np.errstate(invalid="ignore"):
        return np.asarray(sum(np.abs(both[:, rows].sum(axis=1)) for rows in members) / weights.sum(axis=1))


def _bin(place: int, rows: NDArray[np.intp], judged: Judged, weights: Draws) -> dict[str, Any]:
    truth = judged.labels[rows].astype(np.float64)
    share = float(truth.mean())
    bounds = estimate(share, _mean(truth, weights[:, rows]))
    if bounds["low"] is None:
        families = len({judged.families[row] for row in rows})
        low, high = wilson(round(share * families), families)
        bounds = {**bounds, "low": number(low), "high": number(high)}
    return {
        "from": place / BINS,
        "to": (place + 1) / BINS,
        "judgements": len(rows),
        "mean": number(float(judged.probabilities[rows].mean())),
        "share": bounds,
    }


def disagreement(probabilities: Numbers, alike: Sequence[Hashable]) -> dict[str, float | None]:
    """How far models differ over the same sounds: ``probabilities`` (sounds, models) of the positive class, JSON-able.

    ``sd_models``: the standard deviation over all models; ``sd_seeds``: over those that are ``alike`` (a model's key there: the same but for their
    initialisation), None without such; both root mean squares over sounds. ``both_verdicts``: the share of sounds that some models accept and
    some refuse.
    """
    groups = [np.flatnonzero([key == other for other in alike]) for key in dict.fromkeys(alike)]
    freedom = sum(len(group) - 1 for group in groups)
    within = sum(probabilities[:, group].var(axis=1) * len(group) for group in groups)
    said = probabilities > THRESHOLD
    return {
        "sd_models": number(float(np.sqrt(probabilities.var(axis=1, ddof=1).mean()))) if probabilities.shape[1] > 1 else None,
        "sd_seeds": number(float(np.sqrt(np.mean(within) / freedom))) if freedom else None,
        "both_verdicts": number(float(np.mean(said.any(axis=1) & ~said.all(axis=1)))),
    }


def mean_with_interval(values: Numbers, families: Sequence[str], resampling: Resampling) -> Estimate:
    """The mean of a value (n,) over sounds, its interval by bootstrap over their families."""
    return estimate(float(values.mean()), _mean(values, resampling.weights(families)))


def difference_of_means(one: tuple[Numbers, Sequence[str]], other: tuple[Numbers, Sequence[str]], resampling: Resampling) -> Estimate:
    """How much higher a value's mean is over one set of sounds than over another, each (values, families); families are drawn alike for both."""
    (values, families), (others, their) = one, other
    draws = _mean(values, resampling.weights(families)) - _mean(others, resampling.weights(their))
    return estimate(float(values.mean() - others.mean()), draws)
