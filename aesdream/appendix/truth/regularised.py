"""What regularisers and augmentation below the threshold of hearing do: to the truth, to what is heard of a dream, and to how far it rises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aesdream.appendix.material import Material
from aesdream.appendix.truth.asked import asks, called, control_of, variant
from aesdream.appendix.truth.claims import claim
from aesdream.appendix.truth.gathered import Group, pooled, rules, together
from aesdream.appendix.truth.matrix import compared, controls
from aesdream.study import Study
from aesdream.truth.contrasts import estimate, less

Numbers = dict[str, Any]
PLAIN = "plain"
MEASURED = {"share_under_20hz": "", "share_audible": "audibility", "above_db": "audibility"}
"""Numbers of a dream's JSON, and the mapping inside which they stand there."""


def regularised(material: Material, groups: Sequence[Group]) -> list[Numbers]:
    """For every network and composer whose dreams are regularised, or whose models augmented: a row a way of dreaming, plain first, all from the
    starts that all of them have.
    """
    study, known = material.study, rules(material.study, groups)
    ways: dict[tuple[str, str], dict[str, list[Group]]] = {}
    for group in groups:
        if _learned(material, group):
            place = variant(study, group.treatment)[0], str(study.composer_of(group.treatment))
            ways.setdefault(place, {}).setdefault(_way(study, group), []).append(group)
    found = []
    for (network, composer), named in ways.items():
        best = {way: max(members, key=lambda group: len(group.starts)) for way, members in named.items()}
        starts = [start for start in next(iter(best.values())).starts if all(start in group.starts for group in best.values())]
        if len(best) > 1 and starts:
            same = {way: group.of(starts) for way, group in best.items()}
            for way in sorted(same, key=lambda way: way != PLAIN):
                found.append(_row(material, (network, composer), way, same[way], same.get(PLAIN), controls(study, same[way], groups), known))
    return found


def _learned(material: Material, group: Group) -> bool:
    return not control_of(material.study.training.treatments[group.treatment]) and material.study.sweeps[group.sweep].direction == "gradient"


def _way(study: Study, group: Group) -> str:
    """How a group's dreams were made: by which regularisers, of models that were augmented how; with which momentum where a study has several."""
    augmentation, sweep = variant(study, group.treatment)[1], study.sweeps[group.sweep]
    named = [*sweep.regularisers, *([f"augmented ({augmentation})"] if augmentation else [])]
    if len({one.momentum for one in study.sweeps.values() if asks(one) and one.direction == "gradient"}) > 1:
        named.append(f"momentum {sweep.momentum:g}")
    return " + ".join(named) or PLAIN


def _row(
    material: Material,
    whose: tuple[str, str],
    way: str,
    group: Group,
    plain: Group | None,
    own_controls: Mapping[str, Sequence[Group]],
    known: Mapping[str, Group],
) -> Numbers:
    """What is claimed of the composer's own determinant beside the dreams' own controls and plain dreams, and means over all dreams."""
    there = {name: moved for name, members in own_controls.items() if (moved := together(members, group.rms))}
    beside = compared(group, there, {}, known, material)
    told = claim(whose[1], beside)
    usual = {} if plain is None or way == PLAIN else plain.moved_at(group.rms)
    return {
        "network": whose[0],
        "composer": whose[1],
        "way": way,
        "treatment": group.treatment,
        "sweep": group.sweep,
        "rms": group.rms,
        "models": group.models,
        "starts": len(group.starts),
        "dreams": len(group.made),
        "pairs": group.pairs,
        "arms": group.arms(),
        "short": {"its own": group.share_short, **{name: max(one.share_short for one in members) for name, members in own_controls.items()}},
        "contrast": told["contrast"],
        "less": told["less"],
        "margin": told["margin"],
        "less_plain": None if way == PLAIN else estimate(beside.of(whose[1], less(group.moved, usual))),
        "gain": pooled([group.over_splits(group.gains())]),
        **{key: pooled([group.over_splits(group.each(key, inside))]) for key, inside in MEASURED.items()},
    }


def first_layers(material: Material) -> list[Numbers]:
    """For every network with dreams that tell what they added through conv1: what share of that lies in the one kernel that adds most, of how many.

    A coefficient's energy is counted with its kernel's own; overlaps of neighbouring coefficients are not.
    """
    study = material.study
    splits = {model.name: model.split for model in material.models}
    shares: dict[str, dict[int, list[float]]] = {}
    kernels: dict[str, int] = {}
    for dream in material.by_name.values():
        treatment, added = dream.model.partition("/")[0], dream.content.get("coefficients")
        layer = material.kernels.get(dream.model) if added and not control_of(study.training.treatments[treatment]) else None
        if layer is not None:
            name, powers = called(variant(study, treatment)), np.square(layer.after).sum(axis=(1, 2))
            energy = powers * np.square(np.array(added).reshape(len(powers), -1)).sum(axis=1)
            if energy.sum():
                kernels[name] = len(powers)
                shares.setdefault(name, {}).setdefault(splits[dream.model], []).append(float(energy.max() / energy.sum()))
    means = {name: {split: float(np.mean(values)) for split, values in parts.items()} for name, parts in shares.items()}
    return [{"network": name, "kernels": kernels[name], "share": pooled([parts])} for name, parts in means.items()]
