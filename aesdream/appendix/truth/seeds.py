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
from aesdream.appendix.truth.asked import called, control_of, variant
from aesdream.appendix.truth.gathered import CONTROLS
from aesdream.errors import DamagedFile
from aesdream.training.statistics import Estimate, number
from aesdream.truth.cka import linear_cka
from aesdream.truth.contrasts import Array, above, bounded, estimate
from aesdream.truth.matching import Matches, found_above, living, matched

Numbers = dict[str, Any]
Pair = tuple[Model, Model]
SEED = "other composer, same seed"
"""Pairs of models that learned from different composers and began with the same weights: what of a match the first weights make."""
OTHER = "other composer, other seed"
"""Pairs that share neither: what any labels teach that can be learned from these sounds. Only what lies above it was taught by a composer."""


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
    sets[OTHER] = [
        pair
        for (*place, seed), same in learned.items()
        for (*others, another), fellows in learned.items()
        if place == others and seed < another
        for pair in _neighbours(same, fellows)
    ]
    return sets


def _neighbours(one: Sequence[Model], other: Sequence[Model]) -> Iterator[Pair]:
    """Models of two seeds, those of each composer with those of the next, both ways."""
    theirs = {model.treatment: model for model in other}
    for first, second in pairwise(one):
        for mine, fellow in ((first, second), (second, first)):
            if fellow.treatment in theirs:
                yield mine, theirs[fellow.treatment]


def _measured(responses: Responses, pair: Pair) -> Iterator[tuple[str, Matches | None, float, tuple[int, int]]]:
    for layer, one, other in responses.both(pair):
        yield layer, matched(one, other), linear_cka(one, other), (len(living(one)), len(living(other)))


def _layer(layer: str, measured: Mapping[str, Sequence[tuple[Any, ...]]]) -> Numbers:
    """One layer of one network, by whose pairs of models they are."""
    here = {name: rows for name, all_of in measured.items() if (rows := [row for row in all_of if row[1] == layer])}
    limits = _limits(here.get("shuffled", []))
    sets, shares = {name: _set(rows) for name, rows in here.items()}, {name: _shares(rows, limits) for name, rows in here.items()}
    own = _own([values for name, values in shares.items() if name not in (*CONTROLS, SEED, OTHER)])
    for name, one in sets.items():
        one["found_again"] = bounded(estimate(list(shares[name].values())), 0, 1)
        one["less_shuffled"] = _less(shares[name], shares.get("shuffled", {}))
        one["less_untrained"] = _less(shares[name], shares.get("untrained", {}))
        one["less_other"] = _less(shares[name], shares.get(OTHER, {}))
        one["less_own"] = _less(shares[name], own)
    finite = [limit for limit in limits.values() if np.isfinite(limit)]
    return {"layer": layer, "threshold": number(float(np.mean(finite))) if finite else None, "sets": sets}


def taught(one: Mapping[str, Any]) -> bool:
    """Whether a composer's models surely find more filters again than models of other composers, of shuffled labels, and untrained ones."""
    return all(above(one[key]) for key in ("less_other", "less_shuffled", "less_untrained"))


def _limits(rows: Sequence[tuple[Any, ...]]) -> dict[int, float]:
    """For every split above which correlation a pair counts as found again: by what shuffled labels give in the *other* splits, so that the limit is
    not drawn from what it judges.
    """
    splits = sorted({row[0] for row in rows})
    return {own: found_above([row[2].correlation for row in rows if row[0] != own and row[2] is not None]) for own in splits}


def _shares(rows: Sequence[tuple[Any, ...]], limits: Mapping[int, float]) -> dict[int, float]:
    """The share of pairs of filters that are found again, by split."""
    found: dict[int, list[float]] = {}
    for split, _, matches, *_ in rows:
        limit = limits.get(split, float("nan"))
        if matches is not None and np.isfinite(limit):
            found.setdefault(split, []).append(float(np.mean(matches.correlation > limit)))
    return {split: float(np.mean(values)) for split, values in found.items()}


def _own(shares: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """The mean share over composers, by split."""
    splits = sorted({split for one in shares for split in one})
    return {split: float(np.mean([one[split] for one in shares if split in one])) for split in splits}


def _less(one: Mapping[int, float], other: Mapping[int, float]) -> Estimate:
    return bounded(estimate([one[split] - other[split] for split in one if split in other]), -1, 1)


def _set(rows: Sequence[tuple[Any, ...]]) -> Numbers:
    alike: dict[int, list[float]] = {}
    for split, _, _, cka, _ in rows:
        alike.setdefault(split, []).append(cka)
    correlations = [row[2].correlation for row in rows if row[2] is not None]
    return {
        "pairs": len(rows),
        "living": number(float(np.mean([row[4] for row in rows]))),
        "correlation": number(float(np.mean(np.concatenate(correlations)))) if correlations else None,
        "cka": bounded(estimate([float(np.mean(values)) for values in alike.values()]), 0, 1),
    }
