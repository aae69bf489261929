"""The body's selection of dreams: living filters as unlike each other as can be, a dead one, and one dreamed before its ReLU.

The thesis shows thirteen living filters in its figures 6.2 to 6.14 (three of layer 2, four of layer 3, six of layer 4), chosen for diversity, a dead
one in 6.15 and one before its ReLU in 6.16. Here diversity is measured: see ``likeness``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aesdream.appendix.analysis import Array
from aesdream.appendix.likeness import distances, square
from aesdream.appendix.reading import Dream
from aesdream.dreaming.excerpts import farthest

LIVING = 13
_SHARES = (3, 4, 6)


def quotas(available: Sequence[int], total: int = LIVING) -> list[int]:
    """How many to take from each layer: 3, 4 and 6 of three layers as in the thesis, equal parts otherwise; what one layer lacks others give."""
    weights = _SHARES if len(available) == len(_SHARES) else (1,) * len(available)
    wanted = [min(have, round(total * weight / sum(weights))) for have, weight in zip(available, weights, strict=True)]
    while sum(wanted) > total:
        wanted[wanted.index(max(wanted))] -= 1
    while sum(wanted) < min(total, sum(available)):
        spare = [have - want for have, want in zip(available, wanted, strict=True)]
        wanted[spare.index(max(spare))] += 1
    return wanted


def diverse(dreams: Sequence[Dream], far: Array, count: int) -> list[Dream]:
    """``count`` living dreams of one layer as unlike each other as can be, in the order of their targets; the strongest change opens the choice.

    ``far`` [shape=(n, n)] is how far apart each two are.
    """
    if not dreams or count < 1:
        return []
    first = int(np.argmax([dream.number("rms_from_start") or 0.0 for dream in dreams]))
    return [dreams[index] for index in sorted(farthest(far, first, count))]


def select(dreams: Sequence[Dream], layers: Sequence[Mapping[str, Any]]) -> dict[str, list[Dream]]:
    """The choice among one model's dreams from one start; ``layers`` are those of ``likeness`` that they are of.

    ``living``, which rose, are not dead and did not overshoot; ``dead``, one or none; ``pair``, a filter's dream before and after its ReLU, or none.
    """
    filters = [dream for dream in dreams if dream.ready and dream.is_filter]
    found = {layer["layer"]: layer for layer in layers if layer["side"] == "post"}
    able: dict[str, list[Dream]] = {}
    for dream in filters:
        if dream.side == "post" and dream.fate == "rose" and not dream.dead and not dream.overshot:
            able.setdefault(dream.layer, []).append(dream)
    counts = quotas([len(members) for members in able.values()])
    living = [
        dream
        for (layer, members), count in zip(able.items(), counts, strict=True)
        for dream in diverse(members, _far(members, found.get(layer)), count)
    ]
    dead = [dream for dream in filters if dream.side == "post" and dream.dead]
    return {"living": living, "dead": dead[-1:], "pair": _pair(living, filters)}


def _far(members: Sequence[Dream], found: Mapping[str, Any] | None) -> Array:
    """How far apart dreams of one layer are; a layer with one living filter has no likeness."""
    if found is None:
        return np.zeros((len(members), len(members)))
    places = [found["targets"].index(dream.target) for dream in members]
    return distances(square(found["added"]), square(found["responses"]))[np.ix_(places, places)]


def _pair(living: Sequence[Dream], filters: Sequence[Dream]) -> list[Dream]:
    """The chosen filter of the middle layer that opens it, before and after its ReLU; another layer's where that has none."""
    before: Mapping[tuple[str, str], Dream] = {(dream.layer, dream.target): dream for dream in filters if dream.side == "pre"}
    pairs = [(before[dream.layer, dream.target], dream) for dream in living if (dream.layer, dream.target) in before]
    layers = list(dict.fromkeys(dream.layer for dream in living))
    if not pairs:
        return []
    middle = layers[len(layers) // 2]
    return list(next((pair for pair in pairs if pair[1].layer == middle), pairs[0]))
