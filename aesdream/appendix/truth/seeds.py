"""What comes again from another seed: filters found again, layers alike, on the held-out sounds that two models of a split share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any
from zipfile import BadZipFile

import numpy as np

from aesdream import files
from aesdream.appendix.material import Material
from aesdream.appendix.reading import Model
from aesdream.appendix.truth.gathered import control_of
from aesdream.appendix.truth.matrix import called, variant
from aesdream.errors import DamagedFile
from aesdream.training.statistics import number
from aesdream.truth.cka import linear_cka
from aesdream.truth.contrasts import Array, estimate
from aesdream.truth.matching import Matches, found_above, living, matched

Numbers = dict[str, Any]
Pair = tuple[Model, Model]
SEED = "other composer, same seed"
"""Pairs of models that learned from different composers and began with the same weights: what of a match the first weights make."""


class Responses:
    """What every layer but the last of a model responds to its validation sounds, each file read once."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[list[str], dict[str, Array]]] = {}

    def of(self, model: Model) -> tuple[list[str], dict[str, Array]] | None:
        """The sounds' names and, by layer, the mean responses after the activation [shape=(sounds, filters)]; None where there are none."""
        if model.evaluation is None or "responses.npz" not in model.evaluation["files"]:
            return None
        if model.name not in self._read:
            path = files.verified(model.folder / "evaluation.json", "responses.npz")
            try:
                with np.load(path) as arrays:
                    names = [str(name) for name in arrays["id"]]
                    layers = {layer: arrays[layer].astype(np.float64) for layer in arrays.files if layer not in ("id", "class")}
            except (BadZipFile, ValueError, KeyError, OSError) as error:
                raise DamagedFile(path, str(error)) from None
            self._read[model.name] = names, layers
        return self._read[model.name]

    def both(self, pair: Pair) -> Iterator[tuple[str, Array, Array]]:
        """The layers of two models and their responses, where both heard the same sounds."""
        one, other = (self.of(model) for model in pair)
        if one is not None and other is not None and one[0] == other[0]:
            yield from ((layer, values, other[1][layer]) for layer, values in one[1].items() if layer in other[1])


def seeds(material: Material, responses: Responses) -> list[Numbers]:
    """For every network and layer: how many pairs of filters are found again between two seeds of a split, and how alike the layers are."""
    study = material.study
    found = []
    for one in dict.fromkeys(variant(study, model.treatment) for model in material.models if not variant(study, model.treatment)[1]):
        members = [model for model in material.models if variant(study, model.treatment) == one]
        sets = _sets(material, members)
        measured = {name: [(pair[0].split, *each) for pair in pairs for each in _measured(responses, pair)] for name, pairs in sets.items()}
        layers = dict.fromkeys(layer for rows in measured.values() for _, layer, *_ in rows)
        found += [{"network": called(one), **_layer(layer, measured)} for layer in layers]
    return found


def _sets(material: Material, models: Sequence[Model]) -> dict[str, list[Pair]]:
    """Pairs of models of one split by whose they are: a composer's, a control's, or different composers' with one seed."""
    study = material.study
    sets: dict[str, list[Pair]] = {}
    learned: dict[tuple[str, int, int], list[Model]] = {}
    for model in models:
        if not control_of(study.training.treatments[model.treatment]):
            learned.setdefault((model.protocol, model.split, model.seed), []).append(model)
    for one, other in combinations(models, 2):
        if (one.treatment, one.protocol, one.split) == (other.treatment, other.protocol, other.split):
            name = control_of(study.training.treatments[one.treatment]) or study.composer_of(one.treatment) or one.treatment
            sets.setdefault(name, []).append((one, other))
    sets[SEED] = [pair for same in learned.values() for pair in pairwise(same)]
    return sets


def _measured(responses: Responses, pair: Pair) -> Iterator[tuple[str, Matches | None, float, tuple[int, int]]]:
    for layer, one, other in responses.both(pair):
        yield layer, matched(one, other), linear_cka(one, other), (len(living(one)), len(living(other)))


def _layer(layer: str, measured: Mapping[str, Sequence[tuple[Any, ...]]]) -> Numbers:
    """One layer of one network, by whose pairs of models they are."""
    here = {name: [row for row in rows if row[1] == layer] for name, rows in measured.items()}
    limit = found_above([row[2].correlation for row in here.get("shuffled", []) if row[2] is not None])
    return {"layer": layer, "threshold": number(limit), "sets": {name: _set(rows, limit) for name, rows in here.items() if rows}}


def _set(rows: Sequence[tuple[Any, ...]], limit: float) -> Numbers:
    shares: dict[int, list[float]] = {}
    alike: dict[int, list[float]] = {}
    for split, _, matches, cka, _ in rows:
        alike.setdefault(split, []).append(cka)
        if matches is not None and np.isfinite(limit):
            shares.setdefault(split, []).append(float(np.mean(matches.correlation > limit)))
    correlations = [row[2].correlation for row in rows if row[2] is not None]
    return {
        "pairs": len(rows),
        "living": number(float(np.mean([row[4] for row in rows]))),
        "correlation": number(float(np.mean(np.concatenate(correlations)))) if correlations else None,
        "found_again": estimate([float(np.mean(values)) for values in shares.values()]),
        "cka": estimate([float(np.mean(values)) for values in alike.values()]),
    }
