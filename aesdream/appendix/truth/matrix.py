"""The matrix: for every network what the dreams of each composer's models moved, beside what controls moved and what was heard at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from aesdream.appendix.material import Material
from aesdream.appendix.truth.claims import Compared, claim
from aesdream.appendix.truth.gathered import CONTROLS, UNNAMED, Group, control_of, pooled, reaches
from aesdream.sounds.composers import COMPOSERS
from aesdream.sounds.measures import MIXTURE, mixture
from aesdream.study import Study
from aesdream.training.statistics import Estimate
from aesdream.truth.contrasts import Array, Pairs, above, below, beyond, by_start, cells, difference, estimate

Numbers = dict[str, Any]
Reach = Mapping[str, Mapping[float, Estimate]]
"""``gathered.reaches``."""
Variant = tuple[str, str]
"""A network by its name, and how its training sounds were augmented (or nothing)."""


def variant(study: Study, treatment: str) -> Variant:
    """What a treatment's models are, beside whom they learned from."""
    settings = study.training.treatments[treatment]
    return settings.network or UNNAMED, settings.augmentation or ""


def called(one: Variant) -> str:
    """A variant in print."""
    return f"{one[0]}, augmented ({one[1]})" if one[1] else one[0]


def parts_of(name: str) -> list[str]:
    """The determinants that another is the sum of."""
    if COMPOSERS[name].measure is not mixture:
        return []
    return [composer.name for composer in COMPOSERS.values() if composer.measure in MIXTURE]


def rivals_of(name: str, determinants: Sequence[str]) -> list[str]:
    """The determinants that a composer's own must be told from: all others, but neither its parts nor what it is a part of."""
    return [other for other in determinants if other != name and other not in parts_of(name) and name not in parts_of(other)]


def asked_of(name: str) -> list[str]:
    """The determinants of which a composer's dreams must tell: of a mixture every part, else its own."""
    return parts_of(name) or [name]


def relations(measures: Mapping[str, Array]) -> Array:
    """Spearman's correlations between the determinants over the corpus; NaN beside one that does not vary."""
    columns = np.array(list(measures.values()))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.corrcoef(rankdata(columns, axis=1)).reshape(len(columns), -1)


def standard(measures: Mapping[str, Array]) -> dict[str, Array]:
    """The determinants over the corpus, in standard deviations."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return {name: (values - values.mean()) / values.std() for name, values in measures.items()}


def networks(material: Material, groups: Sequence[Group], heard: Callable[[str], bool]) -> list[Numbers]:
    """A matrix for every network of which the study asks something that learned; of models that were augmented ``regularised`` tells.

    ``heard`` says of a treatment whether its models heard their composer: the others' dreams are no test of anything.
    """
    study, determinants = material.study, list(material.corpus.measures)
    every = [group for group in groups if _is_plain(study, group) and not _control(study, group) and not variant(study, group.treatment)[1]]
    learned = _best(every)
    reach = reaches(study, groups)
    controls, noise = _controls(study, groups), [group for group in groups if study.sweeps[group.sweep].direction == "random"]
    found = []
    for one in dict.fromkeys(variant(study, group.treatment) for group in learned):
        beside = {**controls.get(one, {}), **({"random": noise} if noise else {})}
        mine = {study.composer_of(group.treatment): group for group in learned if variant(study, group.treatment) == one}
        audible = {str(composer): group.moved for composer, group in mine.items() if heard(group.treatment)}
        own, rms = [group for group in every if variant(study, group.treatment) == one], next(iter(mine.values())).rms
        found.append(
            {
                "network": called(one),
                "rms": rms,
                "reach": [reach.get(name, {}).get(rms, estimate([])) for name in determinants],
                "rows": [_row(composer, mine[composer], beside, audible, reach, material) for composer in determinants if composer in mine],
                "controls": [_control_row(name, groups, determinants) for name, groups in beside.items()],
                "directions": directions(list(mine.values()), own),
            }
        )
    return found


def _is_plain(study: Study, group: Group) -> bool:
    settings = study.sweeps[group.sweep]
    return settings.direction == "gradient" and not settings.regularisers


def _control(study: Study, group: Group) -> str:
    return control_of(study.training.treatments[group.treatment])


def _best(groups: Sequence[Group]) -> list[Group]:
    """Of every treatment the sweep with the most starts."""
    best: dict[str, Group] = {}
    for group in groups:
        if group.treatment not in best or group.changes.shape[1] > best[group.treatment].changes.shape[1]:
            best[group.treatment] = group
    return list(best.values())


def _controls(study: Study, groups: Sequence[Group]) -> dict[Variant, dict[str, list[Group]]]:
    """The dreams of each control that is a network, by variant; a noise knows none, and serves all."""
    found: dict[Variant, dict[str, list[Group]]] = {}
    for group in _best([group for group in groups if _is_plain(study, group) and _control(study, group)]):
        found.setdefault(variant(study, group.treatment), {}).setdefault(_control(study, group), []).append(group)
    return {one: {name: named[name] for name in CONTROLS if name in named} for one, named in found.items()}


def together(groups: Sequence[Group], rms: float) -> Pairs:
    """The mean contrasts of each split and start over all models of several groups, which began with the same sounds."""
    names = list(dict.fromkeys(start for group in groups for start in group.starts))
    there = [group for group in groups if rms in group.passed]
    if not there:
        return {}
    wide = []
    for group in there:
        values = np.full((len(group.splits), len(names), group.passed[rms].shape[-1]), np.nan)
        values[:, [names.index(start) for start in group.starts]] = group.contrasts_at(rms)
        wide.append(values)
    return by_start(np.concatenate(wide), [split for group in there for split in group.splits], names)


def known(reach: Reach, rms: float) -> dict[str, float]:
    """The determinants that dreams of their own rule raise at a distance, and by how much."""
    there = {name: by_distance[rms] for name, by_distance in reach.items() if rms in by_distance}
    return {name: one["value"] for name, one in there.items() if one["value"] is not None and one["value"] > 0}


def _row(
    composer: str, group: Group, controls: Mapping[str, Sequence[Group]], heard: Mapping[str, Pairs], reach: Reach, material: Material
) -> Numbers:
    """What is said of one composer's dreams in one network."""
    determinants = list(material.corpus.measures)
    there = {name: moved for name, members in controls.items() if (moved := together(members, group.rms))}
    rivals, own = rivals_of(composer, determinants), cells(group.moved, len(determinants))
    others = {name: heard[name] for name in rivals if name in heard}
    compared = Compared(group.moved, there, others, standard(material.corpus.measures), rivals, known(reach, group.rms))
    against = {name: difference(group.moved, moved, len(determinants)) for name, moved in there.items()}
    return {
        "composer": composer,
        "treatment": group.treatment,
        "sweep": group.sweep,
        "models": group.models,
        "expected": len(group.splits),
        "splits": len({split for split, _ in group.moved}),
        "starts": len(group.starts),
        "dreams": len(group.made),
        "asked": int(group.dreams.size),
        "pairs": group.pairs,
        "arms": group.arms(),
        "toward": [estimate(list(group.over_splits(group.changes[:, :, way, determinants.index(composer)]).values())) for way in (0, 1)],
        "cells": own,
        "share": estimate(compared.of(composer, group.moved)),
        "against": against,
        "beyond": beyond(own, list(against.values())),
        "parts": parts_of(composer),
        "claims": [claim(name, compared) for name in asked_of(composer)],
        "elsewhere": [
            {**_elsewhere(composer, group, controls, determinants, rms), "reach": reach.get(composer, {}).get(rms, estimate([]))}
            for rms in group.passed
            if rms != group.rms
        ],
    }


def _elsewhere(composer: str, group: Group, controls: Mapping[str, Sequence[Group]], determinants: Sequence[str], rms: float) -> Numbers:
    """The diagonal at a distance that no verdict is taken at."""
    place, moved = list(determinants).index(composer), group.moved_at(rms)
    there = {name: other for name, members in controls.items() if (other := together(members, rms))}
    return {
        "rms": rms,
        "pairs": int(np.isfinite(group.contrasts_at(rms)).any(axis=-1).sum()),
        "contrast": cells(moved, len(determinants))[place],
        "less": {name: difference(moved, other, len(determinants))[place] for name, other in there.items()},
    }


def _control_row(name: str, groups: Sequence[Group], determinants: Sequence[str]) -> Numbers:
    moved = together(groups, groups[0].rms)
    own = cells(moved, len(determinants))
    return {
        "control": name,
        "treatment": None if name == "random" else groups[0].treatment,
        "models": sum(group.models for group in groups),
        "expected": sum(len(group.splits) for group in groups),
        "splits": len({split for split, _ in moved}),
        "cells": own,
        "excluding": sum(above(cell) or below(cell) for cell in own),
        "pairs": sum(group.pairs for group in groups),
        "arms": groups[0].arms(),
        "directions": directions(groups, groups),
    }


def directions(groups: Sequence[Group], kept: Sequence[Group]) -> Numbers:
    """How alike dreams toward "interesting" and toward "not" are: in what they change of the determinants, and in what they add as sounds (of those
    ``kept`` as such); and what of their change can be heard.
    """
    return {
        "determinants": pooled([group.over_splits(group.moved_alike()) for group in groups]),
        "added": pooled([group.over_splits(group.alike()) for group in kept]),
        "share_under_20hz": pooled([group.over_splits(group.each("share_under_20hz")) for group in groups]),
        "share_audible": pooled([group.over_splits(group.each("share_audible", "audibility")) for group in groups]),
    }
