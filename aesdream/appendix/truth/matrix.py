"""The matrix: for every network what the dreams of each composer's models moved, beside what controls moved and what was heard at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from aesdream.appendix.material import Material
from aesdream.appendix.truth.gathered import CONTROLS, UNNAMED, Group, control_of, pooled
from aesdream.sounds.composers import COMPOSERS
from aesdream.sounds.measures import MIXTURE, mixture
from aesdream.study import Study
from aesdream.training.statistics import number
from aesdream.truth.contrasts import (
    Array,
    BySplit,
    above,
    apart,
    below,
    beyond,
    by_split,
    cells,
    difference,
    estimate,
    margin,
    stack,
)

Numbers = dict[str, Any]
FAR_ENOUGH = 0.99
"""Of the distance that was asked for."""
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


def relations(measures: Mapping[str, Array]) -> tuple[Array, Array]:
    """Pearson's and Spearman's correlations between the determinants over the corpus; NaN beside one that does not vary."""
    columns = np.array(list(measures.values()))
    with np.errstate(invalid="ignore", divide="ignore"):
        return tuple(np.corrcoef(each).reshape(len(columns), -1) for each in (columns, rankdata(columns, axis=1)))


def networks(material: Material, groups: Sequence[Group]) -> list[Numbers]:
    """A matrix for every network of which the study asks something that learned; of models that were augmented ``regularised`` tells."""
    study, determinants = material.study, list(material.corpus.measures)
    every = [group for group in groups if _is_plain(study, group) and not _control(study, group) and not variant(study, group.treatment)[1]]
    learned = _best(every)
    controls, noise = _controls(study, groups), [group for group in groups if study.sweeps[group.sweep].direction == "random"]
    pearson = relations(material.corpus.measures)[0]
    found = []
    for one in dict.fromkeys(variant(study, group.treatment) for group in learned):
        beside = {**controls.get(one, {}), **({"random": noise} if noise else {})}
        mine = {study.composer_of(group.treatment): group for group in learned if variant(study, group.treatment) == one}
        rows = [_row(composer, mine[composer], beside, determinants, pearson) for composer in determinants if composer in mine]
        _columns(rows, {composer: group.moved for composer, group in mine.items() if composer}, determinants)
        found.append(
            {
                "network": called(one),
                "rows": rows,
                "controls": [_control_row(name, groups, determinants) for name, groups in beside.items()],
                "directions": directions([group for group in every if variant(study, group.treatment) == one]),
                "reached": _reached(study, list(mine.values())),
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


def together(groups: Sequence[Group]) -> BySplit:
    """The mean contrasts of each split over all models of several groups, which began with the same sounds."""
    return by_split(_padded([group.contrasts for group in groups]), [split for group in groups for split in group.splits])


def _padded(parts: Sequence[Array]) -> Array:
    starts = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(part, ((0, 0), (0, starts - part.shape[1]), (0, 0)), constant_values=np.nan) for part in parts])


def _row(composer: str, group: Group, controls: Mapping[str, Sequence[Group]], determinants: Sequence[str], pearson: Array) -> Numbers:
    """What is said of one composer's dreams in one network."""
    own = cells(group.moved, len(determinants))
    there = {name: moved for name, members in controls.items() if (moved := together(members))}
    against = {name: difference(group.moved, moved, len(determinants)) for name, moved in there.items()}
    values, place = stack(group.moved, len(determinants)), list(determinants).index(composer)
    rivals = [list(determinants).index(name) for name in rivals_of(composer, determinants)]
    closest = margin(values[:, place], {rival: values[:, rival] for rival in rivals})
    return {
        "composer": composer,
        "treatment": group.treatment,
        "sweep": group.sweep,
        "models": group.models,
        "expected": len(group.splits),
        "splits": len(values),
        "starts": group.changes.shape[1],
        "dreams": len(group.made),
        "asked": int(group.dreams.size),
        "toward": [estimate(list(group.over_splits(group.changes[:, :, way, place]).values())) for way in (0, 1)],
        "cells": own,
        "against": against,
        "beyond": beyond(own, list(against.values())),
        "margin": None if closest is None else {"rival": determinants[closest.rival], **closest.found},
        "apart": None if closest is None else estimate(apart(values[:, place], values[:, closest.rival], float(pearson[place, closest.rival]))),
        "parts": parts_of(composer),
    }


def _columns(rows: Sequence[Numbers], moved: Mapping[str, BySplit], determinants: Sequence[str]) -> None:
    """Add to every row how far its diagonal lies above the same determinant's contrast for every other composer, its closest one named."""
    for row in rows:
        place, own = list(determinants).index(row["composer"]), moved[row["composer"]]
        others = {list(determinants).index(name): moved[name] for name in rivals_of(row["composer"], list(moved)) if own.keys() & moved[name].keys()}
        found = []
        for other, values in others.items():
            common = sorted(own.keys() & values.keys())
            closest = margin(np.array([own[split][place] for split in common]), {other: np.array([values[split][place] for split in common])})
            if closest is not None:
                found.append(closest)
        nearest = min(found, key=lambda one: one.found["low"] or 0.0, default=None)
        row["column"] = None if nearest is None else {"rival": determinants[nearest.rival], **nearest.found}


def _control_row(name: str, groups: Sequence[Group], determinants: Sequence[str]) -> Numbers:
    moved = together(groups)
    own = cells(moved, len(determinants))
    return {
        "control": name,
        "treatment": None if name == "random" else groups[0].treatment,
        "models": sum(group.models for group in groups),
        "expected": sum(len(group.splits) for group in groups),
        "splits": len(moved),
        "cells": own,
        "excluding": sum(above(cell) or below(cell) for cell in own),
    }


def _reached(study: Study, groups: Sequence[Group]) -> float | None:
    """The share of dreams that went as far from their start as they were asked to."""
    asked = [study.sweeps[group.sweep].stop_rms or 0.0 for group in groups]
    found = np.concatenate([group.each("rms_from_start").ravel() / far for group, far in zip(groups, asked, strict=True)])
    found = found[np.isfinite(found)]
    return number(float((found > FAR_ENOUGH).mean())) if found.size else None


def directions(groups: Sequence[Group]) -> Numbers:
    """How alike dreams toward "interesting" and toward "not" are: in what they change of the determinants, and in what they add as sounds; and what
    of their change can be heard.
    """
    return {
        "determinants": pooled([group.over_splits(group.moved_alike()) for group in groups]),
        "added": pooled([group.over_splits(group.alike()) for group in groups]),
        "share_under_20hz": pooled([group.over_splits(group.each("share_under_20hz")) for group in groups]),
        "share_audible": pooled([group.over_splits(group.each("share_audible", "audibility")) for group in groups]),
    }
