"""Whether a dream made for one model is one for another of the same treatment and split: it is heard by the other, which is done here, at most
``MOST`` dreams of each treatment and layer, evenly chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from aesdream.appendix.material import Material
from aesdream.appendix.reading import Dream, Model
from aesdream.appendix.truth.asked import called, control_of, variant
from aesdream.appendix.truth.gathered import CONTROLS
from aesdream.appendix.truth.seeds import Responses
from aesdream.dreaming.objectives import listening
from aesdream.dreaming.responses import noted
from aesdream.study import file_name
from aesdream.training.checkpoints import load_network
from aesdream.truth.contrasts import Array, bounded, estimate
from aesdream.truth.matching import matched
from aesdream.truth.transfer import excited

Numbers = dict[str, Any]
MOST = 48
"""Dreams of a treatment and layer that are heard by another model."""
MEASURED = {"excited": (0.0, 1.0), "beyond_others": (-1.0, 1.0), "share_toward": (0.0, 1.0), "carried": (-math.inf, math.inf)}
"""Numbers by split, and what they lie between."""
_TOGETHER = 16
_APART = 1e-3
"""Logits between two dreams of a pair in their own model, under which they are not apart."""


@dataclass(frozen=True)
class Heard:
    """What one dream did in another model: to its filters' mean responses in the dream's layer [shape=(filters,)], and to its margin between the
    classes; ``own_margin`` to that of its own model.
    """

    dream: Dream
    split: int
    change: Array
    margin: float
    own_margin: float


def transfer(material: Material, responses: Responses) -> list[Numbers]:
    """For every treatment and layer with dreams that can be heard: how often a dream excites its match, or moves the class. Raises DamagedFile."""
    study = material.study
    models = {model.name: model for model in material.models if model.evaluation}
    found = []
    for (treatment, layer), dreams in _dreams(material, models).items():
        chosen = _chosen(dreams, layer)
        heard = _heard(material, models, chosen, layer)
        told = _class(material, heard) if layer == "class" else _filters(responses, models, heard, layer)
        if told is not None:
            composer = control_of(study.training.treatments[treatment]) or study.composer_of(treatment)
            whose = {"network": called(variant(study, treatment)), "treatment": treatment, "composer": composer, "layer": layer}
            found.append({**whose, "dreams": len(dreams), "looked_at": len(heard), **told})
    return [_told(one, found) for one in found]


def _told(one: Numbers, every: Sequence[Numbers]) -> Numbers:
    """Numbers by split as their means, and how much larger they are than those of the same network's shuffled labels."""
    control = next((other for other in every if _same(one, other)), {})
    told = {key: value for key, value in one.items() if key not in MEASURED}
    told |= {key: None if one[key] is None else bounded(estimate(list(one[key].values())), *ends) for key, ends in MEASURED.items()}
    key = "share_toward" if one["share_toward"] is not None else "beyond_others"
    own, theirs = one[key] or {}, control.get(key) or {}
    if one["composer"] in CONTROLS or not theirs:
        return {**told, "less_shuffled": None}
    return {**told, "less_shuffled": bounded(estimate([own[split] - theirs[split] for split in own if split in theirs]), -1, 1)}


def _same(one: Numbers, other: Numbers) -> bool:
    return other["composer"] == "shuffled" and (one["network"], one["layer"]) == (other["network"], other["layer"])


def _chosen(dreams: Sequence[Dream], layer: str) -> list[Dream]:
    """At most ``MOST``, evenly chosen; of classes whole pairs, which began with the same sound in the same model."""
    sets: dict[tuple[str, ...], list[Dream]] = {}
    for dream in dreams:
        key = (dream.sweep, dream.model, dream.side, dream.start) if layer == "class" else (dream.name,)
        sets.setdefault(key, []).append(dream)
    whole = [members for members in sets.values() if len(members) == (2 if layer == "class" else 1)]
    most = MOST // (2 if layer == "class" else 1)
    return [dream for place in np.unique(np.linspace(0, len(whole) - 1, most).round()) for dream in whole[int(place)]] if whole else []


def _dreams(material: Material, models: Mapping[str, Model]) -> dict[tuple[str, str], list[Dream]]:
    """The dreams with sounds of filters, before any activation or after, and of classes, whose model has a fellow of another seed."""
    found: dict[tuple[str, str], list[Dream]] = {}
    for sweep, members in material.dreams.items():
        if material.study.sweeps[sweep].keep != "sounds" or material.study.sweeps[sweep].domain != "waveform":
            continue
        for dream in members:
            if dream.ready and dream.model in models and _other(models, dream) and (dream.is_filter or dream.layer == "class"):
                found.setdefault((models[dream.model].treatment, dream.layer), []).append(dream)
    return found


def _other(models: Mapping[str, Model], dream: Dream) -> Model | None:
    """The model of the same treatment and split with the next seed."""
    own = models[dream.model]
    fellows = [m for m in models.values() if (m.treatment, m.protocol, m.split) == (own.treatment, own.protocol, own.split) and m.seed != own.seed]
    return next((fellow for fellow in fellows if fellow.seed > own.seed), fellows[0] if fellows else None)


def _heard(material: Material, models: Mapping[str, Model], dreams: Sequence[Dream], layer: str) -> list[Heard]:
    found = []
    for name in dict.fromkeys(dream.model for dream in dreams):
        mine = [dream for dream in dreams if dream.model == name]
        other = _other(models, mine[0])
        assert other is not None
        sounds = [(dream.sound()[0], _start(material, dream)) for dream in mine]
        changes, margins = _changes(other, sounds, layer)
        own = _changes(models[name], sounds, layer)[1] if layer == "class" else np.full(len(mine), np.nan)
        found += [Heard(*each) for each in zip(mine, [other.split] * len(mine), changes, margins.tolist(), own.tolist(), strict=True)]
    return found


def _start(material: Material, dream: Dream) -> np.ndarray:
    """What a dream began with, as long as it is."""
    whole = dream.own_start() if dream.has_own_start else material.views.start_sound(dream.start, dream.sweep)
    assert whole is not None
    samples = dream.sound()[0].shape
    return np.ascontiguousarray(whole[: samples[0], : samples[1]])


@torch.no_grad()
def _changes(model: Model, sounds: Sequence[tuple[np.ndarray, np.ndarray]], layer: str) -> tuple[Array, Array]:
    """How much each dream raised a layer's mean responses after the activation [shape=(dreams, filters)], and the margin between the classes."""
    network = load_network(model.checkpoint()).network
    dtype = next(network.parameters()).dtype
    both = [sound for pair in sounds for sound in pair]
    margins = []
    with noted(network, [layer], ["post"]) as seen, listening(network):
        for first in range(0, len(both), _TOGETHER):
            logits = network(torch.from_numpy(np.stack(both[first : first + _TOGETHER])).to(dtype))
            margins.append((logits[:, -1] - logits[:, 0]).double().numpy())
    responses, margin = np.concatenate(seen[layer, "post"]), np.concatenate(margins)
    return responses[0::2] - responses[1::2], margin[0::2] - margin[1::2]


def _filters(responses: Responses, models: Mapping[str, Model], heard: Sequence[Heard], layer: str) -> Numbers | None:
    """How often the match of what was dreamed rose more than the other filters, and more than it did in dreams of other filters."""
    ranks: dict[int, list[float]] = {}
    beyond: dict[int, list[float]] = {}
    for name in dict.fromkeys(one.dream.model for one in heard):
        mine = [one for one in heard if one.dream.model == name]
        other = _other(models, mine[0].dream)
        pair = {found: (one, two) for found, one, two in responses.both((models[name], other))} if other else {}
        matches = matched(*pair[layer]) if layer in pair else None
        if matches is None:
            continue
        partner = dict(zip(matches.one.tolist(), matches.other.tolist(), strict=True))
        spread = pair[layer][1].std(axis=0)
        for one in mine:
            match = partner.get(int(one.dream.target))
            if match is None:
                continue
            rank = excited(one.change, spread, match)
            others = [excited(each.change, spread, match) for each in mine if each.dream.target != one.dream.target]
            ranks.setdefault(one.split, []).append(rank)
            if others:
                beyond.setdefault(one.split, []).append(rank - float(np.mean(others)))
    if not ranks:
        return None
    return {"excited": _over(ranks), "beyond_others": _over(beyond), "share_toward": None, "carried": None}


def _class(material: Material, heard: Sequence[Heard]) -> Numbers | None:
    """Of how many pairs of dreams the one toward the positive class left the other model's margin above where the other dream did, one half by
    chance; and how far apart, out of how far they are in their own model (the median over pairs that are apart there).
    """
    positive = file_name(material.sounds["classes"][-1])
    pairs: dict[tuple[str, str, str], dict[bool, Heard]] = {}
    for one in heard:
        pairs.setdefault((one.dream.sweep, one.dream.model, one.dream.start), {})[one.dream.target == positive] = one
    shares: dict[int, list[float]] = {}
    carried: dict[int, list[float]] = {}
    for both in (both for both in pairs.values() if len(both) == 2):
        moved, own = (getattr(both[True], key) - getattr(both[False], key) for key in ("margin", "own_margin"))
        shares.setdefault(both[True].split, []).append(float(moved > 0))
        if own > _APART:
            carried.setdefault(both[True].split, []).append(moved / own)
    if not shares:
        return None
    medians = {split: float(np.median(values)) for split, values in carried.items()}
    return {"excited": None, "beyond_others": None, "share_toward": _over(shares), "carried": medians}


def _over(values: Mapping[int, Sequence[float]]) -> dict[int, float]:
    """The mean of each split."""
    return {split: float(np.nanmean(each)) for split, each in values.items() if np.isfinite(each).any()}
