"""What a model is worth on a validation set: the content of evaluation.json (design.md section 2), and what several models have in common.

Intervals say how much a number depends on which families happened to be in the corpus, for the models as they were trained; how much it depends
on the split and on the initialisation is the spread (``sd_splits``, ``sd_seeds``), which needs several models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.training.statistics import (
    MEASURES,
    THRESHOLD,
    Draws,
    Estimate,
    Resampling,
    Split,
    confusion,
    estimate,
    mean_of_defined,
    measures,
    number,
    spread,
    wilson,
)

Evaluation = dict[str, Any]
DRAWS = 1000
Mask = NDArray[np.bool_]

# the sounds among which a measure is a plain share, given the truth and the judge's word
TRIALS: dict[str, Callable[[Mask, Mask], Mask]] = {
    "precision": lambda truth, said: said,
    "recall": lambda truth, said: truth,
    "specificity": lambda truth, said: ~truth,
    "npv": lambda truth, said: ~said,
    "accuracy": lambda truth, said: truth | ~truth,
}


def bootstrap(families: Iterable[str], study_seed: int) -> Resampling:
    """The one resampling of a study's families, which every interval and every paired difference stands on."""
    return Resampling(families, DRAWS, generator(study_seed, "bootstrap"))


class Judged(NamedTuple):
    """A judged set, as ``evaluate`` takes it: label 1 and the probability [shape=(n,)] are those of the positive class."""

    ids: list[str]
    families: list[str]
    labels: NDArray[np.int64]
    probabilities: Draws


def evaluate(
    ids: Sequence[str],
    families: Sequence[str],
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    corpus_prevalence: float,
    resampling: Resampling,
    leaky: bool,
) -> Evaluation:
    """Every measure of a judge on one set with its interval, and the judgements themselves; JSON-able.

    ``ids`` may repeat (copies) and ``families`` are the sounds' own ids where lineage is unknown; ``labels`` are 0 or 1 and ``probabilities`` the
    positive class's [shape=(n,)], kept to the last bit. ``corpus_prevalence`` is the share of positive sounds in the whole corpus. ``leaky``
    says that relatives of these sounds were trained on. Bounds as in ``interval``. Raises UserError for probabilities that are none,
    ValueError for an empty set or columns of different lengths.
    """
    truth, judged = np.asarray(labels).astype(np.int64), np.asarray(probabilities).astype(np.float64)
    checked(ids, families, truth, judged)
    predictions = {"id": list(ids), "family": list(families), "label": truth.tolist(), "probability": judged.tolist()}
    evaluation = {"corpus_prevalence": corpus_prevalence, "predictions": predictions}
    weights = resampling.weights(families)
    values, draws = (measures(truth, judged, w, prevalence=corpus_prevalence) for w in (None, weights))
    return {
        "confusion": confusion(truth, judged),
        **{measure: interval([evaluation], measure, values[measure][0], draws[measure]) for measure in MEASURES},
        "prevalence": number(float(truth.mean())),
        "corpus_prevalence": corpus_prevalence,
        "leaky": leaky,
        "predictions": predictions,
    }


def checked(ids: Sequence[str], families: Sequence[str], labels: NDArray[Any], probabilities: NDArray[np.float64]) -> None:
    """Raise UserError for probabilities (n, ...) that are none, ValueError for an empty set or columns of different lengths."""
    if not len(ids) or not (len(ids) == len(families) == len(labels) == len(probabilities)):
        raise ValueError(f"a set of {len(ids)} ids, {len(families)} families, {len(labels)} labels, {len(probabilities)} probabilities")
    wrong = np.argwhere(~((probabilities >= 0) & (probabilities <= 1)))
    if len(wrong):
        raise UserError(
            f"{ids[wrong[0][0]]}: judged with probability {probabilities[tuple(wrong[0])]} (and {len(wrong) - 1} more like it); between 0 and 1 "
            "would be right, so training has diverged: lower its learning rate"
        )


def interval(evaluations: Iterable[Evaluation], measure: str, value: float, draws: Draws) -> Estimate:
    """``statistics.estimate``, except where a plain share is 0 or 1 and so is every draw of it: there, Wilson's interval.

    Related sounds then count as one trial, so that 7 hits in 7 families give .65 to 1, however many sounds they are.
    """
    bounds = estimate(value, draws)
    if bounds["low"] is None and value in (0, 1) and measure in TRIALS:
        n = len({family for evaluation in evaluations for family in _families(evaluation, TRIALS[measure])})
        low, high = wilson(n if value else 0, n)
        return {**bounds, "low": number(low), "high": number(high)}
    return bounds


def _families(evaluation: Evaluation, trials: Callable[[Mask, Mask], Mask]) -> set[str]:
    predictions = evaluation["predictions"]
    chosen = trials(np.array(predictions["label"]) == 1, np.array(predictions["probability"]) > THRESHOLD)
    return {family for family, one in zip(predictions["family"], chosen, strict=True) if one}


def by_sound(ids: Sequence[str], families: Sequence[str], labels: ArrayLike, probabilities: ArrayLike) -> Judged:
    """Judged windows, named ``id@seconds``, as judged sounds: a sound's probability is the mean of its windows', in order of first appearance.

    Only the windows that are given count: split before they were grouped, a sound may have but one of its windows here. Raises ValueError for
    an id without ``@`` and for a sound whose windows differ in label or family.
    """
    stray = [window for window in ids if "@" not in window]
    if stray:
        raise ValueError(f"{stray[0]}: is no window; a window is named id@seconds")
    truth, judged = np.asarray(labels).astype(np.int64), np.asarray(probabilities).astype(np.float64)
    sounds = [window.rpartition("@")[0] for window in ids]
    known: dict[str, tuple[str, int]] = {}
    for sound, family, label in zip(sounds, families, truth.tolist(), strict=True):
        if known.setdefault(sound, (family, label)) != (family, label):
            raise ValueError(f"{sound}: its windows differ in label or family")
    place = {sound: i for i, sound in enumerate(known)}
    where = [place[sound] for sound in sounds]
    means = np.bincount(where, judged) / np.bincount(where)
    return Judged(list(known), [family for family, _ in known.values()], np.array([label for _, label in known.values()]), means)


def _measured(evaluation: Evaluation, measure: str, weights: Draws | None) -> Draws:
    predictions, prevalence = evaluation["predictions"], evaluation["corpus_prevalence"]
    return measures(predictions["label"], predictions["probability"], weights, prevalence=prevalence, names=[measure])[measure]


def _value_and_draws(evaluation: Evaluation, measure: str, resampling: Resampling) -> tuple[float, Draws]:
    value = float(_measured(evaluation, measure, None)[0])
    return value, _measured(evaluation, measure, resampling.weights(evaluation["predictions"]["family"]))


def mean_over(evaluations: Mapping[Split, Evaluation], measure: str, resampling: Resampling) -> Estimate:
    """The mean of a measure over models, keyed by (split, seed): ``value``, ``low``, ``high`` and what ``statistics.spread`` gives.

    The interval is that of the mean when the same families are drawn again for every model; a mean is taken over the models that define the
    measure (in the set, in the draw), and ``n`` counts those of the set. Raises ValueError without evaluations.
    """
    if not evaluations:
        raise ValueError(f"no evaluations to take the mean {measure} of")
    found = {key: _value_and_draws(evaluation, measure, resampling) for key, evaluation in evaluations.items()}
    value = mean_of_defined(np.array([v for v, _ in found.values()]))
    mean = interval(evaluations.values(), measure, float(value), mean_of_defined(np.stack([d for _, d in found.values()])))
    return {**mean, **spread({key: v for key, (v, _) in found.items()})}


def difference(a: Mapping[Split, Evaluation], b: Mapping[Split, Evaluation], measure: str, resampling: Resampling) -> Estimate | None:
    """How much higher a measure is in ``a`` than in ``b``: the mean over the keys at which both were validated on the same sounds.

    A paired bootstrap: each draw weighs the families alike on both sides. ``n`` counts the pairs that define the measure. None if no key has the
    same ids on both sides, order apart (copies made before the split give other ids).
    """
    common = [key for key in a if key in b and _ids(a[key]) == _ids(b[key])]
    if not common:
        return None
    pairs = [(_value_and_draws(a[key], measure, resampling), _value_and_draws(b[key], measure, resampling)) for key in common]
    values = np.array([one - other for (one, _), (other, _) in pairs])
    draws = np.stack([one - other for (_, one), (_, other) in pairs])
    return {**estimate(float(mean_of_defined(values)), mean_of_defined(draws)), "n": int(np.isfinite(values).sum())}


def _ids(evaluation: Evaluation) -> list[str]:
    return sorted(evaluation["predictions"]["id"])
