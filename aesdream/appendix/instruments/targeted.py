"""Dreams of held-out sounds to their right class and to a wrong one: how often they arrive, how far they go, and how they lie to each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream.appendix.instruments.dreamt import Dreamt
from aesdream.appendix.instruments.geometry import geometry
from aesdream.appendix.instruments.sample import Sample
from aesdream.dreaming.settings import RELATIVE
from aesdream.seeding import generator
from aesdream.training import multilabel
from aesdream.training.statistics import estimate, number, ratio

EVEN: Mapping[str, float] = {"S1": 0.5, "S2": 0.5}
"""Thresholds of a model that has none of its own."""
MEASURES = ("rmse_db", "mean_abs_db", "share_over_1db")
Groups = Mapping[str, Mapping[str, Dreamt]]


def targeted(dreams: Sequence[Dreamt], classes: Sequence[str], seed: int, thresholds: Mapping[str, float] = EVEN) -> dict[str, Any]:
    """Everything that is said of one model's dreams of a sweep to right and wrong classes, JSON-able; empty where there are none. ``thresholds`` are
    the model's, of S1 and S2."""
    groups = {kind: {str(one.content["start"]): one for one in dreams if one.kind == kind} for kind in RELATIVE}
    groups = {kind: group for kind, group in groups.items() if group}
    if not groups:
        return {}
    first = dreams[0].content
    told: dict[str, Any] = {"stop_confidence": first.get("stop_confidence"), "domain": first.get("domain", "waveform")}
    told["kinds"] = {kind: _kind(list(group.values()), classes, seed) for kind, group in groups.items()}
    told["performance"] = _performance(groups, classes, thresholds, seed)
    if "right" in groups and "wrong" in groups:
        told.update(_pairs(groups["right"], groups["wrong"], classes, seed))
    return told


def _sample(dreams: Sequence[Dreamt], seed: int) -> Sample:
    return Sample([str(one.content["excerpt"]["family"]) for one in dreams], seed)


def _kind(dreams: Sequence[Dreamt], classes: Sequence[str], seed: int) -> dict[str, Any]:
    """Success, confidence before and after, steps and distances of dreams of one kind; ``already`` is the share that needed no step, ``missed`` how
    many did not reach each class, ``arrived`` the distance of those that did and had to move for it: of the others none is what it takes."""
    sample = _sample(dreams, seed)
    contents = [one.content for one in dreams]
    told: dict[str, Any] = {
        "n": len(dreams),
        "recordings": len(set(sample.families)),
        "success": sample.share([content["success"] for content in contents]),
        "missed": dict(Counter(content["goal"][0] for content in contents if not content["success"])),
        "already": sample.share([content["steps_taken"] == 0 for content in contents]),
        "steps": sample.mean([content["steps_taken"] for content in contents]),
        **{f"confidence_{when}": sample.mean([content["confidence"][when] for content in contents]) for when in ("start", "dream")},
        **{name: sample.mean([content["distance"][name] for content in contents]) for name in MEASURES},
    }
    moved = [content["success"] and content["steps_taken"] > 0 for content in contents]
    distances = [content["distance"]["rmse_db"] if did else float("nan") for content, did in zip(contents, moved, strict=True)]
    told["arrived"] = {"n": sum(moved), "rmse_db": sample.mean(distances)}
    ways = dict.fromkeys(way for content in contents for way in content.get("inversion", {}))
    told["inversion"] = {way: _inversion(way, contents, classes, sample) for way in ways}
    return told


def _inversion(way: str, contents: Sequence[Mapping[str, Any]], classes: Sequence[str], sample: Sample) -> dict[str, Any]:
    """What turning spectrograms into sound did to them and to the network's output: of the start, and of the dream."""
    nothing: dict[str, Any] = {}
    both = [content.get("inversion", nothing).get(way) for content in contents]

    def moved(when: str) -> list[float]:
        pairs = [(content["outputs"][when], found and found[when].get("outputs")) for content, found in zip(contents, both, strict=True)]
        return [float(np.abs(np.subtract(said, after)).max()) if after else float("nan") for said, after in pairs]

    def kept() -> list[float]:
        places = [list(classes).index(content["goal"][0]) for content in contents]
        return [found["dream"]["outputs"][place] if found else float("nan") for found, place in zip(both, places, strict=True)]

    return {
        **{f"output_moved_{when}": sample.mean(moved(when)) for when in ("start", "dream")},
        "confidence_heard": sample.mean(kept()),
        **{f"rmse_db_{when}": sample.mean([found[when]["rmse_db"] if found else float("nan") for found in both]) for when in ("start", "dream")},
    }


def _performance(groups: Groups, classes: Sequence[str], thresholds: Mapping[str, float], seed: int) -> dict[str, Any]:
    """How well the sounds that were dreamed are told: as they were, and after each kind of dream, always by their true class."""
    told: dict[str, Any] = {}
    for kind, group in groups.items():
        if not told and kind != "right-then-wrong":  # whose start is a dream
            told["original"] = scores(list(group.values()), "start", classes, thresholds, seed)
        told[kind] = scores(list(group.values()), "dream", classes, thresholds, seed)
    return told


def scores(dreams: Sequence[Dreamt], when: str, classes: Sequence[str], thresholds: Mapping[str, float], seed: int) -> dict[str, Any]:
    """How well the outputs for starts or dreams (``when``) tell the one true class of each: the share whose largest output is it, LRAP, and the
    averages of S1 and S2 as for whole sets."""
    sample, outputs = _sample(dreams, seed), np.array([one.content["outputs"][when] for one in dreams])
    truth = np.array([list(classes).index(one.content["excerpt"]["right"]) for one in dreams])
    heard = multilabel.Heard([one.name for one in dreams], sample.families, np.eye(len(classes), dtype=np.uint8)[truth], outputs)
    found = multilabel.evaluate(heard, classes, thresholds, sample.resampling, leaky=False)
    averages = {name: {key: found[name][key] for key in ("threshold", *multilabel.AVERAGES)} for name in multilabel.THRESHOLDS}
    return {"n": len(dreams), "top1": sample.share(outputs.argmax(1) == truth), "lrap": found["lrap"], **averages}


def _pairs(right: Mapping[str, Dreamt], wrong: Mapping[str, Dreamt], classes: Sequence[str], seed: int) -> dict[str, Any]:
    """Right against wrong dreams of the same sounds: mean square errors in dB squared, a class pair at a time, and the angle of both changes."""
    both = [(right[name], wrong[name]) for name in right if name in wrong]
    sample = _sample([one for one, _ in both], seed)
    errors = np.array([[np.square(change).mean() for change in (a.change, b.change, a.dream - b.dream)] for a, b in both])
    named = [(a.content["excerpt"]["right"], a.content["excerpt"]["wrong"]) for a, _ in both]
    place = {name: number for number, name in enumerate(classes)}
    where = [(place[one], place[other]) for one, other in named]
    names = ("original_to_right", "original_to_wrong", "right_to_wrong")
    return {
        "classes": list(classes),
        "sounds": len(both),
        "mse_db2": {name: sample.mean(errors[:, column]) for column, name in enumerate(names)},
        "matrix": {name: _matrix(where, errors[:, column], len(classes)) for column, name in enumerate(names)},
        "larger": _larger(where, errors, sample),
        "geometry": geometry([(a.change, b.change) for a, b in both], sample, generator(seed, "random changes")),
    }


def _matrix(where: Sequence[tuple[int, int]], values: NDArray[np.float64], classes: int) -> list[list[float | None]]:
    """The mean of values for every right class (rows) and wrong class (columns); None for pairs without any."""
    total, count = np.zeros((classes, classes)), np.zeros((classes, classes))
    np.add.at(total, tuple(np.transpose(where)), values)
    np.add.at(count, tuple(np.transpose(where)), 1)
    return [[number(float(total[i, j] / count[i, j])) if count[i, j] else None for j in range(classes)] for i in range(classes)]


def _larger(where: Sequence[tuple[int, int]], errors: NDArray[np.float64], sample: Sample) -> dict[str, Any]:
    """The share of class pairs whose right and wrong dreams are further from each other than either is from the original."""
    further = errors[:, 2] - errors[:, :2].max(1)
    pairs = list(dict.fromkeys(where))
    member = np.array([[pair == own for own in where] for pair in pairs], dtype=np.float64)
    weights = np.vstack([np.ones((1, len(where))), sample.weights])
    means = ratio(weights @ (member * further).T, weights @ member.T)
    shares = ratio((np.nan_to_num(means) > 0).sum(1).astype(np.float64), np.isfinite(means).sum(1).astype(np.float64))
    found = estimate(float(shares[0]), shares[1:])
    if found["low"] is None:  # all pairs, or none, in every draw
        found = sample.share(np.full(len(where), shares[0]))
    return {"pairs": len(pairs), **found}
