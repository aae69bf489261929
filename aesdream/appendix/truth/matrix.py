"""The matrix: for every network what the dreams of each composer's models moved, beside what controls moved and what was heard at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from aesdream.appendix.material import Material
from aesdream.appendix.truth.asked import asked_of, called, control_of, how, is_plain, most_starts, parts_of, rivals_of, variant
from aesdream.appendix.truth.claims import Compared, claim
from aesdream.appendix.truth.gathered import CONTROLS, MOST_MISSING, Group, pooled, rules, together
from aesdream.study import Study
from aesdream.training.statistics import Estimate
from aesdream.truth.contrasts import Array, Pairs, above, below, beyond, bounded, by_split, cells, difference, estimate, less

Numbers = dict[str, Any]


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
    every = [
        group for group in groups if is_plain(study.sweeps[group.sweep]) and not _control(study, group) and not variant(study, group.treatment)[1]
    ]
    learned, known = most_starts(every), rules(study, groups)
    noise = [group for group in groups if study.sweeps[group.sweep].direction == "random"]
    found = []
    for one in dict.fromkeys(variant(study, group.treatment) for group in learned):
        mine = {str(study.composer_of(group.treatment)): group for group in learned if variant(study, group.treatment) == one}
        beside = {name: {**controls(study, group, groups), **({"random": noise} if noise else {})} for name, group in mine.items()}
        audible = {name: group.moved for name, group in mine.items() if heard(group.treatment) and group.share_short <= MOST_MISSING}
        own, first = [group for group in every if variant(study, group.treatment) == one], next(iter(mine))
        rms = mine[first].rms
        found.append(
            {
                "network": called(one),
                "rms": rms,
                "reach": [_reach(place, name, known, rms) for place, name in enumerate(determinants)],
                "rows": [_row(name, mine[name], beside[name], audible, known, material) for name in determinants if name in mine],
                "controls": [_control_row(name, members, determinants, rms) for name, members in beside[first].items()],
                "directions": directions(list(mine.values()), own),
            }
        )
    return found


def _control(study: Study, group: Group) -> str:
    return control_of(study.training.treatments[group.treatment])


def controls(study: Study, own: Group, groups: Sequence[Group]) -> dict[str, list[Group]]:
    """The dreams of each control that is a network like a group's, dreamed as it was: of shuffled labels, augmented as its models were, and
    untrained. Noise knows no network, and serves all.
    """
    found: dict[str, list[Group]] = {}
    alike = how(study.sweeps[own.sweep])
    for group in most_starts([group for group in groups if how(study.sweeps[group.sweep]) == alike]):
        control, mine = _control(study, group), variant(study, own.treatment)
        if control and variant(study, group.treatment) in ([mine, (mine[0], "")] if control == "untrained" else [mine]):
            found.setdefault(control, []).append(group)
    return {name: found[name] for name in CONTROLS if name in found}


def compared(group: Group, controls: Mapping[str, Pairs], others: Mapping[str, Pairs], known: Mapping[str, Group], material: Material) -> Compared:
    """A group's dreams beside those of its controls and of other composers, and beside dreams of each rule, where enough of these came far enough."""
    study, measures = material.study, material.corpus.measures
    composer = str(study.composer_of(group.treatment))
    own, width = cells(group.moved, len(measures)), len(measures)
    marked = beyond(own, [difference(group.moved, moved, width) for moved in controls.values()])
    return Compared(
        own=group.moved,
        controls=controls,
        others=others,
        rules={name: rule.moved_at(group.rms) for name, rule in known.items() if rule.share_short <= MOST_MISSING},
        corpus=standard(measures),
        rivals=[name for name in rivals_of(composer, list(measures)) if np.ptp(measures[name]) > 0],
        beyond=[name for name, mark in zip(measures, marked, strict=True) if mark],
    )


def _reach(place: int, name: str, known: Mapping[str, Group], rms: float) -> Estimate:
    """What dreams of a determinant's own rule move it at a distance, over all of their starts; not known where too many fell short."""
    there = name in known and known[name].share_short <= MOST_MISSING
    return estimate([moved[place] for moved in by_split(known[name].moved_at(rms)).values()] if there else [])


def _row(
    composer: str,
    group: Group,
    controls: Mapping[str, Sequence[Group]],
    heard: Mapping[str, Pairs],
    known: Mapping[str, Group],
    material: Material,
) -> Numbers:
    """What is said of one composer's dreams in one network."""
    determinants = list(material.corpus.measures)
    there = {name: moved for name, members in controls.items() if (moved := together(members, group.rms))}
    beside = compared(group, there, {name: heard[name] for name in rivals_of(composer, determinants) if name in heard}, known, material)
    against = {name: difference(group.moved, moved, len(determinants)) for name, moved in there.items()}
    asked = asked_of(composer)
    ruled = {f"the rule of {name}": known[name].share_short for name in dict.fromkeys((composer, *asked)) if name in known}
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
        "short": {"its own": group.share_short, **{name: max(one.share_short for one in members) for name, members in controls.items()}, **ruled},
        "toward": [estimate(list(group.over_splits(group.changes[:, :, way, determinants.index(composer)]).values())) for way in (0, 1)],
        "cells": cells(group.moved, len(determinants)),
        "reach": estimate(beside.reach(composer)),
        "share": estimate(beside.of(composer, group.moved)),
        "share_less": {name: estimate(beside.of(composer, less(group.moved, moved))) for name, moved in there.items()},
        "against": against,
        "beyond": [name in beside.beyond for name in determinants],
        "parts": parts_of(composer),
        "claims": [claim(name, beside) for name in asked],
        "elsewhere": [
            {**_elsewhere(composer, group, controls, determinants, rms), "reach": _reach(determinants.index(composer), composer, known, rms)}
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


def _control_row(name: str, groups: Sequence[Group], determinants: Sequence[str], rms: float) -> Numbers:
    """What a control moved at the distance at which it is compared: nothing where it was not measured there."""
    moved = together(groups, rms)
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
        "determinants": bounded(pooled([group.over_splits(group.moved_alike()) for group in groups]), -1, 1),
        "added": bounded(pooled([group.over_splits(group.alike()) for group in kept]), -1, 1),
        "share_under_20hz": bounded(pooled([group.over_splits(group.each("share_under_20hz")) for group in groups]), 0, 1),
        "share_audible": bounded(pooled([group.over_splits(group.each("share_audible", "audibility")) for group in groups]), 0, 1),
    }
