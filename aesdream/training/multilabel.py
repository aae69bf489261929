"""What a model of many classes is worth on sounds that may have several: its part of evaluation.json (design.md section 2).

As in Han, Kim and Lee 2016 (facts, section 3) a sound is heard in windows that hop half a window, and a class is said where its score is above a
threshold: S1 is the mean of its windows' probabilities, S2 their sum divided by the largest class's sum (so that one class at least is said). The
threshold is the one with the highest micro F1 on the validation sounds. The source chose it on the very sounds that it reports: such numbers stand
apart, under ``as_published``.

Micro averages count every pair of sound and class alike. Macro averages are means over the classes that the set has, one that is never said with a
precision of zero, as in scikit-learn with ``zero_division=0``; so they are in every draw of their intervals, because every family has a share in
each (``Resampling.shares``). LRAP asks of each true class how many of the classes that are ranked as high are true as well; S1 and S2 rank alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from aesdream.sounds.splits import hopping
from aesdream.sounds.store import Corpus
from aesdream.training import loop
from aesdream.training.evaluation import Evaluation, checked
from aesdream.training.statistics import Draws, Estimate, Resampling, Split, estimate, mean_of_defined, ratio, spread

Mask = NDArray[np.bool_]
Averages = dict[str, dict[str, Draws]]

THRESHOLDS: dict[str, NDArray[np.float64]] = {"S1": np.arange(1, 50) / 50, "S2": np.arange(4, 13) / 20}
"""Those tried: S2's are the source's, .20 to .60; what it tried for S1 lies at the lower end of ours."""
LEAST = np.finfo(np.float64).tiny
AVERAGES = ("micro", "macro")
MEASURES = ("precision", "recall", "f1")


class Heard(NamedTuple):
    """Sounds that a model has heard: ``labels`` (n, classes) 1 where a sound has the class, ``probabilities`` (n, classes) means over its windows."""

    ids: list[str]
    families: list[str]
    labels: NDArray[np.integer[Any]]
    probabilities: NDArray[np.float64]


def hear(network: nn.Module, corpus: Corpus, chosen: NDArray[np.int64], samples: int) -> Heard:
    """What ``network`` says of the ``chosen`` sounds of a corpus, each heard in windows of ``samples`` that hop half a window to its own end."""
    items = hopping(corpus.length[chosen], samples)
    probabilities = loop.predict(network, corpus, replace(items, sound=chosen[items.sound]))
    ids, families = ([column[index] for index in chosen.tolist()] for column in (corpus.ids, corpus.families))
    return Heard(ids, families, corpus.labels[chosen], means(probabilities, items.sound, len(chosen)))


def scores(probabilities: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """S1 and S2 of (n, classes) probabilities that are means over windows."""
    return {"S1": probabilities, "S2": probabilities / np.maximum(probabilities.max(1, keepdims=True), LEAST)}


def means(probabilities: NDArray[np.float64], sound: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """(count, classes) the mean of its windows' probabilities (n, classes) for every sound, given whose window each is (n,)."""
    sums = np.zeros((count, probabilities.shape[1]))
    np.add.at(sums, sound, probabilities)
    return sums / np.bincount(sound, minlength=count)[:, None]


def chosen(heard: Heard) -> dict[str, float]:
    """The threshold of S1 and of S2 with the highest micro F1 on these sounds; of equal ones the lowest."""
    return {name: max(sweep(heard, name), key=lambda row: row[1])[0] for name in THRESHOLDS}


def sweep(heard: Heard, name: str) -> list[list[float]]:
    """[threshold, micro F1, macro F1] for every threshold tried of ``S1`` or ``S2``."""
    score, truth = scores(heard.probabilities)[name], heard.labels.astype(bool)
    rows = []
    for threshold in THRESHOLDS[name].tolist():
        found = _averages(truth, score > threshold, None)
        rows.append([threshold, *(float(found[average]["f1"][0]) for average in AVERAGES)])
    return rows


def evaluate(heard: Heard, classes: Sequence[str], thresholds: Mapping[str, float], resampling: Resampling, *, leaky: bool) -> Evaluation:
    """Every measure of a model on one set with its interval over families, and the judgements themselves; JSON-able.

    ``thresholds`` are those of S1 and S2, ``leaky`` says that relatives of these sounds were trained on. Raises UserError for probabilities that are
    none, ValueError for an empty set or columns of different lengths.
    """
    checked(heard.ids, heard.families, heard.labels, heard.probabilities)
    truth, weights, score = heard.labels.astype(bool), resampling.shares(heard.families), scores(heard.probabilities)
    said = {name: score[name] > thresholds[name] for name in THRESHOLDS}
    best = chosen(heard)
    return {
        "classes": list(classes),
        "sizes": {"sounds": len(heard.ids), "families": len(set(heard.families)), "labels": int(truth.sum())},
        "lrap": _estimates({"lrap": _lrap(heard, None)}, {"lrap": _lrap(heard, weights)})["lrap"],
        **{
            name: {
                "threshold": thresholds[name],
                **_averaged(truth, said[name], weights),
                "classes": _each(truth, said[name], weights, classes),
            }
            for name in THRESHOLDS
        },
        "as_published": {
            name: {"threshold": best[name], **_averaged(truth, score[name] > best[name], weights), "sweep": sweep(heard, name)} for name in THRESHOLDS
        },
        "leaky": leaky,
        "predictions": {
            "id": list(heard.ids),
            "family": list(heard.families),
            "labels": [np.flatnonzero(row).tolist() for row in truth],
            "probabilities": heard.probabilities.tolist(),
        },
    }


def judged(evaluation: Mapping[str, Any]) -> Heard:
    """The judgements that an evaluation holds."""
    predictions = evaluation["predictions"]
    labels = np.zeros((len(predictions["id"]), len(evaluation["classes"])), np.uint8)
    for row, numbers in zip(labels, predictions["labels"], strict=True):
        row[numbers] = 1
    return Heard(predictions["id"], predictions["family"], labels, np.array(predictions["probabilities"]))


def mean_over(evaluations: Mapping[Split, Mapping[str, Any]], resampling: Resampling) -> dict[str, Any]:
    """LRAP and the averages of S1 and S2, each the mean over models keyed by (split, seed), as ``evaluation.mean_over`` has it for two classes."""
    if not evaluations:
        raise ValueError("no evaluations to take a mean of")
    values, draws = ([_every(evaluation, weighted) for evaluation in evaluations.values()] for weighted in (None, resampling))

    def told(path: tuple[str, ...]) -> Estimate:
        mean = float(mean_of_defined(np.stack([found[path] for found in values]))[0])
        return {
            **_estimate(mean, mean_of_defined(np.stack([found[path] for found in draws])), 0),
            **spread({key: float(found[path][0]) for key, found in zip(evaluations, values, strict=True)}),
        }

    return _nested({path: told(path) for path in values[0]})


def difference(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], resampling: Resampling) -> dict[str, Any]:
    """By how much LRAP and the averages of S1 and S2 are higher in the first of each pair of models than in the second, the mean over pairs, which
    were judged on the same sounds: each draw weighs the families alike on both sides. Each with its own threshold.
    """
    values, draws = ([(_every(one, weighted), _every(other, weighted)) for one, other in pairs] for weighted in (None, resampling))

    def told(path: tuple[str, ...]) -> Estimate:
        mean, drawn = (mean_of_defined(np.stack([one[path] - other[path] for one, other in found])) for found in (values, draws))
        return _estimate(float(mean[0]), drawn)

    return _nested({path: told(path) for path in values[0][0]})


def _nested(found: Mapping[tuple[str, ...], Estimate]) -> dict[str, Any]:
    """Values by path as dictionaries in dictionaries."""
    whole: dict[str, Any] = {}
    for path, value in found.items():
        place = whole
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = value
    return whole


def always(evaluation: Mapping[str, Any]) -> dict[str, float]:
    """Micro and macro F1 of one who says every class of every sound: what anyone has for nothing on a set, and few classes a sound make it small."""
    counts = [each["confusion"] for each in evaluation["S1"]["classes"].values()]
    positives = np.array([count["tp"] + count["fn"] for count in counts], dtype=np.float64)
    sounds = float(sum(counts[0].values()))
    there = positives[positives > 0]
    return {
        "micro_f1": float(2 * positives.sum() / (positives.sum() + sounds * len(positives))),
        "macro_f1": float((2 * there / (there + sounds)).mean()),
    }


def _every(evaluation: Mapping[str, Any], resampling: Resampling | None) -> dict[tuple[str, ...], Draws]:
    """LRAP and averages of an evaluation by path, such as (S1, micro, f1)."""
    heard = judged(evaluation)
    weights = None if resampling is None else resampling.shares(heard.families)
    found: dict[tuple[str, ...], Draws] = {("lrap",): _lrap(heard, weights)}
    for name, score in scores(heard.probabilities).items():
        averages = _averages(heard.labels.astype(bool), score > evaluation[name]["threshold"], weights)
        found |= {(name, average, measure): averages[average][measure] for average in AVERAGES for measure in MEASURES}
    return found


def _counts(truth: Mask, said: Mask, weights: Draws | None) -> tuple[Draws, Draws, Draws]:
    """True positives, false positives, false negatives of every class: (draws, classes) each."""
    weights = np.ones((1, len(truth))) if weights is None else weights
    found = (weights @ cells.astype(np.float64) for cells in (truth & said, ~truth & said, truth & ~said))
    return next(found), next(found), next(found)


def _measures(tp: Draws, fp: Draws, fn: Draws) -> dict[str, Draws]:
    return {"precision": ratio(tp, tp + fp), "recall": ratio(tp, tp + fn), "f1": ratio(2 * tp, 2 * tp + fp + fn)}


def _averages(truth: Mask, said: Mask, weights: Draws | None) -> Averages:
    """Micro and macro measures of every draw: (draws,) each."""
    counts = _counts(truth, said, weights)
    there = counts[0] + counts[2] > 0
    macro = {name: mean_of_defined(np.where(there, np.nan_to_num(values), np.nan).T) for name, values in _measures(*counts).items()}
    return {"micro": _measures(*(count.sum(1) for count in counts)), "macro": macro}


def _averaged(truth: Mask, said: Mask, weights: Draws) -> dict[str, dict[str, Estimate]]:
    values, draws = _averages(truth, said, None), _averages(truth, said, weights)
    return {average: _estimates(values[average], draws[average]) for average in AVERAGES}


def _each(truth: Mask, said: Mask, weights: Draws, classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Counts and measures of every class by its name."""
    (tp, fp, fn), drawn = _counts(truth, said, None), _counts(truth, said, weights)
    values, draws = _measures(tp, fp, fn), _measures(*drawn)
    found = {}
    for number, name in enumerate(classes):
        of_class = slice(number, number + 1)
        measured = _estimates({m: v[:, number] for m, v in values.items()}, {m: d[:, number] for m, d in draws.items()})
        positives, negatives, missed = (int(count[0, of_class].item()) for count in (tp, fp, fn))
        confusion = {"tp": positives, "fp": negatives, "fn": missed, "tn": len(truth) - positives - negatives - missed}
        found[name] = {"confusion": confusion, **measured}
    return found


def _estimates(values: Mapping[str, Draws], draws: Mapping[str, Draws]) -> dict[str, Estimate]:
    return {name: _estimate(float(values[name][0]), draws[name], 0) for name in values}


def _estimate(value: float, draws: Draws, least: float = -1) -> Estimate:
    """A value with the interval of draws whose median is moved onto it: F1 is concave in a class's share, so that equal classes, which draws make
    unequal, have more than most draws."""
    defined = draws[np.isfinite(draws)]
    moved = draws + (value - float(np.median(defined))) if defined.size else draws
    return estimate(value, np.clip(moved, least, 1))


def _lrap(heard: Heard, weights: Draws | None) -> Draws:
    """Label ranking average precision in every draw; sounds without a label are left out."""
    truth, score = heard.labels.astype(bool), heard.probabilities
    as_high = score[:, None, :] >= score[:, :, None]
    precision = (as_high & truth[:, None, :]).sum(2) / as_high.sum(2)
    labels = truth.sum(1)
    each = ratio((precision * truth).sum(1), labels.astype(np.float64), otherwise=0)
    counted = (np.ones((1, len(truth))) if weights is None else weights) * (labels > 0)
    return ratio(counted @ each, counted.sum(1))
